"""Pipedrive's persons, users and activities, and our records, both ways. Pure, and tables before branches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from integrations import body
from integrations.crm.pipedrive.api import Row, number
from integrations.foreign import objects
from integrations.handle_names import chosen
from integrations.records import (
    Activity,
    ActivityKind,
    Contact,
    Gone,
    Handle,
    Owner,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
)

_MARK = body.reference("").strip()


@dataclass(frozen=True, slots=True)
class Company:
    """What a connection knows about its company account."""

    base: str  # where people open Pipedrive, without a slash at the end
    types: Mapping[str, ActivityKind] = field(default_factory=dict)  # activity type -> what it is for us
    task_type: str = "task"
    call_type: str = "call"
    high: int | None = None  # the id of the priority "High"
    handles: tuple[tuple[str, str | None], ...] = ()  # person field -> network
    do_not_call: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # person field -> values that say so; (): any
    marketing: bool = False  # persons have a marketing status

    @property
    def custom(self) -> tuple[str, ...]:
        """The custom fields to ask for. A list takes at most fifteen."""
        return tuple(dict.fromkeys((*(name for name, _ in self.handles), *self.do_not_call)))[:15]

    def person_url(self, person_id: str) -> str:
        """The page of a person."""
        return f"{self.base}/person/{person_id}"

    def task_url(self, task_id: str) -> str:
        """The list of activities with this one open: an activity has no page of its own."""
        return f"{self.base}/activities/list#dialog/activity/{task_id}"


def company(options: Mapping[str, Any], base: str) -> Company:
    """The account that these options describe; sound guesses before `prepare` has run."""
    types = options.get("types") or {"call": "call", "meeting": "meeting", "lunch": "meeting", "email": "email"}
    forbidding = options.get("do_not_call_fields") or {}
    return Company(
        base=base,
        types={str(name): ActivityKind(kind) for name, kind in types.items() if kind in set(ActivityKind)},
        task_type=str(options.get("task_type") or "task"),
        call_type=str(options.get("call_type") or "call"),
        high=options.get("high_priority"),
        handles=chosen(options),
        do_not_call={str(name): tuple(map(str, values)) for name, values in forbidding.items()},
        marketing=bool(options.get("marketing")),
    )


# --- values -----------------------------------------------------------------------------------------------------


def instant(value: object) -> datetime | None:
    """An instant as the second version writes it (2026-11-25T12:00:00Z), in UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(str(value or ""))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter where the time zone leads out of the calendar
        return None


def seconds(row: Row) -> int | None:
    """When a row was last changed, in seconds since 1970."""
    found = instant(row.get("update_time"))
    return None if found is None else int(found.timestamp())


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _id(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value else ""


def _values(row: Row, name: str) -> tuple[str, ...]:
    """E-mail addresses or phone numbers, the primary one first."""
    found = [each for each in row.get(name) or () if isinstance(each, dict) and _text(each.get("value"))]
    return tuple(
        dict.fromkeys(_text(each["value"]) for each in sorted(found, key=lambda e: e.get("primary") is not True))
    )


# --- persons and users ------------------------------------------------------------------------------------------


def person(row: Row, here: Company, organizations: Mapping[str, Row]) -> Contact | Gone:
    """A person; `Gone` for one that is marked as deleted. `organizations` by id."""
    if row.get("is_deleted") is True:
        return Gone(str(row["id"]))
    custom = row.get("custom_fields")
    custom = custom if isinstance(custom, dict) else {}
    address = row.get("postal_address")
    address = address if isinstance(address, dict) else {}
    organization = organizations.get(_id(row.get("org_id")), {})
    handles = ((network, _text(custom.get(name)).removeprefix("@")) for name, network in here.handles)
    return Contact(
        id=str(row["id"]),
        name=_text(row.get("name")),
        first_name=_text(row.get("first_name")),
        last_name=_text(row.get("last_name")),
        emails=_values(row, "emails"),
        phones=_values(row, "phones"),
        company=_text(organization.get("name")),
        website=_text(organization.get("website")),
        title=_text(row.get("job_title")),
        city=_text(address.get("locality")),
        region=_text(address.get("admin_area_level_1")),
        country=_text(address.get("country")),
        owner_id=_id(row.get("owner_id")) or None,
        handles=tuple(dict.fromkeys(Handle(network, value) for network, value in handles if value)),
        do_not_call=any(_forbids(custom.get(name), values) for name, values in here.do_not_call.items()),
        unsubscribed=row.get("marketing_status") == "unsubscribed",
        url=here.person_url(str(row["id"])),
        updated_at=instant(row.get("update_time")),
    )


def _forbids(value: object, values: Sequence[str]) -> bool:
    """Whether a field that speaks of calls forbids them: by one of these options, or by any text where there are none."""
    found = value if isinstance(value, list) else [value]
    said = {_text(each) or _id(each) for each in found} - {""}
    return bool(said & set(values)) if values else bool(said)


def user(row: Row) -> Owner:
    """A user. One who was deactivated can be given nothing any more."""
    active = row.get("active_flag") is True and row.get("is_deleted") is not True
    return Owner(str(row["id"]), _text(row.get("email")), _text(row.get("name")), active=active)


# --- activities -------------------------------------------------------------------------------------------------


def activity(row: Row, here: Company) -> Activity | Gone | None:
    """A call or e-mail that is done, or a meeting. None for what is neither, or is ours, or says not when it is; `Gone` for what is
    deleted, and for a call that is planned: it says when to call, and no change shows when that passes."""
    kind = here.types.get(_text(row.get("type")))
    if kind is None or key_of(row):
        return None
    if row.get("is_deleted") is True or (kind is not ActivityKind.MEETING and row.get("done") is not True):
        return Gone(str(row["id"]))
    at = _happened(row)
    if at is None:
        return None
    lasts = _duration(row.get("duration"))
    return Activity(
        id=str(row["id"]),
        kind=kind,
        at=at,
        ends_at=at + lasts if lasts else None,
        contact_ids=_people(row),
        owner_id=_id(row.get("owner_id")) or None,
        updated_at=instant(row.get("update_time")),
    )


def _happened(row: Row) -> datetime | None:
    """When it is or was: at its time; on a day without a time when it was ticked off that day, else at noon."""
    day, clock = _day(row.get("due_date")), _clock(row.get("due_time"))
    done = instant(row.get("marked_as_done_time"))
    if day and clock:
        return datetime.combine(day, clock, UTC)
    if day and (done is None or done.date() != day):
        return datetime.combine(day, time(12), UTC)
    return done or instant(row.get("add_time"))


def _people(row: Row) -> tuple[str, ...]:
    found = objects(row.get("participants"))
    ids = [_id(each.get("person_id")) for each in sorted(found, key=lambda e: e.get("primary") is not True)]
    return tuple(dict.fromkeys(filter(None, [*ids, _id(row.get("person_id"))])))


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value or "")[:10])
    except ValueError:
        return None


def _clock(value: object) -> time | None:
    """A time of day, in UTC: 10:00 or 10:00:00."""
    text = _text(value)
    try:
        return time.fromisoformat(text).replace(tzinfo=None) if text else None
    except ValueError:
        return None


def _duration(value: object) -> timedelta | None:
    match = re.fullmatch(r"(\d{1,3}):(\d\d)(?::\d\d)?", _text(value))
    return timedelta(hours=int(match[1]), minutes=int(match[2])) if match else None


# --- tasks ------------------------------------------------------------------------------------------------------


def task_values(task: Task, here: Company) -> dict[str, Any]:
    """The fields that this task sets, but its owner and people, which are ids: only what it gives."""
    values: dict[str, Any] = {"subject": task.subject}
    if task.due_at is not None:
        due = task.due_at.astimezone(UTC)
        values |= {"due_date": due.date().isoformat(), "due_time": due.strftime("%H:%M:%S")}
    if task.body is not None:
        values["note"] = body.to_html(body.mark(task.body, task.key))
    if task.high_priority and here.high is not None:
        values["priority"] = here.high
    return {name: value for name, value in values.items() if value is not None}


def new_task(task: Task, here: Company) -> dict[str, Any]:
    """As `task_values`, for a task that is to be made."""
    note = body.to_html(body.mark(task.body or "", task.key))
    kind = here.call_type if task.kind is TaskKind.READY_FOR_CALL else here.task_type
    return {**task_values(task, here), "note": note, "type": kind, "done": False}


def participants(task: Task, row: Row) -> list[dict[str, Any]] | None:
    """The people of a task after this change, or None where they stay. Whoever else a person has added stays. Raises InvalidRequestError
    for a contact that cannot be Pipedrive's."""
    before = [each for each in _people(row) if each != task.former_contact_id]
    wanted = task.contact_id or (before[0] if before else None)
    after = list(dict.fromkeys([*([wanted] if wanted else []), *before]))
    if after == list(_people(row)):
        return None
    return [{"person_id": number(each, "The contact"), "primary": each == wanted} for each in after]


def key_of(row: Row) -> str | None:
    """Our key of an activity, if it has one: the last line of its note."""
    return body.unmark(body.to_text(row["note"]))[1] if may_be_ours(row) else None


def may_be_ours(row: Row) -> bool:
    """Whether a note speaks of our key at all. Most are somebody else's, and taking HTML apart takes its time."""
    note = row.get("note")
    return isinstance(note, str) and _MARK in note


def task_state(row: Row, here: Company) -> TaskState | Gone:
    """A task as it stands in Pipedrive."""
    if row.get("is_deleted") is True:
        return Gone(str(row["id"]))
    note = row.get("note")
    text, key = body.unmark(body.to_text(note) if isinstance(note, str) else "")
    day, clock, done = _day(row.get("due_date")), _clock(row.get("due_time")), row.get("done") is True
    return TaskState(
        id=str(row["id"]),
        key=key,
        status=TaskStatus.COMPLETED if done else TaskStatus.OPEN,
        subject=_text(row.get("subject")),
        body=text,
        due_at=datetime.combine(day, clock or time(), UTC) if day else None,
        owner_id=_id(row.get("owner_id")) or None,
        updated_at=instant(row.get("update_time")),
        completed_at=instant(row.get("marked_as_done_time")) if done else None,
        url=here.task_url(str(row["id"])),
    )
