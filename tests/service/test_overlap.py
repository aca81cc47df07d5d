"""One part is made ready while the one before is stored: the same results in the same order."""

from __future__ import annotations

import pytest

from service.store.overlap import PART, in_parts


@pytest.mark.parametrize("number", [0, 1, PART, PART + 1, 3 * PART + 7])
def test_every_part_is_stored_once_and_in_order(number: int) -> None:
    stored: list[int] = []

    def store(part: list[int]) -> int:
        stored.extend(part)
        return len(part)

    assert sum(in_parts(range(number), list, store)) == number
    assert stored == list(range(number))


def test_what_fails_is_raised_and_nothing_is_stored_after_it() -> None:
    stored: list[int] = []

    def store(part: list[int]) -> None:
        if part[0] >= PART:
            raise ValueError("full")
        stored.extend(part)

    with pytest.raises(ValueError, match="full"):
        in_parts(range(5 * PART), list, store)
    assert stored == list(range(PART))


def test_what_cannot_be_made_ready_is_raised_too() -> None:
    def prepare(part: range) -> list[int]:
        return [1 // (each - PART) for each in part]

    with pytest.raises(ZeroDivisionError):
        in_parts(range(3 * PART), prepare, len)
