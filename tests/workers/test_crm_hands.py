"""What people do in a CRM besides ticking off and editing: they copy tasks, and link calls to contacts later."""

from __future__ import annotations

from datetime import timedelta

from integrations.records import ActivityKind, Direction, TaskStatus
from tests.workers.conftest import World

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
