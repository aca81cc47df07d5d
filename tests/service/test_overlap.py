"""One part is worked at while the database is at another: the same results in the same order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from service.store.overlap import FIRST, PART, ahead, in_parts


@pytest.mark.parametrize("number", [0, 1, FIRST + 1, PART, PART + 1, PART + FIRST, 3 * PART + 7])
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
        if part[0] >= FIRST:
            raise ValueError("full")
        stored.extend(part)

    with pytest.raises(ValueError, match="full"):
        in_parts(range(5 * PART), list, store)
    assert stored == list(range(FIRST))


def test_what_cannot_be_made_ready_is_raised_too() -> None:
    def prepare(part: range) -> list[int]:
        return [1 // (each - PART) for each in part]

    with pytest.raises(ZeroDivisionError):
        in_parts(range(3 * PART), prepare, len)


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_every_part_is_read_once_and_comes_in_order(number: int) -> None:
    read: list[int] = []

    def twice(part: int) -> int:
        read.append(part)
        return 2 * part

    with ThreadPoolExecutor(1) as reader:
        found = list(ahead(reader, range(number), twice))
    assert found == [2 * each for each in range(number)]
    assert read == list(range(number))


def test_the_next_part_is_read_while_the_one_before_is_worked_at() -> None:
    begun = [Event(), Event()]

    def read(part: int) -> int:
        begun[part].set()
        return part

    with ThreadPoolExecutor(1) as reader:
        for part in ahead(reader, [0, 1], read):
            assert begun[1].wait(5), part


def test_two_readings_one_after_the_other_share_one_reader_and_its_connection() -> None:
    """What is read of a part says what is to be read next of it; never do two reads run at once."""
    at_work, order = Event(), list[str]()

    def reading(what: str) -> Callable[[str], str]:
        def read(part: str) -> str:
            assert not at_work.is_set()
            at_work.set()
            order.append(f"{what} {part}")
            at_work.clear()
            return part

        return read

    with ThreadPoolExecutor(1) as reader:
        first = ahead(reader, "abc", reading("one"))
        found = list(ahead(reader, map(str.upper, first), reading("two")))
    assert found == ["A", "B", "C"]
    assert sorted(order) == ["one a", "one b", "one c", "two A", "two B", "two C"]


def test_what_cannot_be_read_is_raised_where_it_would_have_come() -> None:
    with ThreadPoolExecutor(1) as reader:
        found = ahead(reader, [2, 1, 0], lambda part: 2 // part)
        assert [next(found), next(found)] == [1, 2]
        with pytest.raises(ZeroDivisionError):
            next(found)
