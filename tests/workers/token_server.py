"""A network on loopback whose refresh tokens are good for one use, and which ends the whole grant when one comes twice (RFC 9700,
4.14.2). Access tokens end when it says so, not by time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Answer = tuple[int, dict[str, Any]]


@dataclass
class Network:
    """One grant. Its tokens are numbered; a token is its kind and number."""

    expiries: int = 0  # how often an access token still ends
    uses: int = 3  # of one access token before it ends, while there are expiries left
    unforgiving: bool = True  # a token that comes twice ends the grant; else it is merely refused
    grace: bool = False  # the token before the newest one is taken once more
    on_first_use: Callable[[int], None] = lambda number: None
    number: int = 1
    ended: int = 0  # access tokens that ran out
    refreshes: int = 0
    replays: int = 0
    alive: bool = True
    served: int = 0
    _used: int = 0
    _spent: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def me(self, token: str) -> Answer:
        with self._lock:
            if not self.alive or self._spent or token != f"access-{self.number}":
                return 401, {"error": "invalid_token"}
            if self._used == 0:
                self.on_first_use(self.number)
            self._used += 1
            self.served += 1
            if self._used >= self.uses and self.ended < self.expiries:
                self.ended += 1
                self._spent = True
            return 200, {"id": "1", "left": self.expiries - self.ended}

    def refresh(self, token: str) -> Answer:
        with self._lock:
            self.refreshes += 1
            known = [f"refresh-{self.number}", *([f"refresh-{self.number - 1}"] if self.grace else [])]
            if not self.alive or token not in known:
                self.replays += 1
                self.alive = self.alive and not self.unforgiving
                return 400, {"error": "invalid_grant", "error_description": "Token was used or revoked"}
            self.number, self._used, self._spent = self.number + 1, 0, False
            return 200, {
                "access_token": f"access-{self.number}",
                "refresh_token": f"refresh-{self.number}",
                "expires_in": 7200,
            }

    def expire(self) -> None:
        """The access token ends now."""
        with self._lock:
            self._spent = True


@contextmanager
def serving(network: Network) -> Iterator[str]:
    """The network's address, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(*network.me(self.headers.get("Authorization", "").removeprefix("Bearer ")))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(*network.refresh(form["refresh_token"][0]))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # sixteen processes come at once

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
