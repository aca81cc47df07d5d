"""BottleCRM's fields and our records, both ways. Pure, and tables before branches.

Rows are BottleCRM's JSON objects. A task's due date is a day; the time of day stands beside our key in the last line of its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from integrations import body
from integrations.crm.bottlecrm.api import Row
from integrations.records import (
    Activity,
    ActivityKind,
    Contact,
    Direction,
    Handle,
    Owner,
    Task,
    TaskState,
    TaskStatus,
)

KEY, TAG = "warmline_key", "Warmline"
NEW, DONE = "New", "Completed"
OPEN_STATUSES = ("New", "In Progress")
STANDARD_HANDLES: tuple[tuple[str, str | None], ...] = (("linkedin_url", "linkedin"),)


@dataclass(frozen=True, slots=True)
class Site:
    """What a connection knows about its BottleCRM."""

    base: str  # where people open it
    zone: tzinfo = UTC  # whose days due dates are
    key_field: bool = False  # tasks have a field for our key
    tag: str | None = None  # id of the tag of our tasks
    handles: tuple[tuple[str, str | None], ...] = STANDARD_HANDLES  # field of a contact -> network
    do_not_call: tuple[str, ...] = ()  # fields of a contact that somebody added and that forbid calls

    def url(self, kind: str, record_id: str) -> str:
        """The page of a record ("contacts", "tasks")."""
        return f"{self.base}/{kind}/{record_id}"


# --- values -----------------------------------------------------------------------------------------------------


def instant(value: object) -> datetime | None:
    """An ISO 8601 instant; None for anything else."""
    try:
        found = datetime.fromisoformat(str(value or "").strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter where the time zone leads out of the calendar
        return None


def day(value: object) -> date | None:
    """A day ("2026-11-26"); None for anything else."""
    try:
        return date.fromisoformat(str(value or "").strip())
    except ValueError:
        return None


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def _dict(row: Row, name: str) -> Row:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _ids(row: Row, name: str) -> tuple[str, ...]:
    value = row.get(name)
    rows = value if isinstance(value, list) else []
    return tuple(str(each["id"]) for each in rows if isinstance(each, dict) and each.get("id"))


# --- contacts ---------------------------------------------------------------------------------------------------

_CONTACT_TEXT = {  # our field -> BottleCRM's
    "first_name": "first_name",
    "last_name": "last_name",
    "title": "title",
    "city": "city",
    "region": "state",
    "country": "country",
}


def contact(row: Row, site: Site) -> Contact:
    """A contact."""
    text: dict[str, Any] = {ours: _text(row, theirs) for ours, theirs in _CONTACT_TEXT.items()}
    email, phone = _text(row, "email"), _text(row, "phone_e164") or _text(row, "phone")
    own = _dict(row, "custom_fields")
    handles = ((network, handle_value(row, name).removeprefix("@")) for name, network in site.handles)
    source = ": ".join(filter(None, (_text(row, "source"), _text(row, "source_detail"))))
    return Contact(
        id=str(row["id"]),
        name=f"{text['first_name']} {text['last_name']}".strip(),
        emails=(email,) if email else (),
        phones=(phone,) if phone else (),
        company=_text(_dict(row, "account_detail"), "name") or _text(row, "organization"),
        owner_id=next(iter(_ids(row, "assigned_to")), None),
        handles=tuple(dict.fromkeys(Handle(network, value) for network, value in handles if value)),
        source=source,
        lifecycle="" if row.get("is_active") is not False else "inactive",
        do_not_call=row.get("do_not_call") is True or any(own.get(name) is True for name in site.do_not_call),
        url=site.url("contacts", str(row["id"])),
        updated_at=instant(row.get("updated_at")),
        **text,
    )


def handle_value(row: Row, name: str) -> str:
    """What a contact has in a handle field: one of BottleCRM's own, or one that somebody added."""
    return _text(row, name) or _text(_dict(row, "custom_fields"), name)


def created(row: Row) -> float:
    """When a row was made, in seconds since 1970: what the list of contacts is sorted by."""
    found = instant(row.get("created_at"))
    return found.timestamp() if found else 0.0


# --- owners -----------------------------------------------------------------------------------------------------


def owner(row: Row) -> Owner:
    """Somebody in the organization; tasks are given to this id (a profile's, not the user's)."""
    user = _dict(row, "user_details")
    active = row.get("is_active") is not False and user.get("is_active") is not False
    return Owner(str(row["id"]), _text(user, "email"), _text(user, "name"), active=active)


# --- activities -------------------------------------------------------------------------------------------------

_KINDS = {
    "call": ActivityKind.CALL,
    "meeting": ActivityKind.MEETING,
    "email": ActivityKind.EMAIL,
    "whatsapp": ActivityKind.TEXT,
    "sms": ActivityKind.TEXT,
    "enquiry": ActivityKind.NOTE,
}
_DIRECTIONS = {"inbound": Direction.IN, "outbound": Direction.OUT}
_CALLS = {
    "connected": "connected",
    "no_answer": "no_answer",
    "voicemail": "no_answer",
    "busy": "no_answer",
    "wrong_number": "no_answer",
}
_EMAILS = {Direction.OUT: "sent", Direction.IN: "replied"}


def activity(row: Row, contact_id: str) -> Activity | None:
    """Something logged with a contact; None where BottleCRM does not say what or when. It logs what has been, not what is planned."""
    kind, at = _KINDS.get(_text(row, "kind")), instant(row.get("occurred_at"))
    if kind is None or at is None:
        return None
    direction = _DIRECTIONS.get(_text(row, "direction"), Direction.NONE)
    lasted = row.get("duration_seconds")
    outcomes = {
        ActivityKind.CALL: _CALLS.get(_text(row, "outcome"), ""),
        ActivityKind.MEETING: "held",
        ActivityKind.EMAIL: _EMAILS.get(direction, ""),
    }
    return Activity(
        id=str(row["id"]),
        kind=kind,
        at=at,
        ends_at=at + timedelta(seconds=lasted) if isinstance(lasted, int) and 0 < lasted < 10**7 else None,
        direction=direction,
        outcome=outcomes.get(kind, ""),
        contact_ids=(contact_id,),
        owner_id=row.get("logged_by") if isinstance(row.get("logged_by"), str) else None,
    )


# --- tasks ------------------------------------------------------------------------------------------------------

_PRIORITIES = {True: "High", False: "Medium"}


def task_values(task: Task, site: Site, standing: TaskState | None = None) -> dict[str, Any]:
    """The fields that this task sets: only what it gives, and never its status or contacts. The text changes with the due date too,
    since its last line holds the time of day."""
    values: dict[str, Any] = {"title": task.subject}
    if task.due_at:
        values["due_date"] = task.due_at.astimezone(site.zone).date().isoformat()
    if task.body is not None or task.due_at or standing is None:
        due = task.due_at or (standing.due_at if standing else None)
        text = task.body if task.body is not None else (standing.body if standing else "")
        values["description"] = body.mark(text, task.key, due)
    if task.owner_id:
        values["assigned_to"] = [task.owner_id]
    if task.high_priority is not None or standing is None:
        values["priority"] = _PRIORITIES[bool(task.high_priority)]
    return {name: value for name, value in values.items() if value is not None}


def new_task_values(task: Task, site: Site) -> dict[str, Any]:
    """The fields of a task that is to be made."""
    values = {**task_values(task, site), "status": NEW}
    if task.contact_id:
        values["contacts"] = [task.contact_id]
    if site.tag:
        values["tags"] = [site.tag]
    return {**values, "custom_fields": {KEY: task.key}} if site.key_field else values


def task_key(row: Row) -> str | None:
    """Our key of a task that was read whole, if it has one."""
    return _text(_dict(row, "custom_fields"), KEY) or body.unmark(_text(row, "description"))[1]


def contacts_of(row: Row) -> tuple[str, ...]:
    """Whom a task that was read whole is about."""
    return _ids(row, "contacts")


def task_state(row: Row, site: Site, *, at: datetime | None = None) -> TaskState:
    """A task that was read whole, as it stands in BottleCRM, which does not tell when it was changed: it stood so `at`."""
    text = _text(row, "description").replace("\r\n", "\n")
    return TaskState(
        id=str(row["id"]),
        key=task_key(row),
        status=TaskStatus.COMPLETED if row.get("status") == DONE else TaskStatus.OPEN,
        subject=_text(row, "title"),
        body=body.unmark(text)[0],
        due_at=body.due_on(day(row.get("due_date")), body.marked_due(text), site.zone),
        owner_id=next(iter(_ids(row, "assigned_to")), None),
        updated_at=at,
        url=site.url("tasks", str(row["id"])),
    )


def fingerprint(row: Row) -> str:
    """What a list shows of a task, so that one can tell whether it has changed."""
    seen = [_text(row, name) for name in ("status", "title", "due_date", "priority")]
    return "\n".join([*seen, *sorted(_ids(row, "assigned_to"))])


def custom(values: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a contact as they are written: BottleCRM's own by name, those that somebody added below `custom_fields`."""
    own = {name: value for name, value in values.items() if name not in dict(STANDARD_HANDLES)}
    standard: dict[str, Any] = {name: value for name, value in values.items() if name not in own}
    return {**standard, "custom_fields": {**known, **own}} if own else standard
