"""Posts by id: what has become of those that were stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from urllib.parse import quote

from integrations.errors import NotFoundError, RateLimitError, UnexpectedResponseError
from integrations.records import Engagement, Gone, Unasked
from integrations.social.mastodon import parse, people
from integrations.social.mastodon.calls import BATCH
from integrations.social.mastodon.people import Json
from integrations.social.mastodon.reading import Reader
from integrations.social.mastodon.threads import objects


def recheck(reader: Reader, ids: Sequence[str]) -> list[Engagement | Gone | Unasked]:
    """The posts as they are now, edits included. One that an answer for many leaves out is asked for alone before it is called gone.
    Where the server takes no more calls, what was found is returned, and that the others were not asked about."""
    wanted = list(dict.fromkeys(ids))
    rows: dict[str, Json] = {}
    gone: list[Engagement | Gone | Unasked] = []
    try:
        for found in _answers(reader, wanted):
            if isinstance(found, Gone):
                gone.append(found)
            else:
                rows[str(found["id"])] = found
        if gone and not rows:
            _prove(reader)
        return [*gone, *_placed(reader, rows)]
    except RateLimitError:
        ready = _ready(reader, rows)
        if not (rows and (gone or ready)):  # without a row, nothing shows that the server still knows the account
            raise
        settled = {*ready, *(each.id for each in gone)}
        return [*gone, *_read(reader, ready.values()), *(Unasked(each) for each in wanted if each not in settled)]


def _prove(reader: Reader) -> None:
    """That the server still knows the account. One that knows nothing any more (moved, set up anew, a proxy that leads elsewhere) says of
    every post that it is not there, and nobody has deleted any."""
    try:
        reader.calls.get("/api/v1/accounts/verify_credentials")
    except NotFoundError:
        raise UnexpectedResponseError(
            "The server knows none of the posts that it had, nor the account itself"
        ) from None


def _answers(reader: Reader, ids: Sequence[str]) -> Iterator[Json | Gone]:
    for start in range(0, len(ids), BATCH):
        asked = ids[start : start + BATCH]
        rows = reader.calls.many(asked) if len(asked) > 1 else None
        served = {str(row.get("id")): row for row in objects(rows or ())}
        for each in asked:
            yield served[each] if each in served else _one(reader, each)


def _one(reader: Reader, status_id: str) -> Json | Gone:
    try:
        row = reader.calls.get(f"/api/v1/statuses/{quote(status_id, safe='')}")
    except NotFoundError:
        return Gone(status_id)
    if not isinstance(row, dict):
        raise UnexpectedResponseError("The server answered with something that is not a post")
    return {**row, "id": status_id}


def _placed(reader: Reader, rows: dict[str, Json]) -> list[Engagement]:
    """The posts in their threads; what had to be asked for to know these is left out, since nobody asked about it."""
    return [item for item in reader.statuses(rows.values()).items if item.id in rows] if rows else []


def _ready(reader: Reader, rows: dict[str, Json]) -> dict[str, Json]:
    """Those whose thread is known without another call: one that begins it, or whose parent was seen."""
    places = reader.threads.places
    return {each: row for each, row in rows.items() if each in places or not row.get("in_reply_to_id")}


def _read(reader: Reader, rows: Iterable[Json]) -> Iterator[Engagement]:
    for row in rows:
        with suppress(*people.UNREADABLE):
            yield parse.status(row, reader.view)
