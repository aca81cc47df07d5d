"""What is pulled, stream by stream. BottleCRM cannot be asked what has changed: lists are read whole and compared with what they were. A
cursor is the whole state, so that a pull may stop after any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from integrations.clients import CRMRecord
from integrations.crm.bottlecrm import fields
from integrations.crm.bottlecrm.api import API, CONTACTS, INTERACTIONS, PAGE, Row, is_id
from integrations.crm.bottlecrm.fields import Site
from integrations.crm.bottlecrm.listing import pack, place, read, unpack
from integrations.errors import NotFoundError, PermissionDeniedError
from integrations.records import Activity, Gone, Page, TaskState
from integrations.walking import load, store

COMPARED = 5_000  # contacts whose ids a cursor holds, at 20 bytes each; with more, sweeps ask about them
_NOT_COMPARED = f"There are more than {COMPARED:,} contacts, so one that is deleted in BottleCRM shows when its turn comes: up to 800 are asked about in an hour."
CHECKED = 100  # contacts that have gone from the list and are asked for one by one, in one pull
LOOKED_INTO = 100  # contacts whose calls and meetings are read in one pull, once all have been read; each costs a call
TOGETHER = 20  # of them on one page
BEFORE = timedelta(days=90)  # what was logged so long before a first pull's beginning still counts


@dataclass(frozen=True, slots=True)
class Source:
    """What a stream reads with: the calls, the CRM, how far back a first pull goes, and real time."""

    api: API
    site: Site
    since: datetime | None
    now: Callable[[], datetime]


Pages = Iterator[Page[CRMRecord]]


def owners(source: Source, cursor: str | None) -> Pages:
    """Everybody in the organization; where the token is no administrator's, those who are active."""
    offset = load(cursor).get("offset")
    offset = offset if isinstance(offset, int) and offset > 0 else 0
    while True:
        try:
            active, inactive = source.api.users(offset)
        except PermissionDeniedError:
            active, inactive = source.api.active_users(), []
            yield Page(tuple(map(fields.owner, active)), store())
            return
        full = max(len(active), len(inactive)) >= PAGE
        offset = offset + PAGE if full else 0
        yield Page(tuple(map(fields.owner, (*active, *inactive))), store(offset=offset))
        if not full:
            return


# --- contacts ---------------------------------------------------------------------------------------------------


def contacts(source: Source, cursor: str | None) -> Pages:
    """All contacts, each time, and those that are there no more."""
    state = load(cursor)
    known, seen, here = unpack(state.get("known")), unpack(state.get("seen")), place(state.get("at"), float)
    many, before = state.get("many") is True and here.offset > 0, pack(known)
    for rows, following in read(source.api.contacts, fields.created, CONTACTS, here):
        seen |= {str(row["id"]) for row in rows if is_id(row["id"])}
        many = many or len(seen) > COMPARED
        if many:
            known, seen, before = set(), set(), ""
        items: list[CRMRecord] = [fields.contact(row, source.site) for row in rows]
        if following is not None:
            yield Page(tuple(items), store(known=before, seen=pack(seen), many=many, at=following.dump()))
            continue
        missing = sorted(known - seen)
        gone = [each for each in missing[:CHECKED] if is_gone(source.api, each)]
        kept = seen | set(missing) - set(gone)
        yield Page((*items, *map(Gone, gone)), store(known=pack(kept)), (_NOT_COMPARED,) if many else ())


def is_gone(api: API, contact_id: str) -> bool:
    """Whether it is true: a list that is read while it changes may leave one out."""
    try:
        api.contact(contact_id)
    except NotFoundError:
        return True
    return False


# --- activities -------------------------------------------------------------------------------------------------


def activities(source: Source, cursor: str | None) -> Pages:
    """Calls, meetings, e-mails and messages. BottleCRM lists them contact by contact only: all contacts at first, then a hundred in each
    pull, the newest contacts first, round and round."""
    state = load(cursor)
    here, first = place(state.get("at"), float), not state.get("again")
    looked = 0
    for rows, following in read(lambda offset: source.api.contacts(offset, TOGETHER), fields.created, TOGETHER, here):
        found = tuple(each for row in rows for each in _logged(source, str(row["id"])))
        looked += len(rows)
        done = following is None
        yield Page(found, store(at=None if following is None else following.dump(), again=done or not first))
        if not first and looked >= LOOKED_INTO:
            return


def _logged(source: Source, contact_id: str) -> list[Activity]:
    """What was logged with a contact since the first pull's beginning, and some time before it."""
    since = source.since - BEFORE if source.since else None
    found: list[Activity] = []
    offset = 0
    while True:
        try:
            rows = source.api.interactions(contact_id, offset)
        except NotFoundError:
            return found  # the contact went while we were reading
        here = [each for row in rows if (each := fields.activity(row, contact_id))]
        found += [each for each in here if since is None or each.at >= since]
        offset += len(rows)
        if len(rows) < INTERACTIONS or (here and since is not None and here[-1].at < since):
            return found


# --- tasks ------------------------------------------------------------------------------------------------------


def tasks(source: Source, cursor: str | None) -> Pages:
    """Tasks of ours that are open and new to us or changed, and those that were open and are no more. A list shows neither a task's text
    nor our key, so each of these is read whole; what nobody has touched costs nothing more."""
    state = load(cursor)
    known, seen, here = _marks(state.get("known")), _marks(state.get("seen")), place(state.get("at"), str)
    filters: dict[str, Any] = {"status": list(fields.OPEN_STATUSES)}
    if source.site.tag:
        filters["tags"] = source.site.tag
    for rows, following in read(lambda offset: source.api.tasks(offset, **filters), _id, PAGE, here):
        marks = {str(row["id"]): _mark(row) for row in rows}
        changed = [each for each, mark in marks.items() if known.get(each) != mark and seen.get(each) != mark]
        seen |= marks
        items = _whole(source, changed)
        if following is not None:
            yield Page(items, store(known=known, seen=seen, at=following.dump()))
        else:
            closed = _whole(source, sorted(set(known) - set(seen)))
            yield Page((*items, *closed), store(known=seen))


def _whole(source: Source, ids: list[str]) -> tuple[CRMRecord, ...]:
    """These tasks as they stand; `Gone` for one that is not there, nothing for one that is not ours."""
    found: list[CRMRecord] = []
    for each in ids:
        try:
            state: TaskState = fields.task_state(source.api.task(each), source.site, at=source.now())
        except NotFoundError:
            found.append(Gone(each))
        except PermissionDeniedError:
            continue  # it was taken from the member whose token this is
        else:
            found += [state] if state.key else []
    return tuple(found)


def _id(row: Row) -> str:
    return str(row["id"])


def _mark(row: Row) -> str:
    return blake2b(fields.fingerprint(row).encode(), digest_size=6).hexdigest()


def _marks(value: object) -> dict[str, str]:
    return {str(each): str(mark) for each, mark in value.items()} if isinstance(value, dict) else {}


STREAMS: dict[str, Callable[[Source, str | None], Pages]] = {
    "owners": owners,
    "contacts": contacts,
    "activities": activities,
    "tasks": tasks,
}
