"""What people do in a CRM besides ticking off and editing: they copy tasks, and link calls to contacts later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from integrations.records import ActivityKind, Direction, TaskStatus
from service.models import Task
from service.store import reconciling
from tests.fakes.crm import FakeCRM
from tests.workers.conftest import World
from workers import push

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_copy_of_a_task_that_somebody_completes_leaves_ours_as_it_is(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.copy_as_person(state.id, subject="Once more", status=TaskStatus.COMPLETED)

    connected.look()

    task = connected.task()
    assert (task.state, task.closed_by, task.edited) == ("open", "", [])


def test_a_copy_that_is_still_to_do_does_not_open_ours_again(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.complete_as_person(state.id)
    connected.look()
    connected.crm.copy_as_person(state.id, subject="Ask again", status=TaskStatus.OPEN)

    connected.look(streams=("tasks",))

    task = connected.task()
    assert (task.state, task.close_reason) == ("completed", "completed in the CRM")


def test_a_create_that_arrives_after_its_task_was_taken_away_is_taken_away_too(connected: World) -> None:
    """Whoever was to make it stood still, somebody else made it meanwhile, and its post is gone."""
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.social.delete("q1")
    connected.look()
    assert connected.in_crm() == []
    late = connected.crm.make_late(replace(state, subject="As it was worded then"))

    connected.look(streams=("tasks",))

    assert connected.in_crm() == []
    task = connected.task()
    assert (task.state, task.wanted, task.closed_by, task.external_id) == ("withdrawn", "withdrawn", "rules", late)


def test_a_task_that_was_taken_away_and_is_still_in_an_index_is_not_taken_away_again(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.social.delete("q1")
    connected.look()
    before = connected.task()

    connected.crm.still_lists(state)
    connected.look(streams=("tasks",))

    assert connected.task().written_at == before.written_at
    assert connected.task().state == "withdrawn"


def test_a_copy_of_a_task_that_was_taken_away_is_left_to_whoever_made_it(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    copy = connected.crm.copy_as_person(state.id, subject="Ask again")
    connected.social.delete("q1")
    connected.look()

    connected.crm.edit_as_person(copy, subject="Ask them again")
    connected.look(streams=("tasks",))

    assert connected.in_crm() == ["Ask them again"]
    assert connected.task().state == "withdrawn"


def test_a_call_counts_once_somebody_links_it_to_the_contact(connected: World) -> None:
    connected.knows()
    connected.says("@brand Can we have a call next week?", id="q1", ago=DAY)
    connected.answers("Sure.", id="r1", to="q1", ago=23 * HOUR)
    connected.run()
    call = {"id": "k1", "at": connected.now - HOUR, "direction": Direction.OUT, "outcome": "connected"}
    connected.logs(ActivityKind.CALL, contact="somebody-else", **call)
    connected.look()
    assert connected.task(kind="ready_for_call").state == "open"

    connected.logs(ActivityKind.CALL, contact="c1", **call)
    connected.look()

    assert connected.in_crm() == []
    assert connected.relationship().stage == "talked"


def test_a_call_counts_no_more_once_somebody_links_it_to_another_contact(connected: World) -> None:
    connected.knows()
    connected.says("@brand Can we have a call next week?", id="q1", ago=DAY)
    connected.answers("Sure.", id="r1", to="q1", ago=23 * HOUR)
    call = {"id": "k1", "at": connected.now - HOUR, "direction": Direction.OUT, "outcome": "connected"}
    connected.logs(ActivityKind.CALL, contact="c1", **call)
    connected.run()
    assert connected.relationship().stage == "talked"

    connected.logs(ActivityKind.CALL, contact="somebody-else", **call)
    connected.look()

    assert connected.relationship().stage != "talked"


def test_a_crm_that_keeps_no_seconds_has_edited_nothing(connected: World) -> None:
    connected.passes(timedelta(seconds=17))
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    assert state.due_at is not None
    assert state.due_at.second
    connected.crm.edit_as_person(state.id, due_at=state.due_at.replace(second=0))

    connected.look(streams=("tasks",))
    assert connected.task().edited == []

    connected.crm.edit_as_person(state.id, due_at=state.due_at + timedelta(minutes=1))
    connected.look(streams=("tasks",))
    assert connected.task().edited == ["due_at"]


def test_what_is_written_after_a_task_was_ticked_off_waits_for_an_answer_of_its_own_though_we_hear_of_both_at_once(
    connected: World,
) -> None:
    connected.crm.clock = lambda: connected.now
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.passes(HOUR)
    connected.crm.complete_as_person(state.id)
    connected.passes(HOUR)
    connected.says("@brand And what does it cost to the Azores?", id="q2", to="q1", ago=timedelta(0))
    connected.passes(5 * HOUR)

    connected.look()

    assert connected.task(state="completed").close_reason == "completed in the CRM"
    [open_task] = connected.tasks(state="open")
    assert "Azores" in open_task.content["body"]


@pytest.fixture
def answered(connected: World) -> World:
    """Somebody asked and had their answer; that the task is over is decided and not said in the CRM yet. Then they asked again."""
    connected.crm.clock = lambda: connected.now
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.answers("We do.", id="r1", to="q1", ago=timedelta(0))
    connected.passes(HOUR)
    connected.says("@brand And how long does it take?", id="q2", to="q1", ago=timedelta(0))
    connected.passes(5 * HOUR)
    connected.due("own", "mentions")
    while due := [each for each in connected.claim() if each.job != "push"]:
        for claim in due:
            connected.work(claim)
    assert [(each.wanted, each.state) for each in connected.tasks()] == [("completed", "open"), ("open", "absent")]
    return connected


def _may_push(world: World, at: str = "now() - interval '1 hour'") -> None:
    world.sql(
        f"UPDATE connections SET next_push_at = {at}, push_lease_id = NULL, push_lease_until = NULL WHERE kind = 'crm'"
    )


def _dies(world: World, where: Any, does: str) -> None:
    """The worker that pushes is killed when it comes to this."""
    with world.monkeypatch.context() as away:
        away.setattr(where, does, Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.run()


@pytest.mark.parametrize("read_back", [True, False], ids=["read back", "come upon"])
def test_who_ticks_off_a_task_that_was_just_answered_may_have_read_what_was_written_until_then(
    answered: World, read_back: bool
) -> None:
    """As when we hear of the tick before we hear of the answer."""
    [state] = answered.crm.tasks.values()
    answered.crm.complete_as_person(state.id)
    answered.passes(HOUR)
    answered.says("@brand Is it insured?", id="q3", to="q1", ago=timedelta(0))
    answered.passes(5 * HOUR)

    _may_push(answered, *["NULL"] * read_back)
    answered.look(streams=("mentions", *["recheck"] * read_back))

    [open_task] = answered.tasks(wanted="open")
    assert open_task.since == answered.now - 5 * HOUR
    assert (answered.tasks()[0].state, answered.tasks()[0].closed_by) == ("completed", "rules")


@pytest.mark.parametrize("read_back", [True, False], ids=["read back", "come upon"])
def test_a_completion_of_ours_whose_answer_was_lost_is_nobodys_tick(answered: World, read_back: bool) -> None:
    """Who asked again before it waits for an answer of their own."""
    _may_push(answered)
    _dies(answered, push, "_store")  # before what came of it was stored
    assert len(answered.in_crm("completed")) == 1

    _may_push(answered, *["NULL"] * read_back)
    answered.look(streams=("mentions", *["recheck"] * read_back))

    [open_task] = answered.tasks(wanted="open")
    assert open_task.since == answered.now - 5 * HOUR


def test_a_tick_after_a_completion_of_ours_that_never_arrived_is_told_from_it_by_what_the_task_says(
    answered: World,
) -> None:
    [state] = answered.crm.tasks.values()
    _may_push(answered)
    _dies(answered, FakeCRM, "push_tasks")  # noted as perhaps said, and then never sent
    answered.crm.complete_as_person(state.id)

    _may_push(answered, "NULL")
    answered.look(streams=("recheck",))

    assert answered.tasks(wanted="open") == []


def test_of_two_ticks_the_earlier_may_be_heard_of_last(connected: World) -> None:
    """A CRM's feed is not always in order: what was dealt with stays dealt with."""
    connected.crm.clock = lambda: connected.now
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        task = session.get(Task, (connected.workspace_id, connected.task().id))
        assert task is not None
        reconciling.dealt_with(session, task, connected.now)
        reconciling.dealt_with(session, task, connected.now - HOUR)

    assert connected.conversation().dealt_with_until == connected.now


# --- opened again there -----------------------------------------------------------------------------------------


def answered_and_opened_again(connected: World) -> str:
    """A task that was completed by an answer on the network, and that somebody opens again in the CRM a while later. Its id there."""
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.answers("We do.", id="r1", to="q1")
    connected.look()
    task = connected.task()
    assert (task.state, task.wanted, task.closed_by) == ("completed", "completed", "rules")
    connected.crm.edit_as_person(state.id, status=TaskStatus.OPEN, completed_at=None)
    connected.look()
    return state.id


def test_a_task_that_the_rules_completed_and_somebody_opens_again_is_open_here_and_left_to_them(
    connected: World,
) -> None:
    task_id = answered_and_opened_again(connected)
    for number in range(2):  # the answer still stands, and is no reason to complete it again
        task = connected.task()
        assert (task.state, task.wanted, task.closed_by, task.closed_at) == ("open", "open", "", None)
        assert connected.crm.tasks[task_id].status is TaskStatus.OPEN
        connected.says("@brand Thanks!", id=f"q{number + 2}", to="r1")
        connected.run()


def test_once_they_tick_it_off_it_is_done_here(connected: World) -> None:
    task_id = answered_and_opened_again(connected)
    connected.crm.complete_as_person(task_id)
    connected.look()
    task = connected.task()
    assert (task.state, task.closed_by) == ("completed", "crm")


def test_an_index_that_still_shows_it_open_opens_nothing(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [before] = connected.crm.tasks.values()
    connected.answers("We do.", id="r1", to="q1")
    connected.look()
    connected.crm.still_lists(before)
    connected.look(streams=("tasks",))
    assert (connected.task().state, connected.task().closed_by) == ("completed", "rules")
