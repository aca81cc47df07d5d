"""What every CRM promises of a task: it is made, reads back as it was written, changes as it is told to, and a lost answer makes no second one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from integrations.records import (
    Contact,
    Gone,
    PushOutcome,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
)
from tests.integrations.contract.able import able
from tests.integrations.contract.harnesses import DUE, Harness, drain, new, push


@pytest.mark.rule("tasks")
def test_a_task_is_made_and_reads_back_as_it_was_written(crm: Harness) -> None:
    task = new(contact_id=crm.put_contact("Ada"))
    [made] = push(crm, task)

    [state] = crm.client().read_tasks([str(made.external_id)])

    assert made.outcome is PushOutcome.CREATED
    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body) == (task.key, task.subject, task.body)
    assert (state.due_at, state.owner_id, state.status) == (DUE, "7", TaskStatus.OPEN)
    assert made.url == state.url != ""


@pytest.mark.rule("unicode")
@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Ответить 👩‍👩‍👧‍👦 сегодня", "שלום\n\u200fمرحبا\nhttps://x.example/1"),
        ("a < b & c > d", '<b>not bold</b> &amp; "quoted"\nhttps://x.example/?a=1&b=2'),
        ("é" * 60, "ا" * 3000),
    ],
    ids=["scripts", "markup", "long"],
)
def test_no_text_of_a_task_is_too_odd(crm: Harness, subject: str, body: str) -> None:
    [made] = push(crm, new(subject=subject, body=body))

    [state] = crm.client().read_tasks([str(made.external_id)])

    assert isinstance(state, TaskState)
    assert (state.subject, state.body) == (subject, body)


@pytest.mark.rule("unicode")
def test_no_name_is_too_odd(crm: Harness) -> None:
    names = {crm.put_contact(name): name for name in ("Zoë", "李", "🦺 Safety", "O'Hara & <Sons>")}

    found = {each.id: each.first_name or each.name for each in drain(crm, "contacts")[0] if isinstance(each, Contact)}

    assert found == names


@pytest.mark.rule("tasks")
def test_there_is_one_answer_for_each_task_that_is_read(crm: Harness) -> None:
    [made] = push(crm, new())

    found = crm.client().read_tasks([str(made.external_id), "424242"])

    assert [type(each) for each in found] == [TaskState, Gone]
    assert crm.client().read_tasks([]) == []


@pytest.mark.rule("tasks", "edited_task")
def test_an_edit_leaves_alone_what_it_does_not_give(crm: Harness) -> None:
    [made] = push(crm, new())
    edit = Task("key-1", TaskKind.UNANSWERED, TaskStatus.OPEN, subject="Another", external_id=made.external_id)

    [changed] = push(crm, edit)
    [state] = crm.client().read_tasks([str(made.external_id)])

    assert changed.outcome is PushOutcome.UPDATED
    assert isinstance(state, TaskState)
    assert (state.subject, state.body, state.due_at) == ("Another", new().body, DUE)


def _ours(task: Task) -> dict[str, Any]:
    return {"subject": task.subject, "body": task.body, "due_at": task.due_at, "status": "open"}


@pytest.mark.rule("edited_task")
@pytest.mark.parametrize("status", TaskStatus)
def test_what_a_person_has_changed_meanwhile_is_left_alone_and_told(crm: Harness, status: TaskStatus) -> None:
    edit: Callable[..., None] = able(crm, "edit")
    [made] = push(crm, new())
    edit(str(made.external_id), subject="Mine")
    wanted = Task(
        "key-1",
        TaskKind.UNANSWERED,
        status,
        subject="Ours",
        body="Anew.",
        external_id=made.external_id,
        ours=(_ours(new()),),
    )

    [result] = push(crm, wanted)
    [state] = crm.client().read_tasks([str(made.external_id)])

    assert result.theirs == {"subject": "Mine"}
    assert isinstance(state, TaskState)
    assert state.subject == "Mine"
    if status is TaskStatus.WITHDRAWN:
        assert (result.outcome, state.body) == (PushOutcome.UPDATED, new().body)
    else:
        assert (state.status, state.body) == (status, "Anew.")


@pytest.mark.rule("completed")
@pytest.mark.parametrize("status", [TaskStatus.OPEN, TaskStatus.WITHDRAWN])
def test_what_a_person_has_ticked_off_meanwhile_stays_as_it_is(crm: Harness, status: TaskStatus) -> None:
    [made] = push(crm, new())
    crm.complete(str(made.external_id))
    wanted = Task(
        "key-1", TaskKind.UNANSWERED, status, body="Anew.", external_id=made.external_id, ours=(_ours(new()),)
    )

    [result] = push(crm, wanted)
    [state] = crm.client().read_tasks([str(made.external_id)])

    assert (result.outcome, result.theirs["status"]) == (PushOutcome.COMPLETED, "completed")
    assert isinstance(state, TaskState)
    assert (state.status, state.body) == (TaskStatus.COMPLETED, new().body)


@pytest.mark.rule("tasks")
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


@pytest.mark.rule("completed")
def test_what_a_person_completes_shows_on_the_stream(crm: Harness) -> None:
    [made] = push(crm, new())
    _, cursor = drain(crm, "tasks")
    crm.complete(str(made.external_id))

    found, _ = drain(crm, "tasks", cursor)

    assert found[-1].status is TaskStatus.COMPLETED


@pytest.mark.rule("deleted_task")
@pytest.mark.parametrize("status", TaskStatus)
def test_what_a_person_deleted_is_left_be(crm: Harness, status: TaskStatus) -> None:
    [made] = push(crm, new())
    crm.delete(str(made.external_id))

    [again] = push(crm, replace(new(), status=status, external_id=made.external_id))

    assert again.outcome is PushOutcome.GONE
    assert crm.tasks_ever_created() == 1


@pytest.mark.rule("partial_failure")
def test_a_refused_task_says_why_and_the_others_are_made(crm: Harness) -> None:
    bad, sentence = crm.refusable(new("key-2"))

    found = push(crm, new("key-1"), bad, new("key-3"))

    assert [each.outcome for each in found] == [PushOutcome.CREATED, PushOutcome.REFUSED, PushOutcome.CREATED]
    assert sentence in found[1].detail


@pytest.mark.rule("lost_answers")
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


@pytest.mark.rule("lost_answers")
def test_only_the_batch_without_an_answer_is_unknown(crm: Harness) -> None:
    crm.lose_next_create(work_done=True)

    found = [each.outcome for each in push(crm, *(new(f"key-{n}") for n in range(250)))]

    batch = found.index(PushOutcome.LATER)
    assert found == [PushOutcome.UNKNOWN] * batch + [PushOutcome.LATER] * (250 - batch)
    assert batch > 0


@pytest.mark.rule("tasks")
def test_a_task_that_never_stood_and_is_no_longer_wanted_is_not_made(crm: Harness) -> None:
    [found] = push(crm, replace(new(), status=TaskStatus.WITHDRAWN))

    assert found.outcome is PushOutcome.WITHDRAWN
    assert crm.tasks_ever_created() == 0
