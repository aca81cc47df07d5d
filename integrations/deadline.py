"""A limit for a whole exchange with a host that may trickle, and a fence behind which nothing is sent any more."""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token

_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)
# A machine that sleeps stops Linux's monotonic clock, but not this one.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class TooLateError(OSError):
    """Time was over before anything was sent."""


class Fence:
    """The instant from which somebody else may be in our place. It moves on for as long as the place is ours; whoever was held up until
    it has passed sends nothing."""

    def __init__(self) -> None:
        self._ends = math.inf

    def move(self, seconds: float, *, since: float) -> None:
        """The place is ours for so long, counted from an instant of `now`."""
        self._ends = since + seconds

    @property
    def passed(self) -> bool:
        return now() >= self._ends


_FENCE: ContextVar[Fence | None] = ContextVar("fence", default=None)


class Deadline:
    """Ends exchanges that take longer than `seconds` in all: a time limit between two bytes lets a host trickle for ever.
    Within its `with`, calls to guarded hosts (`guarded.GuardedAdapter`), or to all hosts, by the same thread wake with an error
    when it is over, and none is sent after that."""

    def __init__(self, seconds: float, *, all_hosts: bool = False) -> None:
        self.seconds = seconds
        self._all_hosts = all_hosts
        self.over = False
        self.late = False  # something was not sent any more
        self.whole = False  # the last answer came to its end, however long it took
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._ends = 0.0
        self._timer: threading.Timer | None = None  # made when there is something to watch
        self._token: Token[Deadline | None] | None = None

    def watch(self, sock: socket.socket) -> None:
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(max(0.0, self._ends - now()), self._end)
                self._timer.daemon = True
                self._timer.start()
            # TLS takes the socket itself over; a copy leads to the same connection.
            self._sockets.append(socket.socket(fileno=os.dup(sock.fileno())))
        if self.over:
            self._end()

    def sending(self, sock: socket.socket) -> None:
        if self._all_hosts:
            self.watch(sock)
        if now() >= self._ends:
            self.late = True
            raise TooLateError("its time was over before it was sent")

    def __enter__(self) -> Deadline:
        self._token = _CURRENT.set(self)
        self._ends = now() + self.seconds
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._token is not None:
            _CURRENT.reset(self._token)
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets = []

    def _end(self) -> None:
        self.over = True
        with self._lock:
            for sock in self._sockets:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def now() -> float:
    """Seconds of a clock that no sleep stops and nobody sets."""
    return time.clock_gettime(_CLOCK)


@contextmanager
def at_most(seconds: float, *, all_hosts: bool = False) -> Iterator[Deadline]:
    """The deadline within which we are already, else one of `seconds`."""
    current = _CURRENT.get()
    if current is not None:
        yield current
        return
    with Deadline(seconds, all_hosts=all_hosts) as made:
        yield made


@contextmanager
def behind(fence: Fence) -> Iterator[None]:
    """What is sent meanwhile, by this thread and by those that are given its context, is sent before this fence has passed or not at
    all, in sessions that are `punctual` or `guarded`."""
    token = _FENCE.set(fence)
    try:
        yield
    finally:
        _FENCE.reset(token)


def watched(sock: socket.socket) -> None:
    """Puts this socket under the deadline of the exchange that is under way, if there is one."""
    current = _CURRENT.get()
    if current is not None:
        current.watch(sock)


def sending(sock: socket.socket) -> None:
    """Something is about to be sent. Raises TooLateError where the time of the exchange that is under way is over, or the fence has
    passed."""
    current, fence = _CURRENT.get(), _FENCE.get()
    if fence is not None and fence.passed:
        if current is not None:
            current.late = True
        raise TooLateError("somebody else may be at it by now")
    if current is not None:
        current.sending(sock)


def answered_whole() -> None:
    """The answer of the exchange that is under way has a length, and all of it is here."""
    current = _CURRENT.get()
    if current is not None:
        current.whole = True
