"""Leases end by PostgreSQL's clock, and are as long as the installation says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from unittest.mock import Mock

import pytest
from sqlalchemy import text

from integrations import deadline
from integrations.records import PushResult, Task
from service import config as configuration
from service.clock import real_now
from service.db import Database
from service.errors import PlainError
from service.store import pushing, schedule, streams
from tests.workers.conftest import World

LEFT = {
    "streams": text("SELECT max(lease_until) - clock_timestamp() FROM streams"),
    "connections": text("SELECT max(push_lease_until) - clock_timestamp() FROM connections"),
    "workspace_schedule": text("SELECT max(lease_until) - clock_timestamp() FROM workspace_schedule"),
}


def test_a_host_whose_clock_is_ahead_renews_for_no_longer_than_others(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (streams, pushing):
        monkeypatch.setattr(each, "real_now", lambda: real_now() + timedelta(hours=1))
    [pull, *_] = [each for each in connected.claim() if each.job == "pull"]
    lease = pull.ids[-1]
    short = Database(connected.runtime.config.need("database_url"), lease=timedelta(seconds=30))
    with short.tenant(connected.workspace_id) as session:
        crm = session.execute(
            text("UPDATE connections SET push_lease_id = :l WHERE kind = 'crm' RETURNING id"), {"l": lease}
        ).scalar_one()
        session.execute(text("UPDATE workspace_schedule SET lease_id = :l"), {"l": lease})
        session.execute(text("UPDATE streams SET lease_until = now() WHERE lease_id IS NOT NULL"))
        assert streams.hold(session, connected.workspace_id, pull.ids[1], lease)
        assert pushing.hold(session, connected.workspace_id, crm, lease)
        assert schedule.hold(session, connected.workspace_id, lease)
        session.flush()
        for table, left in LEFT.items():
            assert timedelta(seconds=20) < session.execute(left).scalar_one() <= timedelta(seconds=30), table
    short.engine.dispose()


def test_how_long_a_lease_is_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_LEASE_SECONDS", "45")
    monkeypatch.setenv("WARMLINE_QUEUE_SWEEP_SECONDS", "60")
    found = configuration.load(follow=False)
    assert (found.lease, found.queue_sweep_seconds) == (timedelta(seconds=45), 60)

    monkeypatch.setenv("WARMLINE_LEASE_SECONDS", "1")
    with pytest.raises(PlainError, match="WARMLINE_LEASE_SECONDS"):
        configuration.load(follow=False)


def test_a_worker_that_stood_still_for_longer_than_its_lease_says_nothing_more_to_the_crm(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may have said something newer since: what is old would look as if a person had written it."""
    lease, push_tasks, told = connected.runtime.config.lease.total_seconds(), connected.crm.push_tasks, []

    def held_up(tasks: Sequence[Task]) -> Sequence[PushResult]:
        now = deadline.now()
        for later in (lease - 10, lease + 1):
            with monkeypatch.context() as patched:
                patched.setattr(deadline, "now", lambda later=later: now + later)
                try:
                    deadline.sending(Mock())
                except deadline.TooLateError:
                    told.append("held back")
                else:
                    told.append("sent")
        return push_tasks(tasks)

    monkeypatch.setattr(connected.crm, "push_tasks", held_up)
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()

    assert told == ["sent", "held back"]
    deadline.sending(Mock())  # whoever pushes nothing is not held
