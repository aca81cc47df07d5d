"""Salesforce's contacts, leads, users and tasks, and our records, both ways. Pure, and tables before branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from integrations import body
from integrations.crm.salesforce.api import Row
from integrations.crm.salesforce.org import Org
from integrations.crm.salesforce.soql import STAMP, instant, soql_time
from integrations.records import Contact, Gone, Handle, Owner, Task, TaskKind, TaskState, TaskStatus

# --- contacts and leads ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of person is read: our field -> Salesforce's, which may stand behind a relation."""

    text: Mapping[str, str]
    phones: tuple[str, ...]
    successor: tuple[str, ...]  # fields that name the record which this one was merged or converted into

    @property
    def names(self) -> tuple[str, ...]:
        """The fields to ask for."""
        return (*self.text.values(), *self.phones, *self.successor, *_PERSON)


_PERSON = ("Id", "Name", "Email", "OwnerId", "DoNotCall", "HasOptedOutOfEmail", "IsDeleted", STAMP)
PEOPLE = {
    "Contact": Shape(
        text={
            "first_name": "FirstName", "last_name": "LastName", "company": "Account.Name", "website": "Account.Website",
            "title": "Title", "city": "MailingCity", "region": "MailingState", "country": "MailingCountry",
            "source": "LeadSource", "lifecycle": "Account.Type",
        },
        phones=("Phone", "MobilePhone", "HomePhone", "OtherPhone"),
        successor=("MasterRecordId",),
    ),
    "Lead": Shape(
        text={
            "first_name": "FirstName", "last_name": "LastName", "company": "Company", "website": "Website",
            "title": "Title", "city": "City", "region": "State", "country": "Country",
            "source": "LeadSource", "lifecycle": "Status",
        },
        phones=("Phone", "MobilePhone"),
        successor=("MasterRecordId", "ConvertedContactId"),
    ),
}  # fmt: skip
_ORDER = ("Contact", "Lead")  # contacts first: a converted lead's contact is known before the lead goes


def person_fields(kind: str, org: Org) -> tuple[str, ...]:
    """The fields to ask for: those that the user can see, and the custom ones that this kind has."""
    hidden, custom = org.hidden.get(kind, frozenset()), org.custom.get(kind, frozenset())
    more = (name for name in (*(name for name, _ in org.handles), *org.do_not_call) if name in custom)
    return tuple(dict.fromkeys((*(name for name in PEOPLE[kind].names if name not in hidden), *more)))


def person(kind: str, row: Row, org: Org) -> Contact | Gone:
    """A contact or lead; `Gone` for one that was deleted, merged into another or converted."""
    if row.get("IsDeleted") is True or _text(row, "ConvertedContactId"):
        return Gone(str(row["Id"]))
    shape = PEOPLE[kind]
    phones = (_text(row, name) for name in shape.phones)
    handles = (Handle(network, _bare(_text(row, name))) for name, network in org.handles)
    return Contact(
        id=str(row["Id"]),
        name=_text(row, "Name"),
        emails=tuple(filter(None, [_text(row, "Email")])),
        phones=tuple(dict.fromkeys(filter(None, phones))),
        owner_id=_text(row, "OwnerId") or None,
        handles=tuple(dict.fromkeys(each for each in handles if each.value)),
        do_not_call=any(_says_yes(row.get(name)) for name in ("DoNotCall", *org.do_not_call)),
        unsubscribed=row.get("HasOptedOutOfEmail") is True,
        url=org.url(kind, str(row["Id"])),
        updated_at=instant(row.get(STAMP)),
        **{ours: _text(row, theirs) for ours, theirs in shape.text.items()},
    )


def successor(kind: str, row: Row) -> str | None:
    """The id of the record that this one lives on in, if it was merged or converted."""
    return next(filter(None, (_text(row, name) for name in PEOPLE[kind].successor)), None)


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if value is None and "." in name:
        head, _, tail = name.partition(".")
        inner = row.get(head)
        value = inner.get(tail) if isinstance(inner, dict) else None
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _says_yes(value: object) -> bool:
    return value is True or str(value).strip().lower() in ("true", "yes", "1")


def _bare(handle: str) -> str:
    return handle.removeprefix("@").strip()


# --- owners ---------------------------------------------------------------------------------------------------

OWNER_FIELDS = ("Id", "Name", "Email", "IsActive", STAMP)


def owner(row: Row) -> Owner:
    """A user. One who was deactivated can be given nothing any more."""
    return Owner(str(row["Id"]), _text(row, "Email"), _text(row, "Name"), active=row.get("IsActive") is True)


# --- tasks ----------------------------------------------------------------------------------------------------

TASK_FIELDS = (
    "Id", "Subject", "Description", "Status", "IsClosed", "ActivityDate", "ReminderDateTime", "OwnerId", "WhoId", "IsDeleted",
    "CompletedDateTime", "CreatedDate", STAMP,
)  # fmt: skip


def task_fields(org: Org) -> tuple[str, ...]:
    """The fields to ask for."""
    hidden = org.hidden.get("Task", frozenset())
    return tuple(name for name in TASK_FIELDS if name not in hidden) + ((org.key_field,) if org.key_field else ())


def task_values(task: Task, org: Org) -> dict[str, Any]:
    """The fields that this task sets: only what it gives, and never its status.

    Salesforce keeps the day on which a task is due, for everybody the same; the time of day is that of its reminder.
    """
    values: dict[str, Any] = {
        "Subject": task.subject,
        "OwnerId": task.owner_id,
        "WhoId": task.contact_id,
        "Priority": None if task.high_priority is None else org.high if task.high_priority else org.normal,
    }
    if task.due_at is not None:
        values["ActivityDate"] = task.due_at.astimezone(org.zone).date().isoformat()
        values |= {"IsReminderSet": True, "ReminderDateTime": soql_time(task.due_at)}
    if task.body is not None:
        values["Description"] = task.body if org.key_field else body.mark(task.body, task.key)
    return {name: value for name, value in values.items() if value is not None}


def new_task(task: Task, org: Org) -> dict[str, Any]:
    """The record of a task that is to be made."""
    values: dict[str, Any] = {"attributes": {"type": "Task"}, **task_values(task, org)}
    if org.key_field:
        values[org.key_field] = task.key
    elif task.body is None:
        values["Description"] = body.mark("", task.key)
    if org.states_open:
        values["Status"] = org.open_status
    if org.call_type and task.kind is TaskKind.READY_FOR_CALL:
        values["Type"] = "Call"
    return values


def changed_task(task: Task, standing: Row, org: Org) -> dict[str, Any]:
    """The record that changes a task. Its status is set only where it has to change: "In Progress" is open too."""
    values = {**task_values(task, org), "attributes": {"type": "Task"}, "id": str(task.external_id)}
    closed = task.status is TaskStatus.COMPLETED
    if closed is not (standing.get("IsClosed") is True):
        values["Status"] = org.closed_status if closed else org.open_status
    if task.contact_id is None and task.former_contact_id and standing.get("WhoId") == task.former_contact_id:
        values["WhoId"] = None
    return values


def task_key(row: Row, org: Org) -> str | None:
    """Our key of a task, if it has one."""
    return _text(row, org.key_field) or None if org.key_field else body.unmark(_description(row))[1]


def task_state(row: Row, org: Org) -> TaskState | Gone:
    """A task as it stands in Salesforce."""
    if row.get("IsDeleted") is True:
        return Gone(str(row["Id"]))
    text = _description(row)
    closed = row.get("IsClosed") is True
    return TaskState(
        id=str(row["Id"]),
        key=task_key(row, org),
        status=TaskStatus.COMPLETED if closed else TaskStatus.OPEN,
        subject=_text(row, "Subject"),
        body=text if org.key_field else body.unmark(text)[0],
        due_at=body.due_on(day(row.get("ActivityDate")), instant(row.get("ReminderDateTime")), org.zone),
        owner_id=_text(row, "OwnerId") or None,
        updated_at=instant(row.get(STAMP)),
        completed_at=instant(row.get("CompletedDateTime")) if closed else None,
        url=org.url("Task", str(row["Id"])),
        sole=org.unique,
    )


def day(value: object) -> date | None:
    """A day as Salesforce writes it; None for anything else."""
    try:
        return date.fromisoformat(str(value or "")[:10])
    except ValueError:
        return None


def by_age(found: Sequence[Row], org: Org) -> dict[str, Row]:
    """These tasks by our key. Were there two under one, the older one is ours: the other was made by a repeat."""
    keys = [(str(row.get("CreatedDate") or ""), str(row["Id"]), row) for row in found]
    ordered = sorted(keys, key=lambda each: each[:2], reverse=True)
    return {key: row for _, _, row in ordered if (key := task_key(row, org))}


def _description(row: Row) -> str:
    value = row.get("Description")
    return value.replace("\r\n", "\n").rstrip() if isinstance(value, str) else ""


def at_noon(when: date, org: Org) -> datetime:
    """An instant on that day: of some records Salesforce knows no more."""
    return datetime(when.year, when.month, when.day, 12, tzinfo=org.zone)
