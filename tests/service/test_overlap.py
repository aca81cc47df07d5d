"""One part is worked at while the database is at another: the same results in the same order."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from service.store.overlap import FIRST, PART, Aside, ahead, in_parts

MANY = PART + 1  # rows, which are worth a thread


@pytest.mark.parametrize("number", [0, 1, FIRST + 1, PART, PART + 1, PART + FIRST, 3 * PART + 7])
def test_every_part_is_stored_once_and_in_order(number: int) -> None:
    stored: list[int] = []

    def store(part: list[int]) -> int:
        stored.extend(part)
        return len(part)

    noted: list[int] = []
    in_parts(range(number), list, store, noted.append)
    assert sum(noted) == number
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


@pytest.mark.parametrize("rows", [1, MANY], ids=["at once", "in a thread"])
@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_every_part_is_read_once_and_comes_in_order(number: int, rows: int) -> None:
    read: list[int] = []

    def twice(part: int) -> int:
        read.append(part)
        return 2 * part

    with Aside(rows) as aside:
        found = list(ahead(aside, range(number), twice))
    assert found == [2 * each for each in range(number)]
    assert read == list(range(number))


def test_the_next_part_is_read_while_the_one_before_is_worked_at() -> None:
    begun = [Event(), Event()]

    def read(part: int) -> int:
        begun[part].set()
        return part

    with Aside(MANY) as aside:
        for part in ahead(aside, [0, 1], read):
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

    with Aside(MANY) as aside:
        first = ahead(aside, "abc", reading("one"))
        found = list(ahead(aside, map(str.upper, first), reading("two")))
    assert found == ["A", "B", "C"]
    assert sorted(order) == ["one a", "one b", "one c", "two A", "two B", "two C"]


@pytest.mark.parametrize("rows", [1, MANY], ids=["at once", "in a thread"])
def test_what_cannot_be_read_is_raised_where_it_would_have_come(rows: int) -> None:
    with Aside(rows) as aside:
        found = ahead(aside, [2, 1, 0, 4], lambda part: 2 // part)
        assert [next(found), next(found)] == [1, 2]
        with pytest.raises(ZeroDivisionError):
            next(found)


@pytest.mark.parametrize("rows", [1, MANY], ids=["at once", "in a thread"])
def test_what_comes_after_a_failure_fails_with_the_same_error(rows: int) -> None:
    """The transaction is over: what ended it is told, whoever asks first."""
    asked: list[str] = []

    def read(part: int) -> int:
        asked.append(f"read {part}")
        return part

    def store(part: int) -> int:
        if part == 1:
            raise ValueError("deadlock detected")
        return part

    with Aside(rows) as aside, pytest.raises(ValueError, match="deadlock detected"):
        list(ahead(aside, ahead(aside, range(50), read), store))
    assert len(asked) < 10
