"""What is said to a CRM of a task: all of it where it is new, and else what differs from what was written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from integrations import edits
from integrations.records import Task, TaskKind, TaskStatus
from service.store.tasks import TaskRow
from workers.settling import said


def as_task(row: TaskRow) -> Task | None:
    """What to say of this task; None when there is nothing to say."""
    if row.external_id is None:
        return _new(row) if not row.only_sought else _end_of_lost(row)
    status = TaskStatus(row.wanted)
    if status is TaskStatus.WITHDRAWN and row.edited:
        return None  # somebody made it theirs: it is left to them
    changed = _changes(row)
    if status is TaskStatus.WITHDRAWN:
        # CRMs keep what was deleted where it can be brought back for months, so words that are to be erased go from it first; once
        # they have, it is due again at once.
        if row.erased_at is not None and changed:
            return Task(row.key, TaskKind(row.kind), TaskStatus.OPEN, external_id=row.external_id, **changed)
        return Task(row.key, TaskKind(row.kind), status, external_id=row.external_id, ours=_ours(row))
    if status.value == row.state and not changed:
        return None
    return Task(row.key, TaskKind(row.kind), status, external_id=row.external_id, ours=_ours(row), **changed)


def _ours(row: TaskRow) -> tuple[dict[str, Any], ...]:
    """All that may stand there of ours. What is erased is written over, whoever changed it."""
    return ({**row.written, edits.STATUS: row.state}, *row.sent) if row.erased_at is None else ()


def _new(row: TaskRow) -> Task | None:
    if row.wanted != "open" and row.is_new:
        return None
    # One whose answer was lost is sought, and made if need be, as it was: only then can it be closed. One that is new was so when it
    # was read: that it is sent now was noted after that.
    return Task(
        row.key, TaskKind(row.kind), TaskStatus.OPEN, maybe_sent_at=None if row.is_new else row.maybe_sent_at,
        **_fields(said(row)),
    )  # fmt: skip


def _changes(row: TaskRow) -> dict[str, Any]:
    perhaps = (row.written, *row.sent)  # a change whose answer was lost may stand there
    differing = {
        name: value
        for name, value in row.content.items()
        if name not in row.edited and any(each.get(name) != value for each in perhaps)
    }
    return {**_fields(differing), **_former_contact(row)}


def _former_contact(row: TaskRow) -> dict[str, str]:
    """Whom it was about when it was last written, if it is about them no more: no CRM forgets them by itself."""
    before = row.written.get("contact_native_id")
    return {"former_contact_id": before} if before and before != row.content.get("contact_native_id") else {}


def _fields(content: dict[str, Any]) -> dict[str, Any]:
    names = {"contact_native_id": "contact_id"}
    values = {names.get(name, name): value for name, value in content.items()}
    if values.get("due_at"):
        values["due_at"] = datetime.fromisoformat(values["due_at"])
    return values


def _end_of_lost(row: TaskRow) -> Task:
    """The end of one whose create was never answered, for a CRM in which it must not be made: where it stands all the same, that is
    held against what was sent. One that was erased is written over and done, whoever changed it; if it is to go, it does so next."""
    if row.erased_at is not None:
        return Task(row.key, TaskKind(row.kind), TaskStatus.COMPLETED, maybe_sent_at=row.maybe_sent_at, **_changes(row))
    ours = tuple({**each, edits.STATUS: TaskStatus.OPEN.value} for each in row.sent)
    return Task(row.key, TaskKind(row.kind), TaskStatus(row.wanted), maybe_sent_at=row.maybe_sent_at, ours=ours)
