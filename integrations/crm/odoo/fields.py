"""Odoo's fields and our records, both ways. Pure, and tables before branches.

Rows are Odoo's JSON objects: an empty value is `false`, a link is `[id, name]`, an instant is UTC without a zone. An activity is due on a day, as its
user's clocks count them; the time of day stands beside our key in the last line of its note.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from integrations import body
from integrations.crm.odoo.api import Row
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

PARTNER, ACTIVITY, MESSAGE, EVENT, USER = "res.partner", "mail.activity", "mail.message", "calendar.event", "res.users"
STAMP = "write_date"
_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Site:
    """What a connection knows about its Odoo."""

    base: str  # where people open it
    partner_fields: tuple[str, ...] = ()  # those of `WANTED` that this Odoo has
    activity_fields: tuple[str, ...] = ()
    keeps_done: bool = False  # an activity that is done is archived; else it is deleted
    handles: tuple[tuple[str, str | None], ...] = ()  # field of a partner -> network
    do_not_call: tuple[str, ...] = ()  # fields of a partner
    model_id: int = 0  # Odoo's id of the model res.partner
    types: tuple[tuple[str, int], ...] = ()  # kind of task -> activity type
    calls: tuple[int, ...] = ()  # activity types that are phone calls
    zone: Callable[[int], tzinfo] = field(default=lambda user_id: UTC)  # whose days a user's are

    def url(self, model: str, record_id: int | str) -> str:
        """The page of a record, in every version."""
        return f"{self.base}/web#id={record_id}&model={model}&view_type=form"


# --- values -----------------------------------------------------------------------------------------------------


def instant(value: object) -> datetime | None:
    """An instant; None for anything else."""
    if not value:
        return None
    try:
        return datetime.fromisoformat(str(value).strip()).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def day(value: object) -> date | None:
    """A day; None for anything else."""
    try:
        return date.fromisoformat(str(value or "").strip())
    except ValueError:
        return None


def written(value: datetime) -> str:
    """An instant as Odoo writes it."""
    return value.astimezone(UTC).strftime(_FORMAT)


def seconds(row: Row) -> int | None:
    """When a row was last changed, in seconds since 1970."""
    found = instant(row.get(STAMP))
    return None if found is None else int(found.timestamp())


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def link(row: Row, name: str) -> int | None:
    """The id of the record that a row is linked to."""
    value = row.get(name)
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, int) and not isinstance(first, bool) and first > 0 else None


def _named(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value[1]).strip() if isinstance(value, list) and len(value) == 2 else ""


def _ids(row: Row, name: str) -> tuple[str, ...]:
    value = row.get(name)
    return tuple(str(each) for each in value if isinstance(each, int)) if isinstance(value, list) else ()


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


# --- contacts ---------------------------------------------------------------------------------------------------

WANTED = (
    "name", "email", "phone", "mobile", "function", "website", "city", "state_id", "country_id", "parent_id", "is_company", "company_name",
    "user_id", "active", "is_blacklisted", "customer_rank",
)  # fmt: skip
# Addresses of a company that are nobody's.
PEOPLE = [["type", "not in", ["invoice", "delivery", "private"]]]


def partner_fields(site: Site) -> tuple[str, ...]:
    """The fields to ask for."""
    return tuple(dict.fromkeys((*site.partner_fields, *(name for name, _ in site.handles), *site.do_not_call, STAMP)))


def contact(row: Row, site: Site) -> Contact:
    """A partner: a person, or a company. Odoo knows no parts of a name."""
    name, is_company = _text(row, "name"), row.get("is_company") is True
    handles = [(network, _text(row, each).removeprefix("@")) for each, network in site.handles]
    phones = dict.fromkeys(filter(None, (_text(row, "phone"), _text(row, "mobile"))))
    email, rank = _text(row, "email"), row.get("customer_rank")
    return Contact(
        id=str(row["id"]),
        name=name,
        emails=(email,) if email else (),
        phones=tuple(phones),
        company=name if is_company else _named(row, "parent_id") or _text(row, "company_name"),
        title=_text(row, "function"),
        website=_text(row, "website"),
        city=_text(row, "city"),
        region=_named(row, "state_id"),
        country=_named(row, "country_id"),
        owner_id=_id(link(row, "user_id")),
        handles=tuple(dict.fromkeys([Handle(network, value) for network, value in handles if value])),
        lifecycle="customer" if isinstance(rank, int) and rank > 0 else "",
        do_not_call=any(row.get(each) is True for each in site.do_not_call),
        unsubscribed=row.get("is_blacklisted") is True,
        url=site.url(PARTNER, row["id"]),
        updated_at=instant(row.get(STAMP)),
    )


# --- owners -----------------------------------------------------------------------------------------------------

OWNER_FIELDS = ("name", "login", "email", "active", "share", "tz", "partner_id")


def owner(row: Row) -> Owner:
    """A user."""
    return Owner(
        str(row["id"]),
        _text(row, "email") or _text(row, "login"),
        _text(row, "name"),
        active=row.get("active") is not False,
    )


# --- activities -------------------------------------------------------------------------------------------------

EVENT_FIELDS = ("start", "stop", "partner_ids", "user_id", "active", STAMP)
MESSAGE_FIELDS = ("date", "res_id", "mail_activity_type_id", "message_type", "author_id", STAMP)


def meeting(row: Row, site: Site, *, now: datetime) -> Activity | None:
    """An event of the calendar; None where Odoo does not say when it is."""
    at = instant(row.get("start"))
    if at is None:
        return None
    held = "held" if at <= now else "scheduled"
    return Activity(
        id=str(row["id"]),
        kind=ActivityKind.MEETING,
        at=at,
        ends_at=instant(row.get("stop")),
        outcome=held if row.get("active") is not False else "cancelled",
        contact_ids=_ids(row, "partner_ids"),
        owner_id=_id(link(row, "user_id")),
        updated_at=instant(row.get(STAMP)),
    )


def logged(row: Row, site: Site) -> Activity | None:
    """What a message in a partner's history tells: an activity that was done, or an e-mail that came in."""
    at, partner, kind = instant(row.get("date")), row.get("res_id"), link(row, "mail_activity_type_id")
    if at is None or not isinstance(partner, int):
        return None
    shared: dict[str, Any] = {
        "id": str(row["id"]),
        "at": at,
        "contact_ids": (str(partner),),
        "updated_at": instant(row.get(STAMP)),
    }
    if kind in site.calls:
        return Activity(kind=ActivityKind.CALL, direction=Direction.OUT, outcome="connected", **shared)
    if kind is not None:
        return None  # a to-do that was ticked off is no talk
    return Activity(kind=ActivityKind.EMAIL, direction=Direction.IN, outcome="replied", **shared)


# --- tasks ------------------------------------------------------------------------------------------------------

TODO, CALL = "todo", "call"
_TYPES = {TaskKind.UNANSWERED: TODO, TaskKind.READY_FOR_CALL: CALL}
TASK_FIELDS = ("summary", "note", "date_deadline", "user_id", "res_model", "res_id", STAMP)
REFERENCE = body.reference("").strip()


def task_fields(site: Site) -> tuple[str, ...]:
    """The fields to ask for."""
    return (*TASK_FIELDS, *site.activity_fields)


def task_values(task: Task, site: Site, standing: TaskState | None = None) -> dict[str, Any]:
    """The fields that this task sets: only what it gives. The note changes with the due date too, since its last line holds the time
    of day."""
    values: dict[str, Any] = {}
    owner_id = task.owner_id or (standing.owner_id if standing else None)
    if task.subject is not None:
        values["summary"] = task.subject
    # Whoever is given the task may be where it is another day already.
    moves = task.owner_id is not None and standing is not None and task.owner_id != standing.owner_id
    if due_at := task.due_at or (standing.due_at if standing and moves else None):
        zone = site.zone(int(owner_id)) if owner_id and owner_id.isdigit() else UTC
        values["date_deadline"] = due_at.astimezone(zone).date().isoformat()
    if task.body is not None or task.due_at or standing is None:
        due = task.due_at or (standing.due_at if standing else None)
        text = task.body if task.body is not None else (standing.body if standing else "")
        values["note"] = body.to_html(body.mark(text, task.key, due))
    if task.owner_id and task.owner_id.isdigit():
        values["user_id"] = int(task.owner_id)
    if task.contact_id and task.contact_id.isdigit():
        values["res_id"] = int(task.contact_id)
    return values


def new_task_values(task: Task, site: Site, place: int) -> dict[str, Any]:
    """The fields of an activity that is to be made, with the partner `place` where the task is about nobody in the CRM."""
    types = dict(site.types)
    kind = types.get(_TYPES[task.kind]) or types.get(TODO)
    values = {"res_id": place, "res_model_id": site.model_id, **task_values(task, site)}
    return {**values, "activity_type_id": kind} if kind else values


def note_of(row: Row) -> str:
    """An activity's note as plain text, its marker still in it."""
    return body.to_text(_text(row, "note")).strip()


def task_key(row: Row) -> str | None:
    """Our key of an activity, if it has one."""
    return body.unmark(note_of(row))[1]


def task_state(row: Row, site: Site) -> TaskState:
    """An activity as it stands in Odoo; one that is archived was done."""
    text, user = note_of(row), link(row, "user_id")
    done = row.get("active") is False
    return TaskState(
        id=str(row["id"]),
        key=body.unmark(text)[1],
        status=TaskStatus.COMPLETED if done else TaskStatus.OPEN,
        subject=_text(row, "summary"),
        body=body.unmark(text)[0],
        due_at=body.due_on(day(row.get("date_deadline")), body.marked_due(text), site.zone(user) if user else UTC),
        owner_id=_id(user),
        updated_at=instant(row.get(STAMP)),
        completed_at=_finished(row) if done else None,
        url=site.url(str(row.get("res_model") or PARTNER), row.get("res_id") or 0),
    )


def _finished(row: Row) -> datetime | None:
    """When an activity was done: Odoo keeps the day of it, and the instant of the latest change, which mostly is that one."""
    on, changed = day(row.get("date_done")), instant(row.get(STAMP))
    if on is None or (changed and abs(changed.date() - on) <= timedelta(days=1)):  # days are the user's
        return changed
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def done_state(row: Row, site: Site) -> TaskState | None:
    """What a message about an activity of ours tells that was done and is no longer there; None where it names no key. Known by its key."""
    key = body.unmark(body.to_text(_text(row, "body")).strip())[1]
    at, partner = instant(row.get("date")), row.get("res_id")
    if key is None or at is None:
        return None
    url = site.url(PARTNER, partner if isinstance(partner, int) else 0)
    return TaskState(
        f"message/{row['id']}", key, TaskStatus.COMPLETED, updated_at=at, completed_at=at, url=url, bare=True
    )


def since(at: datetime | None, ago: timedelta = timedelta(0)) -> int:
    """Seconds since 1970 of an instant, and so much before it; 0 for None."""
    return max(0, int((at - ago).timestamp())) if at else 0
