"""Ours and the reference, in turns."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_turns(number: int, ours: Callable[[int], T], reference: Callable[[int], T]) -> tuple[list[T], list[T]]:
    """`number` rounds of both. Which of them goes first changes every round, so that neither has always warmed the other's
    caches."""
    found: dict[int, tuple[T, T]] = {}
    for index in range(number):
        if index % 2:
            theirs = reference(index)
            found[index] = ours(index), theirs
        else:
            first = ours(index)
            found[index] = first, reference(index)
    return [pair[0] for pair in found.values()], [pair[1] for pair in found.values()]


def median(values: list[float]) -> float:
    return statistics.median(values)


def percentile(values: list[float], part: float) -> float:
    """The smallest value that at least `part` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * part) - 1)]
