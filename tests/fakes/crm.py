"""A CRM in memory that keeps the contract of `CRMClient`: what a worker's test speaks to instead of a vendor.

Put records in with `add`; act as a person in the CRM with `complete_as_person`, `edit_as_person`, `delete_as_person`;
make things go wrong with `script.fail`, `lose_answer`, `refuse`. `tasks_ever_created` is what no retry may raise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from msgspec.structs import replace

from integrations.clients import CRMRecord
from integrations.edits import Spared
from integrations.errors import IntegrationError
from integrations.provider import WRITE_HANDLES, Provider, Secret, Stream
from integrations.records import (
    Activity,
    Author,
    Budget,
    Contact,
    Gone,
    GoneBetween,
    Handle,
    HandleWrite,
    Owner,
    Page,
    PushOutcome,
    PushResult,
    Task,
    TaskState,
    TaskStatus,
    WriteOutcome,
    WriteResult,
)
from tests.fakes.script import Script, chunks, position

ACCOUNT = Author("crm-1", "crm.example", "Example CRM", url="https://crm.example/crm-1")
STREAMS = ("owners", "contacts", "activities", "tasks")
SETTLE = timedelta(seconds=30)  # how long a CRM without unique keys may hide a task that it made
_OUTCOMES = {
    TaskStatus.OPEN: PushOutcome.UPDATED,
    TaskStatus.COMPLETED: PushOutcome.COMPLETED,
    TaskStatus.WITHDRAWN: PushOutcome.WITHDRAWN,
}


@dataclass
class FakeCRM:
    """`unique` is whether the CRM itself keeps two tasks with one key apart. `clock` is real time, `page_size` and
    `batch_size` are records a call."""

    account: Author = ACCOUNT
    page_size: int = 100
    budget: Budget | None = None  # that pages bring
    batch_size: int = 100
    unique: bool = True
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    script: Script = field(default_factory=Script)
    tasks: dict[str, TaskState] = field(default_factory=dict)
    contact_of: dict[str, str | None] = field(default_factory=dict)  # task id -> contact id
    tasks_ever_created: int = 0
    _log: dict[str, list[CRMRecord]] = field(default_factory=lambda: {stream: [] for stream in STREAMS})
    _refused: dict[str, str] = field(default_factory=dict)
    _lost: dict[int, bool] = field(default_factory=dict)
    _batches: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: count(1001))

    # --- what a test says -----------------------------------------------------------------------------------

    def add(self, *records: Contact | Activity | Owner) -> None:
        """Records that come in, or change, from now on."""
        streams: dict[type, str] = {Contact: "contacts", Activity: "activities", Owner: "owners"}
        for record in records:
            self._log[streams[type(record)]].append(record)

    def delete_contact(self, contact_id: str) -> None:
        """A person deletes a contact."""
        self._log["contacts"].append(Gone(contact_id))

    def delete_contacts_between(self, after: int, before: int) -> None:
        """A person takes an import back."""
        self._log["contacts"].append(GoneBetween(after, before))

    def remove_owner(self, owner_id: str) -> None:
        """An administrator switches somebody's account off, and the CRM shows them no more."""
        self._log["owners"].append(Gone(owner_id))

    def delete_activity(self, activity_id: str) -> None:
        """A person deletes a call, say, that was logged."""
        self._log["activities"].append(Gone(activity_id))

    def lose_answer(self, *, at: int = 1, work_done: bool = True) -> None:
        """The `at`-th coming batch of creates is sent and never answered; its tasks stand in the CRM or don't."""
        self._lost[self._batches + at] = work_done

    def refuse(self, key: str, sentence: str) -> None:
        """The CRM refuses to make or change the task with this key (or to change the contact with this id)."""
        self._refused[key] = sentence

    def take_after_all(self, key: str) -> None:
        """Somebody has mended what the CRM refused."""
        del self._refused[key]

    def by_key(self, key: str) -> TaskState | None:
        """The task that stands under this key."""
        return next((task for task in self.tasks.values() if task.key == key), None)

    def complete_as_person(self, task_id: str) -> None:
        """Somebody ticks the task off."""
        self._change(task_id, status=TaskStatus.COMPLETED, completed_at=self.clock())

    def edit_as_person(self, task_id: str, **fields: Any) -> None:
        """Somebody changes subject, body, due_at, owner_id or status."""
        self._change(task_id, **fields)

    def delete_as_person(self, task_id: str) -> None:
        """Somebody deletes the task: no changed-since feed shows that."""
        del self.tasks[task_id]

    def copy_as_person(self, task_id: str, **fields: Any) -> str:
        """Somebody makes a copy of the task, our key in it, and changes that. Its id."""
        copy = f"copy-of-{task_id}"
        self.tasks[copy] = replace(self.tasks[task_id], id=copy, completed_at=None, sole=False)
        self._change(copy, **fields)
        return copy

    def make_late(self, task: TaskState) -> str:
        """A create of this task arrives that was sent before it was deleted. Its id."""
        task_id = str(next(self._ids))
        self.tasks[task_id] = replace(task, id=task_id)
        self._change(task_id)
        return task_id

    def still_lists(self, task: TaskState) -> None:
        """A list shows the task like this, though it is gone."""
        self._log["tasks"].append(task)

    def complete_and_forget(self, task_id: str) -> None:
        """Somebody ticks the task off, in a CRM that keeps of such a task no more than that its key was done."""
        task = self.tasks.pop(task_id)
        self._log["tasks"].append(
            TaskState(f"history-{task_id}", task.key, TaskStatus.COMPLETED, completed_at=self.clock(), bare=True)
        )

    # --- CRMClient ------------------------------------------------------------------------------------------

    def whoami(self) -> Author:
        self.script.called("whoami")
        return self.account

    def prepare(self) -> Mapping[str, Any]:
        self.script.called("prepare")
        return {"unique": self.unique}

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        self.script.called("pull", stream, cursor)
        log = self._log[stream]
        start = position(cursor, len(log))
        for group in chunks(log[start:], self.page_size) or [()]:
            self.script.called("page", stream)
            start += len(group)
            yield Page(tuple(group), f"at:{start}", budget=self.budget)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        self.script.called("read_tasks", tuple(ids))
        return [self.tasks.get(each, Gone(each)) for each in ids]

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        self.script.called("write_handles", tuple(writes))
        return [self._write_handle(each) for each in writes]

    def _write_handle(self, write: HandleWrite) -> WriteResult:
        told = partial(WriteResult, write.contact_id, write.network)
        contact = next(
            (
                each
                for each in reversed(self._log["contacts"])
                if isinstance(each, Contact) and each.id == write.contact_id
            ),
            None,
        )
        if contact is None:
            return told(WriteOutcome.REFUSED, "There is no such contact.")
        if write.contact_id in self._refused:
            return told(WriteOutcome.REFUSED, self._refused[write.contact_id])
        if any(each.network == write.network for each in contact.handles):
            return told(WriteOutcome.KEPT)
        self.add(replace(contact, handles=(*contact.handles, Handle(write.network, write.handle))))
        return told(WriteOutcome.WRITTEN)

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        self.script.called("push_tasks", tuple(tasks))
        results: dict[str, PushResult] = {}
        creates = []
        for task in tasks:
            found = self.by_key(task.key) if task.external_id is None else None
            if task.external_id is not None:
                results[task.key] = self._apply(task, task.external_id)
            elif found is not None and (self.unique or task.maybe_sent_at):
                results[task.key] = self._found(task, found)
            elif task.status is not TaskStatus.OPEN:
                results[task.key] = PushResult(task.key, _OUTCOMES[task.status], detail="It never stood in the CRM.")
            elif not self.unique and task.maybe_sent_at and self.clock() - task.maybe_sent_at < SETTLE:
                results[task.key] = PushResult(task.key, PushOutcome.UNKNOWN)
            else:
                creates.append(task)
        self._create(creates, results)
        return [results[task.key] for task in tasks]

    # --- how it does that -----------------------------------------------------------------------------------

    def _create(self, tasks: Sequence[Task], results: dict[str, PushResult]) -> None:
        groups = chunks(tasks, self.batch_size)
        for number, group in enumerate(groups):
            self._batches += 1
            try:
                self.script.called("batch", tuple(task.key for task in group))
            except IntegrationError:
                if not results:
                    raise
                self._later(groups[number:], results)
                return
            work_done = self._lost.pop(self._batches, None)
            if work_done is None:
                results.update((task.key, self._make(task)) for task in group)
                continue
            for task in group:
                if work_done:
                    self._make(task)
                results[task.key] = PushResult(task.key, PushOutcome.UNKNOWN, sent=True)
            self._later(groups[number + 1 :], results)
            return

    def _later(self, groups: Sequence[Sequence[Task]], results: dict[str, PushResult]) -> None:
        results.update((task.key, PushResult(task.key, PushOutcome.LATER)) for group in groups for task in group)

    def _make(self, task: Task) -> PushResult:
        if task.key in self._refused:
            return PushResult(task.key, PushOutcome.REFUSED, detail=self._refused[task.key])
        task_id = str(next(self._ids))
        url = f"{self.account.url}/tasks/{task_id}"
        self.tasks[task_id] = TaskState(task_id, task.key, TaskStatus.OPEN, url=url, sole=self.unique)
        self.contact_of[task_id] = task.contact_id
        self.tasks_ever_created += 1
        self._change(task_id, **_given(task))
        return PushResult(task.key, PushOutcome.CREATED, task_id, self.tasks[task_id].url)

    def _found(self, task: Task, found: TaskState) -> PushResult:
        if task.status is TaskStatus.OPEN:
            return PushResult(task.key, PushOutcome.FOUND, found.id, found.url)
        return self._apply(replace(task, external_id=found.id), found.id)

    def _apply(self, task: Task, task_id: str) -> PushResult:
        if task_id not in self.tasks:
            return PushResult(task.key, PushOutcome.GONE, task_id)
        if task.key in self._refused:
            return PushResult(task.key, PushOutcome.REFUSED, task_id, detail=self._refused[task.key])
        url = self.tasks[task_id].url
        spared = Spared()
        task = spared.change(task, self.tasks[task_id])
        if outcome := spared.ended(task):
            return spared.told([task], {task.key: PushResult(task.key, outcome, task_id, url)})[0]
        if task.status is TaskStatus.WITHDRAWN:
            del self.tasks[task_id]
        else:
            at = self.clock() if task.status is TaskStatus.COMPLETED else None
            self._change(task_id, status=task.status, completed_at=at, **_given(task))
            if self.contact_of[task_id] == task.former_contact_id or task.contact_id:
                self.contact_of[task_id] = task.contact_id
        done = {task.key: PushResult(task.key, _OUTCOMES[task.status], task_id, url)}
        return spared.told([task], done)[0]

    def _change(self, task_id: str, **fields: Any) -> None:
        self.tasks[task_id] = replace(self.tasks[task_id], updated_at=self.clock(), **fields)
        self._log["tasks"].append(self.tasks[task_id])


def _given(task: Task) -> dict[str, Any]:
    values = {"subject": task.subject, "body": task.body, "due_at": task.due_at, "owner_id": task.owner_id}
    return {name: value for name, value in values.items() if value is not None}


def manifest(crm: FakeCRM, key: str = "fakecrm") -> Provider[FakeCRM]:
    """A provider whose every client is this fake."""
    return Provider(
        key=key,
        kind="crm",
        name="Example CRM",
        hosts={"api": "https://crm.example", "web": "https://crm.example"},
        auth=Secret(),
        client=lambda access: crm,
        streams=tuple(Stream(name, name, timedelta(minutes=5)) for name in STREAMS),
        capabilities=frozenset({"unique_key", WRITE_HANDLES} if crm.unique else {WRITE_HANDLES}),
    )
