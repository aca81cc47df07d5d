"""A small chart of what is counted over days, as numbers that a template turns into SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

HEIGHT = 80  # user units of the SVG, as are the next two
STEP = 24
WIDTH = 16


@dataclass(frozen=True)
class Bar:
    """One day."""

    day: date
    number: int
    x: int
    y: float
    height: float
    width: int = WIDTH


def bars(days: Sequence[date], numbers: Mapping[date, int]) -> list[Bar]:
    """A bar per day; the highest fills the chart, and a day with nothing still shows that it was a day."""
    top = max((numbers.get(day, 0) for day in days), default=0) or 1
    made = []
    for index, day in enumerate(days):
        number = numbers.get(day, 0)
        height = round(max(1.5, HEIGHT * number / top), 1)
        made.append(Bar(day, number, index * STEP + (STEP - WIDTH) // 2, round(HEIGHT - height, 1), height))
    return made


@dataclass(frozen=True)
class Part:
    """A piece of a bar that shows how a whole is made up, in percent of it."""

    name: str
    number: int
    x: float
    width: float


def parts(numbers: Mapping[str, int]) -> list[Part]:
    """The pieces in their order, those with nothing left out; none where the whole is nothing."""
    whole = sum(numbers.values())
    made: list[Part] = []
    for name, number in numbers.items():
        if number:
            made.append(Part(name, number, sum(each.width for each in made), 100 * number / whole))
    return made
