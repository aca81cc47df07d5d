"""What a text wants, as probabilities."""

from __future__ import annotations

import csv
import json
import os
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules import spoken
from service.rules.intents import LONGEST, NAMES, UNSURE, Intents, classes, intents, why
from service.rules.languages import English, english
from service.rules.packed import LANE, pack
from service.rules.phrases import LANGUAGES

ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("WARMLINE_SHARED", ROOT.parent / "shared"))


def stored() -> dict:
    return json.loads(files("service.rules").joinpath("weights/intents.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        ("question", "how long does the delivery take"),
        ("request", "please cancel my order"),
        ("problem", "my heating is broken again"),
        ("call", "let's set up a call next week"),
        ("price", "what does the annual plan cost?"),
        ("purchase", "I really want to buy the new phone"),
        ("close", "thank you so much"),
    ],
)
def test_each_intent_is_told_from_idle_talk(intent: str, text: str) -> None:
    assert getattr(intents(text), intent) > 0.5 > getattr(intents("the sunset from our balcony"), intent)


@pytest.mark.parametrize(
    "text",
    [
        "I called three times", "my phone is broken", "don't call me", "they call me Al", "great talk by your boss", "call now and save 20%",
        "the meeting was moved to Monday", "she will call him tomorrow",
    ],
)  # fmt: skip
def test_the_words_of_a_call_alone_are_no_wish_to_talk(text: str) -> None:
    assert intents(text).call < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "I can be in your office on Monday at ten", "ten on Monday would suit me", "my number is below, any time", "you can reach me at the shop until six",
        "ready when you are, shall we say noon?",
    ],
)  # fmt: skip
def test_whoever_names_a_time_or_a_place_to_talk_is_heard_clearly(text: str) -> None:
    assert intents(text).call > 0.64


@pytest.mark.parametrize("text", ["who needs a lamp that costs this much", "I would never pay that much for a box", "why do people buy this"])  # fmt: skip
def test_whoever_doubts_that_a_thing_is_worth_its_price_does_not_want_to_buy_it(text: str) -> None:
    assert intents(text).purchase < 0.5 < intents(text.rsplit(" ", 1)[0] + ": I want to buy one").purchase


def test_what_a_text_replies_to_changes_what_it_means() -> None:
    asked = intents("yes please", "Would you like us to give you a call?", True)
    assert asked.needs_answer > 0.5
    assert asked.call > intents("yes please", "It's on sale from Monday.", True).call


@pytest.mark.parametrize("text", ["not here", "not yet", "no luck", "nobody has", "still nothing"])
def test_whoever_contradicts_what_we_told_them_waits_more_than_one_who_says_so_out_of_the_blue(text: str) -> None:
    assert intents(text, "We've sent it out this morning.", True).needs_answer > intents(text).needs_answer


def test_words_that_are_in_no_example_are_read_like_their_kin() -> None:
    affairs = ("verification", "transcript", "paperwork", "compartment", "clearance", "visas", "regulations")
    feelings = ("admiration", "glory", "nostalgia", "soul", "warmth", "courage", "delight", "gratitude")
    assert not {*affairs, *feelings} & {*stored()["weights"]["words"], *classes()}
    told = {word: intents(f"so much {word} in this place").needs_answer for word in (*affairs, *feelings)}
    assert min(told[word] for word in affairs) > 2 * max(told[word] for word in feelings)


def test_whoever_asks_for_a_call_or_a_price_waits_for_an_answer() -> None:
    for text in ("love it! can we talk on the phone about it?", "wow. what does it cost?"):
        found = intents(text)
        assert found.needs_answer >= max(found.call, found.price)


@pytest.mark.parametrize("text", ["バスが来ません", "la caldera lleva rota una semana", "Пакет так и не пришел"])
def test_without_words_to_judge_by_a_person_decides(text: str) -> None:
    assert intents(text).needs_answer >= UNSURE


@pytest.mark.parametrize(
    ("text", "language"), [("Danke!", "de"), ("muchas gracias por todo", None), ("ya funciona, gracias", "es")]
)
def test_a_goodbye_in_another_language_is_one(text: str, language: str | None) -> None:
    assert intents(text, language=language).needs_answer < UNSURE


def test_the_words_that_speak_most_come_first() -> None:
    words = why("could someone please call me back about the broken boiler", intent="call")
    assert 1 <= len(words) <= 5
    assert any("call" in each for each in words[:3])
    assert why("バスが来ません") == []
    assert why("") == []


@given(
    st.text(),
    st.none() | st.text(),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, "en-GB", "xx", *LANGUAGES]),
)
def test_any_text_has_probabilities(text: str, before: str | None, ours: bool | None, language: str | None) -> None:
    found = intents(text, before, ours, language=language)
    assert all(0 <= each <= 1 for each in found)
    assert found == intents(text, before, ours, language=language)


def test_the_longest_text_that_is_weighed_stays_within_its_lane() -> None:
    tables = stored()["weights"]
    worst = {name: max(max(map(abs, weights)) for weights in table.values()) for name, table in tables.items()}
    # A word of thirty letters has 58 parts; a word is in few classes.
    word = (
        worst["words"] + 58 * worst["parts"] + 4 * worst["classes"] + worst["pairs"] + worst["kin"] + 5 * worst["here"]
    )
    assert LONGEST * word < 1 << (LANE - 1)


def test_weights_of_all_intents_lie_side_by_side() -> None:
    assert pack([1, -1]) == 1 - (1 << LANE)
    assert tuple(stored()["intents"]) == NAMES == Intents.__match_args__


def test_the_weights_are_a_small_file() -> None:
    assert len(files("service.rules").joinpath("weights/intents.json").read_bytes()) < 1_500_000


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("the bus is late", None, English.YES), ("the bus is late", "de", English.YES), ("app crashed", None, English.LIKELY), ("app crashed", "en-US", English.YES),
        ("der bus ist nicht da", None, English.NO), ("der bus ist nicht da", "en", English.NO), ("autobus", "fr", English.NO), ("пакет", None, English.NO), ("", None, English.LIKELY),
    ],
)  # fmt: skip
def test_a_language_is_told_by_its_small_words_before_its_tag(
    text: str, language: str | None, expected: English
) -> None:
    assert english(text.split(), language) is expected


@pytest.mark.shared
def test_no_text_kept_for_evaluation_is_learnt_from() -> None:
    if not SHARED.exists():
        pytest.skip("The material beside the repository is not here.")
    data = pytest.importorskip("training.data", reason="The training scripts are not here.")
    learnt = {data._plain(sample.text) for sample in data.samples(SHARED) if len(sample.text.split()) > 3}
    for name in data.KEPT_FOR_EVALUATION:
        with (SHARED / "data" / name / "messages.csv").open(encoding="utf-8", newline="") as file:
            assert not [row["text"] for row in csv.DictReader(file) if data._plain(row["text"]) in learnt]


@pytest.mark.shared
def test_what_needs_an_answer_is_told_far_better_than_by_a_question_mark() -> None:
    path = SHARED / "data" / "text_needs_answer_400" / "messages.csv"
    if not path.exists():
        pytest.skip("The material beside the repository is not here.")
    ours = {"brand": True, "customer": False}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [
        intents(row["text"], row["reply_to_text"] or None, ours.get(row["reply_to_author"])).needs_answer
        for row in rows
    ]
    there = sum(row["label"] == "yes" for row in rows)
    likeliest = [row["label"] == "yes" for _, row in sorted(zip(told, rows, strict=True), key=lambda each: -each[0])]
    at = next(at for at in range(len(rows)) if sum(likeliest[:at]) >= 0.8 * there)
    assert sum(likeliest[:at]) / at > 0.85  # a question mark: .83 at recall .30
    said = [row["label"] == "yes" for row, found in zip(rows, told, strict=True) if found >= 0.5]
    assert sum(said) / len(said) > 0.8
    assert sum(said) / there > 0.85


def test_the_pieces_of_a_text_that_is_longer_than_posts_are_not_kept() -> None:
    spoken._taken_in.cache_clear()  # a full one would not grow either way
    spoken.spoken("Do you ship to Bremen? " * 10)
    kept = spoken._taken_in.cache_info().currsize
    spoken.spoken("Do you ship to Bremen? " * 1000)
    assert spoken._taken_in.cache_info().currsize == kept
