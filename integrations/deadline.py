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


class Deadline:
    """Ends exchanges that take longer than `seconds` in all: a time limit between two bytes lets a host trickle for ever.
    Within its `with`, calls to guarded hosts (`guarded.GuardedAdapter`) by the same thread wake with an error when it is over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._ends = 0.0
        self._timer: threading.Timer | None = None  # made when there is something to watch
        self._token: Token[Deadline | None] | None = None

    def watch(self, sock: socket.socket) -> None:
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(max(0.0, self._ends - time.monotonic()), self._end)
                self._timer.daemon = True
                self._timer.start()
            # TLS takes the socket itself over; a copy leads to the same connection.
            self._sockets.append(socket.socket(fileno=os.dup(sock.fileno())))
        if self.over:
            self._end()

    def __enter__(self) -> Deadline:
        self._token = _CURRENT.set(self)
        self._ends = time.monotonic() + self.seconds
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


@contextmanager
def at_most(seconds: float) -> Iterator[Deadline]:
    """The deadline within which we are already, else one of `seconds`."""
    current = _CURRENT.get()
    if current is not None:
        yield current
        return
    with Deadline(seconds) as made:
        yield made


def watched(sock: socket.socket) -> None:
    """Puts this socket under the deadline of the exchange that is under way, if there is one."""
    current = _CURRENT.get()
    if current is not None:
        current.watch(sock)
