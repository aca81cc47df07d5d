"""Instants that strangers write. Whoever runs a server on an open network dates posts as they like, and one of the year 1 or 9999 cannot be
reckoned with: an hour before or after it there is no time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def of_post(text: str) -> datetime:
    """An ISO time in UTC, which it is taken to be in where it names no zone; one from before 1970 or after the year 9000 is put at that
    edge. Raises ValueError for anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at.astimezone(UTC) if EARLIEST <= at <= LATEST else max(EARLIEST, min(at, LATEST))


def of_cursor(value: Any) -> datetime:
    """What a cursor of ours holds: an ISO time with its zone. Raises ValueError and TypeError for anything else: such a cursor was not
    written by us."""
    at = datetime.fromisoformat(value)
    if at.tzinfo is None or not EARLIEST <= at <= LATEST:
        raise ValueError("an instant that no cursor of ours holds")
    return at


def perhaps(value: Any) -> datetime | None:
    """As `of_cursor`, where a cursor may hold none."""
    return None if value is None else of_cursor(value)
