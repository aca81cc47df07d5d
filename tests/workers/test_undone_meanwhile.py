"""What happened while a release was held or after it was undone: what was answered stays so, and what people wrote stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from integrations.records import ActivityKind, Author, TaskStatus
from service import judging
from service.clock import real_now
from service.rules.model import Conversation, History, MatchState, Verdict
from service.store import acting, runs
from tests.workers.conftest import ANA, World, edited
from tests.workers.holding import act, newest
from tests.workers.releases import (
    JUDGE,
    MANY,
    MINUTE,
    answered,
    blind,
    heard,
    install,
    open_for_those_who_asked,
    pausing,
    resuming,
    settings_change,
    time_passing,
)
from tests.workers.test_elsewhere import writes_privately
from tests.workers.test_whose_words import ANA2, KNOWN


def wordy(conversation: Conversation, *, now: Any, policy: Any) -> Verdict:
    """Rules that find the same, and say more."""
    verdict = JUDGE(conversation, now=now, policy=policy)
    found = verdict.finding
    return (
        verdict if found is None else replace(verdict, finding=replace(found, reasons=(*found.reasons, "New words.")))
    )


def subject_of(world: World, person: int) -> str:
    [subject] = [each.content["subject"] for each in world.tasks() if f"Person {person}" in each.content["subject"]]
    return str(subject)


def test_what_was_answered_since_stays_closed(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, wordy)
    heard(asked)
    act(asked, "approve_run")
    asked.run()
    answered(asked, 3)
    act(asked, "undo_run")
    asked.run()
    assert asked.in_crm("completed") == [subject_of(asked, 3)]
    assert open_for_those_who_asked(asked.crm) == MANY - 1
    assert "New words." not in str(
        [task.body for task in asked.crm.tasks.values() if "Porto" in task.body and task.status == TaskStatus.OPEN]
    )


def test_what_was_answered_while_it_was_held_stays_closed(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, wordy)
    heard(asked)
    answered(asked, 3)
    act(asked, "undo_run")
    asked.run()
    assert asked.in_crm("completed") == [subject_of(asked, 3)]
    assert open_for_those_who_asked(asked.crm) == MANY - 1


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=1)], ids=["", "whatever the time of the host"])
def test_a_talk_that_went_on_while_its_task_was_held_is_looked_at_again(
    asked: World, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    monkeypatch.setattr(runs, "real_now", lambda: real_now() + ahead)
    with monkeypatch.context() as bad:
        install(bad, blind)
        heard(asked)
        answered(asked, 3)
        act(asked, "undo_run")
        asked.run()
        assert open_for_those_who_asked(asked.crm) == MANY - 1
    heard(asked)
    assert open_for_those_who_asked(asked.crm) == MANY - 1
    assert subject_of(asked, 3) not in asked.in_crm()


def told_in_private(world: World) -> None:
    writes_privately(world, to=THIRD)
    world.look()


def called(world: World) -> None:
    world.logs(ActivityKind.CALL, id="call", at=world.now - MINUTE, outcome="connected")
    world.look()


def thinks_better_of_it(world: World) -> None:
    """Nothing but the text is another, and nobody says when that was."""
    world.social.edit(edited(world.social.post("q3"), "@brand Lovely shop in Porto!"))
    world.sql("UPDATE engagements SET checked_at = checked_at - interval '8 days' WHERE native_id = 'q3'")
    world.look(streams=("recheck",))


THIRD = Author("p3", "person3", "Person 3")
NEWS: dict[str, Callable[[World], None]] = {
    "a private message": told_in_private,
    "a call": called,
    "an edit of the post": thinks_better_of_it,
}


@pytest.mark.parametrize("comes", NEWS.values(), ids=NEWS)
def test_whoever_was_told_elsewhere_or_thought_better_of_it_while_their_task_was_held_is_looked_at_again(
    asked: World, monkeypatch: pytest.MonkeyPatch, comes: Callable[[World], None]
) -> None:
    asked.knows(THIRD)
    asked.look()
    subjects, subject = asked.in_crm(), subject_of(asked, 3)
    install(monkeypatch, blind)
    heard(asked)
    comes(asked)
    assert (newest(asked).state, asked.in_crm()) == ("held", subjects)
    act(asked, "undo_run")
    asked.run()
    assert asked.in_crm() == [each for each in subjects if each != subject]
    assert newest(asked).counts == {str(asked.connection("crm").id): {"withdraw": 1}}


def unready(history: History, **more: Any) -> Verdict:
    """Rules for which it is time to talk to nobody."""
    return replace(_READY(history, **more), finding=None)


_READY = judging.ready_for_call


@pytest.fixture
def to_be_called(connected: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """One person with two profiles, whose call task a bad release is held with."""
    monkeypatch.setattr(runs, "LIMIT", 0)
    connected.crm.add(KNOWN)
    for each, who in (("1", ANA), ("2", ANA2)):
        connected.says("@brand Please call me about the bridge", id=f"p{each}", who=who, ago=timedelta(hours=20))
        connected.answers("Sure. When?", id=f"r{each}", to=f"p{each}", ago=timedelta(hours=19), whom=who)
    connected.run()
    assert len(connected.in_crm()) == 1
    install(monkeypatch, JUDGE)
    monkeypatch.setattr(judging, "ready_for_call", unready)
    heard(connected)
    assert (newest(connected).state, list(newest(connected).counts.values())) == ("held", [{"withdraw": 1}])
    return connected


def writes_on(world: World) -> None:
    world.says("@brand Are you there?", id="on", to="p1", ago=MINUTE)
    world.look()


def is_somebody_else(world: World) -> None:
    """One of the two profiles, as somebody has found."""
    [(match,)] = world.sql("SELECT m.id FROM matches m JOIN authors a ON a.id = m.author_id WHERE a.native_id = 'a2'")
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.decide_match(session, world.workspace_id, match, MatchState.REJECTED, by="user:olga")
    world.run()


@pytest.mark.parametrize(
    ("comes", "again"),
    [(writes_on, True), (called, True), (is_somebody_else, True), (time_passing, False)],
)
def test_a_call_task_that_was_held_is_looked_at_again_where_something_came_and_only_there(
    to_be_called: World, comes: Callable[[World], None], again: bool
) -> None:
    comes(to_be_called)
    act(to_be_called, "undo_run")
    to_be_called.run()
    assert (newest(to_be_called).state == "held") is again
    assert "Call Ana Ferrer: they asked to talk" in to_be_called.in_crm()


def test_whoever_waited_is_shown_to_wait_again(undone: World) -> None:
    waiting = undone.sql("SELECT count(*) FROM conversations WHERE waiting_since IS NOT NULL")
    assert waiting == [(MANY,)]


def test_what_people_wrote_into_a_task_outlives_undo_and_all_that_comes_after_it(undone: World) -> None:
    first = min(undone.crm.tasks)
    undone.crm.edit_as_person(first, subject="Mine now")
    undone.look(streams=("tasks",))
    for each in (settings_change, pausing, resuming):
        each(undone)
    act(undone, "undo_run")
    undone.run()
    assert undone.crm.tasks[first].subject == "Mine now"
    assert open_for_those_who_asked(undone.crm) == MANY
