"""What is odd about writing tasks into Pipedrive, beside the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from integrations.records import PushOutcome, PushResult, Task, TaskKind, TaskStatus
from tests.integrations.contract.harnesses import new as anybody
from tests.integrations.crm.pipedrive.conftest import World


@pytest.fixture(autouse=True)
def owner(world: World) -> None:
    world.server.users[7] = {"id": 7, "email": "owner@example.com", "active_flag": True}


def new(key: str = "key-1", **given: Any) -> Task:
    return replace(anybody(key), **given)


def push(world: World, *tasks: Task) -> Sequence[PushResult]:
    return world.client().push_tasks(tasks)


def made(world: World, task: Task) -> tuple[str, dict[str, Any]]:
    [result] = push(world, task)
    return str(result.external_id), world.server.rows["activity"][int(str(result.external_id))]


def person(world: World, name: str) -> str:
    return str(world.server.put("person", {"name": name}))


def test_a_task_is_an_activity_with_its_people_and_its_key(world: World) -> None:
    ada = person(world, "Ada")
    _, row = made(world, new(contact_id=ada, high_priority=True))

    assert row["participants"] == [{"person_id": int(ada), "primary": True}]
    assert (row["type"], row["owner_id"], row["done"], row["priority"]) == ("task", 7, False, 263)
    assert (row["due_date"], row["due_time"]) == ("2026-11-26", "09:00:00")
    assert row["note"].endswith("<br><br>Warmline reference: key-1")
    assert '<a href="https://x.example/1">' in row["note"]


def test_a_call_is_of_the_type_for_calls(world: World) -> None:
    assert made(world, new(kind=TaskKind.READY_FOR_CALL))[1]["type"] == "call"


def test_a_task_that_turns_out_to_be_about_somebody_else_keeps_whoever_a_person_added(world: World) -> None:
    ada, bea, cem = (person(world, name) for name in ("Ada", "Bea", "Cem"))
    task_id, row = made(world, new(contact_id=ada))
    people = [*row["participants"], {"person_id": int(cem), "primary": False}]
    world.server.put("activity", {"participants": people}, id=int(task_id))

    push(world, new(contact_id=bea, former_contact_id=ada, external_id=task_id))

    assert world.server.rows["activity"][int(task_id)]["participants"] == [
        {"person_id": int(bea), "primary": True},
        {"person_id": int(cem), "primary": False},
    ]


def test_a_change_sends_no_people_where_they_stay(world: World) -> None:
    ada = person(world, "Ada")
    task_id, _ = made(world, new(contact_id=ada))

    push(world, new(contact_id=ada, subject="Another", external_id=task_id))

    assert "participants" not in world.server.calls[-1][2]


def test_a_change_goes_on_without_somebody_who_is_gone(world: World) -> None:
    ada, bea = person(world, "Ada"), person(world, "Bea")
    task_id, _ = made(world, new(contact_id=ada))
    world.server.delete("person", int(bea))

    [done] = push(world, new(contact_id=bea, subject="Another", external_id=task_id))

    assert done.outcome is PushOutcome.UPDATED
    assert world.server.rows["activity"][int(task_id)]["subject"] == "Another"


@pytest.mark.parametrize("given", [{"contact_id": "x1"}, {"owner_id": "me"}])
def test_an_id_that_cannot_be_pipedrives_is_refused_and_not_sent(world: World, given: dict[str, Any]) -> None:
    [result] = push(world, new(**given))

    assert result.outcome is PushOutcome.REFUSED
    assert world.server.paths("POST") == []


def test_a_fresh_task_is_not_sought_and_a_lost_one_is_sought_once_for_all(world: World) -> None:
    push(world, new())
    assert [method for method, _, _ in world.server.calls] == ["POST"]
    world.server.calls.clear()

    lost = [new(f"key-{number}", maybe_sent_at=world.clock()) for number in range(1, 4)]
    found = push(world, *lost)

    assert [each.outcome for each in found] == [PushOutcome.FOUND, PushOutcome.UNKNOWN, PushOutcome.UNKNOWN]
    assert [path for _, path, _ in world.server.calls] == ["/api/v2/activities"]


def test_a_lost_create_is_found_however_many_activities_came_after_it(world: World) -> None:
    task_id, _ = made(world, new())
    for _ in range(1100):
        world.server.put("activity", {"type": "deadline", "subject": "Other"})

    [found] = push(world, new(maybe_sent_at=world.clock()))

    assert (found.outcome, found.external_id) == (PushOutcome.FOUND, task_id)


def test_of_two_tasks_with_one_key_the_older_one_is_ours(world: World) -> None:
    task_id, row = made(world, new())
    world.clock.forward(minutes=1)
    world.server.put("activity", {"type": "task", "note": row["note"]})

    [found] = push(world, new(maybe_sent_at=world.clock()))

    assert found.external_id == task_id


def test_a_withdrawn_task_is_deleted(world: World) -> None:
    task_id, _ = made(world, new())

    [found] = push(world, new(external_id=task_id, status=TaskStatus.WITHDRAWN))

    assert found.outcome is PushOutcome.WITHDRAWN
    assert world.server.rows["activity"][int(task_id)]["is_deleted"] is True


def test_a_thousand_tasks_take_as_many_calls_and_one_for_their_contacts(world: World) -> None:
    ada, before = person(world, "Ada"), world.server.spent

    found = push(world, *(new(f"key-{number}", contact_id=ada) for number in range(1000)))

    assert {each.outcome for each in found} == {PushOutcome.CREATED}
    assert len(world.server.calls) == 1001
    assert world.server.spent - before == 1000 * 5 + 10
