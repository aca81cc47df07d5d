"""Somebody changes settings, or undoes a change, while a batch that a run has made due is being decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from service import judging, queue, settings
from service.models import Conversation, Run
from service.store import due, runs
from tests.service.locks import waits_for_a_lock
from tests.workers.conftest import World
from tests.workers.holding import act, change, newest
from tests.workers.releases import MANY, NEWER, blind, heard, install
from workers import decide

NOBODY_WAITS_LONG = {"lapse_days": 1, "patience": {"direct": 60, "question": 600, "other": 600}}
Meanwhile = Callable[[Callable[[], object]], Future[object]]


@pytest.fixture
def meanwhile(asked: World, monkeypatch: pytest.MonkeyPatch, moment: str) -> Iterator[Meanwhile]:
    """Lets somebody else do something at this moment of the first batch of two conversations: when they are through, or wait for the
    batch, it goes on."""
    module: Any = {"_desk": decide, "part_of": runs}[moment]
    real = getattr(module, moment)
    begun: list[Future[object]] = []
    with ThreadPoolExecutor(1) as others:

        def once(what: Callable[[], object]) -> Future[object]:
            done: Future[object] = Future()

            def hooked(*args: Any) -> Any:
                found = real(*args)
                if not begun:
                    begun.append(others.submit(what))
                    begun[0].add_done_callback(lambda each: done.set_result(each.result()))
                    while not begun[0].done() and not waits_for_a_lock(asked.runtime):
                        pass
                return found

            monkeypatch.setattr(module, moment, hooked)
            return done

        monkeypatch.setattr(decide, "CONVERSATIONS", 2)
        yield once


MOMENTS = pytest.mark.parametrize("moment", ["_desk", "part_of"])


def states(world: World) -> list[tuple[str, str]]:
    with world.runtime.db.tenant(world.workspace_id) as session:
        return [(run.kind, run.state) for run in session.scalars(select(Run).order_by(Run.id))]


def held_for_others(world: World) -> int:
    """Tasks that wait for a run of which nobody will ever let go."""
    [(number,)] = world.sql("SELECT count(*) FROM tasks WHERE run_id <> :newest", newest=newest(world).id)
    return int(number)


def notices_new_rules(world: World, patch: pytest.MonkeyPatch) -> None:
    install(patch, blind)
    with world.runtime.db.tenant(world.workspace_id) as session:
        runs.notice_rules(session, world.workspace_id)


@MOMENTS
@pytest.mark.parametrize("joined", [False, True])
def test_rules_that_are_undone_while_a_batch_is_decided_take_no_more_than_the_limit(
    asked: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile, joined: bool
) -> None:
    notices_new_rules(asked, monkeypatch)
    if joined:
        change(asked, monthly_ceiling=77)
    undone = meanwhile(lambda: act(asked, "undo_run"))

    asked.run()
    undone.result(timeout=10)
    asked.run()

    assert len(asked.in_crm()) == MANY
    assert (newest(asked).kind, held_for_others(asked)) == ("undo", 0)
    asked.sql("UPDATE conversations SET decide_at = now() - interval '1 year'")
    heard(asked)
    assert (newest(asked).state, len(asked.in_crm())) == ("held", MANY)


@MOMENTS
def test_settings_that_are_changed_back_while_a_batch_is_decided_leave_the_crm_as_it_was(
    asked: World, meanwhile: Meanwhile
) -> None:
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        before = dict(settings.current(session, asked.workspace_id).values)
    tasks = dict(asked.crm.tasks)
    change(asked, **NOBODY_WAITS_LONG)
    back = meanwhile(lambda: change(asked, **{name: before[name] for name in NOBODY_WAITS_LONG}))

    asked.run()
    back.result(timeout=10)
    asked.run()

    assert states(asked)[1:] == [("settings", "superseded"), ("settings", "passed")]
    assert (asked.crm.tasks, held_for_others(asked)) == (tasks, 0)
    # And what stands there is ours to take back.
    asked.social.delete("q1")
    asked.due("recheck")
    asked.run()
    assert len(asked.in_crm()) == MANY - 1


def test_what_a_worker_that_did_not_wait_has_left_held_is_counted_with_the_newest_run(asked: World) -> None:
    change(asked, **NOBODY_WAITS_LONG)
    asked.run()
    left = newest(asked).id
    change(asked, **NOBODY_WAITS_LONG, monthly_ceiling=77)
    asked.run()
    for table in ("tasks", "run_changes"):
        asked.sql(f"UPDATE {table} SET run_id = :left", left=left)
    asked.sql("UPDATE runs SET state = 'passed'")

    heard(asked)

    assert (newest(asked).state, list(newest(asked).counts.values())) == ("held", [{"withdraw": MANY}])
    assert (len(asked.in_crm()), held_for_others(asked)) == (MANY, 0)


def test_a_run_is_not_over_while_somebody_has_locked_what_it_has_to_decide(asked: World) -> None:
    change(asked, **NOBODY_WAITS_LONG)
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        session.execute(select(Conversation.id).with_for_update())  # as whoever pauses an account
        for each in asked.claim():
            asked.work(each)
    assert newest(asked).state == "deciding"

    asked.run()

    assert (newest(asked).state, list(newest(asked).counts.values())) == ("held", [{"withdraw": MANY}])
    assert len(asked.in_crm()) == MANY


def test_an_older_worker_leaves_to_newer_ones_also_who_is_to_be_matched(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        install(newer, judging.unanswered)
        heard(asked)
    queue.beat(asked.runtime.redis, queue.deciders(NEWER))
    for table in ("conversations", "relationships"):
        asked.sql(f"UPDATE {table} SET decide_at = NULL")
    asked.sql("UPDATE authors SET match_due = true")
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        due.decide_soon(session, asked.workspace_id)

    asked.run()

    assert asked.sql("SELECT decide_at, lease_id FROM workspace_schedule") == [(asked.now + decide.PASSED_ON, None)]
    asked.passes(decide.PASSED_ON)
    install(monkeypatch, judging.unanswered)
    asked.run()
    assert asked.sql("SELECT count(*) FROM authors WHERE match_due") == [(0,)]
