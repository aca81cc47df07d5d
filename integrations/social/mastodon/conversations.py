"""The threads that we are in, looked into one by one: what is said there to others reaches nobody's notifications."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from integrations.errors import (
    IntegrationError,
    NotFoundError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.records import Engagement, Page
from integrations.social.mastodon.cursors import ThreadsCursor, Watched
from integrations.social.mastodon.reading import Reader, unique
from integrations.social.mastodon.threads import ODD

AT_ONCE = 10  # threads that are looked into before what was found is stored
MANY = 200  # posts, likewise


def pull(reader: Reader, cursor: str | None, threads: Sequence[str]) -> Iterator[Page[Engagement]]:
    """One call for each thread that is due (`Watched.due`), least recently read first. A thread that looks as it did brings
    nothing; one that has changed brings all its posts."""
    before_now = ThreadsCursor.load(cursor).watched
    watched = {thread: before_now[thread] for thread in threads if thread in before_now}
    now = reader.now()
    wanted = [thread for thread in dict.fromkeys(threads) if thread not in watched or watched[thread].due(now)]
    # Stable: of those that were never read, the one where something was said last comes first.
    wanted.sort(key=lambda thread: watched[thread].read_at.timestamp() if thread in watched else 0.0)
    items: list[Engagement] = []
    unread: list[IntegrationError] = []
    for number, thread in enumerate(wanted, start=1):
        try:
            found, trouble = _look(reader, thread)
        except (RateLimitError, TemporaryError) as error:
            if isinstance(
                error, TemporaryError
            ):  # it may be this thread alone, every time: the next pull begins behind it
                print_ = watched[thread].print if thread in watched else ""
                watched[thread] = Watched(now, now, print_)
            yield Page(unique(items), ThreadsCursor(watched).dump(), _notes(unread, len(wanted)))
            raise
        unread += trouble
        before, print_ = watched.get(thread), _print(found)
        if before is None or before.print != print_:
            items += found
        watched[thread] = Watched(now, _changed_at(found, before, print_, now), print_)
        if number % AT_ONCE == 0 or len(items) >= MANY:
            yield Page(unique(items), ThreadsCursor(watched).dump(), _notes(unread, number))
            items = []
    yield Page(unique(items), ThreadsCursor(watched).dump(), _notes(unread, len(wanted)))


def _notes(unread: Sequence[IntegrationError], looked_into: int) -> tuple[str, ...]:
    """What to tell of threads that could not be read. Raises the first trouble where none could."""
    if not unread:
        return ()
    if len(unread) == looked_into:
        raise unread[0]
    what = "1 thread" if len(unread) == 1 else f"{len(unread)} threads"
    return (f"{what} could not be read: {unread[0]}",)


def _look(reader: Reader, thread: str) -> tuple[list[Engagement], list[IntegrationError]]:
    """All posts of a thread but the first, which the answer does not hold; none where the server no longer shows it. With what
    went wrong, if something did: one or two threads over which the server breaks are odd, more are raised."""
    try:
        context = reader.threads.around(thread)
        rows = [*context.above, *context.below]
        return (list(reader.statuses(rows).items) if rows else []), []
    except NotFoundError:
        return [], []
    except UnexpectedResponseError as error:
        return [], [error]
    except ODD as error:
        if reader.threads.out_of_order():
            raise
        return [], [error]


def _print(items: Sequence[Engagement]) -> str:
    """What a thread looks like: changes with every post that comes, goes or is edited."""
    told = "\n".join(sorted(f"{item.id} {item.thread} {item.edited_at}" for item in items))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _changed_at(items: Sequence[Engagement], before: Watched | None, print_: str, now: datetime) -> datetime:
    if before is not None:
        return before.changed_at if before.print == print_ else now
    return min(max((item.created_at for item in items), default=now), now)
