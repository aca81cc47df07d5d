"""Mentions, own posts and direct messages: lists that X serves newest first, swept back to where we were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from integrations.errors import InvalidRequestError
from integrations.records import Engagement, Kind, Page
from integrations.social.x import parse
from integrations.social.x.calls import BATCH, Answer
from integrations.social.x.cursors import FeedCursor, Place, Sweep
from integrations.social.x.reading import MESSAGE, POST, Reader, day, dicts, typed

NEWEST_MENTIONS = 800
NEWEST_OWN = 3200
MESSAGES_REACH = timedelta(days=30)
# X counts posts that were removed since, so a list may end a little before its limit.
_NEARLY = 0.95


@dataclass(frozen=True)
class Feed:
    """One list, and how much of it there is."""

    fetch: Callable[..., requests.Response]
    read: Callable[[Sequence[Any], parse.View], parse.Read]
    price: str  # the name of the price that a row costs
    what: str  # for people: "mentions"
    newest: int | None = None  # X serves only so many
    reach: timedelta | None = None  # X serves only what is younger
    by_time: bool = True  # takes `start_time` and `until_id`; otherwise we stop by ourselves
    least: int = 1  # rows of a page, at least
    prefix: str = ""  # before the ids of rows in our records
    floor: Kind = Kind.CONTEXT


def mentions(reader: Reader) -> Feed:
    """Everything that names us, implicit mentions of replies included."""

    def fetch(**query: Any) -> requests.Response:
        return typed(reader.calls.get_users_mentions(reader.me.id, **reader.posts, **query))

    return Feed(fetch, parse.posts, POST, "mentions", newest=NEWEST_MENTIONS, least=5, floor=Kind.MENTION)


def own(reader: Reader) -> Feed:
    """Our posts and replies."""

    def fetch(**query: Any) -> requests.Response:
        return typed(reader.calls.get_users_tweets(reader.me.id, **reader.posts, **query))

    return Feed(fetch, parse.posts, POST, "posts of yours", newest=NEWEST_OWN, least=5)


def messages(reader: Reader) -> Feed:
    """Direct messages of all conversations, both ways."""

    def fetch(**query: Any) -> requests.Response:
        return typed(reader.calls.get_direct_message_events(user_auth=False, **reader.direct, **query))

    return Feed(fetch, parse.messages, MESSAGE, "direct messages", reach=MESSAGES_REACH, by_time=False, prefix=parse.DM)


def pull(reader: Reader, feed: Feed, cursor: str | None) -> Iterator[Page[Engagement]]:
    """The sweep in hand, or a new one, a page at a time. The cursor moves ahead when the sweep is at its end; until
    then it keeps the place, so that a pull that is stopped goes on behind its last page."""
    state = FeedCursor.load(cursor)
    sweep = state.begin(reader.since)
    notes = _reach_note(reader, feed, state, sweep)
    more = True
    while more:
        found, sweep = _page(reader, feed, sweep, first=state.newest is None)
        found, view, read = reader.read(found, feed.read, feed.floor)
        sweep = _passed(sweep, found, read.items)
        more = found.next_token is not None and not _beyond(feed, sweep, read.items)
        today = reader.now().date().isoformat()
        if not more:
            notes = (*notes, *_cut_note(feed, sweep))
        reads = reader.counted(feed.price, _billed(read.items, state, today))
        kept = [item for item in read.items if feed.by_time or sweep.start is None or item.created_at >= sweep.start]
        state = state.during(sweep, today) if more else state.done(sweep, today)
        names = parse.named(found.rows, view)
        yield Page(
            (*kept, *reader.included(found, view)),
            state.dump(),
            (*notes, *read.notes),
            reads,
            renamed=parse.renamed(names, view),
            named=parse.others(names, view),
        )
        notes = ()
        if more:
            found.pause()


def position(place: Place, *, by_time: bool) -> dict[str, str]:
    """The query parameters that lead to a place."""
    if place.token:
        return {"pagination_token": place.token}
    return {"until_id": place.until} if place.until and by_time else {}


def _page(reader: Reader, feed: Feed, sweep: Sweep, *, first: bool) -> tuple[Answer, Sweep]:
    """The page at the sweep's place. A token that X has forgotten gives way to the oldest id served."""
    most = BATCH if first or feed.by_time else probing(sweep.served)

    def at(place: Place) -> Answer:
        window = {"start_time": sweep.start} if feed.by_time and sweep.start else {}
        query = {**window, **position(place, by_time=feed.by_time)}
        return reader.bought(
            feed.price, lambda count: feed.fetch(max_results=count, **query), most, feed.least, feed.prefix
        )

    try:
        found = at(sweep.place)
    except InvalidRequestError:
        if sweep.place.token is None:
            raise
        sweep = replace(sweep, place=sweep.place.without_token())
        found = at(sweep.place)
    if sweep.began is None:
        # By X's clock, if ours is ahead: what X has not seen yet must not count as looked at.
        sweep = replace(sweep, began=min(filter(None, (reader.now(), found.at))))
    return found, sweep


def probing(served: int) -> int:
    """Rows to ask for where a list takes no `start_time` and was read before, after so many: half as many as came so far. What is at
    its head is known most of the time, and every row is paid for; a hundred new ones still take fewer than the 15 calls in 15
    minutes that X allows."""
    return min(BATCH, max(1, served // 2))


def _passed(sweep: Sweep, found: Answer, items: Sequence[Engagement]) -> Sweep:
    newest = max(items, key=lambda item: item.created_at, default=None)
    if newest is not None and (sweep.newest_at is None or newest.created_at > sweep.newest_at):
        sweep = replace(sweep, newest=newest.id, newest_at=newest.created_at)
    place = sweep.place.after(dicts(found.rows), found.next_token)
    return replace(sweep, place=place, served=sweep.served + len(found.rows))


def _beyond(feed: Feed, sweep: Sweep, items: Sequence[Engagement]) -> bool:
    """Whether a list that knows no `start_time` has gone back far enough."""
    return not feed.by_time and sweep.start is not None and any(item.created_at < sweep.start for item in items)


def _billed(items: Sequence[Engagement], state: FeedCursor, today: str) -> int:
    """How many of these X bills. The overlap was read before, and X bills a post once a (UTC) day."""
    if state.newest_at is None or state.day != today:
        return len(items)
    return sum(item.created_at > state.newest_at for item in items)


def _reach_note(reader: Reader, feed: Feed, state: FeedCursor, sweep: Sweep) -> tuple[str, ...]:
    """Whether a list is too short to go back to `since`, or to when it was last read (the newest entry may be much older)."""
    if state.sweep or feed.reach is None or sweep.start is None:
        return ()
    read = datetime.fromisoformat(state.day).replace(tzinfo=UTC) if state.day else sweep.start
    start = max(sweep.start, read)
    if start >= reader.now() - feed.reach:
        return ()
    what = f"X serves only the last {feed.reach.days} days of {feed.what}"
    return (f"{what}; older ones since {day(start)} were not read",)


def _cut_note(feed: Feed, sweep: Sweep) -> tuple[str, ...]:
    """Whether a list came to the end of what X serves before it came to where the sweep was to go."""
    if feed.newest is None or sweep.served < feed.newest * _NEARLY:
        return ()
    since = f" since {day(sweep.start)}" if sweep.start else ""
    return (f"X serves only the newest {feed.newest} {feed.what}; older ones{since} were not read",)
