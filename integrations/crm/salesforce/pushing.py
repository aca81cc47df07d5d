"""Writing tasks so that a repeat is harmless.

1. What was perhaps sent before is sought under its key. Where Salesforce keeps the key unique the answer is final; elsewhere a lost create
   may still be on its way for a while, and until then the task stays UNKNOWN and nothing is sent.
2. Withdrawals, completions and edits go out first: they make room.
3. Creates go out 200 at a time, as an upsert on our key where that is an external id: what stands there already comes back as not
   created, and is FOUND.

Each call answers for each of its records, in their order. A lost answer leaves its batch UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from integrations.batching import Stint, changes, put_off
from integrations.crm.salesforce import fields, seeking
from integrations.crm.salesforce.api import API, BATCH, MissingFieldError, Row, chunks, code, message
from integrations.crm.salesforce.org import Org
from integrations.crm.salesforce.streams import KEY_GONE
from integrations.edits import Spared
from integrations.errors import (
    AmbiguousWriteError,
    IntegrationError,
    InvalidRequestError,
    UnexpectedResponseError,
)
from integrations.foreign import objects, words
from integrations.pushing import as_they_stand, unfinished
from integrations.records import PushOutcome, PushResult, Task, TaskState, TaskStatus

SETTLE = timedelta(minutes=2)  # after a lost answer: longer than we wait for one, and than a create of 200 takes

_ENDED = {TaskStatus.COMPLETED: PushOutcome.COMPLETED, TaskStatus.WITHDRAWN: PushOutcome.WITHDRAWN}
# Codes of one record's error (SOAP API guide, "StatusCode"): what passes, what says that the record is gone, and that our key is taken.
_PASSES = {
    "UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED",
    "LIMIT_EXCEEDED", "UNKNOWN_EXCEPTION", "QUERY_TIMEOUT",
}  # fmt: skip
_GONE = {"ENTITY_IS_DELETED", "NOT_FOUND"}
_TAKEN = {"DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"}
_NO_REFERENCE = {"INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"}
_NO_REASON = "Salesforce refused it and gave no reason."
_NO_CONTACT = "The contact is no longer in Salesforce, so the task was not made."


class Push:
    """One run over some tasks. `clock` is real time."""

    def __init__(self, api: API, org: Org, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._org = org
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
                raise _plainly(error, self._org) from None
            for task in tasks:
                self._results.setdefault(
                    task.key, unfinished(task, f"the call before it failed: {error}", tried=task.key in self._tried)
                )
        for task in tasks:
            self._results.setdefault(task.key, put_off(task, "Salesforce", tried=task.key in self._tried))
        return self._spared.told(tasks, self._results)

    def _all(self, tasks: Sequence[Task]) -> None:
        known = [task for task in tasks if task.external_id is not None]
        fresh = [task for task in tasks if task.external_id is None]
        sought = BATCH if self._org.key_field else None  # at a time: then one call tells of so many
        for some in self._stint.parts([task for task in fresh if task.status is not TaskStatus.OPEN], sought):
            known += self._sought(some)
        self._change(known)
        for some in self._stint.parts([task for task in fresh if task.status is TaskStatus.OPEN], sought):
            self._sought(some)
            for group in chunks([task for task in some if task.key not in self._results]):
                if not self._stint.over:
                    self._create(group)

    def _sought(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of these that are to end and stand there after all. Of the others without a result none stands there, as far as can be told."""
        lost = [task for task in tasks if task.maybe_sent_at]
        sought = seeking.seek(self._api, self._org, lost) if lost else {}
        ends: list[Task] = []
        for task in tasks:
            if found := sought.get(task.key):
                ends += self._found(task, found)
                self._stint.written |= task.key in self._results  # it got somewhere
            elif task.maybe_sent_at and self._may_be_on_its_way(task):
                self._say(task, PushOutcome.UNKNOWN, detail="Whether Salesforce has made it cannot be told yet.")
            elif task.status is not TaskStatus.OPEN:
                self._say(task, _ENDED[task.status], detail="It never stood in Salesforce.")
        return ends

    def _say(
        self, task: Task, outcome: PushOutcome, task_id: str | None = None, detail: str = "", *, sent: bool = False
    ) -> None:
        task_id = task_id or task.external_id
        url = self._org.url("Task", task_id) if task_id else ""
        self._results[task.key] = PushResult(task.key, outcome, task_id, url, detail, sent)

    def _found(self, task: Task, row: Row) -> list[Task]:
        """A lost create that stands there after all, or stood there; it is returned if something is to be done with it."""
        if row.get("IsDeleted") is True:
            self._say(task, PushOutcome.GONE, str(row["Id"]))
        elif task.status is TaskStatus.OPEN:
            self._say(task, PushOutcome.FOUND, str(row["Id"]))
        else:
            return [replace(task, external_id=str(row["Id"]))]
        return []

    def _may_be_on_its_way(self, task: Task) -> bool:
        """A second create is refused where the key is unique, so that only an end has to wait there."""
        if self._org.unique and task.status is TaskStatus.OPEN:
            return False
        return task.maybe_sent_at is not None and self._clock() - task.maybe_sent_at < SETTLE

    # --- changing what stands -------------------------------------------------------------------------------------

    def _change(self, tasks: Sequence[Task]) -> None:
        """Withdraws, completes and updates tasks with an external id. All of these may be repeated."""
        for group in changes(tasks, BATCH):
            if self._stint.over:
                return
            self._change_some(group)

    def _change_some(self, tasks: Sequence[Task]) -> None:
        standing = as_they_stand(lambda: self._read(tasks))
        for task in tasks:
            if _id(task) not in standing:
                self._say(task, PushOutcome.GONE)
        here = [self._spared.change(task, self._state(standing[_id(task)])) for task in tasks if _id(task) in standing]
        here = [task for task in here if not self._left_to_them(task)]
        if ended := [task for task in here if task.status is TaskStatus.WITHDRAWN]:
            self._settle(ended, self._done(self._api.delete([_id(task) for task in ended])))
        if others := [task for task in here if task.status is not TaskStatus.WITHDRAWN]:
            records = [fields.changed_task(task, standing[_id(task)], self._org) for task in others]
            self._change_without_whom(self._settle(others, self._done(self._api.update(records))))

    def _read(self, tasks: Sequence[Task]) -> dict[str, Row]:
        """Those of these tasks that stand, by id."""
        read = seeking.by_id(self._api, self._org, [_id(task) for task in tasks])
        return {str(row["Id"]): row for row in read if row.get("IsDeleted") is not True}

    def _state(self, row: Row) -> TaskState:
        state = fields.task_state(row, self._org)
        assert isinstance(state, TaskState)
        return state

    def _left_to_them(self, task: Task) -> bool:
        if outcome := self._spared.ended(task):
            self._say(task, outcome)
        return outcome is not None

    def _done(self, results: list[Row]) -> list[Row]:
        self._stint.written = True
        return results

    def _change_without_whom(self, tasks: Sequence[Task]) -> None:
        """Changes whose contact is gone: the rest of each still counts."""
        if tasks:
            self._change_some([_without_one(task) for task in tasks])

    def _settle(self, group: Sequence[Task], results: Sequence[Row]) -> list[Task]:
        """Says what came of these; those are returned that were refused for whom they are about alone."""
        about_whom = []
        for task, result in zip(group, results, strict=True):
            codes, says = _codes(result), _says(result)
            if (task.contact_id or task.former_contact_id) and _about_whom(result):
                about_whom.append(task)
            elif result.get("success") is True:
                self._say(task, _ENDED.get(task.status, PushOutcome.UPDATED))
            elif codes & _PASSES:
                self._say(task, PushOutcome.LATER, detail=says)
            elif codes & _GONE and not _fields(result):  # with a field it is about whom or what the task points to
                self._say(task, PushOutcome.GONE)
            else:
                self._say(task, PushOutcome.REFUSED, detail=says)
        return about_whom

    # --- making new ones ------------------------------------------------------------------------------------------

    def _create(self, group: Sequence[Task]) -> None:
        try:
            results = self._written([fields.new_task(task, self._org) for task in group])
        except (AmbiguousWriteError, UnexpectedResponseError) as error:
            self._stint.written = True
            for task in group:
                self._say(task, PushOutcome.UNKNOWN, detail=f"Sent, but not answered: {error}", sent=True)
            raise
        except MissingFieldError:
            raise
        except InvalidRequestError as error:
            self._answered(group)
            self._halve(group, error)
            return
        self._answered(group)
        taken = []
        for task, result in zip(group, results, strict=True):
            if _codes(result) & _TAKEN:
                taken.append(task)
            else:
                self._made(task, result)
        self._taken(taken)

    def _answered(self, group: Sequence[Task]) -> None:
        self._stint.written = True
        self._tried.update(task.key for task in group)

    def _written(self, records: Sequence[Row]) -> list[Row]:
        if not (self._org.upsert and self._org.key_field):
            return self._api.create(records)
        results = self._api.upsert("Task", self._org.key_field, records)
        # On an external id that is not unique only a user who sees all tasks may upsert. Those that were refused for this were not made.
        barred = [number for number, result in enumerate(results) if not self._org.unique and _barred(result)]
        if barred:
            self._stint.written = True
            for number, result in zip(barred, self._api.create([records[number] for number in barred]), strict=True):
                results[number] = result
        return results

    def _made(self, task: Task, result: Row) -> None:
        if result.get("success") is True and result.get("id"):
            outcome = PushOutcome.FOUND if result.get("created") is False else PushOutcome.CREATED
            self._say(task, outcome, str(result["id"]))
        elif result.get("success") is not False:
            self._say(task, PushOutcome.UNKNOWN, detail="Salesforce said nothing about it.", sent=True)
        elif _codes(result) & _PASSES:
            self._say(task, PushOutcome.LATER, detail=_says(result))  # each record stands or falls as a whole: it fell
        elif _about_whom(result):
            self._say(task, PushOutcome.REFUSED, detail=f"{_NO_CONTACT} Salesforce says: {_says(result)}")
        else:
            self._say(task, PushOutcome.REFUSED, detail=_says(result))

    def _taken(self, tasks: Sequence[Task]) -> None:
        """Salesforce refused these since their keys are taken, perhaps more than once: the task stands, or stood."""
        found = seeking.seek(self._api, self._org, tasks) if tasks else {}
        for task in tasks:
            if row := found.get(task.key):
                self._say(task, PushOutcome.GONE if row.get("IsDeleted") is True else PushOutcome.FOUND, str(row["Id"]))
            else:
                self._say(task, PushOutcome.LATER, detail="Salesforce has a task under this key that it does not show.")

    def _halve(self, group: Sequence[Task], error: InvalidRequestError) -> None:
        """Salesforce refused a batch as a whole, and did none of it: halves tell which record it meant."""
        if len(group) == 1:
            self._say(group[0], PushOutcome.REFUSED, detail=str(error) or _NO_REASON)
            return
        middle = len(group) // 2
        for half in (group[:middle], group[middle:]):
            if not self._stint.over:
                self._create(half)


def _plainly(error: IntegrationError, org: Org) -> IntegrationError:
    missing = isinstance(error, MissingFieldError) and error.name == org.key_field
    return InvalidRequestError(KEY_GONE) if missing else error


def _without_one(task: Task) -> Task:
    """This task without whom it is to be about; else without whom it was about before."""
    return replace(task, contact_id=None) if task.contact_id else replace(task, former_contact_id=None)


def _codes(result: Row) -> set[str]:
    return {code(each) for each in objects(result.get("errors"))}


def _fields(result: Row) -> set[str]:
    return {str(name) for each in objects(result.get("errors")) for name in words(each.get("fields"))}


def _barred(result: Row) -> bool:
    return any(each.startswith("INSUFFICIENT_ACCESS") for each in _codes(result)) and not _fields(result)


def _about_whom(result: Row) -> bool:
    return bool(_codes(result) & _NO_REFERENCE) and "WhoId" in _fields(result)


def _says(result: Row) -> str:
    return "; ".join(filter(None, (message(each) for each in objects(result.get("errors"))))) or _NO_REASON


def _id(task: Task) -> str:
    return str(task.external_id)
