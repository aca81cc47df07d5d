"""Working time: a workspace's opening hours, as instants. Aware datetimes go in; aware datetimes in UTC come out.

Hours are wall-clock time in `policy.timezone`, so a day of daylight saving has an hour more or less. A span that ends at
midnight ends with its day. Holidays are closed. A policy that has no hours on any day would make everybody wait for ever:
it is read as open around the clock, holidays included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service.rules.model import Policy

Span = tuple[datetime, datetime]

HORIZON = 3_700  # days looked ahead (ten years): bounds every loop, whatever the holidays
ZERO = timedelta()
_MIDNIGHT = time(0)
_ONE_DAY = timedelta(days=1)
_ALL_DAY = ((_MIDNIGHT, _MIDNIGHT),)


def is_open(at: datetime, policy: Policy) -> bool:
    """Whether `at` is in opening hours: the first instant of a span is, its last is not."""
    hours = _hours(policy)
    return any(start <= at < end for start, end in hours.of(hours.day(at)))


def next_open(at: datetime, policy: Policy) -> datetime:
    """The first instant from `at` on that is in opening hours. `at` itself where ten years hold none."""
    at = at.astimezone(UTC)
    return next((max(at, start) for start, _ in _hours(policy).ahead(at)), at)


def add_working_time(start: datetime, amount: timedelta, policy: Policy) -> datetime:
    """The first instant by which `amount` of working time has gone by since `start`. No amount at all (or a negative one)
    is the first open instant. Where ten years do not hold that much, the last closing time in them."""
    if amount <= ZERO:
        return next_open(start, policy)
    reached = start = start.astimezone(UTC)
    for opens, closes in _hours(policy).ahead(start):
        begin = max(opens, start)
        if amount <= closes - begin:
            return begin + amount
        amount -= closes - begin
        reached = closes
    return reached


def working_time(start: datetime, end: datetime, policy: Policy) -> timedelta:
    """How much working time lies between two instants; none where `end` is not after `start`."""
    start, end, total = start.astimezone(UTC), end.astimezone(UTC), ZERO
    for opens, closes in _hours(policy).ahead(start):
        if max(opens, start) >= end:
            break
        total += min(closes, end) - max(opens, start)
    return total


def free_at(now: datetime, busy: Sequence[tuple[datetime, datetime]], policy: Policy) -> datetime:
    """The first instant from `now` on that is in opening hours and in none of the busy spans (start in, end out; any
    order, may overlap)."""
    at = next_open(now, policy)
    for start, end in sorted(busy):
        if start > at:
            break
        if end > at:
            at = next_open(end, policy)
    return at


class _Hours:
    """One policy's opening spans by day, worked out once for each day that somebody asks about."""

    def __init__(self, policy: Policy) -> None:
        self._zone = ZoneInfo(policy.timezone)
        self._closed = policy.holidays
        self._week = {day: tuple(policy.hours.get(day, ())) for day in range(7)}
        if not any(self._week.values()):
            self._week, self._closed = dict.fromkeys(range(7), _ALL_DAY), frozenset()
        self._days: dict[date, tuple[Span, ...]] = {}

    def day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def of(self, day: date) -> tuple[Span, ...]:
        spans = self._days.get(day)
        if spans is None:
            spans = self._days[day] = () if day in self._closed else tuple(self._work_out(day))
        return spans

    def ahead(self, at: datetime) -> Iterator[Span]:
        """The spans that end after `at`, in order, as far as the horizon."""
        day = self.day(at)
        for number in range(HORIZON):
            for span in self.of(day + number * _ONE_DAY):
                if span[1] > at:
                    yield span

    def _work_out(self, day: date) -> Iterator[Span]:
        last: datetime | None = None
        for start, end in sorted(self._week[day.weekday()]):
            opens = self._utc(day, start)
            # An hour that the clock shows twice is open both times. Midnight is where the next day begins.
            closes = self._utc(day + _ONE_DAY, _MIDNIGHT) if end == _MIDNIGHT else self._utc(day, end.replace(fold=1))
            opens = max(opens, last) if last else opens
            if opens < closes:
                yield opens, closes
                last = closes

    def _utc(self, day: date, wall: time) -> datetime:
        return datetime.combine(day, wall, self._zone).astimezone(UTC)


_KEPT = 64  # policies in use at the same time by one process
_known: dict[int, tuple[Policy, _Hours]] = {}


def _hours(policy: Policy) -> _Hours:
    # A policy holds a mapping and cannot be a key; its address can, as long as the policy itself is kept beside it.
    entry = _known.get(id(policy))
    if entry is None or entry[0] is not policy:
        if len(_known) >= _KEPT:
            _known.clear()
        entry = _known[id(policy)] = (policy, _Hours(policy))
    return entry[1]
