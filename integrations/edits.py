"""What a person has changed in a task of ours: it is theirs from then on, and nothing that we say later writes over it.

A task is held against everything of ours that may stand there: what we last wrote, and what was sent since without an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from integrations.records import PushOutcome, PushResult, Task, TaskState, TaskStatus

FIELDS = ("subject", "body", "due_at", "owner_id")  # what people change in a task, and every CRM tells
STATUS, COMPLETED_AT = "status", "completed_at"


def theirs(standing: TaskState, ours: Sequence[Mapping[str, Any]], fields: Sequence[str] = FIELDS) -> dict[str, Any]:
    """Those of a task's fields that differ from everything in `ours` (contents by the same names), as they stand, in the form of
    `plain`. A field that no content of ours holds is not compared."""
    found = {}
    for name in fields:
        written = [plain(each[name]) for each in ours if name in each]
        value = plain(getattr(standing, name))
        if written and value not in written:
            found[name] = value
    return found


def ticked_off(standing: TaskState, ours: Iterable[Mapping[str, Any]]) -> bool:
    """Whether this task was completed by a person, and not by a completion of ours whose answer was lost: that would have said who
    answered, so the body tells them apart. Where it doesn't, since somebody had worded it anew, say, this is not known, and False."""
    if standing.status is not TaskStatus.COMPLETED:
        return False
    body = plain(standing.body)
    same = [each for each in ours if body is not None and plain(each.get("body")) == body]
    return bool(same) and all(each.get(STATUS) != TaskStatus.COMPLETED for each in same)


class Spared:
    """What people had changed in the tasks of one push."""

    def __init__(self) -> None:
        self._found: dict[str, Mapping[str, Any]] = {}

    def change(self, task: Task, standing: TaskState) -> Task:
        """What is left to say of this task, as it stands there: nothing of what a person has changed."""
        self._found[task.key] = found = theirs(standing, task.ours, (*FIELDS, STATUS))
        nothing: dict[str, Any] = {name: None for name in found if name != STATUS}
        if ticked_off(standing, task.ours):
            found[STATUS] = TaskStatus.COMPLETED
        elif task.status is TaskStatus.COMPLETED:
            found.pop(STATUS, None)  # it may have been us
        if found.get(STATUS) == TaskStatus.COMPLETED:
            found[COMPLETED_AT] = standing.completed_at
        return replace(task, **nothing) if nothing else task

    def ended(self, task: Task) -> PushOutcome | None:
        """What came of this task if nothing is to be said of it any more: somebody has ticked it off, or has made theirs what was to
        be deleted."""
        found = self._found[task.key]
        if task.status is not TaskStatus.COMPLETED and found.get(STATUS) == TaskStatus.COMPLETED:
            return PushOutcome.COMPLETED
        return PushOutcome.UPDATED if task.status is TaskStatus.WITHDRAWN and found.keys() & set(FIELDS) else None

    def told(self, tasks: Iterable[Task], results: Mapping[str, PushResult]) -> list[PushResult]:
        """The results in the order of their tasks, each with what people had changed there."""
        found = []
        for task in tasks:
            result, fields = results[task.key], self._found.get(task.key)
            went_well = result.outcome in (PushOutcome.UPDATED, PushOutcome.COMPLETED)
            found.append(replace(result, theirs=fields) if fields and went_well else result)
        return found


def plain(value: Any) -> Any:
    """A value as it is compared: instants to the minute, since some CRMs keep no seconds, and texts without what a CRM's editor does to
    blank space."""
    if isinstance(value, datetime):
        aware = value.astimezone(UTC) if value.tzinfo else value
        return aware.replace(second=0, microsecond=0).isoformat()
    if isinstance(value, str):
        try:
            return plain(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            return "\n".join(line.rstrip() for line in value.strip().splitlines())
    return value
