"""What came in somebody's JSON where a list was promised, and may be anything."""

from __future__ import annotations

from typing import Any


def objects(value: object) -> list[Any]:
    """The JSON objects of a list; nothing else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def words(value: object) -> list[str]:
    """The strings of a list; nothing else."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
