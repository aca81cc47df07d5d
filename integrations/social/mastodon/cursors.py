"""What the cursors of this provider hold. Opaque to everybody else; one that cannot be read starts over.

Ids are the server's and mean nothing to us: they are handed back, never compared by order. What orders is time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from integrations import instants
from integrations.cursors import UNREADABLE, opened, written

VERSION = 1
MOST_SEEN = 2000  # keys kept; more than this in one overlap and the rest is read again, which does no harm


@dataclass(frozen=True)
class Sweep:
    """A list on its way from the newest entry back. `since` is what the server was asked to stop at, `stop` where we stop."""

    stop: datetime | None = None
    since: str | None = None
    position: Mapping[str, str] = field(default_factory=dict)  # where the next page starts; the first has none
    newest: datetime | None = None  # of all entries so far
    floor: str | None = None  # the newest entry that is older than the overlap
    seen: tuple[str, ...] = ()  # keys of entries within the overlap


@dataclass(frozen=True)
class FeedCursor:
    """Where the last sweep ended, and the one in hand."""

    newest: datetime | None = None
    floor: str | None = None
    seen: tuple[str, ...] = ()
    sweep: Sweep | None = None

    @classmethod
    def load(cls, text: str | None) -> FeedCursor:
        try:
            body = opened(text, VERSION)
            held = body["sweep"]
            sweep = None
            if held is not None:
                position = {str(name): str(value) for name, value in held["position"].items()}
                sweep = Sweep(
                    instants.perhaps(held["stop"]), _text(held["since"]), position, instants.perhaps(held["newest"]), _text(held["floor"]),
                    _texts(held["seen"]),
                )  # fmt: skip
            return cls(instants.perhaps(body["newest"]), _text(body["floor"]), _texts(body["seen"]), sweep)
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        sweep = self.sweep
        held = None if sweep is None else {
            "stop": _iso(sweep.stop), "since": sweep.since, "position": dict(sweep.position), "newest": _iso(sweep.newest),
            "floor": sweep.floor, "seen": sweep.seen,
        }  # fmt: skip
        return written(VERSION, newest=_iso(self.newest), floor=self.floor, seen=self.seen, sweep=held)

    def during(self, sweep: Sweep) -> FeedCursor:
        return replace(self, sweep=sweep)

    def done(self, sweep: Sweep) -> FeedCursor:
        """The sweep is at its end. With nothing served, what was known stays."""
        if sweep.newest is None:
            return replace(self, sweep=None)
        # A list that was cut off by the server at `since` shows nothing older; the floor is then where it was.
        return FeedCursor(sweep.newest, sweep.floor or sweep.since, sweep.seen)


@dataclass(frozen=True)
class Watched:
    """A thread that is looked into now and then: when that was, when something last happened in it, and what it looked like."""

    read_at: datetime
    changed_at: datetime
    print: str

    def due(self, now: datetime) -> bool:
        """Whether to look again: after a quarter of the time that it had been quiet for. A talk that is under way is looked at in
        every pull, one that has been still for a day after six hours. A clock that was set back makes everything due."""
        return now < self.read_at or now - self.read_at >= (self.read_at - self.changed_at) / 4


@dataclass(frozen=True)
class ThreadsCursor:
    """All threads that are looked into."""

    watched: Mapping[str, Watched] = field(default_factory=dict)

    @classmethod
    def load(cls, text: str | None) -> ThreadsCursor:
        try:
            body = opened(text, VERSION)
            return cls(
                {
                    str(thread): Watched(instants.of_cursor(read_at), instants.of_cursor(changed_at), str(print_))
                    for thread, (read_at, changed_at, print_) in body["watched"].items()
                }
            )
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        return written(
            VERSION,
            watched={
                thread: (each.read_at.isoformat(), each.changed_at.isoformat(), each.print)
                for thread, each in self.watched.items()
            },
        )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value))


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
