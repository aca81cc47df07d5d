"""Working at one part while the database is at another: they use two processors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType
from typing import TypeVar

PART = 200  # rows: enough that a statement is worth its way, few enough that there is something to overlap
FIRST = 50  # rows of the first part: while it is made ready, nothing is stored yet

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")


class Aside:
    """A thread that has a connection to itself until the block ends, and does with it one thing after the other. Once something has failed,
    all that comes later fails with the same error: the transaction is over, and what ended it is what has to be told.

    For so few rows that they are one part there is no such thread: everything is done at once (see `ahead`)."""

    def __init__(self, rows: int) -> None:
        self._thread = ThreadPoolExecutor(1) if rows > PART else None
        self._failed: Exception | None = None

    def __enter__(self) -> Aside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread:
            self._thread.shutdown(cancel_futures=True)

    def submit(self, work: Callable[[P], R], part: P) -> Future[R] | None:
        """What `work` will have made of a part; None where there is no thread."""
        return self._thread.submit(self._do, work, part) if self._thread else None

    def _do(self, work: Callable[[P], R], part: P) -> R:
        if self._failed:
            raise self._failed
        try:
            return work(part)
        except Exception as error:
            self._failed = error
            raise


def ahead(aside: Aside, parts: Iterable[P], work: Callable[[P], R]) -> Iterator[R]:
    """What `work` makes of each part, in order: it is at the next part while whoever iterates works at the one before. Several of
    these may share an `aside`, each with what the one before yields as its parts. Raises what `work` raises."""
    before: Future[R] | None = None
    for part in parts:
        under_way = aside.submit(work, part)
        if under_way is None:
            yield work(part)
            continue
        if before is not None:
            yield before.result()
        before = under_way
    if before is not None:
        yield before.result()


def in_parts(
    items: Sequence[T],
    prepare: Callable[[Sequence[T]], P],
    store: Callable[[P], R],
    note: Callable[[R], None] | None = None,
) -> None:
    """`note(store(prepare(part)))` for the items part by part, in order. Only `store` may use the connection: it is at the next part while
    `note` and `prepare` work at the ones beside it. Raises what any of them raises; nothing is stored after that."""
    ends = range(FIRST, len(items), PART) if len(items) > PART else ()
    parts = [items[start:end] for start, end in pairwise([0, *ends, len(items)]) if end > start]
    with Aside(len(items)) as aside:
        for stored in ahead(aside, map(prepare, parts), store):
            if note:
                note(stored)
