"""Changing, completing and withdrawing tasks that stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from integrations import deadline
from integrations.crm.hubspot.api import API, BATCH
from integrations.errors import (
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.pushing import FRESH
from integrations.records import Gone, PushOutcome, TaskStatus
from tests.integrations.crm.hubspot.conftest import World
from tests.integrations.crm.hubspot.pushes import ARCHIVE, LOST, UPDATE, made, new, push, results, standing

# The account in memory holds each request and answer against the models of HubSpot's own SDK.
pytestmark = pytest.mark.rule("contract")


def test_an_edit_changes_what_it_gives_and_nothing_else(world: World) -> None:
    task = made(world, owner_id="7", high_priority=True)
    before = standing(world, "k1")

    assert push(world, replace(task, subject="Another subject")) == [PushOutcome.UPDATED]

    after = standing(world, "k1")
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"hs_task_subject", "hs_lastmodifieddate"}


def test_an_edit_does_not_set_a_task_in_progress_back(world: World) -> None:
    task = made(world)
    world.portal.put("tasks", {"hs_task_status": "IN_PROGRESS"}, id=str(task.external_id))

    push(world, replace(task, subject="Another subject"))

    assert standing(world, "k1")["hs_task_status"] == "IN_PROGRESS"


def test_what_a_person_changes_while_a_slow_answer_is_on_its_way_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HubSpot writes without looking: what was read has to be what stands there."""
    task = made(world, subject="Ours")
    at, read = [0.0], API.read
    monkeypatch.setattr(deadline, "now", lambda: at[0])

    def slow(self: API, kind: str, *arguments: Any, **more: Any) -> list[dict[str, Any]]:
        rows = read(self, kind, *arguments, **more)
        if not at[0]:
            at[0] = FRESH
            world.portal.put("tasks", {"hs_task_subject": "Theirs"}, id=str(task.external_id))
        return rows

    monkeypatch.setattr(API, "read", slow)

    [result] = results(world, replace(task, subject="Ours too", ours=({"subject": "Ours"},)))

    assert standing(world, "k1")["hs_task_subject"] == "Theirs"
    assert result.theirs == {"subject": "Theirs"}


def test_a_slow_account_gets_the_rest_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [each.external_id for each in results(world, *(new(f"old-{number}") for number in range(400)))]
    batch = API.batch

    def slow(*arguments: Any, **more: Any) -> Any:
        world.clock.forward(seconds=10)
        return batch(*arguments, **more)

    monkeypatch.setattr(API, "batch", slow)

    created = push(world, *(new(f"k{number}") for number in range(1000)))
    changed = push(world, *(new(f"old-{number}", subject="Anew", external_id=each) for number, each in enumerate(ids)))

    assert Counter(created) == {PushOutcome.CREATED: 300, PushOutcome.LATER: 700}
    assert Counter(changed) == {PushOutcome.UPDATED: 300, PushOutcome.LATER: 100}


@pytest.mark.parametrize("stand", [False, True])
def test_what_may_have_been_sent_to_a_slow_account_is_sought_part_by_part(
    world: World, monkeypatch: pytest.MonkeyPatch, stand: bool
) -> None:
    lost = [new(f"k{number}", maybe_sent_at=world.clock() - timedelta(minutes=5)) for number in range(1000)]
    if stand:
        push(world, *(replace(each, maybe_sent_at=None) for each in lost))
    read = API.read

    def slow(self: API, kind: str, ids: Sequence[str], *arguments: Any, **more: Any) -> Any:
        world.clock.forward(seconds=10 * -(-len(ids) // BATCH))
        return read(self, kind, ids, *arguments, **more)

    monkeypatch.setattr(API, "read", slow)
    began = world.clock()

    came = Counter(push(world, *lost))

    assert world.clock() - began <= timedelta(seconds=40)
    assert came[PushOutcome.FOUND if stand else PushOutcome.CREATED] >= 100
    assert came[PushOutcome.LATER] >= 700


def test_an_edit_keeps_the_marker_where_the_body_holds_the_key(make_world: Callable[..., World]) -> None:
    world = make_world(properties_allowed=False)
    task = made(world)

    push(world, replace(task, body="Another body"))

    assert standing(world, "k1")["hs_task_body"] == "Another body<br><br>Warmline reference: k1"


def test_a_task_is_completed_with_the_line_that_says_why(world: World) -> None:
    task = replace(made(world), status=TaskStatus.COMPLETED, body="Answered on X.")

    assert push(world, task) == [PushOutcome.COMPLETED]
    assert standing(world, "k1")["hs_task_status"] == "COMPLETED"
    assert standing(world, "k1")["hs_task_body"] == "Answered on X."


def test_a_completed_task_is_opened_again(world: World) -> None:
    task = made(world)
    push(world, replace(task, status=TaskStatus.COMPLETED))

    assert push(world, task) == [PushOutcome.UPDATED]
    assert standing(world, "k1")["hs_task_status"] == "NOT_STARTED"


def test_a_task_is_withdrawn_by_deleting_it(world: World) -> None:
    task = made(world)

    assert push(world, replace(task, status=TaskStatus.WITHDRAWN)) == [PushOutcome.WITHDRAWN]
    assert world.client().read_tasks([str(task.external_id)]) == [Gone(str(task.external_id))]


@pytest.mark.parametrize("wanted", TaskStatus)
def test_a_task_that_a_person_deleted_is_gone_and_stays_so(world: World, wanted: TaskStatus) -> None:
    task = made(world)
    world.portal.archive("tasks", str(task.external_id))

    assert push(world, replace(task, status=wanted, subject="Again")) == [PushOutcome.GONE]
    assert world.portal.alive("tasks") == []


def test_a_task_deleted_between_the_look_and_the_edit_is_gone(world: World) -> None:
    task = made(world)

    def deleted_meanwhile(work: Callable[[], Any]) -> Any:
        world.portal.archive("tasks", str(task.external_id))
        return work()

    world.portal.fault("POST", UPDATE, deleted_meanwhile)

    assert push(world, replace(task, subject="Again")) == [PushOutcome.GONE]


@pytest.mark.parametrize("multi_status", [True, False])
def test_a_refused_edit_does_not_take_the_others_with_it(make_world: Callable[..., World], multi_status: bool) -> None:
    world = make_world(multi_status=multi_status)
    tasks = [made(world, f"k{n}") for n in range(8)]
    world.portal.refusals["bad"] = "No."

    outcomes = push(world, *(replace(each, subject="bad" if each.key == "k3" else "good") for each in tasks))

    assert outcomes == [PushOutcome.REFUSED if n == 3 else PushOutcome.UPDATED for n in range(8)]


@pytest.mark.parametrize("wanted", TaskStatus)
@pytest.mark.parametrize("loss", LOST)
def test_a_lost_change_is_safe_to_repeat(world: World, wanted: TaskStatus, loss: Any) -> None:
    task = replace(made(world), status=wanted, subject="Again")
    world.portal.fault("POST", f"{UPDATE}|{ARCHIVE}", loss)
    with suppress(TemporaryError, UnexpectedResponseError):
        assert push(world, task) == [PushOutcome.LATER]
    outcomes = push(world, task)

    ends = {"open": PushOutcome.UPDATED, "completed": PushOutcome.COMPLETED, "withdrawn": PushOutcome.WITHDRAWN}
    assert outcomes in ([ends[wanted.value]], [PushOutcome.GONE])
    assert world.portal.tasks_ever_created == 1


def test_what_makes_room_goes_out_before_what_is_new(world: World) -> None:
    old = made(world)

    push(world, new("k2"), replace(old, status=TaskStatus.WITHDRAWN))

    verbs = [path.rsplit("/", 1)[1] for path in world.portal.paths()]
    assert verbs == ["read", "archive", "create"]
