"""Posts by id: ancestors that a thread needs, and the recheck of what was stored."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from integrations.errors import PermissionDeniedError
from integrations.records import Engagement, Gone, Page
from integrations.social.x import feeds, parse
from integrations.social.x.calls import BATCH
from integrations.social.x.cursors import Place
from integrations.social.x.reading import POST, Reader, dicts

_POST_ID = re.compile(r"[0-9]{1,19}", re.ASCII)  # X answers 400 for a whole batch with one other id in it


def ancestors(reader: Reader, ids: Sequence[str]) -> Iterator[Page[Engagement]]:
    """The posts with these ids and the ones that they answer, a page for each hundred asked for."""
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), BATCH):
        asked = tuple(wanted[start : start + BATCH])
        numbers = [each for each in asked if _POST_ID.fullmatch(each)]
        if not numbers:
            yield Page((), None, answered=asked)
            continue
        found = reader.lookup(numbers)
        view = reader.view(found)
        read = parse.posts(found.rows, view)
        items = (*read.items, *reader.included(found, view))
        yield Page(items, None, read.notes, reader.counted(POST, len(found.rows)), answered=asked)
        if start + BATCH < len(wanted):
            found.pause()


def recheck(reader: Reader, ids: Sequence[str]) -> list[Engagement | Gone]:
    """See `XClient.recheck`."""
    wanted = list(dict.fromkeys(ids))
    messages = [each for each in wanted if each.startswith(parse.DM)]
    posts = [each for each in wanted if not each.startswith(parse.DM)]
    return [*_posts(reader, posts), *_allowed(_messages(reader, messages))]


def _allowed(answers: Iterator[Engagement | Gone]) -> Iterator[Engagement | Gone]:
    """These answers, or none where the consent lacks the scope for them. That is no answer, and not `Unasked`, which would be asked for
    again at once; the stream of messages says what is missing, and the posts are followed meanwhile."""
    try:
        yield from answers
    except PermissionDeniedError as error:
        if error.scope is None:  # the plan, say: then nothing may be read
            raise


def _posts(reader: Reader, ids: Sequence[str]) -> Iterator[Engagement | Gone]:
    yield from (Gone(each) for each in ids if not _POST_ID.fullmatch(each))
    numbers = [each for each in ids if _POST_ID.fullmatch(each)]
    for start in range(0, len(numbers), BATCH):
        asked = numbers[start : start + BATCH]
        found = reader.lookup(asked)
        found = reader.introduced(found, parse.posts(found.rows, reader.view(found)).items)
        view = reader.view(found)
        rows = {str(row["id"]): (row, view) for row in dicts(found.rows) if row.get("id")}
        rows |= _newest_versions(reader, {each: row for each, (row, _) in rows.items()})
        for each in asked:
            if each in rows:
                row, seen = rows[each]
                yield from (replace(item, id=each) for item in parse.posts([row], seen).items)
            elif each in found.gone:
                yield Gone(each)


def _newest_versions(
    reader: Reader, rows: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[Mapping[str, Any], parse.View]]:
    """For the posts that were edited: asked id -> the newest version, and how to read it. An edit has an id of its own,
    and X goes on serving the first version under the first id."""
    edited = {each: last for each, row in rows.items() if (last := _last_version(row)) != each}
    if not edited:
        return {}
    found = reader.lookup(sorted(set(edited.values())))
    view = reader.view(found)
    served = {str(row.get("id")): row for row in dicts(found.rows)}
    return {each: (served[last], view) for each, last in edited.items() if last in served}


def _last_version(row: Mapping[str, Any]) -> str:
    try:
        return parse.edit_history(row)[-1]
    except (TypeError, ValueError):
        return str(row["id"])


def _messages(reader: Reader, ids: Sequence[str]) -> Iterator[Engagement | Gone]:
    """Messages have no lookup of many, so the list is read as far back as need be: whatever is younger than its oldest
    entry and not in it, is gone. The time of a message is in its id. Where rows are paid for, no more are read than were asked for."""
    open_ = {each: parse.snowflake_time(each.removeprefix(parse.DM)) for each in ids if _is_message_id(each)}
    yield from (Gone(each) for each in ids if each not in open_)
    feed, place, oldest, served = feeds.messages(reader), Place(), reader.now(), 0
    most = len(ids) if reader.pays else sys.maxsize
    while open_ and served < most:
        query = feeds.position(place, by_time=False)
        found = reader.bought(
            feed.price,
            lambda count, query=query: feed.fetch(max_results=count, **query),  # type: ignore[misc]
            min(feeds.probing(served), most - served),
            feed.least,
            feed.prefix,
        )
        served += len(found.rows)
        for item in feed.read(found.rows, reader.view(found)).items:
            oldest = min(oldest, item.created_at)
            if open_.pop(item.id, None) is not None or item.id in ids:
                yield item
        place = Place(found.next_token)
        if place.token is None:
            oldest = min(oldest, reader.now() - feeds.MESSAGES_REACH + timedelta(days=1))
        if place.token is None or all(_after(at, oldest) for at in open_.values()):
            break
    yield from (Gone(each) for each, at in open_.items() if _after(at, oldest))


def _is_message_id(value: str) -> bool:
    return _POST_ID.fullmatch(value.removeprefix(parse.DM)) is not None


def _after(at: datetime | None, oldest: datetime) -> bool:
    return at is not None and at > oldest
