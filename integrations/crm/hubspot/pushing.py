"""Writing tasks so that a repeat is harmless.

1. What was perhaps sent before is sought under its key: by the unique property; else among the contact's tasks and, once
   search has had time to show it, by search. Until then the task stays UNKNOWN and nothing is sent.
2. Withdrawals, completions and edits go out first: they make room.
3. Creates go out in batches of 100, with the contact and our key. HubSpot's upsert takes no associations, so creating and
   linking would be two calls with a gap between them; instead, where the key is unique, HubSpot itself refuses a second
   task with it, and the one that is there is FOUND.

Which row of a batch failed is told by `objectWriteTraceId`, which is our key. A lost answer leaves its batch UNKNOWN.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from integrations.batching import Stint, changes, put_off
from integrations.crm.hubspot import fields, refusals, seeking
from integrations.crm.hubspot.api import API, BATCH, Row, chunks, message, results
from integrations.crm.hubspot.fields import Portal
from integrations.edits import Spared
from integrations.errors import (
    AmbiguousWriteError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    UnexpectedResponseError,
)
from integrations.pushing import as_they_stand, unfinished
from integrations.records import PushOutcome, PushResult, Task, TaskState, TaskStatus

SETTLE = timedelta(seconds=30)  # after a lost answer: search shows a new task within seconds, mostly

_ENDED = {TaskStatus.COMPLETED: PushOutcome.COMPLETED, TaskStatus.WITHDRAWN: PushOutcome.WITHDRAWN}
_NO_REASON = "HubSpot refused it and gave no reason."
_NO_CONTACT = "The contact is no longer in HubSpot, so the task was not made."


class Push:
    """One run over some tasks. `clock` is real time."""

    def __init__(self, api: API, portal: Portal, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._portal = portal
        self._clock = clock
        self._results: dict[str, PushResult] = {}
        self._stint = Stint(clock)
        self._spared = Spared()
        self._tried: set[str] = set()  # keys of which a create was answered

    def run(self, tasks: Sequence[Task]) -> list[PushResult]:
        """One result per task. Raises what concerns the whole connection, if nothing was sent before."""
        try:
            self._all(tasks)
        except IntegrationError as error:
            if not self._stint.written:
                raise
            for task in tasks:
                self._results.setdefault(
                    task.key, unfinished(task, f"the call before it failed: {error}", tried=task.key in self._tried)
                )
        for task in tasks:
            self._results.setdefault(task.key, put_off(task, "HubSpot", tried=task.key in self._tried))
        return self._spared.told(tasks, self._results)

    def _all(self, tasks: Sequence[Task]) -> None:
        known = [task for task in tasks if task.external_id is not None]
        fresh = [task for task in tasks if task.external_id is None]
        sought = BATCH if self._portal.unique else None  # at a time: then one call tells of so many
        for some in self._stint.parts([task for task in fresh if task.status is not TaskStatus.OPEN], sought):
            known += self._standing(some)
        self._change(known)
        for some in self._stint.parts([task for task in fresh if task.status is TaskStatus.OPEN], sought):
            self._create(self._missing(some))

    def _standing(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of these, which are to end and have no external id, that stand there after all."""
        sought = self._seek([task for task in tasks if task.maybe_sent_at])
        for task in tasks:
            if task.key not in sought and task.key not in self._results:
                self._say(task, _ENDED[task.status], detail="It never stood in HubSpot.")
        return [replace(task, external_id=sought[task.key]) for task in tasks if task.key in sought]

    def _missing(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of these that are to be made."""
        sought = self._seek([task for task in tasks if task.maybe_sent_at])
        for task in tasks:
            if task.key in sought:
                self._say(task, PushOutcome.FOUND, sought[task.key])
                self._stint.written = True  # it got somewhere
        return [task for task in tasks if task.key not in self._results]

    def _say(
        self, task: Task, outcome: PushOutcome, task_id: str | None = None, detail: str = "", *, sent: bool = False
    ) -> None:
        task_id = task_id or task.external_id
        url = self._portal.url(fields.TASK, task_id) if task_id else ""
        self._results[task.key] = PushResult(task.key, outcome, task_id, url, detail, sent)

    def _seek(self, tasks: Sequence[Task]) -> dict[str, str]:
        """The ids of those of these tasks that stand in HubSpot, by key. What cannot be told yet becomes UNKNOWN, what was
        made and deleted since becomes GONE."""
        if not tasks:
            return {}
        if self._portal.unique:
            return self._seek_unique(tasks)
        found = seeking.among_contacts(self._api, self._portal, tasks)
        missing = [task for task in tasks if task.key not in found]
        for task in missing:
            self._wait_a_while(task)
        settled = [task for task in missing if task.key not in self._results]
        if not settled:
            return found
        return found | seeking.by_search(self._api, self._portal, settled, lambda: self._clock().timestamp())

    def _wait_a_while(self, task: Task) -> None:
        if self._clock() - seeking.sent_at(task) < SETTLE:
            self._say(task, PushOutcome.UNKNOWN, detail="Whether HubSpot has made it cannot be told yet.")

    def _seek_unique(self, tasks: Sequence[Task]) -> dict[str, str]:
        found = seeking.by_property(self._api, self._portal, [task.key for task in tasks])
        missing = [task for task in tasks if task.key not in found]
        deleted = seeking.by_property(self._api, self._portal, [task.key for task in missing], archived=True)
        for task in missing:
            if task.key in deleted:
                self._say(task, PushOutcome.GONE, deleted[task.key])
            elif task.maybe_sent_at and task.status is not TaskStatus.OPEN:
                self._wait_a_while(task)  # it may still be on its way; a create would be refused, an end would miss it
        return found

    # --- changing what stands -------------------------------------------------------------------------------------

    def _change(self, tasks: Sequence[Task]) -> None:
        """Withdraws, completes and updates tasks with an external id. All of these may be repeated."""
        for group in changes(tasks, BATCH):
            if self._stint.over:
                return
            self._relate([task for task in group if task.status is not TaskStatus.WITHDRAWN])
            self._change_some(group)

    def _change_some(self, tasks: Sequence[Task]) -> None:
        standing = as_they_stand(lambda: self._read(tasks))
        for task in tasks:
            if _id(task) not in standing:
                self._say(task, PushOutcome.GONE)
        here = [self._spared.change(task, standing[_id(task)]) for task in tasks if task.key not in self._results]
        here = [task for task in here if not self._left_to_them(task)]
        self._archive([task for task in here if task.status is TaskStatus.WITHDRAWN])
        self._update([task for task in here if task.status is not TaskStatus.WITHDRAWN], standing)

    def _read(self, tasks: Sequence[Task]) -> dict[str, TaskState]:
        """Those of these tasks that stand, by id."""
        read = self._api.read("tasks", [_id(task) for task in tasks], fields.task_properties(self._portal))
        return {str(row["id"]): fields.task_state(row, self._portal) for row in read if not row.get("archived")}

    def _relate(self, tasks: Sequence[Task]) -> None:
        """To contacts: an author may be known only after the task was made, or turn out to be somebody else. First, since a repeat does no
        harm and a loss would not show."""
        formerly = [(_id(task), task.former_contact_id) for task in tasks if task.former_contact_id]
        whose = [(_id(task), task.contact_id) for task in tasks if task.contact_id]
        with suppress(InvalidRequestError, NotFoundError):  # the contact is gone: the rest of the change still counts
            self._api.dissociate("tasks", "contacts", formerly)
        with suppress(InvalidRequestError, NotFoundError):
            self._api.associate("tasks", "contacts", whose, fields.TASK_TO_CONTACT)

    def _left_to_them(self, task: Task) -> bool:
        if outcome := self._spared.ended(task):
            self._say(task, outcome)
        return outcome is not None

    def _archive(self, group: Sequence[Task]) -> None:
        if not group:
            return
        self._api.batch("tasks", "archive", [{"id": _id(task)} for task in group], write=False)
        self._stint.written = True
        for task in group:
            self._say(task, PushOutcome.WITHDRAWN)

    def _update(self, tasks: Sequence[Task], standing: dict[str, TaskState]) -> None:
        if not tasks:
            return
        inputs = [
            {"id": _id(task), "properties": self._changed(task, standing[_id(task)]), "objectWriteTraceId": task.key}
            for task in tasks
        ]
        try:
            answer = self._api.batch("tasks", "update", inputs, write=False)
        except (InvalidRequestError, NotFoundError) as error:
            self._stint.written = True
            self._refused_whole(tasks, error)
            return
        self._stint.written = True
        done = {str(row["id"]) for row in results(answer)}
        refused = refusals.by_key(answer, tasks)
        for task in tasks:
            if _id(task) in done:
                self._say(task, _ENDED.get(task.status, PushOutcome.UPDATED))
            elif task.key in refused:
                self._gone_or_refused(task, refused[task.key])
            else:
                self._say(task, PushOutcome.LATER, detail="HubSpot said nothing about it.")

    def _changed(self, task: Task, standing: TaskState) -> dict[str, str]:
        values = fields.task_values(task, self._portal)
        if task.status is not standing.status:  # so that "in progress" is not set back to "not started"
            values["hs_task_status"] = fields.DONE if task.status is TaskStatus.COMPLETED else fields.OPEN
        return values

    # --- making new ones ------------------------------------------------------------------------------------------

    def _create(self, tasks: Sequence[Task]) -> None:
        queue = deque(chunks(tasks))
        while queue and not self._stint.over:
            group = queue.popleft()
            try:
                answer = self._api.batch("tasks", "create", [self._input(task) for task in group], write=True)
                made = self._keyed_by_trace(results(answer))
            except (AmbiguousWriteError, UnexpectedResponseError) as error:
                self._stint.written = True
                for task in group:
                    self._say(task, PushOutcome.UNKNOWN, detail=f"Sent, but not answered: {error}", sent=True)
                raise
            except (InvalidRequestError, NotFoundError) as error:
                self._answered(group)
                self._halve(queue, group, error)
                continue
            self._answered(group)
            self._settle(group, made, refusals.by_key(answer, group))

    def _answered(self, group: Sequence[Task]) -> None:
        self._stint.written = True
        self._tried.update(task.key for task in group)

    def _settle(self, group: Sequence[Task], made: dict[str, str], errors: dict[str, Row]) -> None:
        for task in group:
            if task.key in made:
                self._say(task, PushOutcome.CREATED, made[task.key])
            elif task.key not in errors:
                self._say(task, PushOutcome.UNKNOWN, detail="HubSpot said nothing about it.", sent=True)
            elif refusals.passes(errors[task.key]):
                self._say(task, PushOutcome.UNKNOWN, detail=message(errors[task.key]), sent=True)
        self._found_or_refused([task for task in group if task.key not in self._results], errors)

    def _input(self, task: Task) -> dict[str, Any]:
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": fields.TASK_TO_CONTACT}
        return {
            "properties": fields.new_task_values(task, self._portal),
            "associations": [{"to": {"id": task.contact_id}, "types": [spec]}] if task.contact_id else [],
            "objectWriteTraceId": task.key,
        }

    def _keyed_by_trace(self, found: Sequence[Row]) -> dict[str, str]:
        traced = {str(row["objectWriteTraceId"]): str(row["id"]) for row in found if row.get("objectWriteTraceId")}
        return seeking.keyed(self._portal, [row for row in found if not row.get("objectWriteTraceId")]) | traced

    def _found_or_refused(self, tasks: Sequence[Task], errors: dict[str, Row]) -> None:
        """A refusal may mean that the key is taken, whatever its words: then the task stands already, or was deleted."""
        if not tasks:
            return
        found = self._seek_unique(tasks) if self._portal.unique else {}
        refused = [task for task in tasks if task.key not in found and task.key not in self._results]
        contacts = [task.contact_id for task in refused if task.contact_id]
        alive = {str(row["id"]) for row in self._api.read("contacts", contacts, ()) if not row.get("archived")}
        for task in tasks:
            if task.key in found:
                self._say(task, PushOutcome.FOUND, found[task.key])
        for task in refused:
            says = message(errors[task.key]) or _NO_REASON
            lost = task.contact_id is not None and task.contact_id not in alive
            self._say(task, PushOutcome.REFUSED, detail=f"{_NO_CONTACT} HubSpot says: {says}" if lost else says)

    # --- refusals -------------------------------------------------------------------------------------------------

    def _halve(self, queue: deque[Sequence[Task]], group: Sequence[Task], error: IntegrationError) -> None:
        """HubSpot refused creates as a whole, and did none of them: halves tell which record it meant."""
        if len(group) == 1:
            self._found_or_refused(group, {group[0].key: refusals.whole(error)})
        else:
            queue.extendleft(reversed(_halves(group)))

    def _refused_whole(self, tasks: Sequence[Task], error: IntegrationError) -> None:
        """As above, of changes: each half is read anew before it is sent once more."""
        if len(tasks) == 1:
            self._gone_or_refused(tasks[0], refusals.whole(error))
        else:
            for half in _halves(tasks):
                if not self._stint.over:
                    self._change_some(half)

    def _gone_or_refused(self, task: Task, error: Row) -> None:
        """A change that HubSpot refused: somebody deleted the task after we looked, or the change is not to its liking."""
        if refusals.is_missing(error):
            self._say(task, PushOutcome.GONE)
        elif refusals.passes(error):
            self._say(task, PushOutcome.LATER, detail=message(error))
        else:
            self._say(task, PushOutcome.REFUSED, detail=message(error) or _NO_REASON)


def _halves(tasks: Sequence[Task]) -> tuple[Sequence[Task], Sequence[Task]]:
    middle = len(tasks) // 2
    return tasks[:middle], tasks[middle:]


def _id(task: Task) -> str:
    return str(task.external_id)
