"""Notifications and own posts: lists that Bluesky serves newest first, swept back to where we were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from integrations.errors import InvalidRequestError, TemporaryError
from integrations.records import Engagement, Page
from integrations.social.bluesky import parse
from integrations.social.bluesky.calls import rows
from integrations.social.bluesky.cursors import LATE, FeedCursor, Sweep, Top
from integrations.social.bluesky.reading import Reader

BATCH = 100  # the most of both lists


@dataclass(frozen=True)
class Feed:
    """One list: how to ask for it, and what is in a page. `beside` are the rows of posts that come along with a page."""

    method: str
    name: str  # of the list in the answer
    read: Callable[[Sequence[Any], parse.View], parse.Read]
    params: Mapping[str, Any] = field(default_factory=dict)
    beside: Callable[[Sequence[Any]], list[Any]] = lambda page: []


def mentions() -> Feed:
    """What others say to us: mentions, replies, and quotes."""

    def read(page: Sequence[Any], view: parse.View) -> parse.Read:
        return parse.each(page, lambda row: parse.notification(row, view))

    return Feed("app.bsky.notification.listNotifications", "notifications", read, {"reasons": list(parse.REASONS)})


def own(reader: Reader) -> Feed:
    """Our posts and replies, and the posts that they answer."""

    def read(page: Sequence[Any], view: parse.View) -> parse.Read:
        return parse.each(page, lambda row: None if row.get("reason") else parse.post(row["post"], view))

    params = {"actor": reader.did, "filter": "posts_with_replies"}
    return Feed("app.bsky.feed.getAuthorFeed", "feed", read, params, _answered)


def pull(reader: Reader, feed: Feed, cursor: str | None) -> Iterator[Page[Engagement]]:
    """The sweep in hand, or a new one, a page at a time. The cursor moves ahead when the sweep is at its end; until
    then it keeps the place, so that a pull that is stopped goes on behind its last page."""
    state = FeedCursor.load(cursor)
    sweep = state.begin(reader.since, reader.now())
    more, resumed = True, sweep.place is not None
    while more:
        body, sweep = _page(reader, feed, sweep, resumed)
        resumed = False
        top = sweep.place is None
        page = rows(body, feed.name)
        read = feed.read(page, reader.view)
        sweep, more = _passed(sweep, read, body.get("cursor"))
        oldest = _oldest(state, sweep, reader.since)
        before = state.top if top else None
        kept = [
            item
            for item in read.items
            if oldest is None or item.created_at >= oldest or (before is not None and before.lacks(item))
        ]
        beside = reader.extras(feed.beside(page), {item.id for item in kept})
        if top:
            state = replace(state, top=Top.of(read.items, ends=not body.get("cursor")) or state.top)
        state = replace(state, sweep=sweep) if more else state.done(sweep)
        yield Page((*kept, *beside), state.dump(), read.notes)


def _oldest(state: FeedCursor, sweep: Sweep, since: datetime | None) -> datetime | None:
    """From when on what a page shows is kept, new there or not: from where a first sweep ends, and from further back in later ones."""
    if sweep.start is None or state.newest_at is None:
        return sweep.start
    late = state.newest_at - LATE
    return min(sweep.start, late if since is None else max(late, since))


def _page(reader: Reader, feed: Feed, sweep: Sweep, resumed: bool) -> tuple[Mapping[str, Any], Sweep]:
    """The page at the sweep's place. A place kept from an earlier pull that Bluesky no longer understands (it answers 502, as if it
    were out of order) gives way to the top of the list: that reads some rows again, and cannot be stuck for ever."""
    try:
        return reader.calls.get(feed.method, limit=BATCH, cursor=sweep.place, **feed.params), sweep
    except (InvalidRequestError, TemporaryError):
        if not resumed:
            raise
    return reader.calls.get(feed.method, limit=BATCH, **feed.params), replace(sweep, place=None)


def _passed(sweep: Sweep, read: parse.Read, place: Any) -> tuple[Sweep, bool]:
    """The sweep behind a page, and whether there is more of it. Pages may be empty and go on all the same: Bluesky filters late."""
    times = [item.created_at for item in read.items]
    newest = max([*times, *([sweep.newest_at] if sweep.newest_at else [])], default=None)
    reached = sweep.start is not None and any(at < sweep.start for at in times)
    more = isinstance(place, str) and place not in ("", sweep.place) and not reached
    return replace(sweep, place=str(place) if more else None, newest_at=newest), more


def _answered(page: Sequence[Any]) -> list[Any]:
    """The posts that ours answer and the beginnings of those threads, where the account may see them."""
    found = []
    for row in page:
        reply = row.get("reply") if isinstance(row, dict) else None
        found += [reply.get(end) for end in ("root", "parent")] if isinstance(reply, dict) else []
    return found
