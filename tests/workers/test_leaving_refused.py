"""What a CRM would not let go of, where leaving it is given up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.errors import TemporaryError
from tests.workers.conftest import World
from tests.workers.leaving import purge
from tests.workers.test_leaving import once
from tests.workers.test_leaving_held import connect_again, disconnect_as_it_is
from workers import leave


def _is_away(*_: object) -> None:
    raise TemporaryError("the CRM is away")


def refused(world: World) -> list[tuple[object, ...]]:
    return [tuple(row) for row in world.sql("SELECT id FROM tasks WHERE parked_at IS NOT NULL OR detail <> ''")]


@pytest.fixture
def would_not_go(connected: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A CRM that is being left refuses to withdraw a task, the new words of which it has not been told."""
    connected.says("@brand Do you ship to Faro?", id="p1")
    connected.run()
    [task] = connected.crm.tasks.values()
    assert task.key
    connected.crm.refuse(task.key, "A workflow forbids deleting tasks.")
    connected.sql(
        'UPDATE tasks SET content = content || \'{"subject": "New words"}\', push_at = :now', now=connected.now
    )
    purge(connected)
    monkeypatch.setattr(leave, "finish", _is_away)
    once(connected)
    assert len(refused(connected)) == 1
    connected.crm.take_after_all(task.key)
    return connected


@pytest.mark.parametrize("giving_up", [connect_again, disconnect_as_it_is])
def test_what_would_not_be_withdrawn_is_refused_no_more_and_said_where_leaving_is_given_up(
    would_not_go: World, giving_up: Callable[[World], None]
) -> None:
    giving_up(would_not_go)
    assert refused(would_not_go) == []
    connect_again(would_not_go)
    would_not_go.sql("UPDATE workspace_schedule SET decide_at = NULL")  # whatever the rules say
    would_not_go.run()
    assert would_not_go.in_crm() == ["New words"]
    assert would_not_go.sql("SELECT count(*) FROM tasks WHERE push_at IS NOT NULL") == [(0,)]
