"""Threads that we are in, and posts by id: ancestors that a thread needs, and the recheck of what was stored."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.errors import (
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.records import Engagement, Gone, Page, Unasked
from integrations.social.bluesky import parse
from integrations.social.bluesky.calls import rows
from integrations.social.bluesky.cursors import ThreadsCursor
from integrations.social.bluesky.reading import Reader

BATCH = 25  # posts by id in one call
DEPTH = 100  # how far below its beginning a thread is read; what stands deeper comes as a notification
# Threads read in one pull: each is a call, and a PDS takes 3,000 in five minutes from an address, for all accounts together.
THREADS = 50
BROKEN = 2  # threads over which Bluesky may break before it counts as out of order
_NOT_SHOWN = frozenset({"app.bsky.feed.defs#notFoundPost", "app.bsky.feed.defs#blockedPost"})
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


def recheck(reader: Reader, ids: Sequence[str]) -> list[Engagement | Gone | Unasked]:
    """See `BlueskyClient.recheck`. A post that is served and cannot be read has no answer: it is not gone. Where the server takes no
    more calls, what was found is returned, and that the others were not asked about."""
    left = dict.fromkeys(each for each in ids if not each.startswith(parse.CHAT))
    found: list[Engagement | Gone | Unasked] = []
    began = False
    try:
        for each, answers in _answers(reader, list(left)):
            began = True
            del left[each]
            found.extend(answers)
    except RateLimitError:
        if not began:
            raise
        found.extend(map(Unasked, left))
    return found


def _answers(reader: Reader, wanted: Sequence[str]) -> Iterator[tuple[str, Sequence[Engagement | Gone]]]:
    """Each post as soon as it was asked about, with its answer, if there was one."""
    broken = 0
    for start in range(0, len(wanted), BATCH):
        asked = wanted[start : start + BATCH]
        served = {str(row.get("uri")): row for row in _served(reader, asked) if isinstance(row, dict)}
        yield from ((each, _shown(reader, each, served[each])) for each in asked if each in served)
        for each in (each for each in asked if each not in served):
            try:
                answers = list(_alone(reader, each))
            except TemporaryError:  # it may be this post alone, every time
                broken += 1
                if broken > BROKEN:
                    raise
                answers = []
            yield each, answers


def _shown(reader: Reader, uri: str, row: Any) -> Sequence[Engagement | Gone]:
    return [Gone(uri)] if parse.is_hidden(row) else parse.some([row], lambda row: parse.post(row, reader.view)).items


def _alone(reader: Reader, uri: str) -> Iterator[Engagement | Gone]:
    """What has become of one that was left out of many. The lexicon of `getPosts` says nothing of those that it leaves out; that of
    `getPostThread` names what is not there and what is kept from us."""
    if not parse.is_post(uri):
        yield Gone(uri)
        return
    try:
        thread = reader.calls.get("app.bsky.feed.getPostThread", uri=uri, depth=0, parentHeight=0).get("thread")
    except NotFoundError:
        yield Gone(uri)
        return
    except InvalidRequestError:
        return
    found = thread if isinstance(thread, dict) else {}
    if str(found.get("$type")) in _NOT_SHOWN:
        yield Gone(uri)
    elif isinstance(found.get("post"), dict):
        yield from _shown(reader, uri, found["post"])


def _served(reader: Reader, ids: Sequence[str]) -> list[Any]:
    posts = [each for each in ids if parse.is_post(each)]  # one other id makes Bluesky refuse them all
    return rows(reader.calls.get("app.bsky.feed.getPosts", uris=posts), "posts") if posts else []
