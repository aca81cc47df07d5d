"""What came in somebody's JSON where a list or an instant was promised, and may be anything."""

from __future__ import annotations

from typing import Any, TypeGuard

_NEVER = 1e11  # seconds since 1970: the year 5138


def objects(value: object) -> list[Any]:
    """The JSON objects of a list; nothing else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def words(value: object) -> list[str]:
    """The strings of a list; nothing else."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def is_clock(value: object) -> TypeGuard[int | float]:
    """Whether this is a number of seconds since 1970 that a clock may show."""
    return isinstance(value, (int, float)) and 0 <= value < _NEVER
