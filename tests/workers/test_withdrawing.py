"""A withdrawal of ours is nobody's deletion, whatever happens while it is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from integrations.errors import AmbiguousWriteError, TemporaryError
from integrations.records import PushResult, Task
from service.models import Conversation
from service.store import due, reconciling
from tests.workers.conftest import World, clock_goes_back


@pytest.fixture
def out_of_sight(connected: World) -> World:
    """A task whose post was out of sight for a while, since our clock had gone back to before it: it is to be withdrawn, and that is not
    said yet."""
    connected.says("@brand Do you ship?", id="q1", ago=timedelta(hours=5))
    connected.run()
    clock_goes_back(connected)
    assert (connected.task().wanted, connected.task().state) == ("withdrawn", "open")
    connected.sql("UPDATE tasks SET push_at = :now", now=connected.now)
    connected.sql("UPDATE connections SET next_push_at = now(), push_lease_id = NULL WHERE kind = 'crm'")
    return connected


def _decides_again(world: World) -> None:
    """The post is in sight again, and what is due is decided; nothing is pushed."""
    world.passes(timedelta(hours=6))
    with world.runtime.db.tenant(world.workspace_id) as session:
        due.decide_everything(session, world.workspace_id)
    for claim in [each for each in world.claim() if each.job == "decide"]:
        world.work(claim)
    assert world.task().wanted == "open"


def test_a_task_that_is_asked_for_again_while_it_is_being_taken_away_is_made_anew(
    out_of_sight: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm, push_tasks = out_of_sight.crm, out_of_sight.crm.push_tasks

    def meanwhile(tasks: Sequence[Task]) -> Sequence[PushResult]:
        monkeypatch.setattr(crm, "push_tasks", push_tasks)
        _decides_again(out_of_sight)
        return push_tasks(tasks)

    monkeypatch.setattr(crm, "push_tasks", meanwhile)
    for claim in [each for each in out_of_sight.claim() if each.job == "push"]:
        out_of_sight.work(claim)
    out_of_sight.look()

    assert len(out_of_sight.in_crm()) == 1
    assert (out_of_sight.task().state, out_of_sight.task().closed_by) == ("open", "")
    assert crm.tasks_ever_created == 2


@pytest.mark.parametrize("asked", ["again", "never"])
@pytest.mark.parametrize("how", ["by reading it back", "by saying it again"])
def test_a_withdrawal_whose_answer_was_lost_is_nobodys_deletion(
    out_of_sight: World, monkeypatch: pytest.MonkeyPatch, asked: str, how: str
) -> None:
    crm, push_tasks = out_of_sight.crm, out_of_sight.crm.push_tasks

    def lost(tasks: Sequence[Task]) -> Sequence[PushResult]:
        monkeypatch.setattr(crm, "push_tasks", push_tasks)
        push_tasks(tasks)
        raise AmbiguousWriteError("crm.example did not answer in time")

    monkeypatch.setattr(crm, "push_tasks", lost)
    for claim in [each for each in out_of_sight.claim() if each.job == "push"]:
        out_of_sight.work(claim)
    assert (out_of_sight.in_crm(), out_of_sight.task().state) == ([], "open")
    if asked == "again":
        _decides_again(out_of_sight)
    reads = how == "by reading it back"
    later = "NULL" if reads else "now()"
    out_of_sight.sql(f"UPDATE connections SET next_push_at = {later}, push_lease_id = NULL WHERE kind = 'crm'")
    out_of_sight.sql("UPDATE tasks SET push_at = :now", now=out_of_sight.now)

    out_of_sight.look(streams=("recheck",) if reads else ())
    if asked == "never":
        assert (out_of_sight.task().state, out_of_sight.task().closed_by) == ("withdrawn", "rules")
        _decides_again(out_of_sight)
    out_of_sight.look()

    assert len(out_of_sight.in_crm()) == 1
    assert (out_of_sight.task().state, out_of_sight.task().closed_by) == ("open", "")


def test_a_task_that_was_left_to_somebody_when_they_dealt_with_the_talk_is_done_once_it_is_answered(
    connected: World,
) -> None:
    """They had ticked off another task of the same talk, and worded this one anew."""
    connected.says("@brand Do you ship?", id="q1", ago=timedelta(hours=2))
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.edit_as_person(state.id, subject="Call the harbour")
    connected.look(streams=("tasks",))
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        talk = session.scalars(select(Conversation)).one()
        talk.dealt_with_until = connected.now
        due.decide_everything(session, connected.workspace_id)
    connected.run()
    assert (connected.task().wanted, connected.in_crm()) == ("withdrawn", ["Call the harbour"])
    connected.passes(timedelta(minutes=5))
    connected.answers("We do.", id="r1", to="q1", ago=timedelta(0))

    connected.look()

    assert (connected.in_crm(), connected.in_crm("completed")) == ([], ["Call the harbour"])


def _tries_to_withdraw(world: World) -> str:
    """The withdrawal goes out and is held up on its way. The task's id there."""
    [task_id] = world.crm.tasks
    world.crm.script.fail(TemporaryError("no answer in time"), on="push_tasks")
    for claim in [each for each in world.claim() if each.job == "push"]:
        world.work(claim)
    return task_id


def _is_asked_for_in_other_words(world: World) -> None:
    """Somebody asks again, so the task is wanted after all, and that is said."""
    world.passes(timedelta(hours=6))
    world.says("@brand And to Porto?", id="q2", to="q1")
    world.look(streams=("mentions",))
    world.sql("UPDATE connections SET next_push_at = now(), push_lease_id = NULL WHERE kind = 'crm'")
    world.run()
    [state] = world.crm.tasks.values()
    assert "Porto" in str(state.body)


def test_a_withdrawal_that_was_held_up_on_its_way_until_the_task_had_new_words_is_nobodys_deletion(
    out_of_sight: World,
) -> None:
    task_id = _tries_to_withdraw(out_of_sight)
    _is_asked_for_in_other_words(out_of_sight)
    del out_of_sight.crm.tasks[task_id]  # it arrives after all

    out_of_sight.look(streams=("recheck",))
    out_of_sight.look()

    assert len(out_of_sight.in_crm()) == 1
    assert (out_of_sight.task().state, out_of_sight.task().closed_by) == ("open", "")


def test_who_deletes_a_task_that_stood_for_longer_than_a_withdrawal_can_be_held_up_has_deleted_it(
    out_of_sight: World,
) -> None:
    task_id = _tries_to_withdraw(out_of_sight)
    _is_asked_for_in_other_words(out_of_sight)
    out_of_sight.sql("UPDATE tasks SET withdrawing_at = withdrawing_at - :held", held=reconciling.HELD_UP)
    out_of_sight.look(streams=("recheck",))  # it stands
    out_of_sight.crm.delete_as_person(task_id)

    out_of_sight.look(streams=("recheck",))
    out_of_sight.look()

    assert (out_of_sight.in_crm(), out_of_sight.task().closed_by) == ([], "crm")


@pytest.mark.parametrize("hears", ["push_tasks", "read_tasks"])
def test_words_that_were_deleted_at_their_source_are_kept_nowhere_once_the_crm_says_that_the_task_is_gone(
    connected: World, hears: str
) -> None:
    connected.says("@brand My order number is ORD-4711, where is it?", id="q1")
    connected.run()
    [task_id] = connected.crm.tasks
    connected.social.delete("q1")
    for call in {"push_tasks", "read_tasks"} - {hears}:
        for at in range(1, 20):
            connected.crm.script.fail(TemporaryError("the CRM is away"), on=call, at=at)
    connected.crm.script.fail(TemporaryError("the CRM is away"), on="read_tasks")  # the network is heard first
    connected.crm.delete_as_person(task_id)

    connected.look(streams=("recheck",))
    connected.look(streams=("recheck",))

    assert connected.task().state == "withdrawn"
    kept = connected.sql("SELECT content::text || written::text || sent::text FROM tasks")
    assert ["ORD-4711" in each for [each] in kept] == [False]
