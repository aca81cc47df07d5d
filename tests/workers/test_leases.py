"""Leases end by PostgreSQL's clock, and are as long as the installation says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

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
