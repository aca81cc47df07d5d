"""Recent search: what others say in threads that we are in, and who quotes us."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from integrations.errors import InvalidRequestError
from integrations.records import Engagement, Kind, Page
from integrations.social.x import parse
from integrations.social.x.calls import BATCH, Answer
from integrations.social.x.cursors import OVERLAP, Batch, Place, SearchCursor
from integrations.social.x.reading import POST, Reader, day, dicts, typed

REACH = timedelta(days=7) - timedelta(minutes=1)  # a minute less: X refuses a start that is just too early
QUERY_LIMIT = 512  # characters of one query, on pay-per-use
LEAST = 10  # rows of a page
QUOTES = "quotes"  # the term for quotes of our posts, whatever thread they stand in
_THREAD = re.compile(r"[0-9]{1,19}", re.ASCII)


def pull(reader: Reader, cursor: str | None, threads: Sequence[str]) -> Iterator[Page[Engagement]]:
    """One search for each batch of threads, a page at a time. A thread counts as read when its batch is at its end;
    until then the cursor keeps the batch and the place in it, and a later pull takes those up first."""
    handle, now = reader.me.handle, reader.now()
    state = SearchCursor.load(cursor).under(handle, QUOTES)
    wanted = terms(handle, threads)
    reach = now - REACH
    floor = max(reach, reader.since) if reader.since else reach
    held = [state.batch] if state.batch else []
    rest = [term for term in wanted if not held or term not in held[0].terms]
    plan = held + batches(rest, state.read, floor=floor, now=now, handle=handle)
    notes = _note(state, rest, reach, reader.since)
    asked: set[str] = set()  # first posts of threads, looked up by this pull
    for index, batch in enumerate(plan):
        more = True
        while more:
            found, batch = _page(reader, batch, reach)
            if found.at is not None and found.at < batch.at:
                batch = replace(batch, at=found.at)  # our clock is ahead of X's
            read = parse.posts(found.rows, reader.view(found))
            roots, looked_up = _roots(reader, batch, read.items, asked)
            found, view, read = reader.read(found, parse.posts)  # again: now it is known who began those threads
            batch = replace(batch, place=batch.place.after(dicts(found.rows), found.next_token))
            more = found.next_token is not None
            state = state.during(batch) if more else state.done(batch).only(wanted)
            items = (*read.items, *reader.included(found, view), *roots)
            reads = reader.counted(POST, len(found.rows) + looked_up)
            yield Page(
                items,
                state.dump(),
                (*notes, *read.notes),
                reads,
                named=parse.others(parse.named(found.rows, view), view),
            )
            notes = ()
            if more or index + 1 < len(plan):
                found.pause()


def terms(handle: str, threads: Sequence[str]) -> list[str]:
    """What to search for: quotes first, then the threads that search can know (the conversation of messages it cannot)."""
    known = [thread for thread in dict.fromkeys(threads) if _THREAD.fullmatch(thread)]
    return [QUOTES, *known] if handle else known


def query(batch: Sequence[str], handle: str, web: str = "https://x.com") -> str:
    """The query for some terms. A quote holds the link to the quoted post, so one query finds the quotes of all posts of
    ours, under the network's address and under those that X itself has had."""
    if QUOTES not in batch:
        return " OR ".join(f"conversation_id:{thread}" for thread in batch)
    places = dict.fromkeys([web.partition("://")[2], "x.com", "twitter.com"])
    links = [f'url:"{place}/{handle}/status"' for place in places]
    return f"({' OR '.join(links)}) -is:retweet"


def batches(
    wanted: Sequence[str], read: Mapping[str, datetime], *, floor: datetime, now: datetime, handle: str
) -> list[Batch]:
    """Queries for all terms, each from where its terms were last read (less the overlap), never before `floor`.

    Least recently read first, so that a pull that is stopped and resumed gets round to all of them. A new thread is not
    put with old ones: it is read from `floor` on, and they would be read again with it.
    """
    starts = {term: max(floor, read[term] - OVERLAP) if term in read else floor for term in wanted}
    found: list[Batch] = []
    group: list[str] = []
    for term in sorted(wanted, key=lambda term: starts[term]):  # stable: the newest thread first among equals
        if group and not _fits(group, term, starts, handle):
            found.append(Batch(tuple(group), starts[group[0]], now))
            group = []
        group.append(term)
    if group:
        found.append(Batch(tuple(group), starts[group[0]], now))
    return found


def _fits(group: Sequence[str], term: str, starts: Mapping[str, datetime], handle: str) -> bool:
    together = [*group, term]
    return (
        QUOTES not in together
        and len(query(together, handle)) <= QUERY_LIMIT
        and starts[term] - starts[group[0]] <= OVERLAP
    )


def _page(reader: Reader, batch: Batch, reach: datetime) -> tuple[Answer, Batch]:
    """The page at the batch's place. A token that X has forgotten gives way to the oldest id served."""
    text = query(batch.terms, reader.me.handle, reader.web)

    def at(place: Place) -> Answer:
        position = {"next_token": place.token} if place.token else {"until_id": place.until} if place.until else {}
        start = max(batch.start, reach)
        query = {"start_time": start, **reader.posts, **position}
        return reader.bought(
            POST, lambda count: typed(reader.calls.search_recent_tweets(text, max_results=count, **query)), BATCH, LEAST
        )

    try:
        return at(batch.place), batch
    except InvalidRequestError:
        if batch.place.token is None:
            raise
    batch = replace(batch, place=batch.place.without_token())
    return at(batch.place), batch


def _roots(
    reader: Reader, batch: Batch, items: Sequence[Engagement], asked: set[str]
) -> tuple[tuple[Engagement, ...], int]:
    """The first posts of threads where only their author tells whether an answer stands below a post of ours, and how
    many were read for that."""
    if QUOTES in batch.terms:
        return (), 0
    unclear = {item.thread for item in items if item.kind is Kind.CONTEXT and item.thread != item.id}
    ids = [each for each in sorted(unclear - reader.writers.keys() - asked) if _THREAD.fullmatch(each)][:BATCH]
    if not ids:
        return (), 0
    asked.update(ids)
    found = reader.lookup(ids)
    if not found.rows:
        return (), 0
    return parse.posts(found.rows, reader.view(found)).items, len(found.rows)


def _note(state: SearchCursor, wanted: Sequence[str], reach: datetime, since: datetime | None) -> tuple[str, ...]:
    """Whether the seven days leave something out: of what a first pull was to read, or since a term was last read."""
    first = not state.read and state.batch is None
    gaps = [state.read[term] for term in wanted if term in state.read and state.read[term] < reach]
    start = min(gaps) if gaps else since if first else None
    if start is None or start >= reach:
        return ()
    left_out = f"older answers in your threads and older quotes since {day(start)} were not read"
    return (f"X searches only the last 7 days; {left_out}",)
