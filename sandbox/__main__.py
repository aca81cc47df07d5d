"""`python -m sandbox --host 127.0.0.1 --port 8790 --data DIR`: serves until it is told to stop."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from sandbox.app import create_app
from sandbox.clock import parse_ms
from sandbox.store import Store, StoreError

THREADS = 24  # a call that a fault leaves hanging holds one


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with one worker and threads: one process has the state, a second would contend for it."""

    def __init__(self, listener: socket.socket, data: Path) -> None:
        self._listener, self._data = listener, data
        self._address = listener.getsockname()[:2]  # gunicorn takes the socket over and closes this one
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": [f"fd://{self._listener.fileno()}"],
            "workers": 1, "threads": THREADS, "worker_class": "gthread", "keepalive": 75, "timeout": 120,
            "graceful_timeout": 3, "limit_request_line": 8190, "loglevel": "warning", "when_ready": lambda _arbiter: self._ready(),
            "worker_exit": lambda _arbiter, _worker: self._exit(), "control_socket_disable": True,
        }  # fmt: skip
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        self.app = create_app(self._data)
        return self.app

    def _ready(self) -> None:
        host, port = self._address
        print(f"The sandbox listens on http://{host}:{port}/", flush=True)  # noqa: T201 (the one line that is promised)

    def _exit(self) -> None:
        if hasattr(self, "app"):
            self.app.extensions["sandbox"].close()


_WHY = {
    errno.EADDRINUSE: "another program does already",
    errno.EACCES: "that port is kept for root",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


def _why(error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return "ports go from 0 to 65535"
    return _WHY.get(error.errno or 0) or str(error.strerror or error).rstrip(".")


def refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "sandbox", description="A social network and a CRM on loopback, for trying things out."
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8790, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="the folder that keeps its state")
    options = parser.parse_args(arguments)
    try:
        if not ipaddress.ip_address(options.host).is_loopback:
            return refuse(
                f"{options.host} can be reached from outside. The sandbox has no sign-in: give it a loopback address."
            )
        if now := os.environ.get("WARMLINE_NOW"):
            parse_ms(now)
        Store(options.data).close()
    except ValueError as error:
        return refuse(f"{error}. Give --host an address such as 127.0.0.1, and WARMLINE_NOW an instant in ISO 8601.")
    except StoreError as error:
        return refuse(str(error))
    listener = socket.socket(socket.AF_INET6 if ":" in options.host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        return refuse(f"The sandbox can't listen on {options.host}:{options.port}: {_why(error)}. Name another --port.")
    Server(listener, options.data).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
