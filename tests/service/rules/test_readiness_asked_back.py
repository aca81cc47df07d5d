"""When somebody wants us to come back to them, and what follows from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from integrations.records import ActivityKind, Kind
from service.rules.model import History, LoggedActivity, Post, Verdict
from service.rules.readiness import ready_for_call
from service.rules.readiness.asked_back import asked_back
from tests.service.rules.making import DAY, HOUR, POLICY, answer, post, replace

SAID = datetime(2025, 10, 22, 12, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("try me again in March, we're stock taking", date(2026, 3, 1)),
        ("the fair isn't over until February, give us a shout then", date(2026, 2, 1)),
        ("Ping me after the 9th", date(2025, 11, 10)),
        ("chase me mid November", date(2025, 11, 15)),
        ("let's pick this up next quarter", date(2026, 1, 1)),
        ("get back to us in the new year", date(2026, 1, 2)),
        ("buzz me after Easter", date(2026, 4, 7)),
        ("remind me in six weeks", date(2025, 12, 3)),
        ("message me on Monday", date(2025, 10, 27)),
        ("come back to us once the summer is over", date(2026, 9, 1)),
        ("Ruft uns bitte im Februar an", date(2026, 2, 1)),
        ("Nach den Weihnachtsferien gerne nochmal melden", date(2026, 1, 2)),
        ("Relancez-nous en janvier", date(2026, 1, 1)),
        ("On en reparle après les fêtes", date(2026, 1, 2)),
        ("Escribidme en enero", date(2026, 1, 1)),
        ("Ci risentiamo a febbraio", date(2026, 2, 1)),
        ("Bel me na de feestdagen", date(2026, 1, 2)),
        ("Voltamos a falar depois do Natal", date(2026, 1, 2)),
        ("Proszę zadzwonić w styczniu", date(2026, 1, 1)),
        ("Hör av dig i januari", date(2026, 1, 1)),
    ],
)
def test_a_time_with_a_name_is_the_day_from_which_they_want_to_hear_from_us(text, day):
    at = asked_back(text, SAID)
    assert at is not None
    assert at.date() == day


@pytest.mark.parametrize(
    "text",
    [
        "I'll get back to you in March",
        "we will be in touch after the 9th",
        "Ich melde mich im Januar",
        "Ik neem in januari contact op",
        "Hör av mig i januari",
        "no point before the window opens in March",
        "not now, maybe later",
        "we went live in March, call me",
        "in March we had snow. Ask me about snow",
        "give me a shout",
        "ping me on the 31st of February",
    ],
)
def test_a_promise_of_theirs_and_a_time_without_a_request_name_none(text):
    assert asked_back(text, SAID) is None


MARCH = datetime(2026, 3, 1, tzinfo=UTC)
TALK = (
    post("t", SAID - DAY, "what do two polytunnels come to"),
    answer("o", SAID - DAY + HOUR, to="t"),
    post("w", SAID, "give me a shout in March, we're busy", kind=Kind.DIRECT),
    answer("p", SAID + HOUR, to="w", text="Will do."),
)


def judge(*posts: Post, now, **changes) -> Verdict:
    return ready_for_call(History("Ana", posts, **changes), now=now, policy=POLICY)


def test_until_then_nobody_calls_and_from_then_on_it_is_their_wish():
    before = judge(*TALK, now=MARCH - HOUR)
    assert before.finding is None
    assert before.reasons == ("They asked you to come back to them in March, they wrote on 22 October 2025.",)
    assert before.look_again_at == MARCH
    after = judge(*TALK, now=MARCH)
    assert after.finding is not None
    assert after.finding.episode == "w"
    assert after.finding.wish == "asked"
    assert after.reasons[0] == "Ana asked you to come back to them in March."
    assert after.look_again_at == MARCH + POLICY.call_recent
    assert judge(*TALK, now=MARCH + POLICY.call_recent).finding is None


@pytest.mark.parametrize("word", ["no thanks, we went elsewhere", "not now, too busy", "call me in May please"])
def test_what_they_have_said_of_a_talk_since_counts_instead(word):
    since = post("x", SAID + 60 * DAY, word, kind=Kind.DIRECT)
    assert judge(*TALK, since, now=MARCH + HOUR).finding is None


def test_a_call_that_was_held_meanwhile_was_the_one():
    held = LoggedActivity(ActivityKind.CALL, SAID + 40 * DAY, outcome="connected")
    assert judge(*TALK, now=MARCH + HOUR, activities=(held,)).finding is None
    missed = replace(held, outcome="no_answer")
    assert judge(*TALK, now=MARCH + HOUR, activities=(missed,)).finding


def test_what_we_wrote_meanwhile_makes_it_no_turn_of_theirs():
    nudges = [
        post(f"n{day}", SAID + timedelta(days=day), "Hello", ours=True, in_reply_to_author="ana")
        for day in (20, 40, 60)
    ]
    assert judge(*TALK, *nudges, now=MARCH + HOUR).finding


def test_whoever_wants_a_call_within_days_wants_it_now():
    soon = post("w", SAID, "can you call me on Thursday", kind=Kind.DIRECT)
    assert judge(soon, answer("o", SAID + HOUR, to="w"), now=SAID + 2 * HOUR).finding
    far = post("w", SAID, "can you call me in February", kind=Kind.DIRECT)
    assert judge(far, answer("o", SAID + HOUR, to="w"), now=SAID + 2 * HOUR).finding is None


def test_whoever_comes_back_to_us_themselves_has_no_wish_when_the_time_has_come():
    own = replace(TALK[2], text="I'll come back to you in March")
    assert judge(*TALK[:2], own, TALK[3], now=MARCH + HOUR).finding is None
