"""Numeric ids: the vendors know no others."""

from __future__ import annotations

from hashlib import blake2b

EPOCH = 1288834974657  # ms; where X's snowflakes begin
LARGEST = 2**63 - 1  # what SQLite keeps, and what X's contract allows (19 digits) save for the last stretch


def numeric(value: object) -> int:
    """A loaded id as a number: itself where it is one, else a hash of it that is the same every time.

    A hash stays under 2**53, below the snowflakes of every post written since 2011, so that `since_id` keeps its sense.
    Raises ValueError for an empty id, or a number out of range.
    """
    text = str(value).strip()
    if not text:
        raise ValueError("an id is empty")
    if text.isascii() and text.isdigit():
        number = int(text)
        if number > LARGEST:
            raise ValueError(f"the id {text[:30]} is larger than any id can be")
        return number
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 11


def snowflake(ms: int, *, after: int) -> int:
    """The id of something written at `ms`, larger than every id up to `after`."""
    return max((ms - EPOCH) << 22, after + 1)
