"""Working at one part while the database is at another: they use two processors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

PART = 200  # rows: enough that a statement is worth its way, few enough that there is something to overlap
FIRST = 50  # rows of the first part: while it is made ready, nothing is stored yet

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")


def ahead(reader: Executor, parts: Iterable[P], read: Callable[[P], R]) -> Iterator[R]:
    """What `read` makes of each part, in order: `reader`, which has one thread, is at the next part while whoever iterates works at the one
    before. Several of these may share a reader, one after the other. Until they are through, nobody else may use the connection.
    Raises what `read` raises, where its part would have come."""
    before: Future[R] | None = None
    for part in parts:
        under_way = reader.submit(read, part)
        if before is not None:
            yield before.result()
        before = under_way
    if before is not None:
        yield before.result()


def in_parts(items: Sequence[T], prepare: Callable[[Sequence[T]], P], store: Callable[[P], R]) -> list[R]:
    """`store(prepare(part))` for the items part by part, in order, where `prepare` uses no database. Meanwhile only `store` may
    use the connection. Raises what either raises; nothing is stored after that."""
    if len(items) <= PART:
        return [store(prepare(items))] if items else []
    ends = [*range(FIRST, len(items), PART), len(items)]
    parts = [items[start:end] for start, end in pairwise([0, *ends])]
    results: list[R] = []
    with ThreadPoolExecutor(1) as writer:
        under_way: Future[R] | None = None
        for part in parts:
            ready = prepare(part)
            if under_way is not None:
                results.append(under_way.result())
            under_way = writer.submit(store, ready)
        if under_way is not None:
            results.append(under_way.result())
    return results
