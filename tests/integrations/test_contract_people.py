"""What every CRM promises of what people do in it: it is seen, it is left alone, and it keeps nothing else from being done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from integrations.records import PushOutcome, PushResult, Task, TaskKind, TaskState, TaskStatus
from tests.integrations.contract.able import able
from tests.integrations.contract.harnesses import DUE, Harness, drain, new, push

ELSE = "8"  # somebody else who can own tasks


def _read(crm: Harness, task_id: str) -> TaskState:
    [state] = crm.client().read_tasks([task_id])
    assert isinstance(state, TaskState)
    return state


@pytest.mark.rule("edited_task")
def test_what_a_person_writes_shows_on_the_stream_and_stays(crm: Harness) -> None:
    edit = able(crm, "edit")
    [made] = push(crm, new())
    task_id = str(made.external_id)
    _, cursor = drain(crm, "tasks")
    crm.wait(60)
    edit(task_id, subject="Mine now")

    found, _ = drain(crm, "tasks", cursor)
    later = Task(new().key, TaskKind.UNANSWERED, TaskStatus.OPEN, due_at=DUE + timedelta(days=1), external_id=task_id)
    [changed] = push(crm, later)

    assert (found[-1].id, found[-1].subject) == (task_id, "Mine now")
    assert changed.outcome is PushOutcome.UPDATED
    assert (_read(crm, task_id).subject, _read(crm, task_id).due_at) == ("Mine now", later.due_at)


@pytest.mark.rule("reassigned")
def test_a_task_that_is_given_to_somebody_else_shows_on_the_stream_and_stays_theirs(crm: Harness) -> None:
    reassign = able(crm, "reassign")
    crm.add_owner(ELSE, "else@example.com")
    [made] = push(crm, new())
    task_id = str(made.external_id)
    _, cursor = drain(crm, "tasks")
    crm.wait(60)
    reassign(task_id, ELSE)

    found, _ = drain(crm, "tasks", cursor)
    push(crm, Task(new().key, TaskKind.UNANSWERED, TaskStatus.OPEN, subject="Another", external_id=task_id))

    assert (found[-1].id, found[-1].owner_id) == (task_id, ELSE)
    assert (_read(crm, task_id).owner_id, _read(crm, task_id).subject) == (ELSE, "Another")


@pytest.mark.rule("contact_gone")
def test_a_task_for_a_contact_that_is_gone_says_so_and_the_others_are_made(crm: Harness) -> None:
    delete = able(crm, "delete_contact")
    here, gone = crm.put_contact("Ada"), crm.put_contact("Bea")
    delete(gone)

    found = push(crm, new("key-1", contact_id=here), new("key-2", contact_id=gone), new("key-3"))

    _only_the_second_is_refused(crm, found)


@pytest.mark.rule("contact_gone")
def test_a_task_whose_contact_is_deleted_can_still_be_completed(crm: Harness) -> None:
    delete = able(crm, "delete_contact")
    contact = crm.put_contact("Ada")
    [made] = push(crm, new(contact_id=contact))
    delete(contact)

    [done] = push(crm, replace(new(contact_id=contact), status=TaskStatus.COMPLETED, external_id=made.external_id))

    # Some CRMs delete a contact's tasks along with it.
    assert done.outcome in (PushOutcome.COMPLETED, PushOutcome.GONE)


@pytest.mark.rule("owner_gone")
def test_a_task_for_an_owner_who_is_gone_says_so_and_the_others_are_made(crm: Harness) -> None:
    remove = able(crm, "remove_owner")
    crm.add_owner(ELSE, "else@example.com")
    remove(ELSE)

    found = push(crm, new("key-1"), new("key-2", owner_id=ELSE), new("key-3"))

    _only_the_second_is_refused(crm, found)
    assert ELSE not in {each.id for each in drain(crm, "owners")[0] if each.active}


def _only_the_second_is_refused(crm: Harness, found: list[PushResult]) -> None:
    assert [each.outcome for each in found] == [PushOutcome.CREATED, PushOutcome.REFUSED, PushOutcome.CREATED]
    assert found[1].detail
    assert crm.tasks_ever_created() == 2


@pytest.mark.rule("same_key_twice")
def test_two_tasks_with_one_key_stay_two_and_are_taken_for_one_of_them(crm: Harness) -> None:
    copy = able(crm, "copy")
    task = new(contact_id=crm.put_contact("Ada"))
    [made] = push(crm, task)
    both = {str(made.external_id), copy(str(made.external_id))}
    assert len(both) == 2
    crm.wait(120)

    [found] = push(crm, replace(task, maybe_sent_at=crm.now() - timedelta(seconds=100)))
    assert (found.outcome, found.external_id in both) == (PushOutcome.FOUND, True)
    [other] = both - {str(found.external_id)}
    done = replace(task, status=TaskStatus.COMPLETED, external_id=found.external_id)
    assert push(crm, done)[0].outcome is PushOutcome.COMPLETED

    assert _read(crm, str(found.external_id)).status is TaskStatus.COMPLETED
    assert _read(crm, other).status is TaskStatus.OPEN
    assert crm.tasks_ever_created() == 1
