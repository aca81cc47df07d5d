"""A window in which a network lets us answer: what it does to patience."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.records import Kind
from service.rules.model import Post
from service.rules.urgency import WINDOW_URGENCY
from tests.service.rules.making import ALWAYS, DAY, HOUR, MONDAY, POLICY, post, replace, talk
from tests.service.rules.waiting import episode, judge


def test_a_window_that_closes_ends_patience_early_and_is_named():
    asked = post("q", MONDAY, "saw your shop window", window_closes_at=MONDAY + 8 * HOUR)
    verdict = judge(talk(asked), now=MONDAY + 2 * HOUR)
    assert verdict.finding
    assert verdict.finding.due_at == MONDAY + 2 * HOUR
    assert "You can answer there until 2 March at 17:00." in verdict.reasons
    assert "nobody can answer there any more" in " ".join(judge(talk(asked), now=MONDAY + DAY).reasons)


def asked_in_private(id_: str, at, text="Do you have it in blue?", **changes) -> Post:
    return post(id_, at, text, kind=Kind.DIRECT, window_closes_at=at + DAY, **changes)


BLUE = asked_in_private("q", MONDAY)


@pytest.mark.parametrize(
    "last",
    [
        asked_in_private("t", MONDAY + 20 * HOUR, "Thanks!"),
        asked_in_private("t", MONDAY + 20 * HOUR, "Thanks!", deleted=True),  # it was sent, and opened the window there
    ],
)
def test_the_window_is_counted_from_their_last_message_whatever_it_says(last):
    verdict = judge(talk(BLUE, last), now=MONDAY + 25 * HOUR, policy=ALWAYS)
    assert "You can answer there until 4 March at 05:00." in verdict.reasons
    assert not [each for each in verdict.reasons if "nobody can answer" in each]
    assert verdict.look_again_at == MONDAY + 38 * HOUR  # when it soon closes
    soon = judge(talk(BLUE, last), now=MONDAY + 38 * HOUR, policy=ALWAYS)
    assert soon.finding
    assert soon.finding.urgency >= WINDOW_URGENCY
    assert soon.look_again_at == MONDAY + 44 * HOUR
    closed = judge(talk(BLUE, last), now=MONDAY + 44 * HOUR, policy=ALWAYS)
    assert "nobody can answer there any more" in " ".join(closed.reasons)


def test_a_window_that_closed_before_they_wrote_again_says_nothing_of_what_they_write():
    """Not of every message is told until when it may be answered."""
    answer = post("a", MONDAY + HOUR, "Yes!", ours=True, kind=Kind.DIRECT, in_reply_to="q")
    again = post("n", MONDAY + 7 * DAY, "And in green?", kind=Kind.DIRECT)
    verdict = judge(talk(BLUE, answer, again), now=MONDAY + 7 * DAY + timedelta(minutes=1), policy=ALWAYS)
    assert verdict.finding is None
    assert "nobody can answer" not in " ".join(verdict.reasons)


def test_a_message_that_is_not_written_yet_a_colleague_or_somebody_else_opens_no_window():
    others = [
        asked_in_private("later", MONDAY + 26 * HOUR, "Thanks!"),
        asked_in_private("bob", MONDAY + 20 * HOUR, author_id="bob"),
        asked_in_private("ours", MONDAY - HOUR, ours=True, author_id="ana"),
    ]
    verdict = judge(talk(BLUE, *others), now=MONDAY + 25 * HOUR, policy=ALWAYS)
    assert "nobody can answer there any more" in " ".join(verdict.reasons)
    assert verdict.look_again_at == MONDAY + 26 * HOUR


def test_a_window_that_ends_on_a_day_off_is_closing_in_the_last_hours_before_it():
    """Its end is on a Saturday: on Monday nobody could answer any more."""
    friday = MONDAY + 4 * DAY
    slow = replace(POLICY, patience={**POLICY.patience, "direct": 4 * HOUR})
    early = judge(talk(asked_in_private("q", friday)), now=friday + 2 * HOUR, policy=slow)
    assert early.finding
    assert (early.finding.due_at, early.finding.urgency >= WINDOW_URGENCY) == (friday + 2 * HOUR, True)
    late = asked_in_private("q", friday + 7 * HOUR)
    assert judge(talk(late), now=friday + 7 * HOUR, policy=slow).finding
    again = judge(talk(late, asked_in_private("t", friday + 2 * DAY)), now=friday + 2 * DAY, policy=slow)
    assert episode(again) == "q"
    closed = replace(slow, holidays=frozenset({friday.date()}))
    assert judge(talk(late), now=friday + 7 * HOUR, policy=closed).finding is None


def test_a_window_that_closed_before_they_asked_ends_no_patience():
    old = asked_in_private("old", MONDAY - 10 * DAY, "Thanks!")
    assert judge(talk(old, BLUE), now=MONDAY, policy=ALWAYS).look_again_at == MONDAY + HOUR


def test_a_word_of_thanks_puts_off_a_patience_that_ends_with_the_window():
    slow = replace(ALWAYS, patience={**ALWAYS.patience, "direct": 100 * HOUR})
    early = asked_in_private("t", MONDAY + 17 * HOUR, "Thanks!")
    assert judge(talk(BLUE), now=MONDAY, policy=slow).look_again_at == MONDAY + 18 * HOUR
    assert judge(talk(BLUE, early), now=MONDAY + 18 * HOUR, policy=slow).look_again_at == MONDAY + 35 * HOUR


@pytest.mark.parametrize("text", ["Thanks!", "And in green?"])
def test_a_task_that_stands_because_the_window_was_closing_stays_when_they_write_again(text):
    slow = replace(ALWAYS, patience={**ALWAYS.patience, "direct": 100 * HOUR})
    again = asked_in_private("t", MONDAY + 20 * HOUR, text)
    verdict = judge(talk(BLUE, again), now=MONDAY + 20 * HOUR, policy=slow)
    assert verdict.finding
    assert (verdict.finding.due_at, verdict.finding.episode) == (MONDAY + 18 * HOUR, "q")
    assert verdict.finding.urgency < WINDOW_URGENCY
    assert "You can answer there until 4 March at 05:00." in verdict.reasons
