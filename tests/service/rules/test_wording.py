from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.records import TaskKind
from service.rules.model import Finding, Person
from service.rules.wording import QUOTE_LIMIT, SUBJECT_LIMIT, Draft, closing_line, draft
from service.rules.words import clip, moment, plain, times
from tests.service.rules.making import DAY, HOUR, MONDAY, answer, post, replace

TALK = (
    post("q0", MONDAY, "First of all"),
    post("q1", MONDAY + HOUR, "My app keeps crashing"),
    answer("a1", MONDAY + 2 * HOUR, to="q1", text="We are on it"),
    post("q2", MONDAY + 3 * HOUR, "ok"),
    post("q3", MONDAY + DAY, "How do I log in?\nReally?"),
)
FINDING = Finding(
    TaskKind.UNANSWERED,
    "q3",
    MONDAY + DAY,
    MONDAY + DAY + HOUR,
    MONDAY + DAY + HOUR,
    ("Ana asked.", "She waits."),
    60,
    ("q3",),
)
READY = replace(FINDING, kind=TaskKind.READY_FOR_CALL)
ANA = Person("Ana Silva", handle="ana", network="Birdsong", phone="+351 555", company="Acme", title="Owner")


def write(finding=FINDING, person=ANA, talk=TALK, text_mode="quote", done_url="https://w.test/done/1") -> Draft:
    return draft(finding, person, talk=talk, text_mode=text_mode, done_url=done_url, timezone="Europe/Lisbon")


def test_a_task_says_who_and_what_why_the_last_lines_and_where_to_answer():
    assert write() == Draft(
        "Answer Ana Silva: asked a question on Birdsong",
        "Ana asked.\nShe waits.\n\n"
        "Ana, 2 March at 10:00: My app keeps crashing\n"
        "Warm Ltd, 2 March at 11:00: We are on it\n"
        "Ana, 2 March at 12:00: ok\n"
        "Ana, 3 March at 09:00: How do I log in? Really?\n\n"
        "Answer here: https://net.test/q3\n\n"
        "No reply needed? https://w.test/done/1",
    )


def test_a_summary_says_who_wrote_when_and_what_kind_without_the_text():
    body = write(text_mode="summary").body
    assert "Ana reported a problem on Birdsong on 2 March at 10:00." in body
    assert "Warm Ltd wrote on Birdsong on 2 March at 11:00." in body
    assert not any(each.text.split("\n")[0] in body for each in TALK if len(each.text) > 3)


def test_a_link_holds_no_talk():
    assert (
        write(text_mode="link").body
        == "Ana asked.\nShe waits.\n\nAnswer here: https://net.test/q3\n\nNo reply needed? https://w.test/done/1"
    )


def test_a_call_task_has_the_phone_number_and_the_work_of_whom_to_call():
    words = write(READY)
    assert words.subject == "Call Ana Silva: you keep talking on Birdsong"
    assert "Ana Silva: Owner, Acme\nPhone: +351 555" in words.body
    assert "No call needed? https://w.test/done/1" in words.body


@pytest.mark.parametrize(
    ("wish", "subject"),
    [("asked", "they asked to talk"), ("accepted", "they said yes to a call"), ("", "you keep talking on Birdsong")],
)
def test_a_call_task_s_subject_says_what_its_reasons_say(wish, subject):
    assert write(replace(READY, wish=wish)).subject == f"Call Ana Silva: {subject}"


WISH = (
    post("w1", MONDAY + 2 * DAY, "Lovely weather. The board wants a quote for 30 desks by Friday. I do like green"),
    answer("a2", MONDAY + 2 * DAY + HOUR, to="w1", text="Which size?"),
    post("w2", MONDAY + 3 * DAY, "The large one, I think. Could somebody call me about the fitting?"),
)


def test_whoever_is_to_be_met_on_video_alone_is_not_to_be_called_and_no_number_stands_there():
    finding = replace(FINDING, kind=TaskKind.READY_FOR_CALL, wish="video")
    made = write(finding)
    assert made.subject == "Meet Ana Silva: they want a video meeting"
    assert "555" not in made.body
    assert "Ana Silva: Owner, Acme" in made.body


def test_a_call_task_has_the_question_left_open_and_what_matters_to_them_in_their_own_words():
    body = write(READY, talk=(*TALK, *WISH)).body
    assert "\n\nLeft open: “Could somebody call me about the fitting?”\n" in body
    assert "\nWhat matters to them: “The board wants a quote for 30 desks by Friday.”\n\n" in body
    closed = answer("a3", MONDAY + 4 * DAY, to="w2", text="Ringing you at ten")
    assert "Left open" not in write(READY, talk=(*TALK, *WISH, closed)).body
    assert "What matters" not in write(READY, talk=(post("c", MONDAY, "Lovely weather today"),)).body
    assert "Left open" not in write(FINDING, talk=(*TALK, *WISH)).body


@pytest.mark.parametrize("text_mode", ["summary", "link"])
def test_without_quotes_neither_stands_there(text_mode):
    body = write(READY, talk=(*TALK, *WISH), text_mode=text_mode).body
    assert "Left open" not in body
    assert "What matters" not in body


@pytest.mark.parametrize("text_mode", ["quote", "summary", "link"])
def test_tender_and_deleted_posts_are_never_quoted(text_mode):
    tender = post("t", MONDAY + 2 * DAY, "I was diagnosed with diabetes")
    gone = post("g", MONDAY + 2 * DAY, "REGRETTED", deleted=True)
    ask = post("t2", MONDAY + 2 * DAY, "The board wants a call about my chemo by Friday")
    for finding in (FINDING, READY):
        body = write(finding, talk=(*TALK, tender, ask, gone), text_mode=text_mode).body
        assert "diabetes" not in body
        assert "chemo" not in body
        assert "REGRETTED" not in body
    link_only = write(replace(FINDING, tender=True), talk=(*TALK, tender), text_mode=text_mode)
    assert link_only.subject == "Answer Ana Silva on Birdsong"
    assert link_only.body == write(text_mode="link").body


def test_our_own_words_on_tender_ground_are_not_quoted_either():
    tender = post("t", MONDAY + 2 * DAY, "I was diagnosed with diabetes")
    ours = (
        answer("a2", MONDAY + 2 * DAY, to="t", text="TAKE CARE"),
        answer("a3", MONDAY + 2 * DAY, to="q3", text="GOOD LUCK with the surgery and the chemo"),
    )
    body = write(talk=(*TALK, tender, *ours)).body
    assert "TAKE CARE" not in body
    assert "GOOD LUCK" not in body


def test_order_of_the_talk_changes_nothing():
    assert write(talk=TALK[::-1]) == write()


def test_the_link_is_to_the_newest_post_that_counts():
    assert "Answer here: https://net.test/q1\n" in write(replace(FINDING, evidence=("q0", "q1"))).body
    assert "Answer here: https://net.test/q3\n" in write(replace(FINDING, evidence=("unknown",))).body
    assert "Answer here" not in write(talk=()).body


def test_without_an_address_for_it_there_is_no_line_about_no_reply():
    assert write(done_url="").body.endswith("https://net.test/q3")


@pytest.mark.parametrize(
    ("person", "subject"),
    [
        (Person("", handle="ana", network="Birdsong"), "Answer @ana: asked a question on Birdsong"),
        (Person("", network="Birdsong"), "Answer Somebody: asked a question on Birdsong"),
        (Person("שרה כהן", network="Birdsong"), "Answer שרה כהן: asked a question on Birdsong"),
        (Person("\u202eAna\n\u0000", network=""), "Answer Ana: asked a question"),
    ],
)
def test_a_subject_names_anybody(person, subject):
    assert write(person=person).subject == subject


def test_a_long_name_gives_way_to_what_they_want():
    subject = write(person=replace(ANA, name="Maria Magdalena Theresia von und zu Hohenstein-Wittelsbach")).subject
    assert len(subject) <= SUBJECT_LIMIT
    assert subject.endswith("…: asked a question on Birdsong")


def test_an_answer_closes_the_task_with_where_and_when():
    assert (
        closing_line(answer("a", MONDAY), "Europe/Paris")
        == "Answered on Birdsong on 2 March at 10:00: https://net.test/a"
    )
    assert closing_line(answer("a", MONDAY, url="", network=""), "UTC") == "Answered on 2 March at 09:00."


FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("one two three", 9, "one two…"),
        ("abcdefghij", 5, "abcd…"),
        ("ab" + FAMILY + "c", 6, "ab…"),
        ("abc🇧🇷🇵🇹", 5, "abc…"),
        ("abc🇧🇷🇵🇹", 6, "abc🇧🇷…"),
        ("abcde\u0301f", 6, "abcd…"),
        ("ab👍🏽👍🏽", 4, "ab…"),
    ],
)
def test_text_is_cut_between_letters_as_people_see_them(text, limit, expected):
    assert clip(text, limit) == expected


@given(st.text(max_size=200), st.integers(2, 60))
def test_cut_text_fits_and_begins_as_the_text_does(text, limit):
    cut = clip(text, limit)
    assert len(cut) <= limit
    assert cut == text or text.startswith(cut[:-1])


@given(st.text(), st.text(), st.text(), st.sampled_from(["quote", "summary", "link"]), st.sampled_from(list(TaskKind)))
def test_any_names_and_texts_make_a_task(name, network, text, text_mode, kind):
    person = Person(name, network=network, company=text, phone=name)
    words = write(
        replace(FINDING, kind=kind),
        person,
        (post("q3", MONDAY, text, author_name=name, network=plain(network)),),
        text_mode,
    )
    assert 0 < len(words.subject) <= SUBJECT_LIMIT
    assert not any(unicodedata.category(char) == "Cc" for char in words.subject)
    assert all(len(line) <= QUOTE_LIMIT + 100 for line in words.body.split("\n") if "at 09:00: " in line)


def test_moments_and_counts_read_as_people_write_them():
    assert moment(MONDAY, "America/New_York") == "2 March at 04:00"
    assert [times(number) for number in (1, 2, 3)] == ["once", "twice", "3 times"]


def test_what_speaks_of_a_death_is_quoted_in_no_task():
    died = post("d", MONDAY + 2 * DAY, "My dad passed away on Sunday, and we need 40 seats by Friday")
    call = replace(FINDING, kind=TaskKind.READY_FOR_CALL)
    assert "passed away" not in write(call, talk=(*TALK, died)).body
    assert "40 seats" in write(call, talk=(*TALK, replace(died, text="We need 40 seats by Friday"))).body
