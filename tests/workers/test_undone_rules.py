"""Rules that were undone go on judging until others are installed. What they may still do, and what they may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from integrations.records import ActivityKind, Author, TaskStatus
from service import judging, queue, settings
from service.clock import real_now
from service.models import Run
from service.rules import model
from service.rules.model import RULES_VERSION, Conversation, History, MatchState, Verdict
from service.store import acting, deciding, runs, tasks
from tests.fakes.crm import FakeCRM
from tests.workers.conftest import ANA, World, edited
from tests.workers.test_breaker import act, change, newest, people_ask
from tests.workers.test_elsewhere import writes_privately
from tests.workers.test_whose_words import ANA2, KNOWN
from workers import __main__ as processes
from workers import decide

NEWER = 99
LIMIT, MANY = 2, 6
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
Rule = Callable[..., Verdict]


@pytest.fixture
def asked(connected: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """More people wait than one change may alter, each with a task in the CRM."""
    monkeypatch.setattr(runs, "LIMIT", LIMIT)
    people_ask(connected, MANY)
    connected.run()
    assert len(connected.in_crm()) == MANY
    return connected


def install(patch: pytest.MonkeyPatch, rule: Rule, version: int = NEWER) -> None:
    """This program is another version from here on."""
    for module in (model, runs, deciding, tasks):
        patch.setattr(module, "RULES_VERSION", version)
    patch.setattr(judging, "unanswered", rule)


def blind(conversation: Conversation, **_: Any) -> Verdict:
    """Rules for which nobody ever waits."""
    return Verdict(None, ("Nothing is open.",))


def forgetful(conversation: Conversation, *, now: Any, policy: Any) -> Verdict:
    """Rules for which half of them wait no more, and the others have waited enough tomorrow."""
    ends = max(post.at for post in conversation.posts) + DAY
    if conversation.author_id in ("p0", "p1", "p2") or now >= ends:
        return blind(conversation)
    return replace(_JUDGE(conversation, now=now, policy=policy), look_again_at=ends)


def wordy(conversation: Conversation, *, now: Any, policy: Any) -> Verdict:
    """Rules that find the same, and say more."""
    verdict = _JUDGE(conversation, now=now, policy=policy)
    found = verdict.finding
    return (
        verdict if found is None else replace(verdict, finding=replace(found, reasons=(*found.reasons, "New words.")))
    )


def credulous(conversation: Conversation, **_: Any) -> Verdict:
    """Rules that take what people ask for its own answer."""
    return Verdict(None, ("Nothing is open.",), answers={post.id: post for post in conversation.posts if not post.ours})


_JUDGE = judging.unanswered


def heard(world: World) -> None:
    """Somebody says something, so that the workspace is decided."""
    number = len(world.jobs_run)
    world.says("@brand And to Faro?", id=f"late{number}", who=Author(f"late{number}", f"late{number}", "Late"))
    world.look()


def asks_again(world: World, person: int) -> None:
    who = Author(f"p{person}", f"person{person}", f"Person {person}")
    world.says("@brand Hello?", id=f"again{person}", who=who, to=f"q{person}", ago=MINUTE)
    world.look()


def answered(world: World, person: int) -> None:
    who = Author(f"p{person}", f"person{person}", f"Person {person}")
    world.answers("Yes.", id=f"a{person}", to=f"q{person}", whom=who, ago=MINUTE)
    world.look()


def subject_of(world: World, person: int) -> str:
    [subject] = [each.content["subject"] for each in world.tasks() if f"Person {person}" in each.content["subject"]]
    return str(subject)


def open_for_those_who_asked(crm: FakeCRM) -> int:
    return sum("Porto" in task.body for task in crm.tasks.values() if task.status == TaskStatus.OPEN)


@pytest.fixture
def undone(asked: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A bad release was held and undone, and nothing else is installed yet."""
    install(monkeypatch, blind)
    heard(asked)
    assert (newest(asked).state, list(newest(asked).counts.values())) == ("held", [{"withdraw": MANY}])
    act(asked, "undo_run")
    asked.run()
    assert open_for_those_who_asked(asked.crm) == MANY
    return asked


# --- what happens every day ------------------------------------------------------------------------------------


def settings_change(world: World) -> None:
    change(world, monthly_ceiling=77)
    world.run()


def pausing(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.pause(session, world.workspace_id, world.connection("social").id, "Holiday.", by="user:olga")
    world.run()


def resuming(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.resume(session, world.workspace_id, world.connection("social").id, by="user:olga")
    world.run()


def time_passing(world: World) -> None:
    world.passes(2 * DAY)
    world.run()


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
    install(monkeypatch, _JUDGE, NEWER + 1)
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


# --- what was answered, and what people wrote ------------------------------------------------------------------


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
    install(monkeypatch, _JUDGE)
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


# --- two versions beside each other ----------------------------------------------------------------------------


def begun_by_the_newer(world: World, patch: pytest.MonkeyPatch) -> None:
    """A worker of the newer version begins its run, and stops before it has decided anything."""
    with patch.context() as newer:
        install(newer, blind)
        with world.runtime.db.tenant(world.workspace_id) as session:
            runs.notice_rules(session, world.workspace_id)
    assert (newest(world).rules_version, newest(world).state) == (NEWER, "deciding")


def verdicts_by(world: World) -> list[int]:
    return sorted({row[0] for row in world.sql("SELECT rules_version FROM conversations")})


def test_older_workers_leave_the_workspace_to_newer_ones_that_are_at_work(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_by_the_newer(asked, monkeypatch)
    queue.beat(asked.runtime.redis, queue.deciders(NEWER))

    asked.run()

    assert (newest(asked).rules_version, newest(asked).state) == (NEWER, "deciding")
    asked.passes(decide.PASSED_ON)
    install(monkeypatch, blind)
    asked.run()
    assert verdicts_by(asked) == [NEWER]
    assert (newest(asked).state, list(newest(asked).counts.values())) == ("held", [{"withdraw": MANY}])


def test_older_workers_go_on_by_their_own_rules_once_nobody_has_newer_ones(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_by_the_newer(asked, monkeypatch)

    answered(asked, 3)

    run = newest(asked)
    assert (run.rules_version, run.from_rules_version, run.state, run.counts) == (
        RULES_VERSION,
        RULES_VERSION,
        "passed",
        {},
    )
    assert open_for_those_who_asked(asked.crm) == MANY - 1
    install(monkeypatch, blind)
    heard(asked)
    assert (newest(asked).state, list(newest(asked).counts.values())) == ("held", [{"withdraw": MANY - 1}])


def test_a_worker_says_by_which_rules_it_decides(connected: World) -> None:
    redis = connected.runtime.redis
    processes.MortalWorker([queue.QUEUE], connection=redis).heartbeat()
    assert queue.alive(redis, queue.deciders(RULES_VERSION))
    assert not queue.alive(redis, queue.deciders(NEWER))


def test_a_run_is_not_over_before_nothing_stands_by_other_rules(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that knows nothing of this may have decided in between."""
    begun_by_the_newer(asked, monkeypatch)
    asked.sql("UPDATE conversations SET decide_at = NULL")
    install(monkeypatch, blind)
    asked.run()
    assert verdicts_by(asked) == [NEWER]
    assert (newest(asked).state, list(newest(asked).counts.values())) == ("held", [{"withdraw": MANY}])


def test_a_process_that_serves_pages_brings_no_rules_along(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, blind)
    change(asked, monthly_ceiling=77)
    found: Run = newest(asked)
    assert (found.rules_version, found.from_rules_version) == (RULES_VERSION, RULES_VERSION)
    asked.run()
    assert (newest(asked).kind, newest(asked).state) == ("rules", "held")


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
    install(monkeypatch, _JUDGE, RULES_VERSION)
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
    return _JUDGE(replace(conversation, posts=tuple(post for post in conversation.posts if not post.ours)), **more)


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
