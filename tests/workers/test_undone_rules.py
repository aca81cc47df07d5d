"""Rules that were undone go on judging until others are installed. What they may still do, and what they may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from service import settings
from service.rules.model import RULES_VERSION, Conversation, Verdict
from tests.workers.conftest import World
from tests.workers.holding import act, change, newest
from tests.workers.releases import (
    DAY,
    JUDGE,
    LIMIT,
    MANY,
    NEWER,
    answered,
    asks_again,
    blind,
    credulous,
    heard,
    install,
    open_for_those_who_asked,
    pausing,
    resuming,
    settings_change,
    time_passing,
)


def forgetful(conversation: Conversation, *, now: Any, policy: Any) -> Verdict:
    """Rules for which half of them wait no more, and the others have waited enough tomorrow."""
    ends = max(post.at for post in conversation.posts) + DAY
    if conversation.author_id in ("p0", "p1", "p2") or now >= ends:
        return blind(conversation)
    return replace(JUDGE(conversation, now=now, policy=policy), look_again_at=ends)


# --- what happens every day ------------------------------------------------------------------------------------


def new_posts(world: World) -> None:
    for each in range(MANY):
        asks_again(world, each)


ACTS: dict[str, tuple[Callable[[World], None], ...]] = {
    "a change of settings": (settings_change,),
    "two of them": (settings_change, settings_change),
    "a freeze": (pausing,),
    "a freeze and a thaw": (pausing, resuming, settings_change),
    "a post in one talk after the other": (new_posts,),
    "time": (time_passing, new_posts),
    "posts, and then settings": (lambda world: asks_again(world, 1), settings_change, time_passing),
}


@pytest.mark.parametrize("acts", ACTS.values(), ids=ACTS)
def test_whatever_happens_after_an_undo_the_undone_rules_write_no_more_than_one_change_may(
    asked: World, monkeypatch: pytest.MonkeyPatch, acts: tuple[Callable[[World], None], ...]
) -> None:
    before = dict(asked.crm.tasks)
    install(monkeypatch, forgetful)
    heard(asked)
    act(asked, "undo_run")
    asked.run()
    assert {id_: asked.crm.tasks.get(id_) for id_ in before} == before

    for each in acts:
        each(asked)

    assert sum(asked.crm.tasks.get(id_) != task for id_, task in before.items()) <= LIMIT


def test_a_change_of_settings_after_an_undo_is_held_with_all_that_the_undone_rules_would_alter(undone: World) -> None:
    settings_change(undone)
    run = newest(undone)
    assert (run.kind, run.state, list(run.counts.values())) == ("settings", "held", [{"withdraw": MANY}])
    assert open_for_those_who_asked(undone.crm) == MANY
    act(undone, "undo_run")
    undone.run()
    assert open_for_those_who_asked(undone.crm) == MANY
    with undone.runtime.db.tenant(undone.workspace_id) as session:
        assert settings.current(session, undone.workspace_id).values["monthly_ceiling"] != 77


def test_pausing_an_account_after_an_undo_is_held_as_well(undone: World) -> None:
    pausing(undone)
    run = newest(undone)
    assert (run.kind, run.state, list(run.counts.values())) == ("undo", "held", [{"withdraw": MANY}])
    assert open_for_those_who_asked(undone.crm) == MANY


def test_what_undone_rules_alter_one_by_one_is_counted_together(undone: World) -> None:
    for each in range(LIMIT):
        asks_again(undone, each)
    assert (newest(undone).state, list(newest(undone).counts.values())) == ("passed", [{"withdraw": LIMIT}])
    asks_again(undone, LIMIT)
    assert (newest(undone).state, list(newest(undone).counts.values())) == ("held", [{"withdraw": LIMIT + 1}])
    assert open_for_those_who_asked(undone.crm) == MANY - LIMIT


def test_once_somebody_approves_them_after_all_they_are_rules_as_any(undone: World) -> None:
    settings_change(undone)
    assert newest(undone).state == "held"
    act(undone, "approve_run")
    undone.run()
    assert open_for_those_who_asked(undone.crm) == 0
    settings_change(undone)
    assert (newest(undone).state, newest(undone).counts) == ("passed", {})


def test_the_version_of_before_takes_what_the_undone_rules_altered_back_without_asking(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(asked.crm.tasks)
    with monkeypatch.context() as bad:
        install(bad, blind)
        heard(asked)
        act(asked, "undo_run")
        pausing(asked)
        resuming(asked)
        assert newest(asked).state == "held"
    heard(asked)
    run = newest(asked)
    assert (run.kind, run.state, run.counts, run.rules_version) == ("rules", "passed", {}, RULES_VERSION)
    assert {id_: asked.crm.tasks.get(id_) for id_ in before} == before


def test_a_version_that_mends_them_is_counted_against_what_stood_before_both(
    undone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks_again(undone, 1)
    assert open_for_those_who_asked(undone.crm) == MANY - 1
    install(monkeypatch, JUDGE, NEWER + 1)
    heard(undone)
    run = newest(undone)
    assert (run.state, run.from_rules_version, run.rules_version) == ("passed", RULES_VERSION, NEWER + 1)
    assert open_for_those_who_asked(undone.crm) == MANY


# --- settings that changed meanwhile ---------------------------------------------------------------------------


@pytest.fixture
def joined(asked: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A bad release is held, and a change of settings has taken it in."""
    install(monkeypatch, blind)
    heard(asked)
    settings_change(asked)
    assert (newest(asked).kind, newest(asked).state) == ("settings", "held")
    return asked


def test_new_rules_that_a_change_of_settings_took_in_can_be_undone_once_they_are_approved(joined: World) -> None:
    act(joined, "approve_run")
    joined.run()
    assert open_for_those_who_asked(joined.crm) == 0
    act(joined, "undo_run")
    joined.run()
    assert open_for_those_who_asked(joined.crm) == MANY
    with joined.runtime.db.tenant(joined.workspace_id) as session:
        assert settings.current(session, joined.workspace_id).values["monthly_ceiling"] != 77


def test_what_was_undone_is_not_held_again(joined: World) -> None:
    for _ in range(2):
        act(joined, "undo_run")
        joined.run()
        assert (newest(joined).kind, newest(joined).state, newest(joined).counts) == ("undo", "passed", {})
    assert open_for_those_who_asked(joined.crm) == MANY


def test_tasks_that_come_back_are_not_given_out_anew(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stood there before: no limit of the day keeps them out."""
    change(asked, daily_cap=1)
    asked.run()
    install(monkeypatch, blind)
    heard(asked)
    act(asked, "approve_run")
    asked.run()
    assert open_for_those_who_asked(asked.crm) == 0
    act(asked, "undo_run")
    asked.run()
    assert open_for_those_who_asked(asked.crm) == MANY


# --- what is taken for an answer --------------------------------------------------------------------------------


def test_rules_that_take_for_an_answer_what_was_none_before_are_held_and_undone(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, credulous)
    asked.look()
    heard(asked)
    assert (newest(asked).state, list(newest(asked).counts.values())) == ("held", [{"withdraw": MANY}])
    assert open_for_those_who_asked(asked.crm) == MANY
    act(asked, "undo_run")
    asked.run()
    assert open_for_those_who_asked(asked.crm) == MANY
    assert {each.wanted for each in asked.tasks() if "Person" in each.content["subject"]} == {"open"}
    settings_change(asked)
    assert open_for_those_who_asked(asked.crm) == MANY
    install(monkeypatch, JUDGE, RULES_VERSION)
    heard(asked)
    answered(asked, 0)
    assert open_for_those_who_asked(asked.crm) == MANY - 1


def test_approved_they_are_undone_as_well(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, credulous)
    heard(asked)
    act(asked, "approve_run")
    asked.run()
    assert open_for_those_who_asked(asked.crm) == 0
    act(asked, "undo_run")
    asked.run()
    assert open_for_those_who_asked(asked.crm) == MANY


# --- what a task was, to the last column ----------------------------------------------------------------------------


def deaf(conversation: Conversation, **more: Any) -> Verdict:
    """Rules that hear nobody's answers."""
    return JUDGE(replace(conversation, posts=tuple(post for post in conversation.posts if not post.ours)), **more)


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "by a version that kept no such instant"])
def test_answered_tasks_that_come_back_closed_say_when_they_were(
    asked: World, monkeypatch: pytest.MonkeyPatch, remembered: bool
) -> None:
    closed = "SELECT id, closed_at FROM tasks WHERE wanted = 'completed' ORDER BY id"
    for each in range(LIMIT + 1):
        answered(asked, each)
    before = asked.sql(closed)
    install(monkeypatch, deaf)
    heard(asked)
    assert asked.sql(closed) == []
    if not remembered:
        asked.sql("UPDATE run_changes SET before = before - 'closed_at' WHERE before <> '{}'")
    act(asked, "undo_run")
    asked.run()
    after = asked.sql(closed)
    assert (after == before) is remembered
    assert len(after) == LIMIT + 1
    assert all(at is not None for _, at in after)


def test_a_task_that_was_left_to_whoever_had_edited_it_is_made_no_second_time(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a CRM that does not keep two tasks with one key apart."""
    asked.crm.unique = False
    first = min(asked.crm.tasks)
    asked.crm.edit_as_person(first, subject="Mine now")
    asked.look(streams=("tasks",))
    install(monkeypatch, blind)
    heard(asked)
    act(asked, "approve_run")
    asked.run()
    act(asked, "undo_run")
    asked.run()
    assert [id_ for id_, task in asked.crm.tasks.items() if task.subject == "Mine now"] == [first]
    assert open_for_those_who_asked(asked.crm) == MANY
