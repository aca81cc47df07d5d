"""Making ready the next part while the database is at the one before: they use two processors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

PART = 200  # rows: enough that a statement is worth its way, few enough that there is something to overlap

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")


def in_parts(items: Sequence[T], prepare: Callable[[Sequence[T]], P], store: Callable[[P], R]) -> list[R]:
    """`store(prepare(part))` for the items part by part, in order, where `prepare` uses no database. Meanwhile only `store` may
    use the connection. Raises what either raises; nothing is stored after that."""
    parts = [items[start : start + PART] for start in range(0, len(items), PART)]
    if len(parts) < 2:
        return [store(prepare(part)) for part in parts]
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
