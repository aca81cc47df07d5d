"""Somebody takes back that a task needed nothing: it stands again as it did, where somebody waits still."""

from __future__ import annotations

from datetime import timedelta

from integrations.records import TaskStatus
from service.store import acting
from tests.workers.conftest import World

HOUR = timedelta(hours=1)


def asked(world: World) -> None:
    world.knows()
    world.says("@brand Do you ship to Porto?", id="q1", ago=3 * HOUR)
    world.run()


def dismiss(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.dismiss_task(session, world.workspace_id, world.task().id, by="user:olga")
    world.run()


def take_back(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.undo_dismissal(session, world.workspace_id, world.task().id, by="user:olga")
    world.run()


def status(world: World) -> TaskStatus:
    state = world.crm.by_key(world.task().key)
    assert state is not None
    return state.status


def test_a_dismissal_that_is_undone_opens_the_same_task_in_the_crm(connected: World) -> None:
    asked(connected)
    before = connected.task().id
    dismiss(connected)
    assert status(connected) is TaskStatus.COMPLETED

    take_back(connected)

    assert (connected.task().id, connected.task().wanted, connected.task().closed_by) == (before, "open", "")
    assert status(connected) is TaskStatus.OPEN


def test_whoever_was_answered_meanwhile_waits_for_nothing_when_it_is_undone(connected: World) -> None:
    asked(connected)
    dismiss(connected)
    connected.answers("We do.", id="a1", to="q1")
    connected.look()

    take_back(connected)

    assert (connected.task().wanted, connected.task().closed_by) == ("completed", "rules")
    assert status(connected) is TaskStatus.COMPLETED


def test_what_was_dealt_with_before_that_wait_stays_so(connected: World) -> None:
    connected.knows()
    connected.says("@brand Do you ship to Faro?", id="q0", ago=9 * HOUR)
    connected.run()
    dismiss(connected)
    connected.passes(HOUR)
    connected.says("@brand And to Porto?", id="q1", to="q0", ago=timedelta(0))
    connected.look()
    connected.passes(5 * HOUR)
    connected.look()
    [first, second] = sorted(connected.tasks(), key=lambda each: each.since)
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        acting.dismiss_task(session, connected.workspace_id, second.id, by="user:olga")
    connected.run()

    with connected.runtime.db.tenant(connected.workspace_id) as session:
        acting.undo_dismissal(session, connected.workspace_id, second.id, by="user:olga")
    connected.run()

    assert [each.wanted for each in sorted(connected.tasks(), key=lambda each: each.since)] == ["completed", "open"]
    assert first.key != second.key


def test_a_task_that_nobody_dismissed_stays_as_it_is(connected: World) -> None:
    asked(connected)
    take_back(connected)
    assert connected.task().wanted == "open"
    connected.answers("We do.", id="a1", to="q1")
    connected.look()
    closed = connected.task().close_reason
    take_back(connected)
    assert (connected.task().wanted, connected.task().close_reason) == ("completed", closed)
