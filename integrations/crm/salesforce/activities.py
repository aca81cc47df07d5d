"""Calls, e-mails and meetings that Salesforce has logged. Pure.

A call or e-mail is a closed task of that subtype; a meeting is an event. A call that somebody has only planned is an open task: it
says when to call and not that anybody did, and no change shows when its day passes, so that it does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta

from msgspec.structs import replace

from integrations import body
from integrations.crm.salesforce import fields
from integrations.crm.salesforce.api import Row
from integrations.crm.salesforce.org import Org
from integrations.crm.salesforce.soql import STAMP, instant, select
from integrations.records import Activity, ActivityKind, Direction, Gone

_KINDS = {"Call": ActivityKind.CALL, "Email": ActivityKind.EMAIL, "ListEmail": ActivityKind.EMAIL}
_TYPES = {
    "call": ActivityKind.CALL,
    "email": ActivityKind.EMAIL,
}  # the picklist, for organisations from before subtypes
_DIRECTIONS = {"Inbound": Direction.IN, "Outbound": Direction.OUT}
# Results of a call are free text, of the call centre's making. These say that nobody was spoken to.
_UNREACHED = re.compile(
    r"no[ _-]?answer|(?:did|does)(?:n.t| not) (?:answer|pick)|voice ?mail|busy|unreachable|wrong number|no show|not (?:reached|available|in)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of record is read. `needs` are the fields to ask for; each test of `where` stands if the user sees its field."""

    needs: tuple[str, ...]
    where: Mapping[str, str]
    read: Callable[[Row, Org], Activity | Gone | None]


def _call_or_email(row: Row, org: Org) -> Activity | Gone | None:
    if _ours(row, org):
        return None
    kind = _KINDS.get(str(row.get("TaskSubtype"))) or _TYPES.get(str(row.get("Type")).strip().lower())
    if kind is None:
        return None
    if row.get("IsDeleted") is True or row.get("IsClosed") is not True:
        return Gone(str(row["Id"]))
    done, on = instant(row.get("CompletedDateTime")), fields.day(row.get("ActivityDate"))
    if done is not None and on not in (None, done.astimezone(org.zone).date()):
        done = None  # logged later for an earlier day
    at = done or (fields.at_noon(on, org).astimezone(UTC) if on else instant(row.get("CreatedDate")))
    if at is None:
        return None
    seconds = row.get("CallDurationInSeconds")
    said = str(row.get("CallDisposition") or "")
    return Activity(
        id=str(row["Id"]),
        kind=kind,
        at=at,
        ends_at=at + timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds < 86_400 else None,
        direction=_direction(row, kind),
        outcome="no_answer" if kind is ActivityKind.CALL and _UNREACHED.search(said) else "",
        contact_ids=_contacts(row),
        owner_id=str(row.get("OwnerId") or "") or None,
        updated_at=instant(row.get(STAMP)),
    )


def _direction(row: Row, kind: ActivityKind) -> Direction:
    """Which way a call went. An e-mail to a list is ours; of another one only its message tells (`told`)."""
    if kind is ActivityKind.EMAIL:
        return Direction.OUT if row.get("TaskSubtype") == "ListEmail" else Direction.NONE
    return _DIRECTIONS.get(str(row.get("CallType")), Direction.NONE)


MESSAGE_FIELDS = ("Id", "ActivityId", "Incoming")


def told(activity: Activity, messages: Mapping[str, Row]) -> Activity:
    """The same e-mail with its direction, as its message tells it. `messages` by the activity's id."""
    message = messages.get(activity.id)
    if message is None:
        return activity
    incoming = message.get("Incoming") is True
    return replace(
        activity, direction=Direction.IN if incoming else Direction.OUT, outcome="replied" if incoming else "sent"
    )


def _meeting(row: Row, org: Org) -> Activity | Gone | None:
    if row.get("IsDeleted") is True:
        return Gone(str(row["Id"]))
    starts, ends = instant(row.get("StartDateTime")), instant(row.get("EndDateTime"))
    if (
        row.get("IsAllDayEvent") is True or starts is None
    ):  # the times of a whole day are midnight in UTC, wherever that day is
        on, ends = fields.day(row.get("ActivityDate") or row.get("StartDateTime")), None
        starts = fields.at_noon(on, org).astimezone(UTC) if on else None
    if starts is None or not _contacts(row):
        return None
    return Activity(
        id=str(row["Id"]),
        kind=ActivityKind.CALL if str(row.get("Type")).strip().lower() == "call" else ActivityKind.MEETING,
        at=starts,
        ends_at=ends if ends and ends >= starts else None,
        contact_ids=_contacts(row),
        owner_id=str(row.get("OwnerId") or "") or None,
        updated_at=instant(row.get(STAMP)),
    )


def _contacts(row: Row) -> tuple[str, ...]:
    """Whom it was with. With Shared Activities there may be more than the one of `WhoId`."""
    relations = row.get("TaskWhoRelations") or row.get("EventWhoRelations")
    listed = relations.get("records") if isinstance(relations, dict) else None
    others = [str(each.get("RelationId") or "") for each in listed or () if isinstance(each, dict)]
    return tuple(dict.fromkeys(filter(None, [str(row.get("WhoId") or ""), *others])))


def _ours(row: Row, org: Org) -> bool:
    """Our own writing is never evidence. A marker stays true where the key has a field since."""
    marked = body.unmark(str(row.get("Description") or "").replace("\r\n", "\n"))[1]
    return bool(marked or (org.key_field and row.get(org.key_field)))


_TASK_NEEDS = (
    "Id", "TaskSubtype", "Type", "Description", "IsClosed", "ActivityDate", "CompletedDateTime", "CreatedDate", "CallType",
    "CallDisposition", "CallDurationInSeconds", "WhoId", "OwnerId", "IsDeleted", STAMP,
)  # fmt: skip
_EVENT_NEEDS = (
    "Id", "Type", "StartDateTime", "EndDateTime", "IsAllDayEvent", "ActivityDate", "WhoId", "OwnerId", "IsDeleted", STAMP,
)  # fmt: skip

ACTIVITIES: Mapping[str, Shape] = {
    "Task": Shape(
        _TASK_NEEDS,
        {"TaskSubtype": "TaskSubtype IN ('Call', 'Email', 'ListEmail')", "Type": "Type IN ('Call', 'Email')"},
        _call_or_email,
    ),
    # Each invited user has a copy of an event; the first one alone counts.
    "Event": Shape(_EVENT_NEEDS, {"IsChild": "IsChild = false"}, _meeting),
}


def activity_fields(kind: str, org: Org) -> tuple[str, ...]:
    """The fields to ask for, with the others whom it was with where Shared Activities are switched on."""
    hidden, custom = org.hidden.get(kind, frozenset()), org.custom.get(kind, frozenset())
    names = tuple(name for name in ACTIVITIES[kind].needs if name not in hidden)
    key = (org.key_field,) if org.key_field and kind == "Task" else ()
    relation = f"{kind}WhoRelations"
    shared = (f"({select(['RelationId'], relation)})",) if relation in custom else ()
    return (*names, *key, *shared)


def activity_where(kind: str, org: Org) -> str:
    """Which of them to ask for, in SOQL."""
    hidden = org.hidden.get(kind, frozenset())
    tests = [test for name, test in ACTIVITIES[kind].where.items() if name not in hidden]
    return f"({' OR '.join(tests)})" if tests else ""
