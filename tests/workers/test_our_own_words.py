"""What stands in a CRM is ours or a person's: neither is taken for the other, whatever was lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from integrations.records import Gone, PushOutcome, PushResult, TaskState, TaskStatus
from tests.workers.conftest import World
from tests.workers.pushes import NOON, due, row
from workers import push, saying
from workers.settling import settled


def stands(world: World) -> TaskState:
    [state] = world.crm.tasks.values()
    return state


def dies_after_the_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(push, "_store", _die)
        with pytest.raises(KeyboardInterrupt):
            world.run()
    due(world)


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_task_whose_making_was_not_answered_and_whose_words_have_changed_since_is_nobodys_edit(
    connected: World,
) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.crm.lose_answer(work_done=True)
    connected.run()
    first = stands(connected).body
    connected.says("@brand Or to Lisbon?", id="q2", to="q1")
    connected.look(streams=("mentions",))
    due(connected)

    connected.run()
    connected.look(streams=("tasks",))

    task = connected.task()
    assert (task.state, task.edited, task.sent) == ("open", [], [])
    assert "Lisbon" not in first
    assert "Lisbon" in stands(connected).body
    assert connected.crm.tasks_ever_created == 1


def test_a_change_whose_answer_was_lost_is_nobodys_edit_and_the_next_one_is_made(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.says("@brand Or to Lisbon?", id="q2", to="q1")
    connected.due("mentions")
    dies_after_the_call(connected, monkeypatch)
    assert "Lisbon" in stands(connected).body
    connected.due("tasks")
    for each in connected.claim():
        if each.job == "pull":  # it is read back before anybody has tried it again
            connected.work(each)
    connected.sql("UPDATE streams SET lease_id = NULL, lease_until = NULL")
    due(connected)
    assert (connected.task().edited, len(connected.task().sent)) == ([], 1)
    connected.says("@brand Or to Braga?", id="q3", to="q1")

    connected.look()

    task = connected.task()
    assert (task.state, task.edited, task.sent) == ("open", [], [])
    assert "Braga" in stands(connected).body


def test_what_a_person_has_written_and_nobody_has_read_back_is_left_alone(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.crm.edit_as_person(stands(connected).id, body="Call them: they are in a hurry.")
    connected.says("@brand Or to Lisbon?", id="q2", to="q1")

    connected.look(streams=("mentions",))

    assert stands(connected).body == "Call them: they are in a hurry."
    task = connected.task()
    assert (task.edited, task.content["body"]) == (["body"], "Call them: they are in a hurry.")


def test_a_task_that_somebody_has_just_ticked_off_is_not_opened_again(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.crm.complete_as_person(stands(connected).id)
    connected.says("@brand Or to Lisbon?", id="q2", to="q1", ago=timedelta(hours=2))

    connected.look(streams=("mentions",))

    assert stands(connected).status == "completed"
    assert "Lisbon" not in stands(connected).body
    task = connected.task()
    assert (task.state, task.wanted, task.closed_by, task.edited) == ("completed", "completed", "crm", [])


def test_what_was_written_after_somebody_ticked_it_off_waits_for_an_answer_of_its_own(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.crm.edit_as_person(stands(connected).id, status=TaskStatus.COMPLETED, completed_at=connected.now)
    connected.passes(timedelta(minutes=1))
    connected.says("@brand I am still waiting.", id="q2", to="q1", ago=timedelta(0))
    connected.passes(timedelta(hours=4))

    connected.look(streams=("mentions",))
    connected.look(streams=("mentions",))

    closed, opened = sorted(connected.tasks(), key=lambda task: task.wanted)
    assert (closed.wanted, closed.closed_by) == ("completed", "crm")
    assert (opened.wanted, opened.state) == ("open", "open")


def test_a_task_that_somebody_has_just_made_theirs_is_not_deleted(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.crm.edit_as_person(stands(connected).id, subject="Mine")
    connected.social.delete("q1")

    connected.look(streams=("mentions", "recheck"))

    assert stands(connected).subject == "Mine"
    assert (connected.task().state, connected.task().edited) == ("withdrawn", ["subject"])


def test_words_that_are_wanted_again_are_said_where_a_change_may_stand_in_their_place() -> None:
    first, second = {"subject": "First"}, {"subject": "Second", "status": "open"}
    said = saying.as_task(row(external_id="t1", written=first, sent=[second]))
    assert said is not None
    assert said.subject == "First"
    assert saying.as_task(row(external_id="t1", written=first, sent=[{**first, "status": "open"}])) is None


def test_what_is_found_of_somebody_who_was_erased_meanwhile_is_written_over() -> None:
    """The answer to its making was lost, so it stands there as it was said before."""
    erased = row(state="unknown", wanted="withdrawn", written={"contact_native_id": "c1"}, erased_at=NOON)
    found = settled(erased, PushResult(erased.key, PushOutcome.FOUND, "t1"), NOON, NOON)
    assert found.written == {"contact_native_id": "c1"}
    next_said = saying.as_task(
        row(state="open", wanted="withdrawn", external_id="t1", written=found.written, erased_at=NOON)
    )
    assert next_said is not None
    assert (next_said.status, next_said.subject) == ("open", "First")


def test_a_task_that_a_person_ticked_off_as_we_did_stands_as_we_wrote_it() -> None:
    """Else our own line about how it ended would be taken for theirs, should they open it again."""
    ended = row(external_id="t1", wanted="completed", written={"subject": "Before"})
    result = PushResult(ended.key, PushOutcome.COMPLETED, "t1", theirs={"status": "completed"})
    assert settled(ended, result, NOON, NOON).written == {"subject": "First"}
    assert settled(replace(ended, wanted="withdrawn"), result, NOON, NOON).written == {"subject": "Before"}


def test_a_create_that_is_still_on_its_way_when_its_task_is_over_finds_its_key_taken(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.crm.lose_answer(work_done=True)
    connected.run()
    due(connected)
    connected.run()
    assert connected.task().state == "open"
    connected.social.serve("mentions", Gone("q1"))

    connected.look(streams=("mentions",))
    due(connected)
    connected.run()

    assert (connected.task().wanted, connected.task().state) == ("withdrawn", "open")
    assert "can be on its way" in connected.task().detail
    assert len(connected.crm.tasks) == 1

    connected.sql("UPDATE tasks SET maybe_sent_at = maybe_sent_at - interval '1 minute'")
    due(connected)
    connected.run()

    assert connected.task().state == "withdrawn"
    assert not connected.crm.tasks
