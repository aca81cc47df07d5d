"""EspoCRM's calls about tasks, as `integrations.pushing` wants them: one by one, since EspoCRM makes no more with one call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from integrations import body
from integrations.crm.espocrm import fields
from integrations.crm.espocrm.api import API, IDS, MOST, Condition, DuplicateError, Row
from integrations.crm.espocrm.fields import CONTACT, TASK, Site
from integrations.errors import IntegrationError, InvalidRequestError, NotFoundError, PermissionDeniedError
from integrations.records import Task, TaskState, TaskStatus

_KEYS = 25  # keys in one question: it stands in the address
# EspoCRM's own words for a 403 that is about this very record (Core/Record/Service, .../Access/LinkCheck), and what it means; any other is
# about the role.
_ABOUT_ONE: Mapping[str, type[IntegrationError]] = {
    "non-existing record": NotFoundError,
    "assignment failure": InvalidRequestError,
    "link operation": InvalidRequestError,
}


class EspoDesk:
    """Implements `integrations.pushing.Desk`."""

    name = "EspoCRM"
    batch = 1
    reads = IDS
    seeks = 1000
    settle = timedelta(minutes=3)  # PHP's max_execution_time, as EspoCRM recommends it

    def __init__(self, api: API, site: Site) -> None:
        self._api = api
        self._site = site
        self._rows: dict[str, Row] = {}

    def read(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        """Those of these tasks that stand, by id; bare, where the role of the API user hides one."""
        found = self._api.read(TASK, ids, fields.task_attributes(self._site))
        self._rows |= {str(row["id"]): row for row in found}
        states = {str(row["id"]): fields.task_state(row, self._site) for row in found}
        hidden = [each for each in dict.fromkeys(ids) if each not in states and self._api.stands(TASK, each)]
        return {**states, **{each: TaskState(each, None, TaskStatus.OPEN, bare=True) for each in hidden}}

    def seek(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Tasks by the field that holds our key; without one, by the marker in the description. Were there two, the older one is ours."""
        found: list[Row] = []
        for start in range(0, len(tasks), _KEYS):
            found += self._with_keys([task.key for task in tasks[start : start + _KEYS]])
        wanted = {task.key for task in tasks}
        keyed = [(fields.task_key(row, self._site), row) for row in found]
        oldest = sorted(keyed, key=lambda each: (str(each[1].get("createdAt") or ""), str(each[1]["id"])), reverse=True)
        return {key: str(row["id"]) for key, row in oldest if key in wanted and key is not None}

    def _with_keys(self, keys: Sequence[str]) -> list[Row]:
        names = (*fields.task_attributes(self._site), "createdAt")
        field = self._site.key_field
        asked: Condition = (
            ("in", field, list(keys))
            if field
            else ("or", "", [("contains", "description", body.reference(key)) for key in keys])
        )
        return self._api.page(TASK, names, [asked], "createdAt", MOST)

    def alive(self, contact_ids: Collection[str]) -> Collection[str]:
        """Those of these contacts and leads that are there."""
        found: set[str] = set()
        by_kind: dict[str, list[str]] = {}
        for kind, record_id in map(fields.person, sorted(contact_ids)):
            by_kind.setdefault(kind, []).append(record_id)
        for kind, ids in by_kind.items():
            found |= {fields.person_id(kind, str(row["id"])) for row in self._api.read(kind, ids, ("id",))}
        return found

    def assignable(self, owner_ids: Collection[str]) -> Collection[str]:
        """Those of these users who are active."""
        rows = self._api.read("User", sorted(owner_ids), fields.OWNER_ATTRIBUTES)
        return {owner.id for owner in map(fields.owner, rows) if owner.active}

    def create(self, tasks: Sequence[Task]) -> Sequence[str]:
        """Makes one task. Where an administrator has EspoCRM look for duplicates, a task with our key among them is this one."""
        [task] = tasks
        values = fields.new_task_values(task, self._site)
        try:
            return [str(self._api.create_once(TASK, values)["id"])]
        except DuplicateError as error:
            same = [row for row in error.rows if fields.task_key(row, self._site) == task.key and row.get("id")]
            return [str(same[0]["id"] if same else self._api.create(TASK, values)["id"])]
        except PermissionDeniedError as error:
            raise _about_one(error) from None

    def update(self, task: Task, standing: TaskState) -> Callable[[], None]:
        """What changes what the task gives, its status where it is another, and whom it is about."""
        values: dict[str, Any] = fields.task_values(task, self._site)
        if task.status is not standing.status:  # so that "started" is not set back to "not started"
            values["status"] = self._site.completed if task.status is TaskStatus.COMPLETED else self._site.open
        if task.former_contact_id and not task.contact_id and self._is_about(standing.id, task.former_contact_id):
            values |= {"parentType": None, "parentId": None}
        return lambda: self._update(standing.id, values)

    def _update(self, task_id: str, values: Mapping[str, Any]) -> None:
        if not values:
            return
        try:
            self._api.update(TASK, task_id, values)
        except PermissionDeniedError as error:
            raise _about_one(error) from None

    def _is_about(self, task_id: str, contact_id: str) -> bool:
        row = self._rows.get(task_id, {})
        return (str(row.get("parentType") or CONTACT), str(row.get("parentId"))) == fields.person(contact_id)

    def withdraw(self, task: Task) -> None:
        """Deletes it."""
        self._api.delete(TASK, str(task.external_id))

    def url(self, task_id: str) -> str:
        """Where a person sees it."""
        return self._site.url(TASK, task_id)


def _about_one(error: PermissionDeniedError) -> IntegrationError:
    says = str(error).lower()
    means = next((kind for words, kind in _ABOUT_ONE.items() if words in says), None)
    return error if means is None else means(str(error))
