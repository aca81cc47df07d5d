"""Another key seals from now on: what stands in the CRM stays as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from service import links, rekeying
from service.rekeying import LINKS
from service.runtime import Runtime
from tests.conftest import KEY
from tests.workers.conftest import World
from workers import jobs

NEW = {"k2": b"fedcba9876543210fedcba9876543210"}


def test_a_new_key_rewrites_no_task_and_the_link_in_it_still_opens(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.knows()
    connected.says("Do you ship to Lisbon?", id="p1")
    connected.run()
    [task] = connected.crm.tasks.values()
    [token] = re.findall(r"/t/([A-Za-z0-9_-]+)", task.body)

    after = Runtime(replace(connected.runtime.config, secret_keys={**NEW, **KEY}))
    monkeypatch.setattr(jobs, "runtime", lambda: after)
    rekeying.rotate(after)
    connected.set()  # everything is judged again
    connected.run()

    assert list(connected.crm.tasks.values()) == [task]
    assert links.read(after.config, token) == (connected.workspace_id, connected.task().id)
    left = rekeying.resting(after)
    assert left.rows[LINKS] == {"test": 1}
    assert (left.under("test"), left.may_go) == (1, [])  # the link alone is what the old key is still good for

    connected.says("And to Faro, next week?", id="p2", to="p1", ago=timedelta(0))
    connected.look()
    assert rekeying.resting(after).rows[LINKS]["test"] == 1
    after.db.engine.dispose()
    after.redis.close()
