"""How a worker stops: no new job is begun, the one under way ends at its next safe point, and one that takes too long is
handed back: its lease ends at once, so that nobody waits until it would have run out.

One process does one job at a time, so what stands here is the process's.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")

_asked = threading.Event()
_hand_back: Callable[[], None] | None = None
_most = math.inf  # seconds that the job under way may go on, whatever it would give itself
_ran_out = False


class Turn:
    """How long one job may go on, in seconds of real time; it is over as well as soon as this process is to stop. A job asks
    between two pages or batches, where everything is stored."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + min(seconds, _most)

    @property
    def over(self) -> bool:
        global _ran_out
        late = time.monotonic() > self._until
        _ran_out = _ran_out or late
        return _asked.is_set() or late

    def within(self, pages: Iterable[T]) -> Iterator[T]:
        """These pages, up to the one with which the turn is over."""
        for page in pages:
            yield page
            if self.over:
                return


def asked() -> bool:
    """Whether this process is to stop."""
    return _asked.is_set()


def begun(hand_back: Callable[[], None], most: float = math.inf) -> None:
    """A job is under way, for `most` seconds; `hand_back` ends its lease, and must be fit for another thread."""
    global _hand_back, _most, _ran_out
    _hand_back, _most, _ran_out = hand_back, most, False


def ran_out() -> bool:
    """Whether the job under way had more to do than its turn allowed."""
    return _ran_out


def ended() -> None:
    """The job is over."""
    global _hand_back, _most
    _hand_back, _most = None, math.inf


def ask(within: float, leave: Callable[[int], None] = os._exit) -> None:
    """From now on `Turn.over` is true. A job that is still under way after `within` seconds is handed back, and the process
    ends by `leave` in the middle of it: that is what any process may do at any line, so nothing is lost or made twice."""
    if _asked.is_set():
        return
    _asked.set()
    alarm = threading.Timer(within, _give_up, (leave,))
    alarm.daemon = True
    alarm.start()


def _give_up(leave: Callable[[int], None]) -> None:
    hand_back = _hand_back
    try:
        if hand_back is not None:
            hand_back()
            log.info("handed back a job that could not be ended in time")
    except Exception as error:  # the database is away, say: then the lease runs out by itself
        log.warning("could not hand back a job; it comes again when its lease ends", why=type(error).__name__)
    finally:
        leave(0)
