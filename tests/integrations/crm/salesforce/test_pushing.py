"""What is odd about writing tasks into Salesforce, beside the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import pytest
from msgspec.structs import replace

from integrations.crm.salesforce.api import API
from integrations.errors import InvalidRequestError
from integrations.records import PushOutcome, PushResult, Task, TaskKind, TaskState, TaskStatus
from tests.integrations.crm.salesforce.conftest import World
from tests.integrations.crm.salesforce.server import KEY, refuse

MakeWorld = Callable[..., World]
DUE = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)  # still the 25th in Los Angeles, where this organisation is


def new(key: str = "key-1", **given: Any) -> Task:
    return Task(
        key, given.pop("kind", TaskKind.UNANSWERED), TaskStatus.OPEN, subject=given.pop("subject", "Answer"), **given
    )


def push(world: World, *tasks: Task) -> Sequence[PushResult]:
    return world.client().push_tasks(tasks)


def made(world: World, *tasks: Task) -> list[str]:
    return [str(each.external_id) for each in push(world, *tasks)]


def row(world: World, task_id: str) -> dict[str, Any]:
    return world.server.kinds["Task"][task_id]


def test_a_thousand_tasks_are_five_calls(world: World) -> None:
    found = push(world, *(new(f"key-{number}") for number in range(1000)))

    assert {each.outcome for each in found} == {PushOutcome.CREATED}
    assert [path for _, path, _ in world.server.calls] == [f"/composite/sobjects/Task/{KEY}"] * 5


def test_a_slow_organisation_gets_the_rest_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = made(world, *(new(f"old-{number}") for number in range(300)))
    call = API.call

    def slow(*arguments: Any, **more: Any) -> Any:
        world.clock.forward(seconds=10)
        return call(*arguments, **more)

    monkeypatch.setattr(API, "call", slow)

    created = push(world, *(new(f"key-{number}") for number in range(1000)))
    changed = push(world, *(new(f"old-{number}", subject="Anew", external_id=each) for number, each in enumerate(ids)))
    # What is sought or read alone does not use a run up: however slow it is, something is written. But it is sought part by part.
    began = world.clock.at
    lost = push(world, *(new(f"lost-{number}", maybe_sent_at=began) for number in range(600)))
    stand = push(world, *(new(f"key-{number}", maybe_sent_at=began) for number in range(600)))

    assert Counter(each.outcome for each in created) == {PushOutcome.CREATED: 600, PushOutcome.LATER: 400}
    assert Counter(each.outcome for each in changed) == {PushOutcome.UPDATED: 300}
    assert Counter(each.outcome for each in lost) == {PushOutcome.CREATED: 200, PushOutcome.LATER: 400}
    assert Counter(each.outcome for each in stand) == {PushOutcome.FOUND: 400, PushOutcome.LATER: 200}
    assert world.clock.at - began <= timedelta(seconds=75)


def test_what_is_changed_is_read_and_written_two_hundred_at_a_time(world: World) -> None:
    """So that the second batch is not written by what was read before the first."""
    ids = made(world, *(new(f"key-{number}") for number in range(201)))
    world.server.calls.clear()

    push(world, *(new(f"key-{number}", subject="Anew", external_id=each) for number, each in enumerate(ids)))

    kinds = groupby("written" if method == "PATCH" else "read" for method, *_ in world.server.calls)
    assert [kind for kind, _ in kinds] == ["read", "written"] * 2


def test_a_task_is_due_on_the_organisations_day_at_the_time_of_its_reminder(world: World) -> None:
    [task_id] = made(world, new(due_at=DUE))

    assert (row(world, task_id)["ActivityDate"], row(world, task_id)["IsReminderSet"]) == ("2026-11-25", True)
    [state] = world.client().read_tasks([task_id])
    assert isinstance(state, TaskState)
    assert state.due_at == DUE


def test_a_day_that_a_person_chose_counts_at_the_same_time_of_day(world: World) -> None:
    [task_id] = made(world, new(due_at=DUE))
    world.server.put("Task", {"ActivityDate": "2026-11-30"}, id=task_id)

    [state] = world.client().read_tasks([task_id])

    assert isinstance(state, TaskState)
    assert state.due_at == datetime(2026, 12, 1, 2, 30, tzinfo=UTC)


def test_a_task_is_the_only_one_with_its_key_where_salesforce_keeps_it_unique(world: World) -> None:
    [task_id] = made(world, new())
    [told] = world.client().read_tasks([task_id])
    world.options = {**world.options, "unique": False}
    [otherwise] = world.client().read_tasks([task_id])

    assert isinstance(told, TaskState)
    assert isinstance(otherwise, TaskState)
    assert (told.sole, otherwise.sole) == (True, False)


def test_a_call_is_of_the_type_call_and_anything_else_of_none(world: World) -> None:
    answer, call = made(world, new(), new("key-2", kind=TaskKind.READY_FOR_CALL))

    assert (row(world, answer)["Type"], row(world, call)["Type"]) == (None, "Call")


def test_priority_is_said_in_the_organisations_words(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.kinds["TaskPriority"]["High"] |= {"ApiName": "Urgent"}
    world.prepare()

    high, normal = made(world, new(high_priority=True), new("key-2", high_priority=False))

    assert (row(world, high)["Priority"], row(world, normal)["Priority"]) == ("Urgent", "Normal")


def test_an_organisation_whose_tasks_begin_closed_is_told_that_ours_are_open(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    for status in world.server.kinds["TaskStatus"].values():
        status["IsDefault"] = status["IsClosed"]
    world.prepare()

    [task_id] = made(world, new())

    assert world.options["states_open"] is True
    assert row(world, task_id)["Status"] == "Not Started"


def test_what_a_person_has_begun_stays_begun(world: World) -> None:
    [task_id] = made(world, new())
    world.server.put("Task", {"Status": "In Progress"}, id=task_id)

    push(world, new(subject="Another", external_id=task_id))

    assert (row(world, task_id)["Status"], row(world, task_id)["Subject"]) == ("In Progress", "Another")


def test_a_task_that_is_no_longer_about_somebody_lets_go_of_them(world: World) -> None:
    ada, bea = (world.server.put("Contact", {"Name": name}) for name in ("Ada", "Bea"))
    first, second = made(world, new(contact_id=ada), new("key-2", contact_id=ada))
    world.server.put("Task", {"WhoId": bea}, id=second)  # a person knew better

    push(
        world,
        new(external_id=first, former_contact_id=ada),
        new("key-2", external_id=second, former_contact_id=ada),
    )

    assert (row(world, first)["WhoId"], row(world, second)["WhoId"]) == (None, bea)


def test_a_change_goes_on_without_somebody_who_is_gone(world: World) -> None:
    ada = world.server.put("Contact", {"Name": "Ada"})
    [task_id] = made(world, new(contact_id=ada))
    world.server.delete("Contact", ada)

    [done] = push(world, replace(new(contact_id=ada, external_id=task_id), status=TaskStatus.COMPLETED))

    assert done.outcome is PushOutcome.COMPLETED
    assert row(world, task_id)["IsClosed"] is True


def test_a_key_that_stands_is_found_and_nothing_is_made(world: World) -> None:
    [first] = made(world, new())

    [again] = push(world, new())

    assert (again.outcome, again.external_id) == (PushOutcome.FOUND, first)
    assert world.server.tasks_ever_created == 1


def test_a_key_that_stands_twice_is_the_older_task(make_world: MakeWorld) -> None:
    world = make_world(unique=False)
    [first] = made(world, new())
    world.server.put("Task", {KEY: "key-1", "Subject": "copy"})

    [found, other] = push(world, new(), new("key-2"))

    assert (found.outcome, found.external_id) == (PushOutcome.FOUND, first)
    assert other.outcome is PushOutcome.CREATED


def test_a_user_who_may_not_upsert_on_a_key_that_is_not_unique_creates(make_world: MakeWorld) -> None:
    world = make_world(unique=False)
    says = '{"success":false,"errors":[{"statusCode":"INSUFFICIENT_ACCESS_OR_READONLY","message":"View All Data","fields":[]}]}'
    world.server.fault("PATCH", f"/Task/{KEY}", lambda work: (200, {}, f"[{says},{says}]"))

    found = push(world, new(), new("key-2"))

    assert {each.outcome for each in found} == {PushOutcome.CREATED}
    assert world.server.tasks_ever_created == 2


def test_a_lost_create_that_a_person_has_deleted_since_is_left_be(world: World) -> None:
    [task_id] = made(world, new())
    world.server.delete("Task", task_id)

    [found] = push(world, new(maybe_sent_at=world.clock()))

    assert (found.outcome, found.external_id) == (PushOutcome.GONE, task_id)
    assert world.server.tasks_ever_created == 1


@pytest.mark.parametrize("customise", [True, False])
def test_a_lost_create_may_be_on_its_way_for_two_minutes(make_world: MakeWorld, customise: bool) -> None:
    world = make_world(unique=False, customise=customise)
    lost = new(maybe_sent_at=world.clock())

    assert push(world, lost)[0].outcome is PushOutcome.UNKNOWN
    assert world.server.tasks_ever_created == 0
    world.clock.forward(minutes=2)

    assert push(world, lost)[0].outcome is PushOutcome.CREATED


def test_where_the_key_is_unique_a_lost_create_is_made_again_at_once_and_an_end_waits(world: World) -> None:
    lost = new(maybe_sent_at=world.clock())

    [ended] = push(world, replace(lost, status=TaskStatus.WITHDRAWN))
    [made_again] = push(world, lost)

    assert (ended.outcome, made_again.outcome) == (PushOutcome.UNKNOWN, PushOutcome.CREATED)


@pytest.mark.parametrize("status", [TaskStatus.COMPLETED, TaskStatus.WITHDRAWN])
def test_a_lost_create_that_is_no_longer_wanted_is_found_and_ended(world: World, status: TaskStatus) -> None:
    [task_id] = made(world, new())

    [found] = push(world, replace(new(maybe_sent_at=world.clock()), status=status))

    assert found.external_id == task_id
    assert row(world, task_id)["IsClosed" if status is TaskStatus.COMPLETED else "IsDeleted"] is True


def test_a_record_that_somebody_else_is_saving_comes_later(world: World) -> None:
    first, second = made(world, new(), new("key-2"))
    world.server.locked.add(first)

    found = push(world, new(external_id=first), new("key-2", external_id=second))

    assert [each.outcome for each in found] == [PushOutcome.LATER, PushOutcome.UPDATED]


def test_a_batch_that_is_refused_as_a_whole_is_halved_until_the_one_is_found(world: World) -> None:
    def picky(work: Callable[[], Any]) -> Any:
        records = world.server.calls[-1][2]["records"]
        bad = any(record["Subject"] == "bad" for record in records)
        return refuse(400, "JSON_PARSER_ERROR", "Illegal value")(work) if bad else work()

    world.server.fault("PATCH", f"/Task/{KEY}", picky, times=99)

    found = push(world, *(new(f"key-{number}", subject="bad" if number == 5 else "good") for number in range(20)))

    assert [number for number, each in enumerate(found) if each.outcome is PushOutcome.REFUSED] == [5]
    assert world.server.tasks_ever_created == 19


def test_a_key_field_that_was_removed_makes_nothing_and_says_what_to_do(world: World) -> None:
    del world.server.fields["Task"][KEY]

    with pytest.raises(InvalidRequestError, match="Connect Salesforce again"):
        push(world, new())


def test_without_its_field_a_task_can_still_be_ended(world: World) -> None:
    [task_id] = made(world, new())
    del world.server.fields["Task"][KEY]

    [done] = push(world, replace(new(external_id=task_id), status=TaskStatus.COMPLETED))

    assert done.outcome is PushOutcome.COMPLETED
