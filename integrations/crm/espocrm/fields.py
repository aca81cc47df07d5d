"""EspoCRM's attributes and our records, both ways. Pure, and tables before branches.

Rows are EspoCRM's JSON objects. Its instants are UTC without a zone ("2026-11-26 09:00:00"), whatever its settings say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrations import body
from integrations.crm.espocrm.api import Row
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

CONTACT, LEAD, TASK = "Contact", "Lead", "Task"
STAMP = "modifiedAt"
KEYS = (
    "cWarmlineKey",
    "warmlineKey",
)  # EspoCRM puts a c before the name of a field that an administrator makes, since 8.1
DONE_STATUSES = ("Completed", "Canceled")
_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Site:
    """What a connection knows about its EspoCRM."""

    base: str  # where people open it
    key_field: str | None = None  # None: tasks carry a marker in their description
    handles: Mapping[str, tuple[tuple[str, str | None], ...]] | None = None  # kind -> field, network
    do_not_call: Mapping[str, tuple[str, ...]] | None = None  # kind -> fields
    done: tuple[str, ...] = DONE_STATUSES  # of a task: dealt with, one way or the other
    completed: str = "Completed"
    open: str = "Not Started"

    def url(self, kind: str, record_id: str) -> str:
        """The page of a record."""
        return f"{self.base}/#{kind}/view/{record_id}"

    def handle_fields(self, kind: str) -> tuple[tuple[str, str | None], ...]:
        """The fields of a kind that hold a social handle, and the network where it is known."""
        return (self.handles or {}).get(kind, ())

    def no_calls(self, kind: str) -> tuple[str, ...]:
        """The fields of a kind that forbid calls."""
        return ("doNotCall", *(self.do_not_call or {}).get(kind, ()))


# --- values -----------------------------------------------------------------------------------------------------


def instant(value: object) -> datetime | None:
    """An instant, or a day as its midnight; None for anything else."""
    try:
        return datetime.fromisoformat(str(value or "").strip()).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def written(value: datetime) -> str:
    """An instant as EspoCRM writes it."""
    return value.astimezone(UTC).strftime(_FORMAT)


def seconds(row: Row) -> int | None:
    """When a row was last changed, in seconds since 1970."""
    found = instant(row.get(STAMP))
    return None if found is None else int(found.timestamp())


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value).strip() if value is not None and value is not False else ""


def _id(row: Row, name: str) -> str | None:
    return _text(row, name) or None


# --- contacts and leads -----------------------------------------------------------------------------------------

# A lead and a contact may have the same id: a lead's has its kind before it.
_LEAD_PREFIX = f"{LEAD}/"

_COMMON = {  # our field -> EspoCRM's attribute
    "name": "name",
    "first_name": "firstName",
    "last_name": "lastName",
    "title": "title",
    "company": "accountName",
    "city": "addressCity",
    "region": "addressState",
    "country": "addressCountry",
}
_TEXTS = {
    CONTACT: {**_COMMON, "lifecycle": "accountType"},
    LEAD: {**_COMMON, "lifecycle": "status", "source": "source", "website": "website"},
}
_MORE = ("id", "emailAddress", "emailAddressIsOptedOut", "phoneNumber", "assignedUserId", STAMP)
CONVERTED = "Converted"  # status of a lead whose contact has taken its place


def person_attributes(kind: str, site: Site) -> tuple[str, ...]:
    """The attributes to ask for."""
    handles = (name for name, _ in site.handle_fields(kind))
    return tuple(dict.fromkeys((*_TEXTS[kind].values(), *_MORE, *handles, *site.no_calls(kind))))


def contact(row: Row, kind: str, site: Site) -> Contact:
    """A contact or a lead."""
    handles = ((network, _text(row, name).removeprefix("@")) for name, network in site.handle_fields(kind))
    email, phone = _text(row, "emailAddress"), _text(row, "phoneNumber")
    return Contact(
        id=person_id(kind, str(row["id"])),
        emails=(email,) if email else (),
        phones=(phone,) if phone else (),
        owner_id=_id(row, "assignedUserId"),
        handles=tuple(dict.fromkeys(Handle(network, value) for network, value in handles if value)),
        do_not_call=any(row.get(name) is True for name in site.no_calls(kind)),
        unsubscribed=row.get("emailAddressIsOptedOut") is True,
        url=site.url(kind, str(row["id"])),
        updated_at=instant(row.get(STAMP)),
        **{ours: _text(row, theirs) for ours, theirs in _TEXTS[kind].items()},
    )


def person_id(kind: str, record_id: str) -> str:
    """Our id of a contact or lead."""
    return record_id if kind == CONTACT else _LEAD_PREFIX + record_id


def person(contact_id: str) -> tuple[str, str]:
    """Kind and EspoCRM's id of somebody."""
    return (
        (LEAD, contact_id.removeprefix(_LEAD_PREFIX)) if contact_id.startswith(_LEAD_PREFIX) else (CONTACT, contact_id)
    )


# --- owners -----------------------------------------------------------------------------------------------------

OWNER_ATTRIBUTES = ("id", "name", "userName", "emailAddress", "isActive", "type")
OWNER_TYPES = ("regular", "admin", "super-admin")  # the others are machines and customers


def owner(row: Row) -> Owner:
    """A user."""
    name = _text(row, "name") or _text(row, "userName")
    return Owner(str(row["id"]), _text(row, "emailAddress"), name, active=row.get("isActive") is not False)


# --- activities -------------------------------------------------------------------------------------------------

_DIRECTIONS = {"Outbound": Direction.OUT, "Inbound": Direction.IN, "Sent": Direction.OUT}
_HELD = {"Planned": "scheduled", "Held": "held", "Not Held": "cancelled"}


@dataclass(frozen=True, slots=True)
class Shape:
    """How one of EspoCRM's kinds of activity is read."""

    kind: ActivityKind
    starts: str
    ends: str = ""
    direction: str = ""  # attribute
    outcomes: Mapping[str, str] | None = None  # status -> our outcome
    invited: bool = True  # it lists the contacts and leads who take part

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes to ask for."""
        people = ("contactsIds", "leadsIds") if self.invited else ()
        more = (
            "id",
            self.starts,
            self.ends,
            self.direction,
            "status",
            "parentType",
            "parentId",
            "assignedUserId",
            *people,
            STAMP,
        )
        return tuple(dict.fromkeys(name for name in more if name))


ACTIVITIES = {
    "Call": Shape(
        ActivityKind.CALL,
        "dateStart",
        "dateEnd",
        "direction",
        {"Planned": "scheduled", "Held": "connected", "Not Held": "no_answer"},
    ),
    "Meeting": Shape(ActivityKind.MEETING, "dateStart", "dateEnd", outcomes=_HELD),
    # The text of an e-mail is never asked for. An archived one may have come in or gone out: EspoCRM does not say.
    "Email": Shape(ActivityKind.EMAIL, "dateSent", direction="status", outcomes={"Sent": "sent"}, invited=False),
}
_DRAFTS = {"Draft", "Sending", "Failed"}  # e-mails that have reached nobody


def activity(row: Row, shape: Shape) -> Activity | None:
    """An activity with its contacts; None where EspoCRM does not say when it is, or it has not happened to anybody."""
    at, status = instant(row.get(shape.starts)), _text(row, "status")
    if at is None or (shape.kind is ActivityKind.EMAIL and status in _DRAFTS):
        return None
    return Activity(
        id=str(row["id"]),
        kind=shape.kind,
        at=at,
        ends_at=instant(row.get(shape.ends)) if shape.ends else None,
        direction=_DIRECTIONS.get(_text(row, shape.direction), Direction.NONE) if shape.direction else Direction.NONE,
        outcome=(shape.outcomes or {}).get(status, ""),
        contact_ids=_people(row),
        owner_id=_id(row, "assignedUserId"),
        updated_at=instant(row.get(STAMP)),
    )


def _people(row: Row) -> tuple[str, ...]:
    """Who takes part, and whom it is about."""
    found = [
        (kind, each) for kind, name in ((CONTACT, "contactsIds"), (LEAD, "leadsIds")) for each in _listed(row, name)
    ]
    if row.get("parentType") in (CONTACT, LEAD) and _text(row, "parentId"):
        found.append((str(row["parentType"]), _text(row, "parentId")))
    return tuple(dict.fromkeys(person_id(kind, each) for kind, each in found))


def _listed(row: Row, name: str) -> list[str]:
    value = row.get(name)
    return [str(each) for each in value if each] if isinstance(value, list) else []


# --- tasks ------------------------------------------------------------------------------------------------------

# EspoCRM takes none of these in a name (`noBadCharacters`, since 7.2), and people have them in theirs ("Ana <3"). What stands for them
# looks the same and is hardly ever typed.
_INTO_NAMES = str.maketrans("<>=", "\ufe64\ufe65\ufe66")
_OUT_OF_NAMES = {ord(into): out for out, into in zip("<>=", "\ufe64\ufe65\ufe66", strict=True)}
_PRIORITIES = {True: "High", False: "Normal"}
_TASK_ATTRIBUTES = (
    "id", "name", "status", "description", "dateEnd", "dateEndDate", "dateCompleted", "assignedUserId", "parentType", "parentId", STAMP,
)  # fmt: skip


def task_attributes(site: Site) -> tuple[str, ...]:
    """The attributes to ask for."""
    return _TASK_ATTRIBUTES + ((site.key_field,) if site.key_field else ())


def task_values(task: Task, site: Site) -> dict[str, Any]:
    """The attributes that this task sets: only what it gives, and never its status."""
    values: dict[str, Any] = {
        "name": None if task.subject is None else task.subject.translate(_INTO_NAMES),
        "dateEnd": written(task.due_at) if task.due_at else None,
        "assignedUserId": task.owner_id,
        "priority": None if task.high_priority is None else _PRIORITIES[task.high_priority],
        "description": None if task.body is None else _described(task.body, task.key, site),
    }
    found = {name: value for name, value in values.items() if value is not None}
    if task.due_at:
        # As long as there is a day without a time, EspoCRM makes `dateEnd` anew from it each time it stores the task.
        found["dateEndDate"] = None
    if task.contact_id:
        found["parentType"], found["parentId"] = person(task.contact_id)
    return found


def new_task_values(task: Task, site: Site) -> dict[str, Any]:
    """The attributes of a task that is to be made."""
    values = {"description": _described("", task.key, site), **task_values(task, site), "status": site.open}
    return {**values, site.key_field: task.key} if site.key_field else values


def _described(text: str, key: str, site: Site) -> str:
    return text if site.key_field else body.mark(text, key)


def task_key(row: Row, site: Site) -> str | None:
    """Our key of a task, if it has one."""
    return _id(row, site.key_field) if site.key_field else body.unmark(str(row.get("description") or ""))[1]


def task_state(row: Row, site: Site) -> TaskState:
    """A task as it stands in EspoCRM."""
    text = str(row.get("description") or "").replace("\r\n", "\n")
    done = _text(row, "status") in site.done
    return TaskState(
        id=str(row["id"]),
        key=task_key(row, site),
        status=TaskStatus.COMPLETED if done else TaskStatus.OPEN,
        subject=_text(row, "name").translate(_OUT_OF_NAMES),
        body=text if site.key_field else body.unmark(text)[0],
        # Of a day without a time, `dateEnd` is the midnight after it.
        due_at=instant(row.get("dateEndDate")) or instant(row.get("dateEnd")),
        owner_id=_id(row, "assignedUserId"),
        updated_at=instant(row.get(STAMP)),
        completed_at=instant(row.get("dateCompleted")) if done else None,
        url=site.url(TASK, str(row["id"])),
    )
