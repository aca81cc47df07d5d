"""A limit for a whole exchange with a host that may trickle."""

from __future__ import annotations

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
                self._timer = threading.Timer(max(0.0, self._ends - _now()), self._end)
                self._timer.daemon = True
                self._timer.start()
            # TLS takes the socket itself over; a copy leads to the same connection.
            self._sockets.append(socket.socket(fileno=os.dup(sock.fileno())))
        if self.over:
            self._end()

    def sending(self, sock: socket.socket) -> None:
        if self._all_hosts:
            self.watch(sock)
        if _now() >= self._ends:
            self.late = True
            raise TooLateError("its time was over before it was sent")

    def __enter__(self) -> Deadline:
        self._token = _CURRENT.set(self)
        self._ends = _now() + self.seconds
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


def _now() -> float:
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


def watched(sock: socket.socket) -> None:
    """Puts this socket under the deadline of the exchange that is under way, if there is one."""
    current = _CURRENT.get()
    if current is not None:
        current.watch(sock)


def sending(sock: socket.socket) -> None:
    """Something is about to be sent. Raises TooLateError where the time of the exchange that is under way is over."""
    current = _CURRENT.get()
    if current is not None:
        current.sending(sock)


def answered_whole() -> None:
    """The answer of the exchange that is under way has a length, and all of it is here."""
    current = _CURRENT.get()
    if current is not None:
        current.whole = True
