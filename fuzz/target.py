"""What can be fuzzed: a strategy for its inputs, and what must hold for each of them.

An input is JSON-able, so that a find can be kept as a file and tried again for ever. Bytes are strings of one character a byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from hypothesis.strategies import SearchStrategy

AT_MOST = 10.0  # seconds of CPU for one input; a page of real answers takes a hundredth of one
PER_BYTE = 50e-6  # and so much more for each byte of it: 20 kB a second, on a machine that does other things


class Find(AssertionError):
    """What must not happen, happened."""


@dataclass(frozen=True)
class Target:
    """`open` prepares what all inputs share and yields `check`, which raises for an input under which something does not hold."""

    name: str
    inputs: SearchStrategy[Any]
    open: Callable[[], AbstractContextManager[Callable[[Any], None]]]


def plain(check: Callable[[Any], None]) -> Callable[[], AbstractContextManager[Callable[[Any], None]]]:
    """For a target whose inputs share nothing."""
    return lambda: nullcontext(check)


@contextmanager
def bounded(size_of: Callable[[], int]) -> Iterator[None]:
    """Takes no more CPU than an input of so many bytes (asked for at the end) may cost. Raises Find."""
    begun = time.thread_time()
    yield
    size = size_of()
    spent, allowed = time.thread_time() - begun, AT_MOST + PER_BYTE * size
    if spent > allowed:
        raise Find(f"{size} bytes took {spent:.1f} s of CPU; {allowed:.1f} are allowed")
