"""Two batches under way at once: while PostgreSQL works for one, Python works for the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from service.watch import tracing

LANES = 2


def exhaust(batch: Callable[[], bool], stop: Callable[[], bool], *, lanes: int = LANES) -> bool:
    """Calls `batch` until it says that there are no more (then True) or `stop` says so (False). The first one goes alone:
    where there is little to do, nothing is started for it. With more than one lane, `batch` must be fit for several threads;
    what it raises is raised."""
    if not batch():
        return True

    def lane(_: int) -> bool:
        while not stop():
            if not batch():
                return True
        return False

    if lanes == 1:
        return lane(0)
    with ThreadPoolExecutor(lanes) as threads:
        begun = [threads.submit(tracing.here(lane), number) for number in range(lanes)]
        ended = [each.result() for each in begun]  # every one of them, so that what any of them raises is raised
        return all(ended)
