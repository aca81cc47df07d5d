"""What a run that is held is to a CRM that is left: what it wants withdrawn goes, and nothing else comes of it there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from integrations.records import Author, TaskStatus
from service import connect, disconnecting, judging
from service.models import Connection
from service.store import leaving, pushing, runs
from tests.fakes.crm import FakeCRM
from tests.workers.conftest import World
from tests.workers.holding import act, change, newest, people_ask
from tests.workers.leaving import PATIENCE, purge, receipt
from tests.workers.releases import JUDGE, NEWER, blind, credulous, install


@pytest.fixture
def three(connected: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Three people wait, each with a task in the CRM, and a change of more than one task is held."""
    monkeypatch.setattr(runs, "LIMIT", 1)
    people_ask(connected, 3)
    connected.run()
    return connected


@pytest.fixture
def held_up(three: World) -> World:
    """A change of settings that would take many tasks out of the CRM, and waits for somebody to approve it."""
    change(three, lapse_days=1, patience={"direct": 60, "question": 600, "other": 600})
    three.run()
    assert (newest(three).state, len(three.in_crm())) == ("held", 3)
    assert {task.wanted for task in three.tasks()} == {"withdrawn"}
    return three


def test_what_a_held_change_would_withdraw_is_withdrawn_all_the_same(held_up: World) -> None:
    purge(held_up)
    held_up.run()
    assert held_up.connection("crm").status == "disconnected"
    assert held_up.crm.tasks == {}
    assert receipt(held_up)[0] == "3 open tasks were withdrawn."


def test_of_what_a_held_change_would_withdraw_people_keep_what_they_made_theirs(held_up: World) -> None:
    edited = next(iter(held_up.crm.tasks))
    held_up.crm.edit_as_person(edited, subject="Mine now")
    purge(held_up)
    held_up.run()
    assert list(held_up.crm.tasks) == [edited]
    assert [line.partition(",")[0] for line in receipt(held_up)[:2]] == [
        "2 open tasks were withdrawn.",
        "1 task was left",
    ]


@pytest.mark.parametrize("decision", ["approve_run", "undo_run"])
def test_deciding_on_a_held_change_makes_nothing_in_a_crm_that_was_left(held_up: World, decision: str) -> None:
    purge(held_up)
    held_up.run()
    act(held_up, decision)
    held_up.run()
    assert held_up.connection("crm").status == "disconnected"
    assert (held_up.crm.tasks, held_up.crm.tasks_ever_created) == ({}, 3)
    assert held_up.sql("SELECT count(*) FROM tasks WHERE push_at IS NOT NULL OR run_id IS NOT NULL") == [(0,)]


def test_connecting_again_before_it_is_over_leaves_what_is_held_to_whoever_decides_on_it(held_up: World) -> None:
    purge(held_up)
    connect.connect_with_secret(held_up.runtime, held_up.owner.caller, "fakecrm", None, {})
    held_up.run()
    assert len(held_up.in_crm()) == 3
    act(held_up, "approve_run")
    held_up.run()
    assert held_up.in_crm() == []


@pytest.mark.parametrize(
    ("approved", "ended"), [(True, False), (False, True)], ids=["while it is left", "once it is left"]
)
def test_undoing_new_rules_makes_nothing_in_a_crm_that_is_left(
    three: World, monkeypatch: pytest.MonkeyPatch, approved: bool, ended: bool
) -> None:
    install(monkeypatch, blind)
    three.says("@brand And to Faro?", id="late", who=Author("late", "late", "Late"))
    three.look()
    assert newest(three).state == "held"
    if approved:
        act(three, "approve_run")
        three.run()
    purge(three)
    if ended:
        three.run()
    act(three, "undo_run")
    three.run()
    assert three.connection("crm").status == "disconnected"
    assert (three.crm.tasks, three.crm.tasks_ever_created) == ({}, 3)
    assert three.sql("SELECT count(*) FROM tasks WHERE push_at IS NOT NULL") == [(0,)]


def connect_again(world: World) -> None:
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {})


def disconnect_as_it_is(world: World) -> None:
    assert disconnecting.disconnect(world.runtime, world.owner.caller, world.connection("crm").id)


@pytest.mark.parametrize("giving_up", [connect_again, disconnect_as_it_is])
def test_whoever_gives_up_leaving_waits_for_whoever_decides_on_a_run_and_what_is_held_stays_held(
    held_up: World, giving_up: Callable[[World], None]
) -> None:
    purge(held_up)
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = :o")
    db, workspace = held_up.runtime.db, held_up.workspace_id
    with ThreadPoolExecutor(1) as other, db.globally() as looking:
        with db.tenant(workspace) as session:
            runs.alone(session, workspace)
            done = other.submit(giving_up, held_up)
            while not looking.scalar(waiting, {"o": workspace.int & 0x7FFFFFFF}):
                assert not done.done()
        done.result(PATIENCE)
    held_up.run()
    assert (newest(held_up).state, len(held_up.in_crm())) == ("held", 3)
    assert held_up.sql("SELECT count(*) FROM tasks WHERE run_id IS NULL OR push_at IS NOT NULL") == [(0,)]


def test_what_was_let_through_here_is_not_held_when_leaving_is_given_up_though_its_run_is_held_elsewhere(
    held_up: World,
) -> None:
    held_up.sql("UPDATE runs SET counts = '{}' WHERE state = 'held'")  # not for this CRM
    purge(held_up)
    connect_again(held_up)
    assert held_up.sql("SELECT count(*) FROM tasks WHERE run_id IS NULL AND push_at IS NOT NULL") == [(3,)]


@pytest.mark.parametrize("giving_up", [connect_again, disconnect_as_it_is])
@pytest.mark.parametrize("meanwhile", [True, False], ids=["undone while it is left", "undone before"])
def test_what_stands_by_the_rules_of_before_stays_open_when_leaving_is_given_up(
    three: World, monkeypatch: pytest.MonkeyPatch, giving_up: Callable[[World], None], meanwhile: bool
) -> None:
    install(monkeypatch, blind)
    three.says("@brand And to Faro?", id="late", who=Author("late", "late", "Late"))
    three.look()
    assert newest(three).state == "held"
    for step in (purge, undo) if meanwhile else (undo, purge):
        step(three)
    giving_up(three)
    three.run()
    connect_again(three)
    three.run()
    assert len(three.in_crm()) == 3  # what undone rules alter of them waits for somebody
    assert three.sql("SELECT count(*) FROM tasks WHERE push_at IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("giving_up", [connect_again, disconnect_as_it_is])
def test_what_undone_rules_had_made_opens_again_for_nobody_unasked_when_leaving_is_given_up(
    connected: World, monkeypatch: pytest.MonkeyPatch, giving_up: Callable[[World], None]
) -> None:
    monkeypatch.setattr(runs, "LIMIT", 1)
    monkeypatch.setattr(judging, "unanswered", blind)
    people_ask(connected, 3)
    connected.run()
    install(monkeypatch, JUDGE)
    connected.says("@brand And to Faro?", id="late", who=Author("late", "late", "Late"))
    connected.look()
    act(connected, "approve_run")
    connected.run()
    assert len(connected.in_crm()) == 4
    act(connected, "undo_run")  # which the CRM has not been told yet
    purge(connected)
    giving_up(connected)
    connect_again(connected)
    connected.run()
    assert connected.sql("SELECT count(*) FROM tasks WHERE wanted = 'open' AND run_id IS NULL") == [(1,)]


def undo(world: World) -> None:
    act(world, "undo_run")


@pytest.fixture
def taken_for_answered(three: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Somebody has approved what bad rules close, and the CRM has not been told yet."""
    install(monkeypatch, credulous)
    three.says("@brand And to Faro?", id="late", who=Author("late", "late", "Late"))
    three.look()
    act(three, "approve_run")
    return three


@pytest.mark.parametrize("ended", [False, True], ids=["while it is left", "once it is left"])
def test_undoing_new_rules_opens_nothing_again_in_a_crm_that_is_left(taken_for_answered: World, ended: bool) -> None:
    connected = taken_for_answered
    connected.run()
    purge(connected)
    if ended:
        connected.run()
    act(connected, "undo_run")
    assert {task.wanted for task in connected.tasks()} == {"open"}
    connected.run()
    assert connected.connection("crm").status == "disconnected"
    assert [task.status for task in connected.crm.tasks.values()] == [TaskStatus.COMPLETED] * 3
    assert receipt(connected)[0] == "3 closed tasks were left as your history."
    # Once it is left all is decided again, by the rules that were undone.
    assert connected.sql("SELECT DISTINCT crm_connection_id, external_id, push_at FROM tasks") == [(None, None, None)]


def test_what_undone_rules_had_closed_is_opened_again_where_leaving_is_given_up(
    taken_for_answered: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_for_answered.run()
    closed = set(taken_for_answered.crm.tasks)
    purge(taken_for_answered)
    act(taken_for_answered, "undo_run")
    purge(taken_for_answered)  # asking again does no harm
    connect_again(taken_for_answered)
    install(monkeypatch, JUDGE, NEWER + 1)
    taken_for_answered.look()
    taken_for_answered.run()
    assert {taken_for_answered.crm.tasks[each].status for each in closed} == {TaskStatus.OPEN}
    assert {(task.wanted, task.state) for task in taken_for_answered.tasks()} == {("open", "open")}


def test_what_undone_rules_were_about_to_close_is_closed_in_a_crm_that_is_being_left(
    taken_for_answered: World, next_crm: FakeCRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    purge(taken_for_answered)
    act(taken_for_answered, "undo_run")
    taken_for_answered.run()
    assert taken_for_answered.connection("crm").status == "disconnected"
    assert [task.status for task in taken_for_answered.crm.tasks.values()] == [TaskStatus.COMPLETED] * 3
    assert receipt(taken_for_answered)[0] == "3 closed tasks were left as your history."
    install(monkeypatch, JUDGE, NEWER + 1)  # and by rules that are better, whoever waits has a task in the next one
    connect.connect_with_secret(taken_for_answered.runtime, taken_for_answered.owner.caller, "nextcrm", None, {})
    taken_for_answered.look()
    act(taken_for_answered, "approve_run")
    taken_for_answered.run()
    assert len([task for task in next_crm.tasks.values() if "Porto" in task.body]) == 3


@pytest.mark.parametrize(("state", "there"), [("absent", None), ("completed", "1001")], ids=["make", "open again"])
def test_a_crm_that_is_being_left_is_told_to_make_and_to_open_nothing(held_up: World, state: str, there: str) -> None:
    purge(held_up)
    held_up.sql(
        "UPDATE tasks SET wanted = 'open', push_at = now(), state = :s, external_id = :there", s=state, there=there
    )
    with held_up.runtime.db.tenant(held_up.workspace_id) as session:
        crm = session.get_one(Connection, (held_up.workspace_id, held_up.connection("crm").id))
        assert pushing.take(session, crm, (), 9) == []
        assert leaving.nothing_is_left(session, crm)
