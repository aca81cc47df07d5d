"""One contract for every CRM: each provider that the registry finds, and the fake that workers are tested with.

A provider joins by a `harness.py` in its tests folder, whose `HARNESSES` are context managers by name, each called with `unique`
and yielding what `Harness` lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Protocol

import pytest

from integrations.provider import WRITE_HANDLES, CRMClient, HandleWriter
from integrations.records import (
    Activity,
    ActivityKind,
    Contact,
    Gone,
    HandleWrite,
    Owner,
    PushOutcome,
    PushResult,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
    WriteOutcome,
    WriteResult,
)
from integrations.registry import providers
from tests.fakes.clock import Clock
from tests.fakes.crm import FakeCRM

STREAMS = ("owners", "contacts", "activities", "tasks")
DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


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


class FakeHarness:
    def __init__(self, unique: bool) -> None:
        self.now = Clock()
        self.crm = FakeCRM(unique=unique, clock=self.now, page_size=100)
        self.contacts = 0

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


@contextmanager
def fake(*, unique: bool) -> Iterator[FakeHarness]:
    yield FakeHarness(unique)


CRMS = [key for key, provider in providers().items() if provider.kind == "crm"]
Open = Callable[..., AbstractContextManager[Any]]
HARNESSES: dict[str, Open] = {"fake": fake}
for _key in CRMS:
    HARNESSES |= import_module(f"tests.integrations.crm.{_key}.harness").HARNESSES


@pytest.fixture(
    params=[(name, unique) for name in HARNESSES for unique in (True, False)],
    ids=lambda p: f"{p[0]}-{'unique' if p[1] else 'plain'}",
)
def crm(request: pytest.FixtureRequest) -> Iterator[Harness]:
    name, unique = request.param
    with HARNESSES[name](unique=unique) as harness:
        harness.connect()
        harness.add_owner("7", "owner@example.com")
        yield harness


@pytest.mark.parametrize("key", CRMS)
def test_every_crm_has_a_harness(key: str) -> None:
    assert any(name.split(" ")[0] == key for name in HARNESSES)


def drain(crm: Harness, stream: str, cursor: str | None = None) -> tuple[list[Any], str | None]:
    found: list[Any] = []
    for page in crm.client().pull(stream, cursor):
        found += page.items
        assert page.cursor is None or isinstance(page.cursor, str)
        cursor = page.cursor
    return found, cursor


def new(key: str = "key-1", **fields: Any) -> Task:
    given: dict[str, Any] = {
        "subject": f"Answer {key}",
        "body": "They asked.\nhttps://x.example/1",
        "due_at": DUE,
        "owner_id": "7",
        **fields,
    }
    return Task(key, TaskKind.UNANSWERED, TaskStatus.OPEN, **given)


def push(crm: Harness, *tasks: Task) -> list[PushResult]:
    found = list(crm.client().push_tasks(tasks))
    assert [each.key for each in found] == [task.key for task in tasks]
    return found


# --- the manifest -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", CRMS)
def test_a_manifest_offers_every_stream_of_a_crm(key: str) -> None:
    provider = providers()[key]

    assert tuple(sorted(stream.name for stream in provider.streams)) == tuple(sorted(STREAMS))
    assert all(stream.label and stream.every.total_seconds() >= 30 for stream in provider.streams)
    assert provider.name
    assert provider.about.endswith(".")


# --- reading ----------------------------------------------------------------------------------------------------


def test_the_account_is_always_the_same_one(crm: Harness) -> None:
    first, second = crm.client().whoami(), crm.client().whoami()

    assert first == second
    assert first.id
    assert first.url.startswith("http")


def test_what_connecting_finds_out_can_be_stored_and_found_out_again(crm: Harness) -> None:
    first = crm.client().prepare()

    assert json.loads(json.dumps(first)) == first
    assert crm.client().prepare() == first


@pytest.mark.parametrize("stream", [stream for stream in STREAMS if stream != "owners"])
def test_an_empty_crm_serves_no_record_and_a_cursor(crm: Harness, stream: str) -> None:
    pages = list(crm.client().pull(stream, None))

    assert [each for page in pages for each in page.items] == []
    assert pages[-1].cursor


def test_every_stream_serves_its_own_kind_of_record(crm: Harness) -> None:
    contact = crm.put_contact("Ada")
    call = crm.add_call(contact)
    [made] = push(crm, new())

    found = {stream: drain(crm, stream)[0] for stream in STREAMS}

    assert [(each.id, each.email, each.active) for each in found["owners"]] == [("7", "owner@example.com", True)]
    assert {each.id for each in found["contacts"] if isinstance(each, Contact)} == {contact}
    assert [(each.id, each.contact_ids) for each in found["activities"] if isinstance(each, Activity)] == [
        (call, (contact,))
    ]
    assert {(each.id, each.key) for each in found["tasks"]} == {(made.external_id, "key-1")}


def test_a_change_comes_after_the_cursor(crm: Harness) -> None:
    contact = crm.put_contact("Ada")
    _, cursor = drain(crm, "contacts")
    crm.wait(3600)
    crm.put_contact("Augusta", contact)

    found, _ = drain(crm, "contacts", cursor)

    assert [each.first_name for each in found if isinstance(each, Contact)][-1] == "Augusta"


def test_stopping_after_each_page_loses_nothing(crm: Harness) -> None:
    made = crm.put_contacts(350)
    found: set[str] = set()
    cursor = None
    for _ in range(8):
        page = next(iter(crm.client().pull("contacts", cursor)))
        found |= {each.id for each in page.items}
        cursor = page.cursor

    assert found >= made


@pytest.mark.parametrize("cursor", ["garbage", '{"v":99}', "[]"])
def test_garbage_for_a_cursor_starts_over(crm: Harness, cursor: str) -> None:
    contact = crm.put_contact("Ada")

    assert contact in [each.id for each in drain(crm, "contacts", cursor)[0]]


# --- writing ----------------------------------------------------------------------------------------------------


def test_a_task_is_made_and_reads_back_as_it_was_written(crm: Harness) -> None:
    task = new(contact_id=crm.put_contact("Ada"))
    [made] = push(crm, task)

    [state] = crm.client().read_tasks([str(made.external_id)])

    assert made.outcome is PushOutcome.CREATED
    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body) == (task.key, task.subject, task.body)
    assert (state.due_at, state.owner_id, state.status) == (DUE, "7", TaskStatus.OPEN)
    assert made.url == state.url != ""


def test_there_is_one_answer_for_each_task_that_is_read(crm: Harness) -> None:
    [made] = push(crm, new())

    found = crm.client().read_tasks([str(made.external_id), "424242"])

    assert [type(each) for each in found] == [TaskState, Gone]
    assert crm.client().read_tasks([]) == []


def test_an_edit_leaves_alone_what_it_does_not_give(crm: Harness) -> None:
    [made] = push(crm, new())
    edit = Task("key-1", TaskKind.UNANSWERED, TaskStatus.OPEN, subject="Another", external_id=made.external_id)

    [changed] = push(crm, edit)
    [state] = crm.client().read_tasks([str(made.external_id)])

    assert changed.outcome is PushOutcome.UPDATED
    assert isinstance(state, TaskState)
    assert (state.subject, state.body, state.due_at) == ("Another", new().body, DUE)


def test_a_task_is_completed_opened_again_and_withdrawn(crm: Harness) -> None:
    [made] = push(crm, new())
    task = Task("key-1", TaskKind.UNANSWERED, TaskStatus.COMPLETED, external_id=made.external_id)

    for status, outcome in (
        (TaskStatus.COMPLETED, PushOutcome.COMPLETED),
        (TaskStatus.OPEN, PushOutcome.UPDATED),
    ):
        assert push(crm, replace(task, status=status))[0].outcome is outcome
        [state] = crm.client().read_tasks([str(made.external_id)])
        assert isinstance(state, TaskState)
        assert state.status is status

    assert push(crm, replace(task, status=TaskStatus.WITHDRAWN))[0].outcome is PushOutcome.WITHDRAWN
    assert crm.client().read_tasks([str(made.external_id)]) == [Gone(str(made.external_id))]


def test_what_a_person_completes_shows_on_the_stream(crm: Harness) -> None:
    [made] = push(crm, new())
    _, cursor = drain(crm, "tasks")
    crm.complete(str(made.external_id))

    found, _ = drain(crm, "tasks", cursor)

    assert found[-1].status is TaskStatus.COMPLETED


@pytest.mark.parametrize("status", TaskStatus)
def test_what_a_person_deleted_is_left_be(crm: Harness, status: TaskStatus) -> None:
    [made] = push(crm, new())
    crm.delete(str(made.external_id))

    [again] = push(crm, replace(new(), status=status, external_id=made.external_id))

    assert again.outcome is PushOutcome.GONE
    assert crm.tasks_ever_created() == 1


def test_a_refused_task_says_why_and_the_others_are_made(crm: Harness) -> None:
    bad, sentence = crm.refusable(new("key-2"))

    found = push(crm, new("key-1"), bad, new("key-3"))

    assert [each.outcome for each in found] == [PushOutcome.CREATED, PushOutcome.REFUSED, PushOutcome.CREATED]
    assert sentence in found[1].detail


@pytest.mark.parametrize("with_contact", [True, False])
@pytest.mark.parametrize("work_done", [True, False])
def test_a_create_that_was_never_answered_ends_as_one_task(crm: Harness, work_done: bool, with_contact: bool) -> None:
    task = new(contact_id=crm.put_contact("Ada") if with_contact else None)
    crm.lose_next_create(work_done=work_done)
    [lost] = push(crm, task)
    assert (lost.outcome, lost.sent) == (PushOutcome.UNKNOWN, True)
    task = replace(task, maybe_sent_at=crm.now())

    found = []
    while not found or found[-1].outcome is PushOutcome.UNKNOWN:
        found += push(crm, task)
        crm.wait(20)

    assert not any(each.sent for each in found)
    assert found[-1].outcome is (PushOutcome.FOUND if work_done else PushOutcome.CREATED)
    assert crm.tasks_ever_created() == 1


def test_only_the_batch_without_an_answer_is_unknown(crm: Harness) -> None:
    crm.lose_next_create(work_done=True)

    found = push(crm, *(new(f"key-{n}") for n in range(150)))

    assert {each.outcome for each in found[:100]} == {PushOutcome.UNKNOWN}
    assert {each.outcome for each in found[100:]} == {PushOutcome.LATER}


def test_a_task_that_never_stood_and_is_no_longer_wanted_is_not_made(crm: Harness) -> None:
    [found] = push(crm, replace(new(), status=TaskStatus.WITHDRAWN))

    assert found.outcome is PushOutcome.WITHDRAWN
    assert crm.tasks_ever_created() == 0


# --- handles --------------------------------------------------------------------------------------------------


def write(crm: Harness, *writes: HandleWrite) -> list[WriteResult]:
    """Writes handles, twice: a repeat changes nothing and says so."""
    client = crm.client()
    if not isinstance(client, HandleWriter):
        pytest.skip("This CRM keeps no handles.")
    first = list(client.write_handles(writes))
    again = list(client.write_handles(writes))
    assert [each.outcome for each in again] == [
        WriteOutcome.KEPT if each.outcome is WriteOutcome.WRITTEN else each.outcome for each in first
    ]
    assert [(each.contact_id, each.network) for each in first] == [(each.contact_id, each.network) for each in writes]
    return first


def on_file(crm: Harness, contact_id: str) -> set[str]:
    found = [record for page in crm.client().pull("contacts", None) for record in page.items if record.id == contact_id]
    assert isinstance(found[-1], Contact)
    return {each.value for each in found[-1].handles}


@pytest.mark.parametrize("key", CRMS)
def test_a_crm_that_says_so_can_write_handles(key: str) -> None:
    writer = callable(getattr(providers()[key].client, "write_handles", None))
    assert writer == (WRITE_HANDLES in providers()[key].capabilities)


def test_a_handle_goes_into_a_contact_that_has_none(crm: Harness) -> None:
    ada, bea = crm.put_contact("Ada"), crm.put_contact("Bea")
    told = write(crm, HandleWrite(ada, "x", "ada_l"), HandleWrite(bea, "x", "bea"))
    assert [each.outcome for each in told] == [WriteOutcome.WRITTEN] * 2
    crm.wait(60)
    assert on_file(crm, ada) == {"ada_l"}
    assert on_file(crm, bea) == {"bea"}


def test_what_a_contact_has_is_kept(crm: Harness) -> None:
    ada = crm.put_contact("Ada")
    write(crm, HandleWrite(ada, "x", "ada_l"))
    assert [each.outcome for each in write(crm, HandleWrite(ada, "x", "another"))] == [WriteOutcome.KEPT]
    crm.wait(60)
    assert on_file(crm, ada) == {"ada_l"}


def test_a_contact_that_is_gone_is_told_and_the_others_are_written(crm: Harness) -> None:
    ada = crm.put_contact("Ada")
    told = write(crm, HandleWrite("99999999", "x", "nobody"), HandleWrite(ada, "x", "ada_l"))
    assert [each.outcome for each in told] == [WriteOutcome.REFUSED, WriteOutcome.WRITTEN]
    assert told[0].detail


def test_many_handles_are_written_in_batches(crm: Harness) -> None:
    contacts = sorted(crm.put_contacts(120))
    told = write(crm, *(HandleWrite(each, "x", f"h{each}") for each in contacts))
    assert {each.outcome for each in told} == {WriteOutcome.WRITTEN}
