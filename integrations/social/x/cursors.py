"""Cursors: small JSON objects that say what has been read, and where an unfinished sweep stands.

A cursor of another version, or one that cannot be read, is as good as none: the stream starts over, and since rows are
upserted nothing comes of that but repeated reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from integrations import instants
from integrations.cursors import UNREADABLE, opened, written

VERSION = 1
# X indexes some posts late and never serves those behind a `since_id`; so every sweep starts this much before the
# newest post seen. Reading the same post twice on one (UTC) day is billed once.
OVERLAP = timedelta(minutes=30)
_EARLIEST = datetime(2010, 11, 6, tzinfo=UTC)  # the earliest start_time that X accepts


@dataclass(frozen=True)
class Place:
    """Where the pages of one query stand. The token goes on; should X have forgotten it, `until` (the oldest id served)
    does too, where the endpoint takes one."""

    token: str | None = None
    until: str | None = None

    def after(self, rows: Sequence[Mapping[str, Any]], token: str | None) -> Place:
        """The place behind a page."""
        ids = [str(row["id"]) for row in rows if row.get("id")]
        oldest = min([*ids, *([self.until] if self.until else [])], key=age, default=None)
        return Place(token, oldest)

    def without_token(self) -> Place:
        return Place(None, self.until)

    def dump(self) -> dict[str, Any]:
        return {"token": self.token, "until": self.until}


def age(post_id: str) -> tuple[int, str]:
    """Sorts ids by age: they are numbers that grow."""
    return len(post_id), post_id


@dataclass(frozen=True)
class Sweep:
    """One way through a feed, from its newest entry back to `start`; None: as far back as X serves."""

    start: datetime | None
    place: Place = field(default_factory=Place)
    newest: str | None = None
    newest_at: datetime | None = None
    served: int = 0  # rows so far
    began: datetime | None = None  # when its first page was asked for


@dataclass(frozen=True)
class FeedCursor:
    """What a feed has been read up to, and the sweep in hand."""

    newest: str | None = None
    newest_at: datetime | None = None
    day: str = ""  # the UTC day of the last read: what is read again on it is not billed again
    sweep: Sweep | None = None
    looked_at: datetime | None = None  # when the last whole sweep began: all that X had indexed by then has been seen

    @classmethod
    def load(cls, text: str | None) -> FeedCursor:
        try:
            body = opened(text, VERSION)
            sweep = body["sweep"]
            return cls(
                _text(body["newest"]),
                instants.perhaps(body["newest_at"]),
                date.fromisoformat(body["day"]).isoformat() if body["day"] else "",
                None
                if sweep is None
                else Sweep(
                    instants.perhaps(sweep["start"]),
                    _place(sweep),
                    _text(sweep["newest"]),
                    instants.perhaps(sweep["newest_at"]),
                    int(sweep["served"]),
                    instants.perhaps(sweep.get("began")),
                ),
                instants.perhaps(body.get("looked_at")),
            )
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        sweep = self.sweep
        return written(
            VERSION,
            newest=self.newest,
            newest_at=_iso(self.newest_at),
            day=self.day,
            sweep=None
            if sweep is None
            else {
                "start": _iso(sweep.start),
                **sweep.place.dump(),
                "newest": sweep.newest,
                "newest_at": _iso(sweep.newest_at),
                "served": sweep.served,
                "began": _iso(sweep.began),
            },
            looked_at=_iso(self.looked_at),
        )

    def begin(self, since: datetime | None) -> Sweep:
        """The sweep in hand, or a new one: from when we last looked (or the newest seen, if that is later) less the overlap, at
        first from `since`. Of a quiet account the newest would be read, and paid for, every day again."""
        if self.sweep is not None:
            return self.sweep
        last = max(filter(None, (self.newest_at, self.looked_at)), default=None)
        start = last - OVERLAP if last else since
        return Sweep(max(start, _EARLIEST) if start else None)

    def during(self, sweep: Sweep, day: str) -> FeedCursor:
        return replace(self, sweep=sweep, day=self.day or day)

    def done(self, sweep: Sweep, day: str) -> FeedCursor:
        """The sweep is at its end: what it saw first is now the newest seen."""
        ahead = sweep.newest_at is not None and (self.newest_at is None or sweep.newest_at >= self.newest_at)
        return FeedCursor(
            sweep.newest if ahead else self.newest,
            sweep.newest_at if ahead else self.newest_at,
            day,
            None,
            sweep.began or self.looked_at,
        )


@dataclass(frozen=True)
class Batch:
    """Terms that are searched for together, from `start` on; `at` is when the search began."""

    terms: tuple[str, ...]
    start: datetime
    at: datetime
    place: Place = field(default_factory=Place)


@dataclass(frozen=True)
class SearchCursor:
    """Up to when each term has been searched for, and the batch in hand."""

    read: Mapping[str, datetime] = field(default_factory=dict)
    batch: Batch | None = None
    handle: str = ""  # ours, by which quotes were searched for

    @classmethod
    def load(cls, text: str | None) -> SearchCursor:
        try:
            body = opened(text, VERSION)
            batch = body["batch"]
            return cls(
                {str(term): datetime.fromtimestamp(int(at), UTC) for term, at in body["read"].items()},
                None
                if batch is None
                else Batch(
                    tuple(map(str, batch["terms"])),
                    datetime.fromtimestamp(int(batch["start"]), UTC),
                    datetime.fromtimestamp(int(batch["at"]), UTC),
                    _place(batch),
                ),
                str(body.get("handle") or ""),
            )
        except UNREADABLE:
            return cls()

    def dump(self) -> str:
        batch = self.batch
        return written(
            VERSION,
            read={term: int(at.timestamp()) for term, at in self.read.items()},
            batch=None
            if batch is None
            else {
                "terms": batch.terms,
                "start": int(batch.start.timestamp()),
                "at": int(batch.at.timestamp()),
                **batch.place.dump(),
            },
            handle=self.handle,
        )

    def under(self, handle: str, quotes: str) -> SearchCursor:
        """For an account that goes by this handle. Under a new one nothing is read of the term `quotes`: those that link the new handle
        are others, and some may have come before we knew of it."""
        if self.handle.lower() in ("", handle.lower()):
            return replace(self, handle=handle)
        read = {term: at for term, at in self.read.items() if term != quotes}
        return SearchCursor(read, None if self.batch and quotes in self.batch.terms else self.batch, handle)

    def during(self, batch: Batch) -> SearchCursor:
        return replace(self, batch=batch)

    def done(self, batch: Batch) -> SearchCursor:
        return replace(self, read={**self.read, **dict.fromkeys(batch.terms, batch.at)}, batch=None)

    def only(self, terms: Sequence[str]) -> SearchCursor:
        """Without the terms that nobody asks for any more."""
        wanted = set(terms)
        return replace(self, read={term: at for term, at in self.read.items() if term in wanted})


def _place(body: Mapping[str, Any]) -> Place:
    return Place(_text(body["token"]), _text(body["until"]))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
