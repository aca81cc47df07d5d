"""How often a stream is looked at: its laws."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.polling import (
    LONGEST,
    Pace,
    Seen,
    after_wait,
    cap,
    interval,
    next_pull,
    pace,
    phase,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVERY = 2 * MINUTE
MOMENT = timedelta(milliseconds=1)  # what rounding may cost

spans = st.integers(0, 400 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
keys = st.uuids().map(lambda each: each.bytes)
nows = st.integers(1_700_000_000, 2_200_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@st.composite
def seen(draw: st.DrawFn, now: datetime = NOW) -> Seen:
    return Seen(
        every=timedelta(seconds=draw(st.integers(2, 86_400))),
        finished=draw(st.booleans()),
        fixed=draw(st.booleans()),
        open=draw(st.booleans()),
        last_item_at=draw(st.none() | spans.map(lambda span: now - span)),
        limited_at=draw(st.none() | spans.map(lambda span: now - span)),
    )


@pytest.mark.parametrize(
    ("known", "found", "length"),
    [
        (Seen(EVERY, finished=False), Pace.NEW, timedelta(0)),
        (Seen(EVERY, last_item_at=NOW - MINUTE), Pace.BUSY, EVERY),
        (Seen(EVERY, last_item_at=NOW - 63 * MINUTE), Pace.BUSY, EVERY),
        (Seen(EVERY, last_item_at=NOW - 65 * MINUTE), Pace.QUIET, 2 * EVERY),
        (Seen(EVERY, last_item_at=NOW - 3 * HOUR), Pace.QUIET, 4 * EVERY),
        (Seen(EVERY, last_item_at=NOW - 30 * DAY), Pace.QUIET, 8 * EVERY),
        (Seen(EVERY), Pace.QUIET, 8 * EVERY),
        (Seen(EVERY, last_item_at=NOW + HOUR), Pace.BUSY, EVERY),
        (Seen(EVERY, open=True, last_item_at=NOW - 30 * DAY), Pace.OPEN, EVERY),
        (Seen(EVERY, fixed=True, last_item_at=NOW - 30 * DAY), Pace.FIXED, EVERY),
        (Seen(EVERY, last_item_at=NOW, limited_at=NOW - MINUTE), Pace.LIMITED, 2 * EVERY),
        (Seen(EVERY, last_item_at=NOW - 30 * DAY, limited_at=NOW - MINUTE), Pace.LIMITED, 8 * EVERY),
        (Seen(EVERY, open=True, limited_at=NOW - MINUTE), Pace.LIMITED, 2 * EVERY),
        (Seen(EVERY, last_item_at=NOW, limited_at=NOW - 2 * HOUR), Pace.BUSY, EVERY),
        (Seen(15 * MINUTE, last_item_at=NOW - 30 * DAY), Pace.QUIET, LONGEST),
        (Seen(6 * HOUR, last_item_at=NOW - 90 * DAY), Pace.QUIET, 6 * HOUR),
    ],
)
def test_the_pace_is_told_by_what_was_seen(known: Seen, found: Pace, length: timedelta) -> None:
    assert (pace(known, now=NOW), interval(known, now=NOW)) == (found, length)


@given(seen(), keys)
def test_the_next_pull_lies_within_its_interval_and_never_beyond_the_cap(known: Seen, key: bytes) -> None:
    length = interval(known, now=NOW)
    at = next_pull(known, now=NOW, key=key)
    assert NOW + length / 2 - MOMENT <= at <= NOW + length
    assert at - NOW <= cap(known.every)
    if known.finished:
        assert known.every <= length


@given(seen(), spans, keys)
def test_newer_items_never_make_it_look_less_often(known: Seen, later: timedelta, key: bytes) -> None:
    if known.last_item_at is None:
        return
    newer = Seen(
        known.every, known.finished, known.fixed, known.open, min(known.last_item_at + later, NOW), known.limited_at
    )
    assert interval(newer, now=NOW) <= interval(known, now=NOW)


@given(seen())
def test_somebody_who_waits_never_makes_it_look_less_often(known: Seen) -> None:
    waits = Seen(known.every, known.finished, known.fixed, True, known.last_item_at, known.limited_at)
    assert interval(waits, now=NOW) <= interval(known, now=NOW)


@given(nows, keys, st.integers(2, 7200))
def test_one_that_is_pulled_on_time_keeps_its_instants(now: datetime, key: bytes, seconds: int) -> None:
    known = Seen(timedelta(seconds=seconds), open=True)
    first = next_pull(known, now=now, key=key)
    took = timedelta(seconds=seconds) * 0.1
    second = next_pull(known, now=first + took, key=key)
    assert abs(second - first - known.every) < MOMENT


def test_a_thousand_that_are_released_in_one_moment_do_not_ask_in_one_second() -> None:
    known = Seen(EVERY, last_item_at=NOW)
    at = [next_pull(known, now=NOW, key=UUID(int=number).bytes) for number in range(1000)]
    seconds = Counter(int(each.timestamp()) for each in at)
    # A minute has sixty seconds, so 17 each on average.
    assert max(seconds.values()) <= 40
    assert len(seconds) >= 55


@given(st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds)), keys)
def test_whoever_asks_us_to_wait_is_never_asked_before(wait: timedelta, key: bytes) -> None:
    at = after_wait(wait, now=NOW, key=key, spread=5 * MINUTE)
    assert NOW + max(wait, timedelta(seconds=1)) <= at <= NOW + max(wait, timedelta(seconds=1)) + 5 * MINUTE


@given(keys)
def test_a_key_has_one_phase(key: bytes) -> None:
    assert 0 <= phase(key) < 1
    assert phase(key) == phase(key)
