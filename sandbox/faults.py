"""Faults that a test or a visitor asks for: the next N calls go wrong, exactly N."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

STATUSES = ("429", "500", "502", "503")
HANGS = ("timeout_before", "timeout_after")
DROPS = ("drop_before", "drop_after")
KINDS = (*STATUSES, *HANGS, *DROPS, "slow", "twice", "garbage", "expire_tokens", "revoke")
PROVIDERS = ("x", "hubspot", "*")
DEFAULT_SECONDS = {"429": 1.0, "timeout_before": 60.0, "timeout_after": 60.0, "slow": 5.0}


@dataclass
class Fault:
    """The next `count` calls that fit go wrong. `seconds`: until a 429's window opens again, or how long to hang or dawdle."""

    provider: str
    fault: str
    count: int
    path: str = ""  # a regular expression, sought in the path as the sandbox serves it
    method: str = ""
    seconds: float = 0.0
    within: float = 0.0  # seconds after which it is over, however few calls came; 0: never
    id: int = 0
    done: int = 0
    begun: float = field(default_factory=time.monotonic)

    def fits(self, provider: str, method: str, path: str) -> bool:
        return (
            self.done < self.count
            and not 0 < self.within < time.monotonic() - self.begun
            and self.provider in ("*", provider)
            and self.method in ("", method)
            and re.search(self.path, path) is not None
        )


def fault_from(body: Mapping[str, Any]) -> Fault:
    """The fault that `body` asks for. Raises ValueError, whose message says what is wrong."""
    unknown = set(body) - {"provider", "path", "method", "count", "fault", "seconds", "within"}
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    kind, provider = str(body.get("fault", "")), str(body.get("provider", "*"))
    if kind not in KINDS:
        raise ValueError(f"fault must be one of {', '.join(KINDS)}")
    if provider not in PROVIDERS:
        raise ValueError(f"provider must be one of {', '.join(PROVIDERS)}")
    count = body.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ValueError("count must be a whole number, at least 1")
    seconds, within = body.get("seconds", DEFAULT_SECONDS.get(kind, 0.0)), body.get("within", 0.0)
    for name, value in (("seconds", seconds), ("within", within)):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 3600:
            raise ValueError(f"{name} must be a number from 0 to 3600")
    path = str(body.get("path") or "")
    try:
        re.compile(path)
    except re.error as error:
        raise ValueError(f"path is not a regular expression: {error}") from error
    return Fault(provider, kind, count, path, str(body.get("method") or "").upper(), float(seconds), float(within))


class Faults:
    """The faults asked for, in the order of asking. Safe to use from any thread."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._made = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def add(self, fault: Fault) -> dict[str, Any]:
        with self._lock:
            self._made += 1
            fault.id = self._made
            self._faults.append(fault)
            return asdict(fault)

    def take(self, provider: str, method: str, path: str) -> Fault | None:
        """The first fault with calls left that fits, one call of it spent."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(provider, method, path):
                    fault.done += 1
                    return fault
        return None

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{**asdict(fault), "left": fault.count - fault.done} for fault in self._faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def hang(self, seconds: float) -> None:
        """Waits, or until the server stops."""
        self._stopping.wait(seconds)

    def stop(self) -> None:
        self._stopping.set()


def drop_connection(environ: Mapping[str, Any]) -> None:
    """Cuts the caller off without an answer. Raises ConnectionAbortedError where there is no socket to cut."""
    for name in ("gunicorn.socket", "werkzeug.socket"):
        connection: socket.socket | None = environ.get(name)
        if connection is not None:
            cut: Callable[[int], None] = connection.shutdown
            cut(socket.SHUT_RDWR)
            return
    raise ConnectionAbortedError("the connection was dropped, as a fault asked")
