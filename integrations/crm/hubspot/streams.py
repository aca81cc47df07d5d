"""What is pulled, stream by stream. A cursor is the whole state, so that a pull may stop after any page."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integrations.clients import CRMRecord
from integrations.crm.hubspot import fields
from integrations.crm.hubspot.api import API, OBJECTS, OWNERS, Row
from integrations.crm.hubspot.changes import Position, load, newest, position, store, walk
from integrations.crm.hubspot.fields import ACTIVITIES, Portal, milliseconds
from integrations.errors import PermissionDeniedError
from integrations.records import Gone, Page
from integrations.walking import behind

SWEEP = 3600.0  # seconds between two readings of the list of deleted contacts
SETTLED = (
    24 * 3600 * 1000
)  # milliseconds; what was deleted while the list was being read is no older than this at its end
# An activity is found by when it was last changed; a meeting of last week may have been booked long before.
BOOKED_AHEAD = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Source:
    """What a stream reads with: the calls, the account, how far back a first pull goes, and real time in seconds."""

    api: API
    portal: Portal
    since: datetime | None
    now: Callable[[], float]


Pages = Iterator[Page[CRMRecord]]
PagesThenState = Generator[Page[CRMRecord], None, dict[str, Any]]


def owners(source: Source, cursor: str | None) -> Pages:
    """Everybody who can own a record, and those who no longer can. There is no changed-since: each pull reads all."""
    state = load(cursor)
    after = state.get("after") if isinstance(state.get("after"), str) else None
    for archived in (False, True):
        if bool(state.get("archived")) and not archived:
            continue
        while True:
            rows, after = source.api.page(OWNERS, after=after, archived=archived)
            done = archived and after is None
            here = {} if done else {"archived": archived or after is None, "after": after}
            yield Page(tuple(fields.owner({**row, "archived": archived}) for row in rows), store(**here))
            if after is None:
                break


# --- contacts ---------------------------------------------------------------------------------------------------


def contacts(source: Source, cursor: str | None) -> Pages:
    """All contacts as a list at first, then what has changed since that list was begun, and now and then what was deleted."""
    state = load(cursor)
    if "changed" not in state:
        state = yield from _list(source, state)
    # A pull that was stopped between the two goes on with the second: else the first would begin anew each time.
    if state.get("turn") != "deleted":
        state = yield from _changed(source, state)
    if _due(source, state):
        yield from _deleted(source, state)


def _list(source: Source, state: dict[str, Any]) -> PagesThenState:
    # HubSpot's clock, not ours, says when the list began: the newest change that search shows before the first page.
    began = position(state.get("began")) if "began" in state else _newest(source)
    after = state.get("after") if isinstance(state.get("after"), str) else None
    names = fields.contact_properties(source.portal)
    while True:
        rows, after = source.api.page(f"{OBJECTS}/contacts", after=after, names=names)
        state = {"began": began.dump(), "after": after} if after else {"changed": began.dump()}
        yield Page(_contacts(source, rows), store(**state))
        if after is None:
            return state


def _newest(source: Source) -> Position:
    high = newest(source.api, "contacts", fields.CONTACT_STAMP)
    # What was changed before that is in the list, which shows every change at once.
    now = source.now()
    return Position(high=high, seen=now, behind=behind(now, source.api.clock()), floor=high)


def _changed(source: Source, state: dict[str, Any]) -> PagesThenState:
    start, names = position(state["changed"]), fields.contact_properties(source.portal)
    for rows, here in walk(source.api, "contacts", fields.CONTACT_STAMP, names, start, source.now):
        state = {**_without_version(state), "changed": here.dump()}
        if here.at is None and _due(source, state):
            state["turn"] = "deleted"
        yield Page(_contacts(source, rows), store(**state))
    return state


def _contacts(source: Source, rows: list[Row]) -> tuple[CRMRecord, ...]:
    gone = [Gone(each) for row in rows for each in fields.merged(row)]
    return (*(fields.contact(row, source.portal) for row in rows), *gone)


def _deleted(source: Source, state: dict[str, Any]) -> Pages:
    """Deleted contacts stand in a list of their own for 90 days, by id, with no changed-since. It is read whole, once an
    hour, at a hundred a call; what was reported more than a day before the newest one is passed over."""
    known, latest, after = (state.get(name) for name in ("gone", "latest", "after"))
    known = known if isinstance(known, int) else 0
    latest = latest if isinstance(latest, int) else known
    after = after if isinstance(after, str) else None
    while True:
        rows, after = source.api.page(f"{OBJECTS}/contacts", after=after, archived=True)
        stamps = [milliseconds(row.get("archivedAt")) for row in rows]
        gone = [
            Gone(str(row["id"])) for row, at in zip(rows, stamps, strict=True) if at is None or at >= known - SETTLED
        ]
        latest = max([latest, *(at for at in stamps if at)])
        unfinished = {"gone": known, "latest": latest, "after": after, "turn": "deleted"}
        here = unfinished if after else {"gone": latest, "swept": source.now()}
        yield Page(tuple(gone), store(changed=state["changed"], **here))
        if after is None:
            return


def _due(source: Source, state: dict[str, Any]) -> bool:
    swept = state.get("swept")
    return not isinstance(swept, (int, float)) or source.now() - swept >= SWEEP


def _without_version(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "v"}


# --- activities -------------------------------------------------------------------------------------------------


def activities(source: Source, cursor: str | None) -> Pages:
    """Calls, meetings, e-mails, messages and notes that have changed, with their contacts. A type that the account does
    not let us read is noted and passed over; raises PermissionDeniedError when that is all of them."""
    state = _without_version(load(cursor))
    first = max(0, milliseconds(source.since - BOOKED_AHEAD) or 0) if source.since else 0
    notes: list[str] = []
    names = list(ACTIVITIES)
    # A pull that was stopped goes on with the type whose turn it was: else the first would begin anew each time.
    turn = names.index(state["turn"]) if state.get("turn") in names else 0
    for number, name in enumerate(names[turn:] + names[:turn], turn + 1):
        shape = ACTIVITIES[name]
        start = position(state[name]) if name in state else Position(at=first)
        try:
            for rows, here in walk(source.api, name, fields.STAMP, shape.names, start, source.now):
                state = {
                    **state,
                    name: here.dump(),
                    "turn": name if here.at is not None else names[number % len(names)],
                }
                linked = source.api.associated(name, [str(row["id"]) for row in rows], "contacts") if rows else {}
                found = (fields.activity(row, shape, linked.get(str(row["id"]), ())) for row in rows)
                yield Page(tuple(each for each in found if each), store(**state), tuple(notes))
        except PermissionDeniedError as error:
            notes.append(f"HubSpot does not let Warmline read {name}, so they do not count: {error}")
            if len(notes) == len(ACTIVITIES):
                raise
    if notes:
        yield Page((), store(**state), tuple(notes))


# --- tasks ------------------------------------------------------------------------------------------------------


def tasks(source: Source, cursor: str | None) -> Pages:
    """Tasks of ours that have changed. Deletions do not show: see `read_tasks`."""
    state = load(cursor)
    portal = source.portal
    ours = [{"propertyName": portal.key_property, "operator": "HAS_PROPERTY"}] if portal.key_property else []
    # Without a property of ours every task of the account has to be looked at: then not further back than asked for.
    first = 0 if portal.key_property or source.since is None else max(0, milliseconds(source.since) or 0)
    start = position(state["changed"]) if "changed" in state else Position(at=first)
    names = fields.task_properties(portal)
    for rows, here in walk(source.api, "tasks", fields.STAMP, names, start, source.now, ours):
        states = (fields.task_state(row, portal) for row in rows)
        yield Page(tuple(each for each in states if each.key), store(changed=here.dump()))


STREAMS: dict[str, Callable[[Source, str | None], Pages]] = {
    "owners": owners,
    "contacts": contacts,
    "activities": activities,
    "tasks": tasks,
}
