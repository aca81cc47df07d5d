"""Two batches under way at once: while PostgreSQL works for one, Python works for the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LANES = 2


def exhaust(batch: Callable[[], bool], stop: Callable[[], bool]) -> bool:
    """Calls `batch` until it says that there are no more (then True) or `stop` says so (False). The first one goes alone:
    where there is little to do, nothing is started for it. `batch` must be fit for several threads; what it raises is raised."""
    if not batch():
        return True

    def lane(_: int) -> bool:
        while not stop():
            if not batch():
                return True
        return False

    with ThreadPoolExecutor(LANES) as lanes:
        return all(list(lanes.map(lane, range(LANES))))
