"""Whoever dies between ending an account here and telling its provider is followed by somebody who tells it, and nothing false is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from integrations.errors import AuthenticationError
from integrations.provider import Secret
from integrations.registry import providers
from service import connect, credentials, departing, disconnecting, health, speaking
from service.clock import real_now
from service.store import connecting, listing
from tests.workers.conftest import World

TOLD = "Example Social was told that we left."
NOT_TOLD = "Example Social was not told that we left."
UNTOLD = "Example Social is still to be told that we left."


class PowerCutError(BaseException):
    """As SIGKILL is: nothing catches it."""


@dataclass
class Provider:
    """What it heard of, and where its callers die."""

    heard: list[str] = field(default_factory=list)
    dies: str = ""  # before, after: it heard of it

    def revoke(self, setting: Any, values: Mapping[str, Any]) -> None:
        if self.dies == "before":
            raise PowerCutError
        self.heard.append(values["token"])
        if self.dies == "after":
            raise PowerCutError


@pytest.fixture
def provider(connected: World) -> Iterator[Provider]:
    """The network, which takes tokens back, and holds one of ours."""
    found = Provider()
    auth = Secret(revoke=found.revoke)
    providers()["fakesocial"] = replace(providers()["fakesocial"], auth=auth)
    store(connected, "first")
    return found


def store(world: World, token: str, kind: str = "social") -> None:
    where = (world.workspace_id, world.connection(kind).id)
    with world.runtime.db.tenant(world.workspace_id) as session:
        credentials.store_new(session, world.runtime.vault, *where, {"token": token})


def held(world: World, kind: str = "social") -> int:
    [(number,)] = world.sql("SELECT count(*) FROM credentials WHERE connection_id = :c", c=world.connection(kind).id)
    return int(number)


def line(world: World) -> str:
    with world.runtime.db.tenant(world.workspace_id) as session:
        row = listing.connection(session, world.workspace_id, world.connection("social").id)
    assert row is not None
    return health.line(row, real_now())


def by_hand(world: World) -> None:
    disconnecting.disconnect(world.runtime, world.owner.caller, world.connection("social").id)


def without_a_trace(world: World) -> None:
    disconnecting.purge(world.runtime, world.owner.caller, world.connection("social").id)


STEPS = ("ended", "before", "after", "noted")


def dies_at(world: World, provider: Provider, step: str) -> None:
    """The power goes once the account is ended here, before or after the provider has heard of it, or before that is noted."""
    provider.dies = step
    for name, owner, what in (("ended", disconnecting, "_give_back"), ("noted", connecting, "told")):
        world.monkeypatch.setattr(owner, what, dying(provider, name, getattr(owner, what)))


def dying(provider: Provider, step: str, does: Callable[..., Any]) -> Callable[..., Any]:
    def do(*args: Any) -> Any:
        if provider.dies == step:
            raise PowerCutError
        return does(*args)

    return do


def power_is_back(world: World, provider: Provider) -> None:
    """And what was to be done later is due."""
    provider.dies = ""
    world.sql(
        "UPDATE errands SET next_at = now(), lease_id = NULL, lease_until = NULL WHERE name IN ('farewell', 'depart')"
    )
    world.run()


@pytest.mark.parametrize("step", STEPS)
def test_whoever_dies_while_an_account_is_disconnected_is_followed_by_one_who_tells_the_provider(
    connected: World, provider: Provider, step: str
) -> None:
    dies_at(connected, provider, step)
    with pytest.raises(PowerCutError):
        by_hand(connected)
    assert (connected.connection("social").status, held(connected)) == ("disconnected", 1)
    assert UNTOLD in line(connected)
    power_is_back(connected, provider)
    assert (set(provider.heard), held(connected)) == ({"first"}, 0)
    assert line(connected).endswith("What was read is kept.")


@pytest.mark.parametrize("step", STEPS)
def test_the_receipt_says_that_nobody_was_told_until_somebody_was(
    connected: World, provider: Provider, step: str
) -> None:
    dies_at(connected, provider, step)
    with pytest.raises(PowerCutError):
        without_a_trace(connected)
    receipt = connected.connection("social").receipt["lines"]
    assert [each for each in receipt if "told" in each or "deleted" in each] == [
        disconnecting._untold(connected.connection("social"))
    ]
    power_is_back(connected, provider)
    receipt = connected.connection("social").receipt["lines"]
    assert receipt == ["Nothing was ever written there.", disconnecting.STAYS, TOLD]
    assert held(connected) == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_workspace_that_is_deleted_goes_only_once_each_provider_was_told(
    connected: World, provider: Provider, step: str
) -> None:
    dies_at(connected, provider, step)
    token, _ = departing.ask(connected.runtime, connected.workspace_id, by="operator", purge=False, days=0)
    with pytest.raises(PowerCutError):
        connected.run()
    power_is_back(connected, provider)
    receipt = departing.receipt(connected.runtime, token)
    assert receipt is not None
    assert receipt.done_at is not None
    assert f"Example Social: {TOLD}" in receipt.lines
    assert set(provider.heard) == {"first"}
    assert not any("still to be told" in each for each in receipt.lines)


def test_a_worker_that_dies_as_it_leaves_a_crm_is_followed_too(connected: World, provider: Provider) -> None:
    providers()["fakecrm"] = replace(providers()["fakecrm"], auth=Secret(revoke=provider.revoke))
    store(connected, "crm's", "crm")
    dies_at(connected, provider, "before")
    disconnecting.purge(connected.runtime, connected.owner.caller, connected.connection("crm").id)
    with pytest.raises(PowerCutError):
        connected.run()
    assert (connected.connection("crm").status, held(connected, "crm")) == ("disconnected", 1)
    power_is_back(connected, provider)
    assert (provider.heard, held(connected, "crm")) == (["crm's"], 0)
    assert connected.connection("crm").receipt["lines"][-1] == "Example CRM was told that we left."


def test_nothing_is_read_with_credentials_that_rest_until_somebody_is_told(
    connected: World, provider: Provider
) -> None:
    dies_at(connected, provider, "before")
    with pytest.raises(PowerCutError):
        by_hand(connected)
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        assert speaking.look_up(session, connected.connection("social")) is None
    with pytest.raises(AuthenticationError, match="was disconnected"):
        speaking.access_of(connected.runtime, connected.connection("social"))


def test_an_account_that_is_connected_again_meanwhile_keeps_what_it_was_given(
    connected: World, provider: Provider
) -> None:
    dies_at(connected, provider, "before")
    with pytest.raises(PowerCutError):
        by_hand(connected)
    connect.connect_with_secret(connected.runtime, connected.owner.caller, "fakesocial", None, {})
    power_is_back(connected, provider)
    assert (provider.heard, connected.connection("social").status, held(connected)) == ([], "active", 1)


def test_a_token_that_was_renewed_at_that_very_moment_is_given_back_as_well(
    connected: World, provider: Provider
) -> None:
    give_back = disconnecting._give_back

    def renewed(*args: Any) -> Any:
        connected.monkeypatch.setattr(disconnecting, "_give_back", give_back)
        store(connected, "second")
        return give_back(*args)

    connected.monkeypatch.setattr(disconnecting, "_give_back", renewed)
    by_hand(connected)
    assert held(connected) == 1
    power_is_back(connected, provider)
    assert (provider.heard, held(connected)) == (["first", "second"], 0)


def test_a_provider_of_which_everybody_dies_is_given_up_after_a_day_and_that_is_said(
    connected: World, provider: Provider
) -> None:
    dies_at(connected, provider, "before")
    with pytest.raises(PowerCutError):
        by_hand(connected)
    connected.sql("UPDATE connections SET status_at = status_at - interval '25 hours' WHERE kind = 'social'")
    assert disconnecting.tell_all(connected.runtime, connected.workspace_id)
    assert (provider.heard, held(connected)) == ([], 0)
    assert NOT_TOLD in line(connected)


def test_a_provider_that_cannot_be_told_for_a_fault_of_ours_keeps_no_other_from_being_told(
    connected: World, provider: Provider
) -> None:
    def faulty(*args: Any) -> None:
        raise ZeroDivisionError

    providers()["fakecrm"] = replace(providers()["fakecrm"], auth=Secret(revoke=faulty))
    store(connected, "crm's", "crm")
    dies_at(connected, provider, "before")
    with pytest.raises(PowerCutError):
        by_hand(connected)
    with pytest.raises(ZeroDivisionError):
        disconnecting.disconnect(connected.runtime, connected.owner.caller, connected.connection("crm").id)
    provider.dies = ""
    with pytest.raises(ZeroDivisionError):
        disconnecting.tell_all(connected.runtime, connected.workspace_id)
    assert (provider.heard, held(connected), held(connected, "crm")) == (["first"], 0, 1)
