"""What a month of reading has cost so far, what it is going to cost, and how to say so. Money is millionths of a US dollar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

RECENT = 7  # days that the forecast rests on: a week has each of its weekdays once
MILLION = 1_000_000


@dataclass(frozen=True)
class Entry:
    """What was bought on one day, under one price."""

    day: date
    name: str
    reads: int
    micros: int


@dataclass(frozen=True)
class Month:
    """One month of one connection, or of several."""

    first: date
    micros: int = 0
    reads: Mapping[str, int] = field(default_factory=dict)  # by the price's name
    forecast: int | None = None  # micros at the month's end; None: there is nothing to tell it by yet


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def next_month(month: date) -> datetime:
    """When the month after this one begins: midnight, UTC."""
    later = month.replace(day=1) + timedelta(days=32)
    return datetime(later.year, later.month, 1, tzinfo=UTC)


def month_name(month: date) -> str:
    return f"{month:%B}"


def month(entries: Sequence[Entry], *, now: datetime, settled: date | None = None) -> Month:
    """The month in which `now` lies. `entries` go back `RECENT` days before today at least. What was bought up to the day
    `settled` (the first pull's last) says nothing about what is to come."""
    today = now.astimezone(UTC).date()
    first = month_of(today)
    mine = [each for each in entries if month_of(each.day) == first]
    reads: Counter[str] = Counter()
    for each in mine:
        reads[each.name] += each.reads
    spent = sum(each.micros for each in mine)
    return Month(first, spent, dict(reads), _forecast(entries, spent, today, now, settled))


def _forecast(entries: Iterable[Entry], spent: int, today: date, now: datetime, settled: date | None) -> int | None:
    """What is spent, and for the rest of the month as much a day as in the last whole days."""
    begin = max(today - timedelta(days=RECENT), settled + timedelta(days=1) if settled else date.min)
    days = (today - begin).days
    if days < 1:
        return None
    recent = sum(each.micros for each in entries if begin <= each.day < today)
    rest = next_month(month_of(today)) - now.astimezone(UTC)
    return spent + round(recent / days * (rest / timedelta(days=1)))


def dollars(micros: int) -> str:
    """ "$20" for whole dollars of 100 and of less without cents, else "$3.40"; less than a cent says so."""
    if 0 < micros < 5_000:
        return "less than $0.01"
    cents = (micros + 5_000) // 10_000
    return f"${cents // 100:,}" if cents % 100 == 0 else f"${cents // 100:,}.{cents % 100:02}"


def this_month(month: Month, labels: Mapping[str, str]) -> str:
    """ "This month: $3.40 for 214 posts." `labels` are what is bought, in the singular, by the price's name."""
    bought = [
        _counted(count, labels.get(name) or name.replace("_", " ")) for name, count in month.reads.items() if count
    ]
    if not bought:
        return "This month: nothing was bought yet."
    return f"This month: {dollars(month.micros)} for {_and(bought)}."


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
