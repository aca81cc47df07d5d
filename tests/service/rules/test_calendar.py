from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.calendar import add_working_time, free_at, is_open, next_open, working_time
from tests.service.rules.making import ALWAYS, DAY, HOUR, OFFICE, POLICY

PARIS = replace(POLICY, timezone="Europe/Paris")
SIESTA = replace(PARIS, hours={day: ((time(9), time(13)), (time(15), time(0))) for day in range(6)})
HOLIDAYS = replace(PARIS, holidays=frozenset({date(2026, 3, 30), date(2026, 4, 6)}))
POLICIES = [
    POLICY,
    PARIS,
    SIESTA,
    HOLIDAYS,
    ALWAYS,
    replace(POLICY, hours={}),
    replace(SIESTA, timezone="America/Havana"),
]

instants = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
amounts = st.timedeltas(timedelta(minutes=1), timedelta(hours=200))
policies = st.sampled_from(POLICIES)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("policy", "start", "hours", "expected"),
    [
        (POLICY, "2026-03-02 09:00", 2, "2026-03-02 11:00"),
        (POLICY, "2026-03-02 16:00", 2, "2026-03-03 10:00"),
        (POLICY, "2026-03-06 16:30", 1, "2026-03-09 09:30"),  # over the weekend
        (POLICY, "2026-03-07 12:00", 8, "2026-03-09 17:00"),  # just as they close
        (PARIS, "2026-03-27 15:30", 1, "2026-03-30 07:30"),  # the clock went forward on Sunday
        (PARIS, "2026-10-23 14:30", 1, "2026-10-26 08:30"),  # and back
        (HOLIDAYS, "2026-03-27 15:30", 1, "2026-03-31 07:30"),
        (SIESTA, "2026-03-02 11:30", 1, "2026-03-02 14:30"),
        (SIESTA, "2026-03-02 22:30", 1, "2026-03-03 08:30"),  # until midnight, then from nine
        (ALWAYS, "2026-03-07 12:00", 30, "2026-03-08 18:00"),
    ],
)
def test_working_time_is_added_over_nights_weekends_holidays_and_daylight_saving(policy, start, hours, expected):
    assert add_working_time(utc(start), hours * HOUR, policy) == utc(expected)


def test_no_amount_at_all_is_the_first_open_instant():
    assert add_working_time(utc("2026-03-07 12:00"), timedelta(), POLICY) == utc("2026-03-09 09:00")
    assert add_working_time(utc("2026-03-02 12:00"), timedelta(), POLICY) == utc("2026-03-02 12:00")


def test_an_opening_is_open_and_a_closing_is_not():
    assert is_open(utc("2026-03-02 09:00"), POLICY)
    assert not is_open(utc("2026-03-02 17:00"), POLICY)
    assert not is_open(utc("2026-03-07 12:00"), POLICY)


def test_a_policy_without_any_hours_is_open_around_the_clock_holidays_included():
    policy = replace(POLICY, hours=dict.fromkeys(range(7), ()), holidays=frozenset({date(2026, 3, 2)}))
    assert is_open(utc("2026-03-02 03:00"), policy)


def test_a_night_of_daylight_saving_has_an_hour_less_and_one_more():
    day = replace(PARIS, hours=ALWAYS.hours)
    assert working_time(utc("2026-03-28 23:00"), utc("2026-03-29 22:00"), day) == 23 * HOUR
    assert working_time(utc("2026-10-24 22:00"), utc("2026-10-25 23:00"), day) == 25 * HOUR


def test_an_hour_that_the_clock_shows_twice_is_open_both_times():
    night = replace(PARIS, hours={6: ((time(1), time(2, 30)),)})
    assert working_time(utc("2026-10-24 20:00"), utc("2026-10-25 12:00"), night) == 2.5 * HOUR


def test_years_that_hold_no_working_day_end_the_search():
    closed = replace(POLICY, hours={0: OFFICE[0]}, holidays=frozenset(date(2026, 3, 2) + n * DAY for n in range(4000)))
    assert next_open(utc("2026-03-02 09:00"), closed) == utc("2026-03-02 09:00")
    assert add_working_time(utc("2026-03-02 09:00"), HOUR, closed) == utc("2026-03-02 09:00")


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ([], "2026-03-02 16:00"),
        ([("2026-03-02 15:30", "2026-03-02 16:30")], "2026-03-02 16:30"),
        ([("2026-03-02 16:30", "2026-03-02 17:30"), ("2026-03-02 15:30", "2026-03-02 16:30")], "2026-03-03 09:00"),
        ([("2026-03-02 15:30", "2026-03-02 18:00"), ("2026-03-03 08:00", "2026-03-03 09:15")], "2026-03-03 09:15"),
        ([("2026-03-02 15:00", "2026-03-02 16:00"), ("2026-03-02 16:30", "2026-03-02 17:00")], "2026-03-02 16:00"),
    ],
)
def test_the_first_free_instant_is_outside_meetings_and_inside_hours(busy, expected):
    spans = [(utc(start), utc(end)) for start, end in busy]
    assert free_at(utc("2026-03-02 16:00"), spans, POLICY) == utc(expected)


@given(policies, instants, amounts)
def test_what_was_added_has_gone_by_and_not_a_moment_earlier(policy, start, amount):
    end = add_working_time(start, amount, policy)
    assert working_time(start, end, policy) == amount
    assert working_time(start, end - timedelta(microseconds=1), policy) < amount


@given(policies, instants, amounts, amounts)
def test_two_amounts_in_turn_are_their_sum(policy, start, first, second):
    assert add_working_time(add_working_time(start, first, policy), second, policy) == add_working_time(
        start, first + second, policy
    )


@given(policies, st.tuples(instants, instants, instants))
def test_working_time_adds_up_and_never_exceeds_plain_time(policy, three):
    early, middle, late = sorted(three)
    whole = working_time(early, late, policy)
    assert whole == working_time(early, middle, policy) + working_time(middle, late, policy)
    assert timedelta() <= whole <= late - early
    assert working_time(late, early, policy) == timedelta()


@given(policies, instants)
def test_the_next_opening_is_open_and_nothing_before_it_is(policy, at):
    opens = next_open(at, policy)
    assert opens >= at
    assert is_open(opens, policy)
    assert opens == at or working_time(at, opens, policy) == timedelta()


@given(policies, instants, st.lists(st.tuples(instants, st.timedeltas(timedelta(), timedelta(days=3))), max_size=6))
def test_a_free_instant_is_open_in_no_meeting_and_the_first_such(policy, now, meetings):
    busy = [(start, start + length) for start, length in meetings]
    free = free_at(now, busy, policy)
    assert free >= now
    assert is_open(free, policy)
    assert not any(start <= free < end for start, end in busy)
    edges = [next_open(now, policy), *(next_open(end, policy) for _, end in busy if end > now)]
    assert free == min(at for at in edges if not any(start <= at < end for start, end in busy))


@pytest.mark.parametrize(
    ("switch", "standing_still"),
    [
        (datetime(2026, 3, 8, 7, tzinfo=UTC), "Etc/GMT+5"),  # New York springs forward from here on
        (datetime(2026, 11, 1, 6, tzinfo=UTC), "Etc/GMT+4"),  # and falls back
    ],
)
@given(before=st.timedeltas(timedelta(), timedelta(days=6)), amount=st.timedeltas(timedelta(), timedelta(hours=60)))
def test_daylight_saving_is_an_hour_more_or_less_and_no_more(switch, standing_still, before, amount):
    moving = replace(POLICY, timezone="America/New_York", hours={day: ((time(9), time(17)),) for day in range(7)})
    still = replace(moving, timezone=standing_still)
    start = switch - before
    for one, other in ((moving, still), (still, moving)):
        end = add_working_time(start, amount, one)
        assert abs(working_time(start, end, other) - amount) <= HOUR
