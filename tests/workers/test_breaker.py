"""One change of settings or rules that alters many tasks at once is held back, shown, and approved or undone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integrations.records import Author, Kind, TaskStatus
from service.errors import PlainError
from service.models import Run
from service.rules import model
from service.store import acting, ruling, runs
from tests.workers.conftest import World
from tests.workers.holding import act, change, newest, people_ask

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MANY = runs.LIMIT + 10


@pytest.fixture
def asked(connected: World) -> World:
    """Many wait, each with a task in the CRM."""
    people_ask(connected, MANY)
    connected.run()
    assert len(connected.in_crm()) == MANY
    return connected


def test_the_first_tasks_of_a_new_connection_are_not_the_breakers_business(asked: World) -> None:
    assert (newest(asked).kind, newest(asked).state) == ("first", "passed")


def test_a_change_that_would_take_many_tasks_back_is_held_until_somebody_approves(asked: World) -> None:
    change(asked, lapse_days=1, patience={"direct": 60, "question": 600, "other": 600})
    asked.run()

    run = newest(asked)
    assert (run.kind, run.state) == ("settings", "held")
    assert list(run.counts.values()) == [{"withdraw": MANY}]
    assert len(asked.in_crm()) == MANY

    assert act(asked, "approve_run").state == "approved"
    asked.run()
    assert asked.in_crm() == []


def test_undoing_it_puts_the_settings_back_and_leaves_the_crm_as_it_was(asked: World) -> None:
    before = dict(asked.crm.tasks)
    standing = asked.sql("SELECT values FROM settings ORDER BY version DESC LIMIT 1")
    change(asked, patience={"direct": 60, "question": 600, "other": 600})
    asked.run()

    assert act(asked, "undo_run").state == "undone"
    asked.run()

    assert newest(asked).state == "passed"
    assert asked.crm.tasks == before
    assert asked.crm.tasks_ever_created == MANY
    assert asked.sql("SELECT values FROM settings ORDER BY version DESC LIMIT 1") == standing
    assert {task.wanted for task in asked.tasks()} == {"open"}
    assert asked.sql("SELECT count(*) FROM tasks WHERE run_id IS NOT NULL") == [(0,)]


def test_what_was_approved_can_still_be_undone_and_peoples_edits_stay_theirs(asked: World) -> None:
    edited = next(iter(asked.crm.tasks))
    asked.crm.edit_as_person(edited, subject="Mine now")
    asked.look(streams=("tasks",))
    change(asked, text_mode="link")
    asked.run()
    act(asked, "approve_run")
    asked.run()
    assert not [task for task in asked.crm.tasks.values() if "Porto" in task.body]

    act(asked, "undo_run")
    asked.run()

    assert len([task for task in asked.crm.tasks.values() if "Porto" in task.body]) == MANY
    assert asked.crm.tasks[edited].subject == "Mine now"


def test_another_wording_for_many_is_held_and_counted_as_changes(asked: World) -> None:
    change(asked, text_mode="link")
    asked.run()
    assert list(newest(asked).counts.values()) == [{"change": MANY}]
    assert len([task for task in asked.crm.tasks.values() if "Porto" in task.body]) == MANY


def test_a_change_that_makes_many_tasks_is_held_too(connected: World) -> None:
    change(connected, patience={"direct": 600, "question": 600, "other": 600})
    people_ask(connected, MANY)
    connected.run()
    assert connected.in_crm() == []

    change(connected, patience={"direct": 60, "question": 60, "other": 60})
    connected.run()

    assert list(newest(connected).counts.values()) == [{"create": MANY}]
    assert connected.in_crm() == []
    assert {task.held_reason for task in connected.tasks()} == {runs.HELD}
    act(connected, "approve_run")
    connected.run()
    assert len(connected.in_crm()) == MANY


def test_a_change_that_alters_few_goes_by_itself(connected: World) -> None:
    people_ask(connected, runs.LIMIT)
    connected.run()
    change(connected, patience={"direct": 60, "question": 600, "other": 600})
    connected.run()
    assert newest(connected).state == "passed"
    assert connected.in_crm() == []


def test_a_change_that_alters_nothing_holds_nothing(asked: World) -> None:
    change(asked, daily_cap=7)
    asked.run()
    assert (newest(asked).state, newest(asked).counts) == ("passed", {})


def test_what_is_said_meanwhile_goes_its_usual_way(asked: World) -> None:
    change(asked, text_mode="link")
    asked.run()
    people_ask(asked, 1, start=MANY)
    asked.answers("We do.", id="r1", to="q1", whom=Author("p1", "person1"), ago=HOUR)

    asked.look()

    assert newest(asked).state == "held"
    assert len(asked.in_crm()) == MANY  # one more, and one that was answered less
    assert len(asked.in_crm("completed")) == 1
    assert asked.crm.tasks_ever_created == MANY + 1


def test_what_time_brings_about_is_no_doing_of_the_change(connected: World) -> None:
    people_ask(connected, MANY, ago=timedelta(minutes=30))
    connected.run()
    change(connected, daily_cap=1000)
    connected.passes(timedelta(minutes=31))
    connected.run()
    assert (newest(connected).state, newest(connected).counts) == ("passed", {})
    assert len(connected.in_crm()) == MANY


def test_changing_the_settings_back_by_hand_takes_the_held_away(asked: World) -> None:
    before = dict(asked.crm.tasks)
    change(asked, text_mode="link")
    asked.run()
    change(asked, text_mode="quote")
    asked.run()
    assert (newest(asked).state, newest(asked).counts) == ("passed", {})
    assert asked.crm.tasks == before
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        assert [run.state for run in session.scalars(select(Run).order_by(Run.id))] == [
            "passed",
            "superseded",
            "passed",
        ]


def test_a_second_change_joins_the_one_that_is_held(asked: World) -> None:
    change(asked, text_mode="link")
    asked.run()
    change(asked, patience={"direct": 60, "question": 600, "other": 600}, text_mode="link")
    asked.run()
    assert list(newest(asked).counts.values()) == [{"withdraw": MANY}]
    act(asked, "undo_run")
    asked.run()
    assert len([task for task in asked.crm.tasks.values() if "Porto" in task.body]) == MANY


def test_a_crm_in_preview_holds_nothing(world: World) -> None:
    world.set(preview=True)
    from service import connect

    for key in ("fakecrm", "fakesocial"):
        connect.connect_with_secret(world.runtime, world.owner.caller, key, None, {})
    people_ask(world, MANY)
    world.run()
    change(world, text_mode="link")
    world.run()
    assert newest(world).state == "passed"


def test_a_dismissed_task_is_completed_though_its_change_is_held(asked: World) -> None:
    change(asked, text_mode="link")
    asked.run()
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        acting.dismiss_task(session, asked.workspace_id, asked.tasks()[0].id, by="user:olga")
    asked.run()
    assert len(asked.in_crm("completed")) == 1


def test_a_post_that_is_deleted_is_not_remembered_for_an_undo_either(asked: World) -> None:
    asked.says("@brand My order number is ORD-4711, where is it?", id="secret")
    asked.look()
    change(asked, text_mode="link")
    asked.run()
    kept = "SELECT count(*) FROM run_changes WHERE before::text LIKE '%ORD-4711%'"
    assert asked.sql(kept) == [(1,)]
    asked.social.delete("secret")
    asked.sql("UPDATE engagements SET checked_at = checked_at - interval '8 days' WHERE native_id = 'secret'")
    asked.look(streams=("recheck",))
    assert asked.sql(kept) == [(0,)]


def test_only_what_can_be_undone_is_remembered(asked: World) -> None:
    for text_mode in ("link", "summary"):
        change(asked, text_mode=text_mode)
        asked.run()
        act(asked, "approve_run")
        asked.run()
    assert asked.sql("SELECT count(DISTINCT run_id) FROM run_changes") == [(1,)]


def test_only_the_newest_change_can_be_undone(asked: World) -> None:
    first = newest(asked).id
    change(asked, daily_cap=7)
    asked.run()
    with asked.runtime.db.tenant(asked.workspace_id) as session, pytest.raises(PlainError, match="rest on this one"):
        ruling.undo_run(session, asked.workspace_id, first, by="user:olga")


# --- new rules ------------------------------------------------------------------------------------------------


@pytest.fixture
def upgraded(asked: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A version whose rules take nobody's question for one: everything is decided again."""
    from service import judging
    from service.rules.model import Verdict
    from service.store import deciding, tasks

    for module in (model, runs, deciding, tasks):
        monkeypatch.setattr(module, "RULES_VERSION", 99)
    monkeypatch.setattr(
        judging, "unanswered", lambda conversation, *, now, policy: Verdict(None, ("Nothing is open.",))
    )
    asked.says("@brand And to Faro?", id="late", who=Author("late", "late", "Late"), kind=Kind.MENTION)
    asked.look()
    return asked


def test_new_rules_that_change_their_mind_about_many_are_held(upgraded: World) -> None:
    run = newest(upgraded)
    assert (run.kind, run.state) == ("rules", "held")
    assert list(run.counts.values()) == [{"withdraw": MANY}]
    assert len(upgraded.in_crm()) == MANY


def test_undoing_new_rules_leaves_the_tasks_until_something_new_is_said(upgraded: World) -> None:
    act(upgraded, "undo_run")
    upgraded.run()
    assert len(upgraded.in_crm()) == MANY
    assert {task.wanted for task in upgraded.tasks()} == {"open"}
    upgraded.passes(DAY)
    upgraded.run()
    assert len(upgraded.in_crm()) == MANY


def test_approved_new_rules_can_be_undone_and_the_tasks_come_back(upgraded: World) -> None:
    act(upgraded, "approve_run")
    upgraded.run()
    assert upgraded.in_crm() == []
    act(upgraded, "undo_run")
    upgraded.run()
    assert len(upgraded.in_crm()) == MANY
    assert {state.status for state in upgraded.crm.tasks.values()} == {TaskStatus.OPEN}
