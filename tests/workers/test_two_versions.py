"""Workers of two versions beside each other."""

from __future__ import annotations

import pytest

from service import queue
from service.models import Run
from service.rules.model import RULES_VERSION
from service.store import runs
from tests.workers.conftest import World
from tests.workers.holding import change, newest
from tests.workers.releases import MANY, NEWER, answered, blind, heard, install, open_for_those_who_asked
from workers import __main__ as processes
from workers import decide


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
