"""Reading lists of talks: posts with the comments below them, conversations with their messages.

The Graph API serves both alike: a list, newest entry first, each entry with the first page of what stands below it. New things
below an old entry do not move a post to the front of its list, so posts are looked at again for a while (`reach`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from integrations.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnexpectedResponseError,
)
from integrations.graph.api import BATCH, Graph, Json, Listing
from integrations.graph.cursors import Branch, Known, ListCursor, Sweep, ThreadsCursor, later
from integrations.graph.refusals import TooMuchError
from integrations.records import Engagement, Page

FEW = "3"  # rows on a page, where more are too much for Meta
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError)
_CALM = "Meta takes no more calls for now, going by what it says of its limits"


@dataclass(frozen=True)
class Found:
    """What a row or a page holds. `items` are new enough; `instants` are of all that was read, new or not."""

    items: tuple[Engagement, ...] = ()
    instants: tuple[datetime, ...] = ()
    branches: tuple[Branch, ...] = ()  # what stands below and did not come along
    skipped: int = 0
    over: bool = False  # what follows on this branch is too old

    def __add__(self, other: Found) -> Found:
        return Found(
            self.items + other.items,
            self.instants + other.instants,
            self.branches + other.branches,
            self.skipped + other.skipped,
            self.over or other.over,
        )


def together(found: Sequence[Found]) -> Found:
    """All of it as one."""
    return Found(
        tuple(item for each in found for item in each.items),
        tuple(at for each in found for at in each.instants),
        tuple(branch for each in found for branch in each.branches),
        sum(each.skipped for each in found),
        any(each.over for each in found),
    )


@dataclass(frozen=True)
class Feed:
    """One list and how to read it. `entry` reads a row of the list with what came along, from an instant on; `below` reads
    more of a branch. Both are pure and raise UNREADABLE only for a row that is an entry of a list."""

    path: str
    params: Mapping[str, str]
    at: Callable[[Json], datetime]  # what orders the list
    entry: Callable[[Json, datetime | None], Found]
    below: Callable[[Branch, Listing], Found]
    branch_params: Callable[[Branch], Mapping[str, str]]
    reach: timedelta | None = None  # entries up to this age are looked at for what is new below them
    bare: bool = False  # the list has cursors and no `next`
    what: str = "posts"  # for people


@dataclass
class _Read:
    """What one page of a feed came to."""

    found: Found = field(default_factory=Found)
    notes: tuple[str, ...] = ()


def pull(
    graph: Graph, feed: Feed, cursor: str | None, *, since: datetime | None, now: datetime
) -> Iterator[Page[Engagement]]:
    """The sweep in hand, or a new one, a page at a time: branches first, then the list. The cursor moves ahead when the
    sweep is at its end; until then it keeps the place, so that a pull that is stopped goes on behind its last page."""
    state = ListCursor.load(cursor)
    sweep = state.begin(since, now)
    while True:
        read, sweep = _branch(graph, feed, sweep) if sweep.branches else _entries(graph, feed, sweep)
        more = bool(sweep.branches) or not sweep.ended
        state = state.during(sweep) if more else state.done(sweep)
        yield Page(read.found.items, state.dump(), read.notes)
        if not more:
            return
        _calmly(graph)


def _entries(graph: Graph, feed: Feed, sweep: Sweep) -> tuple[_Read, Sweep]:
    """The next page of the list."""
    page = _from(graph, feed.path, sweep.after, feed.params, bare=feed.bare)
    found = _each(feed, page.rows, sweep.start)
    back = _back(feed, sweep)
    at_end = page.after in (None, sweep.after)  # one that repeats its place would go on for ever
    ended = at_end or (back is not None and _is_behind(feed, page, back))
    sweep = replace(sweep.saw(found.instants), after=page.after, ended=ended, branches=found.branches)
    return _Read(found, _skipped(found, feed)), sweep


def _is_behind(feed: Feed, page: Listing, back: datetime) -> bool:
    """Whether all of a page is from before this instant, as far as it says."""
    times = [at for row in page.objects if (at := _at(feed, row)) is not None]
    return bool(times) and max(times) < back


def _back(feed: Feed, sweep: Sweep) -> datetime | None:
    """How far back the list is read; None: to its end."""
    if sweep.start is None or feed.reach is None:
        return sweep.start
    return min(sweep.start, sweep.begun - feed.reach)


def _each(feed: Feed, rows: Sequence[Any], start: datetime | None) -> Found:
    """All entries that can be read. Raises UnexpectedResponseError where there are some and none can."""
    read: list[Found] = []
    for row in rows:
        try:
            read.append(feed.entry(row, start))
        except UNREADABLE:
            continue
    if rows and not read:
        raise UnexpectedResponseError(f"Meta sent {feed.what} of which none can be read", sample=f"{len(rows)} rows")
    return together([*read, Found(skipped=len(rows) - len(read))])


def _at(feed: Feed, row: Json) -> datetime | None:
    try:
        return feed.at(row)
    except UNREADABLE:
        return None


def _branch(graph: Graph, feed: Feed, sweep: Sweep) -> tuple[_Read, Sweep]:
    """The next page of the first branch."""
    read, branches = step(graph, feed, sweep.branches)
    return read, replace(sweep.saw(read.found.instants), branches=branches)


def step(graph: Graph, feed: Feed, branches: tuple[Branch, ...]) -> tuple[_Read, tuple[Branch, ...]]:
    """One page of the first branch, and the branches that are left then."""
    branch, rest = branches[0], branches[1:]
    try:
        page = _from(graph, branch.path, branch.after, feed.branch_params(branch))
    except NotFoundError:
        return _Read(), rest  # it was deleted while we read
    except PermissionDeniedError:
        # One post whose comments are not for us is no reason to leave all others unread.
        return _Read(notes=("Meta does not show us what stands below one of the posts; the rest was read",)), rest
    found = feed.below(branch, page)
    on = (replace(branch, after=page.after),) if page.after not in (None, branch.after) and not found.over else ()
    return _Read(found, _skipped(found, feed)), (*found.branches, *on, *rest)


def _from(graph: Graph, path: str, after: str | None, params: Mapping[str, str], *, bare: bool = False) -> Listing:
    """A page from a cursor on; from the beginning where Meta has forgotten the cursor, and a small one where it gives up on a large one."""
    try:
        return graph.page(path, after=after, bare=bare, **params)
    except TooMuchError:
        return graph.page(path, after=after, bare=bare, **{**params, "limit": FEW})
    except InvalidRequestError:
        if after is None:
            raise
    return graph.page(path, bare=bare, **params)


def _calmly(graph: Graph) -> None:
    if graph.pause is not None:
        raise RateLimitError(_CALM, retry_after=graph.pause)


def _skipped(found: Found, feed: Feed) -> tuple[str, ...]:
    if not found.skipped:
        return ()
    return (
        f"Meta sent {found.skipped} {feed.what} or parts of them that could not be read; the rest of the page was kept",
    )


# --- threads that are older than the lists reach ----------------------------------------------------------------------

PER_ROUND = BATCH  # threads looked into at once


def pull_threads(
    graph: Graph, feed: Feed, cursor: str | None, threads: Sequence[str], *, since: datetime | None, now: datetime
) -> Iterator[Page[Engagement]]:
    """What is new in those of `threads` (ids of posts) that are older than the feed reaches. How old a thread is, Meta tells the first
    time; the younger ones are left to the feed from then on. The last page's cursor knows all of them."""
    state = ThreadsCursor.load(cursor).only(threads)
    reach = feed.reach or timedelta(0)
    while state.branches:
        read, branches = step(graph, feed, state.branches)
        state = replace(state, branches=branches)
        yield Page(read.found.items, state.dump(), read.notes)
        _calmly(graph)
    due = [thread for thread in threads if _due(state.known.get(thread), now - reach)]
    if not due:
        yield Page((), state.dump())
    for begin in range(0, len(due), PER_ROUND):
        found, state = _round(graph, feed, state, due[begin : begin + PER_ROUND], since=since, now=now)
        yield Page(found.items, state.dump(), _skipped(found, feed))
        while state.branches:
            read, branches = step(graph, feed, state.branches)
            state = replace(state, branches=branches)
            yield Page(read.found.items, state.dump(), read.notes)
        _calmly(graph)


def _due(known: Known | None, before: datetime) -> bool:
    return known is None or (known.made is not None and known.made < before)


def _round(
    graph: Graph, feed: Feed, state: ThreadsCursor, threads: Sequence[str], *, since: datetime | None, now: datetime
) -> tuple[Found, ThreadsCursor]:
    answers = graph.lookups({thread: (thread, {"fields": feed.params["fields"]}) for thread in threads})
    total, known = Found(), dict(state.known)
    for thread in threads:
        row = answers.get(thread)
        before = known.get(thread)
        if not isinstance(row, dict):
            if isinstance(row, NotFoundError):  # what we may not read today, we may tomorrow
                known[thread] = Known(None, None)
            continue
        sweep = ListCursor(before.read if before else None).begin(since, now)
        try:
            found, made = feed.entry(row, sweep.start), feed.at(row)
        except UNREADABLE:
            found, made = Found(skipped=1), None
        total += found
        known[thread] = Known(made, later(before.read if before else None, max(found.instants, default=None), now))
    return total, replace(state, known=known, branches=(*state.branches, *total.branches))
