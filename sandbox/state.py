"""What the server's parts share, and the settings that `/control/settings` changes."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from flask import current_app

from sandbox.clock import Clock, Stamps
from sandbox.faults import Faults
from sandbox.hints import Hints
from sandbox.limits import Windows
from sandbox.oauth import OAuth
from sandbox.store import Store

PORTAL_ID = 8790001
LIFETIMES = {"x": 7200, "hubspot": 1800}  # seconds: what each vendor says in expires_in


def on_this_machine(url: str) -> bool:
    """Whether an http(s) address names this machine's loopback."""
    parts = urlsplit(url)
    try:
        return parts.scheme in ("http", "https") and (
            parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
        )
    except ValueError:
        return False


# name -> (default, check, what it must be)
SETTINGS: dict[str, tuple[Any, Any, str]] = {
    "token_lifetime_seconds": (
        None,
        lambda v: v is None or (type(v) in (int, float) and v > 0),
        "a positive number, or null",
    ),
    "rate_limits": (True, lambda v: type(v) is bool, "true or false"),
    # The two timelines go back as far as there are posts, not to the vendor's newest few: for trying old data.
    "whole_history": (False, lambda v: type(v) is bool, "true or false"),
    "search_delay_seconds": (0, lambda v: type(v) in (int, float) and v >= 0, "a number of seconds"),
    "unique_properties": (True, lambda v: type(v) is bool, "true or false"),
    "hint_url": (
        None,
        lambda v: v is None or (type(v) is str and on_this_machine(v)),
        "an address on this machine, or null",
    ),
    "hint_secret": ("", lambda v: type(v) is str, "a text"),
}


class Settings:
    """The settings, kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._values = {name: default for name, (default, _, _) in SETTINGS.items()} | store.get("settings", {})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def all(self) -> dict[str, Any]:
        return dict(self._values)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Takes all of `changes` or none. Raises ValueError, whose message says what is wrong."""
        for name, value in changes.items():
            if name not in SETTINGS:
                raise ValueError(f"there is no setting {name!r}; there are {', '.join(SETTINGS)}")
            if not SETTINGS[name][1](value):
                raise ValueError(f"{name} must be {SETTINGS[name][2]}")
        with self._lock:
            self._values = {**self._values, **changes}
            self._store.put("settings", self._values)


class Sandbox:
    """The whole state of one server."""

    def __init__(self, folder: Path, *, frozen_at: int | None = None) -> None:
        self.store = Store(folder)
        self.settings = Settings(self.store)
        self.clock = Clock(frozen_at)
        db = self.store.read()
        self.stamps = Stamps(
            self.clock, after=db.execute("SELECT coalesce(max(updated_at), 0) FROM records").fetchone()[0]
        )
        self.post_times = Stamps(self.clock)
        self.oauth = OAuth(self.store, self._lifetime)
        self.windows = Windows()
        self.windows.enforced = self.settings["rate_limits"]
        self.faults = Faults()
        self.hints = Hints(self.settings)

    def _lifetime(self, provider: str) -> int:
        return int(self.settings["token_lifetime_seconds"] or LIFETIMES[provider])

    def change_settings(self, changes: Mapping[str, Any]) -> None:
        self.settings.change(changes)
        self.windows.enforced = self.settings["rate_limits"]

    def close(self) -> None:
        self.faults.stop()
        self.hints.stop()
        self.store.close()


def sandbox() -> Sandbox:
    """The state of the server that handles this request."""
    return cast(Sandbox, current_app.extensions["sandbox"])
