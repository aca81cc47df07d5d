"""What a CRM may be asked for over a day outlives the process that asks, and whoever waits for it reads so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from integrations.errors import RateLimitError
from integrations.provider import ONE_ALLOWANCE, RECHECK, Access
from integrations.records import Gone, PushResult, Task, TaskState
from integrations.registry import providers
from service import connect, disconnecting, health
from service.clock import real_now
from service.store import listing
from tests.conftest import make_member
from tests.fakes.crm import FakeCRM
from tests.workers.conftest import World

WAITS = "All tools share one budget, so what is to be written waits until more may be spent."


@dataclass
class Saver:
    """A client that may write so many times, and look so many times, in all."""

    crm: FakeCRM
    kept: Mapping[str, Any]

    def __post_init__(self) -> None:
        self.left: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.crm, name)

    def allowance(self) -> Mapping[str, Any]:
        return self.left

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        self._pay("writes")
        return self.crm.push_tasks(tasks)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        self._pay("checks")
        return self.crm.read_tasks(ids)

    def _pay(self, name: str) -> None:
        left = self.left.get(name, self.kept.get(name, 1))
        if not left:
            raise RateLimitError(WAITS, retry_after=7200.0)
        self.left[name] = left - 1


@pytest.fixture
def saving(connected: World) -> World:
    """A CRM whose client keeps to an allowance."""
    manifest = providers()["fakecrm"]
    providers()["fakecrm"] = replace(manifest, client=lambda access: _client(connected.crm, access))
    return connected


def _client(crm: FakeCRM, access: Access) -> Any:
    return Saver(crm, access.allowance)


def kept(world: World) -> Mapping[str, Any]:
    return world.connection("crm").allowance


def condition(world: World) -> health.Health:
    with world.runtime.db.tenant(world.workspace_id) as session:
        [crm] = [each for each in listing.connections(session, world.workspace_id)[0] if each["kind"] == "crm"]
    return health.of(crm, real_now())


def test_what_is_left_is_kept_with_what_was_written(saving: World) -> None:
    asks(saving)

    assert (kept(saving), len(saving.in_crm())) == ({"writes": 0}, 1)


def test_what_waits_says_so_and_is_written_once_more_may_be_spent(saving: World) -> None:
    leaves(saving, '{"writes": 0, "checks": 1}')
    asks(saving)

    seen = condition(saving)
    assert saving.in_crm() == []
    assert f"Writing to Example CRM waits and goes on in 1 hour. {WAITS}" in seen.line
    assert seen.light is health.Light.WAITING
    assert saving.connection("crm").push_failures == 0

    leaves(saving, '{"writes": 3, "checks": 1}')
    saving.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm' RETURNING 1")
    saving.run()

    assert (kept(saving), len(saving.in_crm())) == ({"writes": 2, "checks": 1}, 1)
    assert "waits and goes on" not in condition(saving).line


def test_what_the_sweep_leaves_is_kept_beside_what_is_left_for_writing(saving: World) -> None:
    asks(saving)
    leaves(saving, '{"writes": 5, "checks": 4}')

    saving.look(streams=(RECHECK,))

    assert kept(saving) == {"writes": 5, "checks": 3}


@pytest.mark.parametrize(("capabilities", "holders"), [({ONE_ALLOWANCE}, [1, 2, 1]), (set(), [1, 1, 1])])
def test_a_client_is_told_how_many_connections_spend_from_its_accounts_allowance(
    connected: World, capabilities: set[str], holders: list[int]
) -> None:
    told: list[int] = []

    def client(access: Access) -> Any:
        told.append(access.holders)
        return connected.crm

    def look() -> int:
        told.clear()
        connected.look(streams=("contacts",))
        return told[-1]

    plain = providers()["fakecrm"]
    providers()["fakecrm"] = replace(plain, client=client, capabilities=plain.capabilities | capabilities)
    seen = [look()]
    rival = make_member(connected.runtime, "Rival", "rita@rival.test")
    [theirs] = connect.connect_with_secret(connected.runtime, rival.caller, "fakecrm", None, {})
    seen.append(look())
    assert disconnecting.disconnect(connected.runtime, rival.caller, theirs)
    seen.append(look())

    assert seen == holders


def asks(world: World) -> None:
    """A customer of the CRM's waits for an answer."""
    world.knows()
    world.says("How much is it?", id="p1")
    world.look()


def leaves(world: World, allowance: str) -> None:
    """As if an earlier process had left so much."""
    world.sql("UPDATE connections SET allowance = CAST(:left AS jsonb) WHERE kind = 'crm' RETURNING 1", left=allowance)
