"""HubSpot's properties and our records, both ways. Pure, and tables before branches.

Rows are HubSpot's JSON objects. Instants go out as ISO 8601 and are read as that or as milliseconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from integrations import body
from integrations.crm.hubspot.api import Row, properties
from integrations.crm.hubspot.handles import STANDARD_HANDLES
from integrations.records import (
    Activity,
    ActivityKind,
    Contact,
    Direction,
    Handle,
    Owner,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
)

CONTACT, TASK = "0-1", "0-27"  # HubSpot's ids of the two object types
TASK_TO_CONTACT = 204  # HUBSPOT_DEFINED association type
_NUMBER = re.compile(r"-?\d+", re.ASCII)
_YES = frozenset(("true", "yes", "1"))


@dataclass(frozen=True, slots=True)
class Portal:
    """What a connection knows about its account: how links are made and where our key and handles are kept."""

    id: str
    base: str  # where people open HubSpot
    key_property: str | None = None  # None: the account allows none, so tasks carry a marker in their body
    unique: bool = False  # HubSpot itself refuses a second task with our key
    handles: tuple[tuple[str, str | None], ...] = STANDARD_HANDLES  # contact property -> network
    do_not_call: tuple[str, ...] = ()  # contact properties
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def url(self, type_id: str, record_id: str) -> str:
        """The page of a record."""
        return f"{self.base}/contacts/{self.id}/record/{type_id}/{record_id}"


# --- values -----------------------------------------------------------------------------------------------------


def instant(value: object) -> datetime | None:
    """An ISO 8601 instant or milliseconds since 1970; None for anything else."""
    text = str(value or "").strip()
    try:
        if _NUMBER.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def milliseconds(value: object) -> int | None:
    """The same as milliseconds since 1970."""
    found = instant(value)
    return None if found is None else round(found.timestamp() * 1000)


def iso(value: datetime) -> str:
    """An instant as HubSpot writes it."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _true(values: Mapping[str, str], *names: str) -> bool:
    return not _YES.isdisjoint([values.get(name, "").lower() for name in names])


def _several(values: Mapping[str, str], *names: str) -> tuple[str, ...]:
    found = [part.strip() for name in names if name in values for part in values[name].split(";")]
    return tuple(dict.fromkeys([part for part in found if part]))


# --- contacts ---------------------------------------------------------------------------------------------------

CONTACT_STAMP = "lastmodifieddate"
_CONTACT_TEXT = {  # our field -> HubSpot's property
    "first_name": "firstname",
    "last_name": "lastname",
    "company": "company",
    "title": "jobtitle",
    "website": "website",
    "city": "city",
    "region": "state",
    "country": "country",
    "lifecycle": "lifecyclestage",
}
# How a contact came into HubSpot: the new properties, and, of older contacts, those that web analytics keeps.
_SOURCES = (
    "hs_object_source_label",
    "hs_object_source",
    "hs_object_source_detail_1",
    "hs_analytics_source",
    "hs_analytics_source_data_1",
)
_BY_OTHERS = {"import", "integration"}  # labels beside which the detail says which list or which vendor it was
_CONTACT_MORE = (
    *_SOURCES, "email", "hs_additional_emails", "phone", "mobilephone", "hubspot_owner_id", "hs_email_optout", "hs_merged_object_ids",
    CONTACT_STAMP,
)  # fmt: skip


def contact_properties(portal: Portal) -> tuple[str, ...]:
    """The properties to ask for."""
    handles = (name for name, _ in portal.handles)
    return tuple(dict.fromkeys((*_CONTACT_TEXT.values(), *_CONTACT_MORE, *handles, *portal.do_not_call)))


def contact(row: Row, portal: Portal) -> Contact:
    """A contact."""
    values = properties(row)
    text = {ours: values.get(theirs, "").strip() for ours, theirs in _CONTACT_TEXT.items()}
    handles = [(network, _bare(values[name])) for name, network in portal.handles if name in values]
    return Contact(
        id=str(row["id"]),
        name=f"{text['first_name']} {text['last_name']}".strip(),
        emails=_several(values, "email", "hs_additional_emails"),
        phones=_several(values, "phone", "mobilephone"),
        owner_id=values.get("hubspot_owner_id"),
        handles=tuple(dict.fromkeys([Handle(network, value) for network, value in handles if value])),
        do_not_call=_true(values, *portal.do_not_call),
        unsubscribed=_true(values, "hs_email_optout"),
        source=_source(values),
        url=portal.url(CONTACT, str(row["id"])),
        updated_at=instant(values.get(CONTACT_STAMP) or row.get("updatedAt")),
        **text,
    )


def _source(values: Mapping[str, str]) -> str:
    """How the contact came into HubSpot, in HubSpot's words; of a list or an integration, which one."""
    label, old, detail, analytics, data = [values.get(name, "").strip() for name in _SOURCES]
    found = label or old or (data if analytics.upper() == "OFFLINE" and data else analytics)
    return f"{found}: {detail}" if detail and found.casefold() in _BY_OTHERS else found


def _bare(handle: str) -> str:
    return handle.strip().removeprefix("@").strip()


def merged(row: Row) -> tuple[str, ...]:
    """The ids of the contacts that were merged into this one and are no longer there."""
    values = row.get("properties")
    ids = values.get("hs_merged_object_ids") if isinstance(values, dict) else None
    return tuple(each for each in _several({"ids": str(ids)}, "ids") if each != str(row["id"])) if ids else ()


# --- owners -----------------------------------------------------------------------------------------------------


def owner(row: Row) -> Owner:
    """An owner; an archived one is no longer active."""
    name = f"{row.get('firstName') or ''} {row.get('lastName') or ''}".strip()
    return Owner(str(row["id"]), str(row.get("email") or ""), name, active=not row.get("archived"))


# --- activities -------------------------------------------------------------------------------------------------

STAMP = "hs_lastmodifieddate"  # of everything but contacts
_DIRECTIONS = {
    "INBOUND": Direction.IN,
    "OUTBOUND": Direction.OUT,
    "INCOMING_EMAIL": Direction.IN,
    "EMAIL": Direction.OUT,
    "FORWARDED_EMAIL": Direction.NONE,
}
# The account-wide ids of HubSpot's default call outcomes (developers.hubspot.com, calls guide).
_DISPOSITIONS = {
    "f240bbac-87c9-4f6e-bf70-924b57d47db7": "connected",
    "9d9162e7-6cf3-4944-bf63-4dff82258764": "no_answer",  # busy
    "a4c4c377-d246-4b32-a13b-75a56a4cd0ff": "no_answer",  # left live message
    "b2cf5968-551e-4856-9783-52b3da59a7d0": "no_answer",  # left voicemail
    "73a0d17f-1163-4015-bdd5-ec830791da20": "no_answer",
    "17b47fee-58de-441e-a44c-c6300d46f273": "no_answer",  # wrong number
}
_CALL_STATUSES = {
    "NO_ANSWER": "no_answer",
    "BUSY": "no_answer",
    "FAILED": "no_answer",
    "MISSED": "no_answer",
    "CANCELED": "cancelled",
    "COMPLETED": "connected",
    "IN_PROGRESS": "connected",
    "SCHEDULED": "scheduled",
}
_MEETING_OUTCOMES = {
    "SCHEDULED": "scheduled",
    "RESCHEDULED": "scheduled",
    "COMPLETED": "held",
    "NO_SHOW": "no_answer",
    "CANCELED": "cancelled",
    "CANCELLED": "cancelled",
}


def _call_outcome(values: Mapping[str, str]) -> str:
    said = _DISPOSITIONS.get(values.get("hs_call_disposition", "").lower())
    return said or _CALL_STATUSES.get(values.get("hs_call_status", ""), "")


def _meeting_outcome(values: Mapping[str, str]) -> str:
    return _MEETING_OUTCOMES.get(values.get("hs_meeting_outcome", ""), "")


def _email_outcome(values: Mapping[str, str]) -> str:
    if values.get("hs_email_status") in ("BOUNCED", "FAILED"):
        return ""
    return {Direction.IN: "replied", Direction.OUT: "sent"}.get(_direction(values, "hs_email_direction"), "")


def _direction(values: Mapping[str, str], name: str | None) -> Direction:
    return _DIRECTIONS.get(values.get(name or "", ""), Direction.NONE)


def _silent(values: Mapping[str, str]) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one of HubSpot's activity types is read."""

    kind: ActivityKind
    direction: str | None = None  # property
    starts: str = "hs_timestamp"
    ends: str | None = None
    outcome: Callable[[Mapping[str, str]], str] = _silent
    more: tuple[str, ...] = ()  # what `outcome` reads

    @property
    def names(self) -> tuple[str, ...]:
        """The properties to ask for."""
        names = ("hs_timestamp", self.starts, self.ends, self.direction, *self.more, "hubspot_owner_id", STAMP)
        return tuple(dict.fromkeys(name for name in names if name))


ACTIVITIES = {
    "calls": Shape(
        ActivityKind.CALL, "hs_call_direction", outcome=_call_outcome, more=("hs_call_disposition", "hs_call_status")
    ),
    "meetings": Shape(
        ActivityKind.MEETING,
        starts="hs_meeting_start_time",
        ends="hs_meeting_end_time",
        outcome=_meeting_outcome,
        more=("hs_meeting_outcome",),
    ),
    "emails": Shape(ActivityKind.EMAIL, "hs_email_direction", outcome=_email_outcome, more=("hs_email_status",)),
    "communications": Shape(ActivityKind.TEXT),
    "notes": Shape(ActivityKind.NOTE),
}


def activity(row: Row, shape: Shape, contact_ids: Sequence[str]) -> Activity | None:
    """An activity with these contacts; None where HubSpot does not say when it is."""
    values = properties(row)
    at = instant(values.get(shape.starts)) or instant(values.get("hs_timestamp"))
    if at is None:
        return None
    return Activity(
        id=str(row["id"]),
        kind=shape.kind,
        at=at,
        ends_at=instant(values.get(shape.ends or "")),
        direction=_direction(values, shape.direction),
        outcome=shape.outcome(values),
        contact_ids=tuple(contact_ids),
        owner_id=values.get("hubspot_owner_id"),
        updated_at=instant(values.get(STAMP) or row.get("updatedAt")),
    )


# --- tasks ------------------------------------------------------------------------------------------------------

_TASK_TYPES = {TaskKind.UNANSWERED: "TODO", TaskKind.READY_FOR_CALL: "CALL"}
_PRIORITIES = {True: "HIGH", False: "NONE"}
OPEN, DONE = "NOT_STARTED", "COMPLETED"  # IN_PROGRESS, WAITING and DEFERRED are open too
_TASK_NAMES = (
    "hs_timestamp", "hs_task_subject", "hs_task_body", "hs_task_status", "hs_task_completion_date", "hubspot_owner_id", STAMP,
)  # fmt: skip


def task_properties(portal: Portal) -> tuple[str, ...]:
    """The properties to ask for."""
    return _TASK_NAMES + ((portal.key_property,) if portal.key_property else ())


def task_values(task: Task, portal: Portal) -> dict[str, str]:
    """The properties that this task sets: only what it gives, and never its status."""
    values: dict[str, str | None] = {
        "hs_task_subject": task.subject,
        "hs_timestamp": iso(task.due_at) if task.due_at else None,
        "hubspot_owner_id": task.owner_id,
        "hs_task_priority": None if task.high_priority is None else _PRIORITIES[task.high_priority],
    }
    if task.body is not None:
        values["hs_task_body"] = body.to_html(task.body if portal.key_property else body.mark(task.body, task.key))
    return {name: value for name, value in values.items() if value is not None}


def new_task_values(task: Task, portal: Portal) -> dict[str, str]:
    """The properties of a task that is to be made. A due date is required; without one it is due now."""
    values = {"hs_timestamp": iso(portal.clock()), **task_values(task, portal)}
    values |= {"hs_task_status": OPEN, "hs_task_type": _TASK_TYPES[task.kind]}
    if portal.key_property:
        values[portal.key_property] = task.key
    elif task.body is None:
        values["hs_task_body"] = body.to_html(body.mark("", task.key))
    return values


def task_key(row: Row, portal: Portal) -> str | None:
    """Our key of a task, if it has one."""
    values = properties(row)
    if portal.key_property:
        return values.get(portal.key_property)
    return body.unmark(body.to_text(values.get("hs_task_body", "")))[1]


def task_state(row: Row, portal: Portal) -> TaskState:
    """A task as it stands in HubSpot."""
    values = properties(row)
    text = body.to_text(values.get("hs_task_body", ""))
    text, marked = (text, None) if portal.key_property else body.unmark(text)
    return TaskState(
        id=str(row["id"]),
        key=values.get(portal.key_property) if portal.key_property else marked,
        status=TaskStatus.COMPLETED if values.get("hs_task_status") == DONE else TaskStatus.OPEN,
        subject=values.get("hs_task_subject", ""),
        body=text,
        due_at=instant(values.get("hs_timestamp")),
        owner_id=values.get("hubspot_owner_id"),
        updated_at=instant(values.get(STAMP) or row.get("updatedAt")),
        completed_at=instant(values.get("hs_task_completion_date")),
        url=portal.url(TASK, str(row["id"])),
        sole=portal.unique,
    )
