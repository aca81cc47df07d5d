"""Pages put together for storing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.errors import RateLimitError, TemporaryError
from integrations.records import Gone, GoneBetween, Page
from workers.handfuls import ENOUGH, handfuls, read_ahead


def page(number: int, rows: int = 100, **more: Any) -> Page[Any]:
    return Page(tuple(f"{number}.{row}" for row in range(rows)), f"cursor {number}", **more)


def test_pages_are_put_together_until_there_are_enough_rows() -> None:
    pages = [page(number) for number in range(ENOUGH // 100 + 2)]
    first, second = handfuls(pages, clock=lambda: 0.0)
    assert len(first.items) == ENOUGH
    assert first.items + second.items == tuple(item for each in pages for item in each.items)
    assert (first.cursor, second.cursor) == (pages[-3].cursor, pages[-1].cursor)


def test_a_handful_has_all_notes_once_and_all_reads_added_up() -> None:
    (found,) = handfuls(
        [
            page(1, notes=("a", "b"), reads={"post": 3}, answered=("1",)),
            page(2, notes=("a",), reads={"post": 4}, answered=("2",)),
        ],
        clock=lambda: 0.0,
    )
    assert (found.notes, found.reads, found.answered) == (("a", "b"), {"post": 7}, ("1", "2"))


def test_of_notes_in_a_handful_the_later_word_counts() -> None:
    (found,) = handfuls([page(1, notes=("a", "b"), over=("c",)), page(2, notes=("c",), over=("a",))], clock=lambda: 0.0)
    assert found.notes == ("b", "c")
    assert set(found.over) == {"a", "c"}


def test_where_pages_are_slow_to_come_each_is_stored_by_itself() -> None:
    ticks = iter(range(100))
    assert [each.cursor for each in handfuls([page(1), page(2)], clock=lambda: next(ticks))] == ["cursor 1", "cursor 2"]


def test_what_came_before_an_error_is_handed_on_before_it_is_raised() -> None:
    def broken() -> Iterator[Page[Any]]:
        yield page(1)
        raise RateLimitError("later", retry_after=60)

    found = handfuls(broken(), clock=lambda: 0.0)
    assert next(found).cursor == "cursor 1"
    with pytest.raises(RateLimitError):
        next(found)


@pytest.mark.parametrize("item", [Gone("7"), GoneBetween(6, 8)])
def test_what_is_gone_ends_a_handful_so_that_it_may_be_there_again_on_the_next_page(item: Gone | GoneBetween) -> None:
    gone: Page[Any] = Page((item,), "cursor 2")
    assert [each.cursor for each in handfuls([page(1), gone, page(3)], clock=lambda: 0.0)] == ["cursor 2", "cursor 3"]


def test_reading_ahead_keeps_every_page_in_order_and_an_error_in_its_place() -> None:
    def source() -> Iterator[Page[int]]:
        yield Page((1,), "a")
        yield Page((2,), "b")
        raise TemporaryError("broke off")

    pages = read_ahead(source())
    assert [next(pages).cursor, next(pages).cursor] == ["a", "b"]
    with pytest.raises(TemporaryError):
        next(pages)
    assert list(read_ahead([])) == []


def test_whoever_stops_early_has_had_at_most_one_page_fetched_in_vain() -> None:
    fetched = []

    def source() -> Iterator[Page[int]]:
        for number in range(10):
            fetched.append(number)
            yield Page((number,), str(number))

    next(read_ahead(source()))

    assert len(fetched) <= 2
