"""A limit for a whole exchange with a host that may trickle."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Deadline:
    """Ends exchanges that take longer than `seconds` in all: a time limit between two bytes lets a host trickle for ever.
    Sessions that are made with `opened=deadline.watch` wake with an error when it is over."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def watch(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.append(sock.dup())  # TLS takes the socket itself over; a copy leads to the same connection
        if self.over:
            self._end()

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
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
