"""Links in channels that have none: nicks, turns, times and words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules import linking
from service.rules.channel import LINES, NAMED, Channel
from service.rules.linking import Message, answered, link
from service.rules.linking_features import FEATURES
from service.rules.linking_weights import WEIGHTS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def talk(*lines: str) -> list[Message]:
    """A message a line, half a minute apart: "ana: is anybody here?"; ids are line numbers from 1."""
    return [
        Message(str(number), line.partition("| ")[0].strip(), NOON + timedelta(seconds=30 * number), line.partition("| ")[2])
        for number, line in enumerate(lines, 1)
    ]  # fmt: skip


def parents(messages: list[Message]) -> list[str | None]:
    return [each.parent for each in link(messages)]


TWO_TALKS = talk(
    "ana  | hi, my printer stopped working after the update, how do I get it back?",
    "carl | does anybody know a good editor for long documents?",
    "bob  | ana: which printer is it?",
    "dora | carl: try the one from the shop, it holds whole books",
    "ana  | bob: an old laser printer",
    "carl | dora: thanks, I will look at that editor",
    "bob  | ana: then remove its driver and plug it in again",
)


def test_two_talks_in_one_channel_are_told_apart_by_the_names_that_people_say():
    assert parents(TWO_TALKS) == [None, None, "1", "2", "3", "4", "5"]


def test_an_answer_without_a_name_is_found_by_its_words():
    chat = ["bob | good morning", *["dora | eve: see you at nine then", "eve | dora: fine, I bring the tickets"] * 20]
    found = parents(
        talk(
            *chat,
            "carl | does anyone have a recipe for rhubarb cake?",
            "ana  | how do I install the scanner software?",
            "bob | the recipe for rhubarb cake is in my book",
        )
    )
    assert found[-3:] == [None, None, "42"]


def test_what_its_author_goes_on_to_say_belongs_to_a_message_and_an_answer_to_that_answers_both():
    messages = talk(
        "ana | hello, my screen stays dark",
        "ana | it is the left one of two screens",
        "bob | ana: is its cable plugged in?",
    )
    assert parents(messages) == [None, "1", "2"]
    chances = answered(messages, link(messages))
    assert chances["1"] > 0.5
    assert chances["2"] > 0.5
    assert chances["3"] == 0


def test_a_robot_answers_the_command_and_nothing_else():
    messages = talk(
        "ana    | which shop has spare parts?",
        "bob    | !hours",
        "helper | Our shops are open from nine to five.",
        "carl   | is the lift still broken?",
        "dora   | !lift",
        "helper | The lift is repaired on Monday.",
    )
    found = parents(messages)
    assert (found[2], found[5]) == ("2", "5")


def test_a_question_that_nobody_turns_to_is_unanswered():
    chances = answered(TWO_TALKS, link(TWO_TALKS))
    assert chances["1"] > 0.9
    ignored = [*TWO_TALKS, *talk(*["x | -"] * 7, "eve | hello all, is there a way to print on both sides?")[7:]]
    assert answered(ignored, link(ignored))["8"] == 0


@pytest.mark.parametrize(
    "said",
    ["ana_: which printer is it?", "@ana which printer is it?", "ANA, which printer is it?", "<@ana> which one?"],
)
def test_a_name_is_known_however_it_is_written(said):
    messages = talk("ana | my printer stopped working", "carl | does anybody know a good editor?", f"bob | {said}")
    assert parents(messages)[2] == "1"


@pytest.mark.parametrize("nick", ["will", "can", "so", "the", "what", "thanks"])
def test_a_word_that_somebody_goes_by_names_them_only_where_it_is_written_as_a_name(nick):
    said = [
        f"{nick} | morning",
        "ana | my printer stopped working",
        f"bob | {nick} it print a test page if you ask it?",
    ]
    before = talk("ana | my printer stopped working", "nobody | morning", said[2])
    assert parents(talk(*said))[2] == ("2" if parents(before)[2] else None)
    for named in (f"{nick}: good morning", f"@{nick} good morning", f"<{nick}> good morning"):
        assert parents(talk(*said[:2], f"bob | {named}"))[2] == "1"


def test_nicks_and_texts_of_any_script_are_read():
    messages = talk("دانا | كيف أطبع هذا؟", "bob | does anybody know a good editor?", "מיה | دانا: من القائمة")
    assert parents(messages)[2] == "1"


@pytest.mark.parametrize("messages", [[], talk("ana | "), talk("| hi", " | hi"), talk("ana | " + "a: " * 5000)])
def test_odd_channels_do_no_harm(messages):
    assert len(link(messages)) == len(messages)


def test_a_channel_of_twenty_thousand_messages_is_linked_whole():
    nicks = [f"n{number % 97}" for number in range(20_000)]
    messages = [
        Message(str(n), nick, NOON + timedelta(seconds=n), f"{nicks[n - 1]}: well, number {n % 11}")
        for n, nick in enumerate(nicks)
    ]
    links = link(messages)
    assert len(links) == 20_000
    assert (
        max(len(each.parents) for each in links) <= 40
    )  # what is weighed for one message does not grow with the channel


def test_a_roll_call_is_answered_by_nobody_it_names_and_looks_no_further_back():
    everybody = [f"guest{number}" for number in range(200)]
    channel = Channel([*talk(*[f"{nick} | hello" for nick in everybody]), Message("call", "ana", NOON + timedelta(days=1), " ".join(f"{nick}:" for nick in everybody))])  # fmt: skip
    for number in range(200):
        channel.settle(number, number)
    assert len(channel.options(200)) <= LINES + NAMED + 1


def test_every_weight_is_of_a_feature_and_every_feature_has_one():
    assert set(WEIGHTS) == set(FEATURES)


# --- laws -----------------------------------------------------------------------------------------------------

TEXTS = [
    "hi all",
    "ana: yes",
    "bob: how?",
    "thanks",
    "!help",
    "is it the printer?",
    "carl, bob: no",
    "printer driver",
    "",
    "؟",
]
channels = st.lists(
    st.tuples(st.sampled_from(["ana", "bob", "carl"]), st.sampled_from(TEXTS), st.integers(0, 90)), max_size=14
).map(lambda rows: [Message(str(n), who, NOON + timedelta(minutes=at), text) for n, (who, text, at) in enumerate(rows)])


@given(channels)
def test_probabilities_are_probabilities_and_links_lead_back_in_time(messages):
    at = {each.id: each.at for each in messages}
    links = link(messages)
    assert sorted(each.id for each in links) == sorted(at)
    for each in links:
        shares = [share for _, share in each.parents]
        assert shares == sorted(shares, reverse=True)
        assert 0 <= sum(shares) < 1
        assert all(at[parent] <= at[each.id] for parent, _ in each.parents)
    assert all(0 <= chance <= 1 for chance in answered(messages, links).values())


@given(channels, st.randoms(use_true_random=False))
def test_order_of_arrival_and_duplicates_change_nothing(messages, random):
    apart = [
        Message(each.id, each.author, each.at + timedelta(seconds=n), each.text) for n, each in enumerate(messages)
    ]
    mixed = [*apart, *(random.choices(apart, k=3) if apart else [])]
    random.shuffle(mixed)
    assert link(mixed) == link(apart)


@given(channels)
def test_nobody_answers_themselves(messages):
    alone = [Message(each.id, "ana", each.at, each.text) for each in messages]
    assert set(answered(alone, link(alone)).values()) <= {0.0}


def test_scores_that_are_remembered_are_dropped_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(linking, "_KEPT", 1)
    monkeypatch.setattr(linking, "_scores", {})
    assert parents(TWO_TALKS) == [None, None, "1", "2", "3", "4", "5"]
    assert len(linking._scores) == 1
