"""Lists that a server serves newest first, swept back to where we were: mentions, own posts, filtered people, private talks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from integrations.errors import InvalidRequestError, NotFoundError, UnexpectedResponseError
from integrations.records import Engagement, Page
from integrations.social.mastodon import parse, people
from integrations.social.mastodon.cursors import MOST_SEEN, FeedCursor, Sweep
from integrations.social.mastodon.people import Json
from integrations.social.mastodon.reading import Reader
from integrations.social.mastodon.server import MASTODON
from integrations.social.mastodon.threads import ODD, objects

# Rows of a page, as many as servers give. The threads of all of them can be asked for within one window of the rate limit.
MENTIONS = 80
PAGE = 40
TALKS = 20  # rows; each may take two calls
# How far a sweep goes back behind the newest entry seen: entries of one moment are not always written in their order.
OVERLAP = timedelta(minutes=30)
REPEATS = "The server shows the same page again and again, so what is behind it was not read"
# Left out by asking, since a post that many like would fill pages; every server knows these. What else does not speak to us is
# left out here. Asking for `types` instead fails on servers that don't know one of them.
_NOISE = ("follow", "follow_request", "favourite", "reblog", "poll")


class Entry(NamedTuple):
    """A row of a list."""

    row: Json
    at: datetime | None  # None: it does not say
    name: str  # its key; nothing for one that cannot be told apart


@dataclass(frozen=True)
class Found:
    """A page of a list."""

    entries: Sequence[Entry]
    odd: int  # how many rows are no objects at all
    next: Mapping[str, str] | None


@dataclass(frozen=True)
class Feed:
    """One list, and what of a row is needed to sweep it."""

    path: str
    params: Mapping[str, Any]
    read: Callable[[Sequence[Json]], parse.Read]
    key: Callable[[Json], str]  # tells a row apart, and changes when what it says does
    at: Callable[[Json], Any]  # the time by which the list is ordered, as the server writes it
    ordered: bool = True  # else the whole list is swept each time
    since: bool = True  # takes the id of a row as `since_id`
    absent: tuple[str, ...] | None = None  # what to tell of a server without this list; None: every server has it
    offered: bool = True  # whether servers of this kind have it at all

    def entry(self, row: Json) -> Entry:
        """A row with what is needed to sweep it."""
        try:
            at = parse.instant(self.at(row))
        except people.UNREADABLE:
            at = None
        try:
            return Entry(row, at, self.key(row))
        except people.UNREADABLE:
            return Entry(row, at, "")


def mentions(reader: Reader) -> Feed:
    """Everything that names us, answers us or quotes us; what the account's own filters hold back is asked for too."""
    params = {"limit": MENTIONS, "exclude_types[]": _NOISE, "include_filtered": "true"}
    return Feed(
        "/api/v1/notifications",
        params,
        reader.notifications,
        key=lambda row: f"{row['id']}:{(row.get('status') or {}).get('edited_at')}",
        at=lambda row: row["created_at"],
    )


def own(reader: Reader) -> Feed:
    """Our posts and replies; private ones too where the server shows them here."""
    path = f"/api/v1/accounts/{quote(reader.me.id, safe='')}/statuses"
    params = {"limit": PAGE, "exclude_reblogs": "true"}
    return Feed(path, params, reader.statuses, key=_version, at=lambda row: row["created_at"])


def filtered(reader: Reader) -> Feed:
    """The newest post of each person whose notifications the account's filters hold back: a second look, for servers that keep
    them out of the notifications whatever is asked. Mastodon has this list since 4.3."""

    def read(rows: Sequence[Json]) -> parse.Read:
        posts = reader.statuses(row["last_status"] for row in rows if row.get("last_status"))
        recent = (item for item in posts.items if reader.since is None or item.created_at >= reader.since)
        return replace(posts, items=tuple(recent))

    return Feed(
        "/api/v1/notifications/requests",
        {"limit": PAGE},
        read,
        key=lambda row: f"{row['id']}:{_version(row['last_status'])}",
        at=lambda row: row["updated_at"],
        ordered=False,
        absent=(),
        offered=reader.view.software == MASTODON,  # Takahe takes the path for a notification's id, and breaks
    )


def messages(reader: Reader) -> Feed:
    """Private talks, ours and theirs: the list has only the newest post of each, the rest is read from its thread."""
    return Feed(
        "/api/v1/conversations",
        {"limit": TALKS},
        lambda rows: _talks(reader, rows),
        key=lambda row: f"{row['id']}:{_version(row['last_status'])}",
        at=lambda row: row["last_status"]["created_at"],
        since=False,  # its positions are not the ids of its rows
        absent=(
            "This server keeps no list of private talks; private posts that name the account are read with the mentions",
        ),
    )


def pull(reader: Reader, feed: Feed, cursor: str | None) -> Iterator[Page[Engagement]]:
    """The sweep in hand, or a new one, a page at a time. Until it is at its end the cursor keeps the place, so that a pull that is
    stopped goes on behind its last page. Rows that an earlier sweep has read, and that are as they were, are passed over."""
    if not feed.offered:
        yield Page((), cursor, feed.absent or ())
        return
    state = FeedCursor.load(cursor)
    sweep = state.sweep or _begin(reader, feed, state)
    asked: list[Mapping[str, str]] = []
    more = True
    while more:
        try:
            found, sweep = _page(reader, feed, state, sweep)
        except NotFoundError:
            if feed.absent is None:
                raise
            yield Page((), cursor, feed.absent)
            return
        read = _read(feed, state, sweep, found)
        asked.append(sweep.position)
        repeats = found.next in asked
        sweep = _passed(reader, feed, sweep, found)
        more = found.next is not None and not repeats and not _beyond(sweep, found)
        sweep = replace(sweep, position=dict(found.next or {}))
        state = state.during(sweep) if more else state.done(sweep)
        yield Page(read.items, state.dump(), (*read.notes, *((REPEATS,) if repeats else ())))


def _begin(reader: Reader, feed: Feed, state: FeedCursor) -> Sweep:
    if not feed.ordered:
        return Sweep()
    return Sweep(state.newest - OVERLAP if state.newest else reader.since, state.floor if feed.since else None)


def _page(reader: Reader, feed: Feed, state: FeedCursor, sweep: Sweep) -> tuple[Found, Sweep]:
    """The page at the sweep's place. A server may have lost the entry that an id of ours names, and then refuse, or serve nothing
    ever again. So an answer to "since then" counts only if something is in it that we have seen; else all is asked for."""
    try:
        found = _at(reader, feed, sweep)
        if sweep.position or not sweep.since or not {each.name for each in found.entries}.isdisjoint(state.seen):
            return found, sweep
    except (InvalidRequestError, NotFoundError):
        if not sweep.position and not sweep.since:
            raise
    sweep = replace(sweep, position={}, since=None)
    return _at(reader, feed, sweep), sweep


def _at(reader: Reader, feed: Feed, sweep: Sweep) -> Found:
    bound = {"since_id": sweep.since} if sweep.since else {}
    listing = reader.calls.list(feed.path, {**feed.params, **bound}, sweep.position)
    entries = [feed.entry(row) for row in objects(listing.rows)]
    odd = len(listing.rows) - len(entries)
    if odd and not entries:
        raise UnexpectedResponseError("The server sent a page and nothing of it can be read", sample=f"{odd} rows")
    return Found(entries, odd, listing.next)


def _read(feed: Feed, state: FeedCursor, sweep: Sweep, found: Found) -> parse.Read:
    """What is new on a page: neither read by an earlier sweep nor older than where this one stops."""
    known = frozenset(state.seen)
    stop = sweep.stop if feed.ordered else None
    rows = [
        each.row
        for each in found.entries
        if each.name not in known and (stop is None or each.at is None or each.at >= stop)
    ]
    try:
        read = feed.read(rows)
    except UnexpectedResponseError:
        if len(rows) == len(found.entries):
            raise
        read = parse.Read((), len(rows))  # the others on this page were read before: it is not the answer that is odd
    return replace(read, skipped=read.skipped + found.odd)


def _passed(reader: Reader, feed: Feed, sweep: Sweep, found: Found) -> Sweep:
    """The sweep with what this page tells about where the next one may stop. A time in the future is somebody's wrong clock."""
    now = reader.now()
    timed = [(each, each.at) for each in found.entries if each.at is not None]
    newest = max((*(min(at, now) for _, at in timed), *((sweep.newest,) if sweep.newest else ())), default=None)
    if newest is None:
        return sweep
    edge = newest - OVERLAP
    seen = [each.name for each, at in timed if each.name and (not feed.ordered or at >= edge)]
    older = (str(each.row["id"]) for each, at in timed if at < edge and each.row.get("id"))
    return replace(sweep, newest=newest, seen=(*sweep.seen, *seen)[:MOST_SEEN], floor=sweep.floor or next(older, None))


def _beyond(sweep: Sweep, found: Found) -> bool:
    """Whether the end of this page is older than where the sweep stops. An old entry further up is an oddity, not the end."""
    last = next((each.at for each in reversed(found.entries) if each.at is not None), None)
    return sweep.stop is not None and last is not None and last < sweep.stop


def _version(row: Json) -> str:
    return f"{row['id']}:{row.get('edited_at') or ''}"


def _talks(reader: Reader, rows: Sequence[Json]) -> parse.Read:
    found: list[Json] = []
    for row in rows:
        if isinstance(last := row.get("last_status"), dict) and last.get("id"):
            found += [last, *reader.threads.settle([last]), *_below_first(reader, str(last["id"]))]
    return reader.statuses(found)


def _below_first(reader: Reader, last: str) -> Sequence[Json]:
    """Everything below the first post of a talk: two posts that answer the same one don't stand above each other."""
    first = reader.threads.places[last].root
    if first == last:
        return ()
    try:
        return reader.threads.around(first).below
    except (NotFoundError, UnexpectedResponseError):
        return ()
    except ODD:
        if reader.threads.out_of_order():
            raise
        return ()
