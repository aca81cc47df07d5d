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
