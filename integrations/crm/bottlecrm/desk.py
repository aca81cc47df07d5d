"""BottleCRM's calls about tasks, as `integrations.pushing` wants them: one by one, since BottleCRM makes no more with one call.

It does not say which task it has made, and an error may come after the work is done. So each new task is looked for under its key: in
the field that holds it, and where there is none, or somebody has switched it off (BottleCRM then drops the key without a word), in the
last line of the text of the tasks that were made since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.crm.bottlecrm import fields
from integrations.crm.bottlecrm.api import API, PAGE, Row, is_id
from integrations.crm.bottlecrm.fields import Site
from integrations.crm.bottlecrm.listing import Place, read
from integrations.errors import (
    AmbiguousWriteError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from integrations.records import Task, TaskState, TaskStatus

_SLACK = timedelta(days=1)  # further back than the lost create: BottleCRM is asked by its organization's days
_NOT_ACTIVE = "Who should do it has no active account in BottleCRM any more, so the task was left as it is."


class BottleDesk:
    """Implements `integrations.pushing.Desk`."""

    name = "BottleCRM"
    batch = 1
    reads = 1
    seeks = 50  # each with calls of its own
    settle = timedelta(seconds=60)  # gunicorn, which serves BottleCRM, ends a request after 30

    def __init__(self, api: API, site: Site, now: datetime) -> None:
        self._api = api
        self._site = site
        self._now = now
        self._rows: dict[str, Row] = {}
        self._keys: dict[str, str | None] = {}
        self._users: set[str] | None = None

    def read(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        """Those of these tasks that stand, by id: one call each. Bare, where one is not for the member whose token this is."""
        found = {}
        for each in dict.fromkeys(ids):
            try:
                row = self._row(each)
            except PermissionDeniedError as error:
                if error.scope:
                    raise
                found[each] = TaskState(each, None, TaskStatus.OPEN, bare=True)
                continue
            if row:
                self._rows[each] = row
                found[each] = fields.task_state(row, self._site)
        return found

    def _row(self, task_id: str) -> Row | None:
        try:
            return self._api.task(task_id) if is_id(task_id) else None
        except NotFoundError:
            return None

    # --- finding --------------------------------------------------------------------------------------------------

    def seek(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Those that were perhaps sent before. (A call each is too dear for the others.)"""
        return self._find([task for task in tasks if task.maybe_sent_at])

    def _find(self, tasks: Sequence[Task]) -> dict[str, str]:
        """The ids of those of these tasks that are there, by key: by the field, by their titles, and last among all that were made since.
        Were there two with one key, the older one is ours."""
        found: dict[str, str] = {}
        for way in (self._by_field, self._by_title):
            missing = [task for task in tasks if task.key not in found]
            found |= {task.key: task_id for task in missing if (task_id := way(task))}
        missing = [task for task in tasks if task.key not in found]
        if missing:
            by_key = self._by_text({"created_at__gte": min(map(self._day, missing))})
            found |= {task.key: by_key[task.key] for task in missing if task.key in by_key}
        return found

    def _by_field(self, task: Task) -> str | None:
        if not self._site.key_field:
            return None
        rows = self._api.tasks(0, PAGE, **{f"cf_{fields.KEY}": task.key})
        return str(min(rows, key=fields.created)["id"]) if rows else None

    def _by_title(self, task: Task) -> str | None:
        asked = {"title": task.subject, "created_at__gte": self._day(task)}
        return self._by_text(asked).get(task.key) if task.subject else None

    def _by_text(self, filters: Mapping[str, Any]) -> dict[str, str]:
        """The ids of the tasks that a list shows, by the key in their text. Each is read whole, once."""

        def ask(offset: int) -> list[Row]:
            return self._api.tasks(offset, PAGE, **filters)

        rows = {str(row["id"]): row for row in _all(ask)}
        found: dict[str, str] = {}
        for task_id in sorted(rows, key=lambda each: fields.created(rows[each])):
            if task_id not in self._keys:
                whole = self._row(task_id)
                self._keys[task_id] = fields.task_key(whole) if whole else None
            if key := self._keys[task_id]:
                found.setdefault(key, task_id)
        return found

    def _day(self, task: Task) -> str:
        return ((task.maybe_sent_at or self._now) - _SLACK).astimezone(self._site.zone).date().isoformat()

    def alive(self, contact_ids: Collection[str]) -> Collection[str]:
        """Those of these contacts that are there: a call each, since BottleCRM drops an id that it does not know without a word."""
        return {each for each in sorted(contact_ids) if is_id(each) and self._has_contact(each)}

    def _has_contact(self, contact_id: str) -> bool:
        try:
            self._api.contact(contact_id)
        except NotFoundError:
            return False
        return True

    def assignable(self, owner_ids: Collection[str]) -> Collection[str]:
        """Those of these who are active: the others, too, are dropped without a word."""
        if self._users is None:
            self._users = {each.id for each in map(fields.owner, self._api.active_users()) if each.active}
        return self._users & set(owner_ids)

    # --- writing --------------------------------------------------------------------------------------------------

    def create(self, tasks: Sequence[Task]) -> Sequence[str]:
        """Makes one task, and looks for it. Raises AmbiguousWriteError where it is not to be found yet."""
        [task] = tasks
        self._api.create_task(fields.new_task_values(task, self._site))
        try:
            return [self._find([task])[task.key]]
        except (IntegrationError, KeyError) as error:
            # It was made, and whatever this is says nothing against it: it is looked for again.
            raise AmbiguousWriteError(
                f"BottleCRM made the task and does not show it yet ({type(error).__name__})"
            ) from None

    def update(self, task: Task, standing: TaskState) -> Callable[[], None]:
        """What changes what the task gives, its status where it is another, and whom it is about."""
        if task.owner_id and task.owner_id != standing.owner_id and not self.assignable([task.owner_id]):
            raise InvalidRequestError(_NOT_ACTIVE)
        values: dict[str, Any] = fields.task_values(task, self._site, standing)
        if task.status is not standing.status:  # so that "in progress" is not set back to "new"
            values["status"] = fields.DONE if task.status is TaskStatus.COMPLETED else fields.NEW
        about = fields.contacts_of(self._rows.get(standing.id, {}))
        wanted = tuple(
            dict.fromkeys(
                (*(each for each in about if each != task.former_contact_id), *filter(None, [task.contact_id]))
            )
        )
        if wanted != about:
            values["contacts"] = list(wanted)
        return lambda: self._api.update_task(standing.id, values) if values else None

    def withdraw(self, task: Task) -> None:
        """Deletes it."""
        self._api.delete_task(str(task.external_id))

    def url(self, task_id: str) -> str:
        """Where a person sees it."""
        return self._site.url("tasks", task_id)


def _all(ask: Callable[[int], Sequence[Row]]) -> Iterator[Row]:
    for rows, _ in read(ask, lambda row: str(row["id"]), PAGE, Place()):
        yield from rows


def real_now() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)
