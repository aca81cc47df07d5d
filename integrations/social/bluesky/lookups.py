"""Threads that we are in, and posts by id: ancestors that a thread needs, and the recheck of what was stored."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.errors import InvalidRequestError, NotFoundError, TemporaryError, UnexpectedResponseError
from integrations.records import Engagement, Gone, Page
from integrations.social.bluesky import parse
from integrations.social.bluesky.calls import rows
from integrations.social.bluesky.cursors import ThreadsCursor
from integrations.social.bluesky.reading import Reader

BATCH = 25  # posts by id in one call
DEPTH = 100  # how far below its beginning a thread is read; what stands deeper comes as a notification
# Threads read in one pull: each is a call, and a PDS takes 3,000 in five minutes from an address, for all accounts together.
THREADS = 50
BROKEN = 2  # threads over which Bluesky may break before it counts as out of order
_NEVER = datetime.min.replace(tzinfo=UTC)


def conversations(reader: Reader, cursor: str | None, threads: Sequence[str]) -> Iterator[Page[Engagement]]:
    """A page for each thread, those that were never read first (the newest of them before the others), then the least recently read.
    A thread that is gone has nothing to say; the recheck sees that."""
    wanted = [uri for uri in dict.fromkeys(threads) if parse.is_post(uri)]
    state = ThreadsCursor.load(cursor).only(wanted)
    plan = sorted(wanted, key=lambda uri: state.read.get(uri, _NEVER))[:THREADS]
    skipped = readable = 0
    broken: list[TemporaryError] = []
    for uri in plan:
        try:
            read = _thread(reader, uri)
        except TemporaryError as error:  # it may be this thread alone, every time: the next pull begins behind it
            broken.append(error)
            state = state.noted(uri, reader.now())
            yield Page((), state.dump(), (f"A thread could not be read: {error}",))
            if len(broken) > BROKEN or len(broken) == len(plan):
                raise
            continue
        skipped, readable = skipped + read.skipped, readable + len(read.items)
        state = state.noted(uri, reader.now())
        yield Page(read.items, state.dump(), read.notes)
    if skipped and not readable:
        raise parse.unreadable(skipped)  # after all of them: one odd thread is no reason to stop before it, ever again


def _thread(reader: Reader, uri: str) -> parse.Read:
    try:
        body = reader.calls.get("app.bsky.feed.getPostThread", uri=uri, depth=DEPTH, parentHeight=0)
    except (NotFoundError, InvalidRequestError):
        return parse.Read(())
    if not isinstance(body.get("thread"), dict):
        raise UnexpectedResponseError("Bluesky answered without the thread", sample=", ".join(map(str, body))[:200])
    return parse.some(_posts(body["thread"]), lambda row: parse.post(row, reader.view))


def _posts(thread: Any) -> Iterator[Any]:
    """All posts of a thread, from the top. Deleted ones, and those of people who block us, are named without a post."""
    waiting = deque([thread])
    while waiting:
        node = waiting.popleft()
        if not isinstance(node, dict):
            continue
        if "post" in node:
            yield node["post"]
        replies = node.get("replies")
        waiting.extend(replies if isinstance(replies, list) else ())


def ancestors(reader: Reader, ids: Sequence[str]) -> Iterator[Page[Engagement]]:
    """The posts with these ids, a page for each batch asked for."""
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), BATCH):
        asked = tuple(wanted[start : start + BATCH])
        read = parse.each(_served(reader, asked), lambda row: parse.post(row, reader.view))
        yield Page(read.items, None, read.notes, answered=asked)


def recheck(reader: Reader, ids: Sequence[str]) -> Iterator[Engagement | Gone]:
    """See `BlueskyClient.recheck`. A post that is served and cannot be read has no answer: it is not gone."""
    wanted = [each for each in dict.fromkeys(ids) if not each.startswith(parse.CHAT)]
    for start in range(0, len(wanted), BATCH):
        asked = wanted[start : start + BATCH]
        served = _served(reader, asked)
        shown = {str(row.get("uri")) for row in served if isinstance(row, dict) and not parse.is_hidden(row)}
        yield from parse.some(served, lambda row: parse.post(row, reader.view)).items
        yield from (Gone(each) for each in asked if each not in shown)


def _served(reader: Reader, ids: Sequence[str]) -> list[Any]:
    posts = [each for each in ids if parse.is_post(each)]  # one other id makes Bluesky refuse them all
    return rows(reader.calls.get("app.bsky.feed.getPosts", uris=posts), "posts") if posts else []
