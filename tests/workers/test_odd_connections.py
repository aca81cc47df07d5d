"""Connections that come and go at odd moments: nothing is lost, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from integrations.errors import TemporaryError
from integrations.provider import Access
from integrations.records import Author, Owner
from integrations.registry import providers
from service import connect, disconnecting
from service.models import Connection
from tests.conftest import make_member
from tests.fakes import social as fake_social
from tests.fakes.crm import FakeCRM
from tests.workers.conftest import World


def test_an_account_connected_in_two_workspaces_is_read_in_both_and_left_in_one(connected: World) -> None:
    rival = make_member(connected.runtime, "Rival", "rita@rival.test")
    connect.connect_with_secret(connected.runtime, rival.caller, "fakesocial", None, {})
    connected.says("@brand Do you ship?", id="p1")
    connected.look()

    def posts(workspace_id: Any) -> int:
        with connected.runtime.db.tenant(workspace_id) as session:
            return int(session.connection().exec_driver_sql("SELECT count(*) FROM engagements").scalar_one())

    with connected.runtime.db.tenant(rival.workspace_id) as session:
        [theirs] = session.query(Connection.id).one()
    connected.run()
    assert (posts(connected.workspace_id), posts(rival.workspace_id)) == (1, 1)

    disconnecting.disconnect(connected.runtime, rival.caller, theirs)
    connected.says("@brand And to Faro?", id="p2", ago=timedelta(hours=2))
    connected.look()
    assert (posts(connected.workspace_id), posts(rival.workspace_id)) == (2, 1)
    assert connected.connection("social").status == "active"


def test_an_account_of_ours_on_another_server_is_no_stranger(connected: World) -> None:
    """There it has an id of its own: what it is called, server included, tells who it is."""
    here = connected.connection("social")
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        elsewhere = Connection(
            workspace_id=here.workspace_id, brand_id=here.brand_id, provider=here.provider, kind="social", host="other.example",
            account_id="77", handle="brand@other.example", status="disconnected",
        )  # fmt: skip
        session.add(elsewhere)
    connected.says("@brand Look at this?", id="p1", who=Author("local-9", "Brand@Other.example", "Brand elsewhere"))
    connected.says("@brand Do you ship?", id="p2", who=Author("local-8", "other.example", "Somebody"))
    connected.look()
    assert dict(connected.sql("SELECT native_id, ours FROM engagements WHERE workspace_id = :w")) == {
        "p1": True,
        "p2": False,
    }


def test_an_account_of_ours_that_a_network_only_names_is_no_stranger(connected: World) -> None:
    """Instagram tells of posts that tag us who wrote them by name alone: such an author's id is the name."""
    here = connected.connection("social")
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        second = Connection(
            workspace_id=here.workspace_id, brand_id=here.brand_id, provider=here.provider, kind="social", host=here.host,
            account_id="78", handle="Brand.Bikes",
        )  # fmt: skip
        session.add(second)
    connected.says("@brand Look at this?", id="p1", who=Author("@brand.bikes", "brand.bikes"))
    connected.says("@brand Do you ship?", id="p2", who=Author("79", "brand.bikes", "Somebody with an id of their own"))
    connected.look()
    assert dict(connected.sql("SELECT native_id, ours FROM engagements WHERE workspace_id = :w")) == {
        "p1": True,
        "p2": False,
    }


def test_an_owner_whom_the_crm_shows_no_more_is_given_nothing_until_they_are_back(connected: World) -> None:
    connected.crm.add(Owner("o2", "omar@acme.test", "Omar"))
    connected.look()

    def owners() -> list[tuple[str, bool]]:
        return [(row[0], row[1]) for row in connected.sql("SELECT name, active FROM owners ORDER BY name")]

    connected.crm.remove_owner("o2")
    connected.look()
    assert owners() == [("Olga", True), ("Omar", False)]

    connected.crm.add(Owner("o2", "omar@acme.test", "Omar"))
    connected.look()
    assert owners() == [("Olga", True), ("Omar", True)]


def test_a_task_waits_while_the_only_owner_is_gone(connected: World) -> None:
    connected.crm.remove_owner("o1")
    connected.look()
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.look()
    assert connected.crm.tasks == {}

    connected.crm.add(Owner("o1", "olga@acme.test", "Olga"))
    connected.look()
    connected.look()

    assert [each.owner_id for each in connected.crm.tasks.values()] == ["o1"]


@pytest.mark.parametrize("away", [disconnecting.disconnect, disconnecting.purge])
def test_whoever_waited_while_the_crm_was_away_has_a_task_as_soon_as_it_is_connected_again(
    connected: World, away: Callable[..., bool]
) -> None:
    connected.run()
    away(connected.runtime, connected.owner.caller, connected.connection("crm").id)
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.look()
    assert connected.task().held_reason.startswith("No CRM is connected yet")

    connect.connect_with_secret(connected.runtime, connected.owner.caller, "fakecrm", None, {})
    connected.run()

    assert len(connected.in_crm()) == 1


def test_a_task_in_a_crm_that_is_disconnected_holds_up_nobody_who_asks_anew(
    connected: World, next_crm: FakeCRM
) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.says("@brand Do you have it in red?", id="q2", ago=timedelta(hours=2))
    connected.run()
    assert (len(connected.in_crm()), next_crm.tasks) == (1, {})

    disconnecting.disconnect(connected.runtime, connected.owner.caller, connected.connection("crm").id)
    connect.connect_with_secret(connected.runtime, connected.owner.caller, "nextcrm", None, {})
    connected.run()

    assert (len(connected.in_crm()), len(next_crm.tasks)) == (1, 1)


def test_disconnecting_while_a_pull_runs_keeps_what_was_stored_and_ends_it(connected: World) -> None:
    social = connected.social
    social.page_size = 1
    for number in range(3):
        connected.says("@brand Hello?", id=f"p{number}", ago=timedelta(hours=3 - number))
    seen: list[str] = []
    pull = social.pull

    def disconnects(stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Any:
        for page in pull(stream, cursor, threads):
            yield page
            if stream == "mentions" and not seen:
                seen.append(stream)
                disconnecting.disconnect(connected.runtime, connected.owner.caller, connected.connection("social").id)

    social.pull = disconnects  # type: ignore[method-assign]
    connected.look()

    assert seen
    found = connected.connection("social")
    assert (found.status, found.status_reason) == ("disconnected", "")
    assert connected.stream("mentions").next_pull_at is None
    assert connected.stream("mentions").error == ""
    assert connected.sql("SELECT count(*) FROM credentials WHERE connection_id = :c", c=found.id) == [(0,)]

    social.pull = pull  # type: ignore[method-assign]
    connect.connect_with_secret(connected.runtime, connected.owner.caller, "fakesocial", None, {})
    connected.run()
    assert connected.sql("SELECT count(*) FROM engagements") == [(3,)]


def test_a_provider_that_is_gone_from_the_code_stops_alone(connected: World) -> None:
    connected.says("@brand Do you ship?", id="p1")
    gone = providers().pop("fakesocial")
    try:
        connected.look()
        assert connected.connection("crm").push_error == ""
        assert connected.stream("contacts").last_pulled_at is not None
        assert disconnecting.disconnect(connected.runtime, connected.owner.caller, connected.connection("social").id)
    finally:
        providers()["fakesocial"] = gone
    assert connected.connection("social").status == "disconnected"


# --- what is missing at the provider ----------------------------------------------------------------------------


@pytest.fixture
def checks(world: World) -> list[Any]:
    """What `Provider.check` answers next, the last of these from then on."""
    answers: list[Any] = [["Subscribe the page to messages."]]
    asked: list[Access] = []

    def check(access: Access) -> Sequence[str]:
        asked.append(access)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    providers()["fakesocial"] = replace(fake_social.manifest(world.social), check=check)
    world.asked = asked  # type: ignore[attr-defined]
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
    return answers


def test_what_is_missing_is_said_after_connecting_and_goes_once_it_is_done(world: World, checks: list[Any]) -> None:
    asked: list[Access] = world.asked  # type: ignore[attr-defined]
    assert world.connection("social").missing_steps == ["Subscribe the page to messages."]
    assert world.connection("social").status == "active"
    world.run()
    assert len(asked) == 1  # the sweep asks no more than once an hour

    checks[:] = [[]]
    world.sql("UPDATE connections SET checked_at = checked_at - interval '61 minutes'")
    world.look(streams=("recheck",))
    assert len(asked) == 2
    assert world.connection("social").missing_steps == []


def test_a_check_that_fails_is_no_trouble_of_the_account_and_forgets_nothing(world: World, checks: list[Any]) -> None:
    checks[:] = [TemporaryError("the network is away")]
    world.sql("UPDATE connections SET checked_at = checked_at - interval '61 minutes'")
    world.look(streams=("recheck",))
    assert world.connection("social").missing_steps == ["Subscribe the page to messages."]
    assert world.stream("recheck").failures == 0


def test_a_check_that_fails_while_connecting_leaves_the_account_connected(world: World) -> None:
    def away(access: Access) -> Sequence[str]:
        raise TemporaryError("the network is away")

    providers()["fakesocial"] = replace(fake_social.manifest(world.social), check=away)
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
    found = world.connection("social")
    assert (found.status, found.missing_steps, found.checked_at) == ("active", [], None)
