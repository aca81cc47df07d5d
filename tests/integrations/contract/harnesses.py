"""CRMs to hold to the contract: each provider's harnesses, and our fake's.

A provider joins by a `harness.py` in its tests folder, whose `HARNESSES` are context managers by name (the provider's key, and what else tells
them apart after a blank), each called with `unique` and yielding a `Harness`. What else a harness can do (`Able`) is asked for by
name: a rule that needs it is to do for a provider none of whose harnesses can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from typing import Any, Protocol

from msgspec.structs import replace

from integrations.clients import CRMClient
from integrations.records import Activity, ActivityKind, Contact, Owner, PushResult, Task, TaskKind, TaskStatus
from integrations.registry import providers
from tests.fakes.clock import Clock
from tests.fakes.crm import FakeCRM
from tests.integrations.contract.line import Line, Scripted

FAKE = "fake"
STREAMS = ("owners", "contacts", "activities", "tasks")
DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
OWNER = "7"
FEW, MANY = 25, 350


class Harness(Protocol):
    """What people do in a CRM, and what the network does to us."""

    now: Callable[[], datetime]

    def client(self) -> CRMClient: ...
    def connect(self) -> None: ...
    def add_owner(self, owner_id: str, email: str) -> None: ...
    def put_contact(self, first_name: str, contact_id: str = "") -> str: ...
    def put_contacts(self, number: int) -> set[str]: ...
    def add_call(self, contact_id: str) -> str: ...
    def complete(self, task_id: str) -> None: ...
    def delete(self, task_id: str) -> None: ...
    def lose_next_create(self, *, work_done: bool) -> None: ...
    def refusable(self, task: Task) -> tuple[Task, str]: ...  # a task that the CRM refuses, and what it says
    def wait(self, seconds: float) -> None: ...
    def tasks_ever_created(self) -> int: ...
    def kept(self) -> str: ...  # all that the CRM holds of tasks, those that can be brought back among them, as text


class Able(Protocol):
    """What a harness may be able to do besides."""

    # In how few calls so many new tasks can be made there; with the looks that make a repeat harmless, where no key is unique.
    def minimum_calls(self, tasks: int) -> int: ...
    def history(self) -> str: ...  # what the CRM has written elsewhere of a task by itself, as text
    def edit(self, task_id: str, *, subject: str) -> None: ...  # a person changes a task
    def reassign(self, task_id: str, owner_id: str) -> None: ...  # a person gives a task to somebody else
    def copy(self, task_id: str) -> str: ...  # a person duplicates a task, with our key; returns its id
    def delete_contact(self, contact_id: str) -> None: ...  # a person deletes a contact
    def remove_owner(self, owner_id: str) -> None: ...  # an administrator takes somebody's account away
    def hide(self, contact_id: str) -> None: ...  # there, but not indexed yet: nothing that lists changes serves it
    def show(self, contact_id: str) -> None: ...  # indexed after all, as it stood
    def skew(self, seconds: float) -> None: ...  # our clock is ahead of the CRM's by so much, from now on
    def run_ahead(self, seconds: float) -> None: ...  # the CRM's clock is ahead of ours by so much, from now on
    # What connecting made there, or an administrator for us, by a word that is told of it: how somebody takes it away, and whether it stands.
    def made(self) -> Mapping[str, tuple[Callable[[], object], Callable[[], bool]]]: ...
    def forbid_making(self) -> None: ...  # whoever connected it may make such things no more
    def check(self) -> Sequence[str]: ...  # what the provider's hourly look says that a person has to do
    def refusal(self, sentence: str) -> str: ...  # the body of a refusal, where its sentence is not a member of it


class FakeHarness:
    """The CRM that workers are tested with keeps the same contract."""

    def __init__(self, unique: bool) -> None:
        self.now = Clock()
        self.crm = FakeCRM(unique=unique, clock=self.now, page_size=100)
        self.contacts = 0

    def line(self) -> Line:
        return Scripted(self.crm.script)

    def client(self) -> CRMClient:
        return self.crm

    def connect(self) -> None:
        self.crm.prepare()

    def add_owner(self, owner_id: str, email: str) -> None:
        self.crm.add(Owner(owner_id, email))

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        self.contacts += 1
        made = contact_id or f"c{self.contacts}"
        self.crm.add(Contact(made, name=first_name, first_name=first_name))
        return made

    def put_contacts(self, number: int) -> set[str]:
        return {self.put_contact("Ada") for _ in range(number)}

    def add_call(self, contact_id: str) -> str:
        self.crm.add(Activity("call-1", ActivityKind.CALL, self.now(), contact_ids=(contact_id,)))
        return "call-1"

    def complete(self, task_id: str) -> None:
        self.crm.complete_as_person(task_id)

    def edit(self, task_id: str, *, subject: str) -> None:
        self.crm.edit_as_person(task_id, subject=subject)

    def reassign(self, task_id: str, owner_id: str) -> None:
        self.crm.edit_as_person(task_id, owner_id=owner_id)

    def copy(self, task_id: str) -> str:
        self.crm.tasks[f"{task_id}-copy"] = replace(self.crm.tasks[task_id], id=f"{task_id}-copy")
        self.crm.contact_of[f"{task_id}-copy"] = self.crm.contact_of[task_id]
        return f"{task_id}-copy"

    def delete(self, task_id: str) -> None:
        self.crm.delete_as_person(task_id)

    def lose_next_create(self, *, work_done: bool) -> None:
        self.crm.lose_answer(work_done=work_done)

    def refusable(self, task: Task) -> tuple[Task, str]:
        self.crm.refuse(task.key, "The subject is not allowed.")
        return task, "The subject is not allowed."

    def wait(self, seconds: float) -> None:
        self.now.forward(seconds=seconds)

    def tasks_ever_created(self) -> int:
        return self.crm.tasks_ever_created

    def kept(self) -> str:
        return str(self.crm.tasks)


@contextmanager
def fake(*, unique: bool) -> Iterator[FakeHarness]:
    yield FakeHarness(unique)


Open = Callable[..., AbstractContextManager[Any]]
CRMS = [key for key, provider in providers().items() if provider.kind == "crm"]
HARNESSES: dict[str, Open] = {FAKE: fake}
for _key in CRMS:
    _module = f"tests.integrations.crm.{_key}.harness"
    try:
        HARNESSES |= import_module(_module).HARNESSES
    except ModuleNotFoundError as missing:
        if not _module.startswith(str(missing.name)):
            raise  # without any, `test_every_crm_has_a_harness` says so


@contextmanager
def connected(name: str, *, unique: bool) -> Iterator[Harness]:
    """A harness whose CRM is connected and has one owner."""
    with HARNESSES[name](unique=unique) as harness:
        harness.connect()
        harness.add_owner(OWNER, "owner@example.com")
        yield harness


def drain(crm: Harness, stream: str, cursor: str | None = None) -> tuple[list[Any], str | None]:
    """All that a stream brings, and the cursor at its end."""
    found: list[Any] = []
    for page in crm.client().pull(stream, cursor):
        found += page.items
        assert page.cursor is None or isinstance(page.cursor, str)
        cursor = page.cursor
    return found, cursor


def several_pages(crm: Harness) -> set[str]:
    """Puts enough contacts there for several pages, few where pages are short. Returns their ids."""
    made = crm.put_contacts(FEW)
    if len(list(islice(crm.client().pull("contacts", None), 3))) < 3:
        made |= crm.put_contacts(MANY)
    return made


def new(key: str = "key-1", **fields: Any) -> Task:
    """A task that is to be made."""
    given: dict[str, Any] = {
        "subject": f"Answer {key}",
        "body": "They asked.\nhttps://x.example/1",
        "due_at": DUE,
        "owner_id": OWNER,
        **fields,
    }
    return Task(key, TaskKind.UNANSWERED, TaskStatus.OPEN, **given)


def again(task: Task, result: PushResult) -> Task:
    """The task as it is pushed the next time."""
    return replace(task, external_id=result.external_id)


def push(crm: Harness, *tasks: Task) -> list[PushResult]:
    """What comes of these tasks, one each."""
    found = list(crm.client().push_tasks(tasks))
    assert [each.key for each in found] == [task.key for task in tasks]
    return found
