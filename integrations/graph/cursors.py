"""Cursors: small JSON objects that say up to when a list has been read, and where an unfinished sweep stands.

A cursor of another version, or one that cannot be read, is as good as none: the stream starts over, and since rows are
upserted nothing comes of that but repeated reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.cursors import UNREADABLE, opened, written

VERSION = 1
# What is reviewed or indexed late appears behind what has been seen; so every sweep starts this much before that.
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True)
class Branch:
    """The rest of what stands below one entry of a list, newest first: comments below a post, messages of a talk."""

    path: str  # the edge, "/123_456/comments"
    thread: str
    start: datetime | None  # how far back it is read; None: all of it
    after: str | None = None
    author: str = ""  # the id of who wrote what these answer
    parent: str = ""  # the id of what these answer, in our spelling
    url: str = ""  # where a person reads the thread
    ours: bool = False  # the thread begins with a post of ours

    def dump(self) -> list[Any]:
        return [self.path, self.thread, _epoch(self.start), self.after, self.author, self.parent, self.url, self.ours]

    @classmethod
    def load(cls, row: Any) -> Branch:
        path, thread, start, after, author, parent, url, ours = row
        if not str(path).startswith("/"):
            raise ValueError("not the path of an edge")
        place = None if after is None else str(after)
        return cls(str(path), str(thread), _instant(start), place, str(author), str(parent), str(url), bool(ours))


@dataclass(frozen=True)
class Sweep:
    """One way through a list, from its newest entry back to `start`, branches first."""

    start: datetime | None
    begun: datetime  # by our clock, which may be wrong
    after: str | None = None
    newest: datetime | None = None  # the newest thing seen on the way
    ended: bool = False  # the list is read, branches may be left
    branches: tuple[Branch, ...] = ()

    def saw(self, instants: Sequence[datetime]) -> Sweep:
        found = [*instants, *([self.newest] if self.newest else [])]
        return replace(self, newest=max(found, default=None))


@dataclass(frozen=True)
class ListCursor:
    """Up to when a list has been read, and the sweep in hand."""

    read: datetime | None = None
    sweep: Sweep | None = None

    @classmethod
    def load(cls, text: str | None) -> ListCursor:
        try:
            body = opened(text, VERSION)
            sweep = body["sweep"]
            return cls(
                _instant(body["read"]),
                None
                if sweep is None
                else Sweep(
                    _instant(sweep["start"]),
                    _must(_instant(sweep["begun"])),
                    None if sweep["after"] is None else str(sweep["after"]),
                    _instant(sweep["newest"]),
                    bool(sweep["ended"]),
                    tuple(map(Branch.load, sweep["branches"])),
                ),
            )
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        sweep = self.sweep
        return written(
            VERSION,
            read=_epoch(self.read),
            sweep=None
            if sweep is None
            else {
                "start": _epoch(sweep.start),
                "begun": _epoch(sweep.begun),
                "after": sweep.after,
                "newest": _epoch(sweep.newest),
                "ended": sweep.ended,
                "branches": [branch.dump() for branch in sweep.branches],
            },
        )

    def begin(self, since: datetime | None, now: datetime) -> Sweep:
        """The sweep in hand, or a new one: from where the last ended less the overlap, at first from `since`."""
        return self.sweep or Sweep(self.read - OVERLAP if self.read else since, now)

    def during(self, sweep: Sweep) -> ListCursor:
        return replace(self, sweep=sweep)

    def done(self, sweep: Sweep) -> ListCursor:
        return ListCursor(later(self.read, sweep.newest, sweep.begun))


def later(read: datetime | None, newest: datetime | None, begun: datetime) -> datetime | None:
    """Up to when a sweep has read. Not beyond the newest thing that it saw, since our clock may be ahead of the network's; and not
    beyond its own begin, since what it had passed by then may have grown meanwhile."""
    if newest is None:
        return read
    found = min(newest, begun)
    return found if read is None else max(read, found)


@dataclass(frozen=True)
class Known:
    """A thread that has been asked for. `made`: when its post was written, None where the network does not serve it."""

    made: datetime | None
    read: datetime | None


@dataclass(frozen=True)
class ThreadsCursor:
    """Up to when each thread has been read, and the branches in hand."""

    known: Mapping[str, Known] = field(default_factory=dict)
    branches: tuple[Branch, ...] = ()

    @classmethod
    def load(cls, text: str | None) -> ThreadsCursor:
        try:
            body = opened(text, VERSION)
            known = {
                str(thread): Known(_instant(made), _instant(read)) for thread, (made, read) in body["known"].items()
            }
            return cls(known, tuple(map(Branch.load, body["branches"])))
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        known = {thread: [_epoch(each.made), _epoch(each.read)] for thread, each in self.known.items()}
        return written(VERSION, known=known, branches=[branch.dump() for branch in self.branches])

    def only(self, threads: Sequence[str]) -> ThreadsCursor:
        """Without the threads that nobody asks for any more."""
        wanted = set(threads)
        return replace(self, known={thread: each for thread, each in self.known.items() if thread in wanted})


def _epoch(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def _instant(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(int(value), UTC)


def _must(at: datetime | None) -> datetime:
    if at is None:
        raise ValueError("a sweep without its begin")
    return at
