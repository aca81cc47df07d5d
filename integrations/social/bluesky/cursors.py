"""Cursors: small JSON objects that say what has been read, and where an unfinished sweep stands.

A cursor of another version, or one that cannot be read, is as good as none: the stream starts over, and since rows are
upserted nothing comes of that but repeated reads.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from integrations import instants
from integrations.cursors import UNREADABLE, opened, written
from integrations.records import Engagement

VERSION = 1
# Lists are sorted by the earlier of when a post says it was written and when Bluesky saw it, so one from a slow clock or a phone without
# a network comes in below newer ones. Every sweep therefore goes back to this much before the newest post seen.
OVERLAP = timedelta(hours=1)
# And what a page shows from further back is kept as well, for so long: it costs no call, and was perhaps not there before. Beyond that,
# what its first page did not show the last time (`Top`): anybody may date a post as they like.
LATE = timedelta(hours=24)
# Where a first page spans hours, less is behind it than what a phone without a network keeps back: so once a day a sweep goes far back.
FAR, FAR_EVERY = timedelta(days=14), timedelta(days=1)


@dataclass(frozen=True)
class Sweep:
    """One way through a list, from its newest entry back to `start` (None: to its end). `place` is Bluesky's own cursor; `far_at` is when
    one that goes far back was begun, by our clock."""

    start: datetime | None
    place: str | None = None
    newest_at: datetime | None = None
    far_at: datetime | None = None


@dataclass(frozen=True)
class Top:
    """The first page of a list as it was last seen: its posts, by short names, and how far back it went (None: to the list's end)."""

    posts: frozenset[str]
    floor: datetime | None = None

    @classmethod
    def of(cls, items: Sequence[Engagement], *, ends: bool) -> Top | None:
        """The page with these posts; `ends` says that there is none behind it. None where nothing can be said of it."""
        if not items and not ends:
            return None
        return cls(
            frozenset(_short(item.id) for item in items), None if ends else min(each.created_at for each in items)
        )

    @classmethod
    def load(cls, body: Mapping[str, Any] | None) -> Top | None:
        return None if body is None else cls(frozenset(str(body["posts"]).split()), instants.perhaps(body["floor"]))

    def dump(self) -> Mapping[str, Any]:
        return {"posts": " ".join(sorted(self.posts)), "floor": _iso(self.floor)}

    def lacks(self, item: Engagement) -> bool:
        """Whether this post was not there though it belongs on the page. One from below the page has merely moved up."""
        return (self.floor is None or item.created_at >= self.floor) and _short(item.id) not in self.posts


def _short(uri: str) -> str:
    """A name for a post among a hundred: the cursor holds as many."""
    return urlsafe_b64encode(blake2b(uri.encode(), digest_size=6).digest()).decode()


@dataclass(frozen=True)
class FeedCursor:
    """Up to when a list has been read, the sweep in hand, the first page of the latest sweep, and when one last went far back."""

    newest_at: datetime | None = None
    sweep: Sweep | None = None
    top: Top | None = None
    far_at: datetime | None = None

    @classmethod
    def load(cls, text: str | None) -> FeedCursor:
        try:
            body = opened(text, VERSION)
            sweep = body["sweep"]
            held = None
            if sweep is not None:
                held = Sweep(
                    instants.perhaps(sweep["start"]),
                    _text(sweep["place"]),
                    instants.perhaps(sweep["newest_at"]),
                    instants.perhaps(sweep.get("far_at")),
                )
            newest_at = instants.perhaps(body["newest_at"])
            far_at = instants.perhaps(body.get("far_at")) or newest_at
            return cls(newest_at, held, Top.load(body.get("top")), far_at)
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        held = self.sweep and {
            "start": _iso(self.sweep.start),
            "place": self.sweep.place,
            "newest_at": _iso(self.sweep.newest_at),
            "far_at": _iso(self.sweep.far_at),
        }
        top = self.top and self.top.dump()
        return written(VERSION, newest_at=_iso(self.newest_at), sweep=held, top=top, far_at=_iso(self.far_at))

    def begin(self, since: datetime | None, now: datetime) -> Sweep:
        """The sweep in hand, or a new one: back to the newest seen less the overlap, once a day much further, at first to `since`."""
        if self.sweep is not None:
            return self.sweep
        if self.newest_at is None:
            return Sweep(since, far_at=now)
        if self.far_at is not None and now - self.far_at < FAR_EVERY:
            return Sweep(self.newest_at - OVERLAP)
        far = self.newest_at - FAR
        return Sweep(far if since is None else max(far, min(since, self.newest_at - OVERLAP)), far_at=now)

    def done(self, sweep: Sweep) -> FeedCursor:
        """The sweep is at its end: what it saw first is now the newest seen."""
        seen = [at for at in (self.newest_at, sweep.newest_at) if at is not None]
        return FeedCursor(max(seen, default=None), top=self.top, far_at=sweep.far_at or self.far_at)


@dataclass(frozen=True)
class ThreadsCursor:
    """When each thread was last read."""

    read: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def load(cls, text: str | None) -> ThreadsCursor:
        try:
            return cls(
                {str(uri): datetime.fromtimestamp(int(at), UTC) for uri, at in opened(text, VERSION)["read"].items()}
            )
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        return written(VERSION, read={uri: int(at.timestamp()) for uri, at in self.read.items()})

    def noted(self, uri: str, at: datetime) -> ThreadsCursor:
        return ThreadsCursor({**self.read, uri: at})

    def only(self, uris: Sequence[str]) -> ThreadsCursor:
        """Without the threads that nobody asks for any more."""
        wanted = set(uris)
        return ThreadsCursor({uri: at for uri, at in self.read.items() if uri in wanted})


@dataclass(frozen=True)
class ChatCursor:
    """Up to which revision all conversations have been read, and the place of a way through their list: which page comes next, and
    the newest revision that the way has met. Revisions are numbered by the chat service and grow as text."""

    rev: str = ""
    place: str | None = None
    newest: str = ""

    @classmethod
    def load(cls, text: str | None) -> ChatCursor:
        try:
            body = opened(text, VERSION)
            return cls(str(body["rev"]), _text(body["place"]), str(body["newest"]))
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        return written(VERSION, rev=self.rev, place=self.place, newest=self.newest)

    def ahead(self, place: str | None, newest: str) -> ChatCursor:
        """Behind a page; without a next one, the way is at its end."""
        newest = max(self.newest, newest)
        return replace(self, place=place, newest=newest) if place else ChatCursor(max(self.rev, newest))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
