"""Pipedrive's calls about tasks, as `integrations.pushing` wants them. It takes tasks one by one, and has no place for our key but the
last line of a task's note."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any

from integrations.crm.pipedrive import fields
from integrations.crm.pipedrive.api import ACTIVITIES, ACTIVITY, API, IDS, PERSONS, Row, number, readable
from integrations.crm.pipedrive.fields import Company
from integrations.errors import InvalidRequestError, NotFoundError, UnexpectedResponseError
from integrations.records import Gone, Task, TaskState, TaskStatus

SLACK = timedelta(days=1)  # further back than the lost create, since Pipedrive's clock and ours need not agree


class Desk:
    """See `integrations.pushing.Desk`."""

    name = "Pipedrive"
    batch = 1
    reads = IDS
    seeks = 1000  # all of them are sought by the same lists
    settle = timedelta(minutes=2)  # longer than we wait for an answer, and than a create lasts

    def __init__(self, api: API, company: Company) -> None:
        self._api = api
        self._company = company
        self._rows: dict[str, Row] = {}  # as they were read: whom a task is about is no part of a `TaskState`

    def read(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        rows = {str(row["id"]): row for row in self._api.by_id(ACTIVITIES, ids)}
        self._rows |= rows
        states = {each: fields.task_state(row, self._company) for each, row in rows.items()}
        return {each: state for each, state in states.items() if isinstance(state, TaskState)}

    def seek(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        # Only what was perhaps sent can stand there: each create is noted as such before it goes out.
        lost = {task.key: task.maybe_sent_at for task in tasks if task.maybe_sent_at}
        if not lost:
            return {}
        since = min(lost.values()) - SLACK
        params = {"updated_since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "sort_by": "add_time"}
        found: dict[str, str] = {}
        for row in readable(self._api.every(ACTIVITIES, **params)):
            key = fields.key_of(row)
            if key in lost and row.get("is_deleted") is not True:
                found.setdefault(key, str(row["id"]))  # were there two, the older one is ours
        return found

    def alive(self, contact_ids: Collection[str]) -> Collection[str]:
        rows = self._api.by_id(PERSONS, sorted(contact_ids))
        return {str(row["id"]) for row in rows if row.get("is_deleted") is not True}

    def assignable(self, owner_ids: Collection[str]) -> Collection[str]:
        # All users are one call of twenty tokens, and who was deactivated is known from their stream: Pipedrive itself refuses the rest.
        return owner_ids

    def create(self, tasks: Sequence[Task]) -> Sequence[str]:
        [task] = tasks
        values = {**fields.new_task(task, self._company), **self._ids(task)}
        if task.contact_id:
            values["participants"] = [{"person_id": number(task.contact_id, "The contact"), "primary": True}]
        return [_made(self._api.call("POST", ACTIVITIES, body=values, write=True))]

    def update(self, task: Task, standing: TaskState) -> Callable[[], None]:
        values = {**fields.task_values(task, self._company), **self._ids(task)}
        if task.status is not standing.status:
            values["done"] = task.status is TaskStatus.COMPLETED
        people = fields.participants(task, self._rows[standing.id])
        return lambda: self._patch(standing.id, values, people)

    def withdraw(self, task: Task) -> None:
        try:
            self._api.call("DELETE", ACTIVITY, id=int(str(task.external_id)))
        except NotFoundError:
            return

    def url(self, task_id: str) -> str:
        return self._company.task_url(task_id)

    def _ids(self, task: Task) -> dict[str, Any]:
        return {"owner_id": number(task.owner_id, "The owner")} if task.owner_id else {}

    def _patch(self, task_id: str, values: Row, people: Sequence[Row] | None) -> None:
        body = values if people is None else {**values, "participants": people}
        try:
            if body:
                self._api.call("PATCH", ACTIVITY, id=int(task_id), body=body)
        except InvalidRequestError as error:
            if people is None:
                raise
            # One of them may be gone. If that was not why, what is left of the change is refused once more.
            raise NotFoundError(str(error)) from error


def read_tasks(api: API, company: Company, ids: Sequence[str]) -> list[TaskState | Gone]:
    """These tasks as they stand; `Gone` for one that was deleted, or never was."""
    standing = Desk(api, company).read(ids)
    return [standing.get(each, Gone(each)) for each in ids]


def _made(answer: Row) -> str:
    data = answer.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("id"), int):
        raise UnexpectedResponseError("Pipedrive made a task and did not say which")
    return str(data["id"])
