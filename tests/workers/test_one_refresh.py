"""Worker processes that share one connection, whose refresh tokens are good for one use and whose network ends the whole grant when one
comes twice: real processes, a real database, the real way that jobs take to a token."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from integrations.registry import providers
from service import credentials, health, launcher, registrations
from service.models import Connection, Credential
from service.runtime import Runtime
from tests.conftest import Member
from tests.workers import renewing
from tests.workers.renewing import Workers
from tests.workers.token_server import Network, serving

PROCESSES = 16
EXPIRIES = int(os.environ.get("WARMLINE_EXPIRIES", "50"))  # CONTRIBUTING.md names the command for 500


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with renewing.playing() as play:
        yield play


@pytest.fixture
def shared_connection(held: Runtime, owner: Member, workers: Workers) -> Iterator[Callable[..., Shared]]:
    """Makes one, on a network with these manners."""
    with ExitStack() as stack:

        def make(**manners: Any) -> Shared:
            network = Network(**manners)
            connection_id = _connect(held, owner, stack.enter_context(serving(network)))
            return Shared(network, held, owner, connection_id, workers)

        yield make
    providers().pop(renewing.PROVIDER, None)


@dataclass(frozen=True)
class Shared:
    """A connection that several processes use."""

    network: Network
    held: Runtime
    owner: Member
    id: UUID
    workers: Workers

    def run(self, scenario: str, **arguments: Any) -> dict[str, Any]:
        """What came of a scenario, in processes of its own."""
        env = {**launcher.environment(self.held.config), "PORT": "8000"}
        return self.workers(scenario, env, {"workspace_id": str(self.owner.workspace_id), **arguments})

    def connection(self) -> Connection:
        with self.held.db.tenant(self.owner.workspace_id) as session:
            return session.scalars(select(Connection)).one()

    def row(self) -> Credential:
        with self.held.db.tenant(self.owner.workspace_id) as session:
            return session.scalars(select(Credential)).one()

    def values(self) -> dict[str, Any]:
        """The credentials as they are stored."""
        place = ("credentials", "sealed", self.owner.workspace_id, self.id)
        return dict(self.held.vault.open(self.row().sealed, *place))


def _connect(held: Runtime, owner: Member, address: str) -> UUID:
    renewing.register()
    registrations.set_app(held, renewing.PROVIDER, "client", "", {"api": address})
    with held.db.tenant(owner.workspace_id) as session:
        row = Connection(workspace_id=owner.workspace_id, provider=renewing.PROVIDER, kind="social", account_id="1")
        session.add(row)
        session.flush()
        later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        values = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_at": later}
        credentials.store_new(session, held.vault, owner.workspace_id, row.id, values)
        return row.id


def test_sixteen_processes_share_a_token_that_is_good_once_and_never_lose_the_account(
    shared_connection: Callable[..., Shared],
) -> None:
    shared = shared_connection(expiries=EXPIRIES)
    unstored: list[int] = []

    def stored(number: int) -> None:
        if shared.values()["access_token"] != f"access-{number}":
            unstored.append(number)

    shared.network.on_first_use = stored

    found = shared.run("storm", processes=PROCESSES)

    assert found["exit_codes"] == [0] * PROCESSES
    assert found["reported"] == PROCESSES
    assert set(found["outcomes"]) == {"ok", "BeingRenewedError"}  # they did meet
    assert (shared.network.ended, shared.network.replays) == (EXPIRIES, 0)
    assert shared.network.refreshes == EXPIRIES  # nobody renewed what was good
    assert unstored == []  # each was stored before anybody used it
    assert shared.connection().status == "active"


# --- held up --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["SIGKILL", "SIGSTOP"])
def test_whoever_is_held_up_before_asking_costs_a_lease_and_asks_no_more(
    shared_connection: Callable[..., Shared], by: str
) -> None:
    shared = shared_connection()
    shared.network.expire()

    found = shared.run("held_up", at="asking", by=by)

    assert found["meanwhile"] == "BeingRenewedError"
    assert (found["other"], found["third"], found["status_after"]) == ("ok", "ok", "active")
    assert (shared.network.refreshes, shared.network.replays) == (1, 0)


def test_a_crash_between_answer_and_store_is_named_and_nobody_is_accused(
    shared_connection: Callable[..., Shared],
) -> None:
    shared = shared_connection()
    shared.network.expire()

    found = shared.run("held_up", at="answered", by="SIGKILL")

    assert (found["other"], found["status_after"]) == ("LostAnswerError", "needs_reauth")
    assert found["told"] == ["an answer to a renewal was lost"]
    told = health.line(_listed(shared.connection()), datetime.now(UTC))
    assert told.startswith("Renewing the consent was cut short on ")
    assert (
        "Rotating's answer with the next token was lost, so most likely nobody has revoked anything. Reconnect" in told
    )


def test_a_crash_between_answer_and_store_heals_where_the_network_takes_the_token_once_more(
    shared_connection: Callable[..., Shared],
) -> None:
    shared = shared_connection(grace=True)
    shared.network.expire()

    found = shared.run("held_up", at="answered", by="SIGKILL")

    assert (found["other"], found["third"], found["status_after"]) == ("ok", "ok", "active")
    assert shared.row().unanswered_since is None


def test_an_answer_that_is_stored_late_brings_the_account_back_where_the_network_only_refuses(
    shared_connection: Callable[..., Shared],
) -> None:
    shared = shared_connection(unforgiving=False)
    shared.network.expire()

    found = shared.run("held_up", at="answered", by="SIGSTOP")

    assert (found["other"], found["status"]) == ("LostAnswerError", "needs_reauth")
    assert (found["resumed"], found["third"], found["status_after"]) == ("0", "ok", "active")
    assert shared.values()["access_token"] == "access-2"


def test_an_answer_that_is_stored_too_late_for_the_network_is_named_as_lost_and_not_as_revoked(
    shared_connection: Callable[..., Shared],
) -> None:
    shared = shared_connection()
    shared.network.expire()

    found = shared.run("held_up", at="answered", by="SIGSTOP")

    assert (found["other"], found["third"], found["status_after"]) == (
        "LostAnswerError",
        "LostAnswerError",
        "needs_reauth",
    )
    assert "so most likely nobody has revoked anything" in found["sentence"]


def test_a_pause_within_the_lease_loses_nothing(shared_connection: Callable[..., Shared]) -> None:
    shared = shared_connection()
    shared.network.expire()

    found = shared.run("paused", at="answered")

    assert found == {"meanwhile": "BeingRenewedError", "resumed": "0", "third": "ok"}
    assert (shared.network.refreshes, shared.connection().status) == (1, "active")


def test_a_grant_that_somebody_has_revoked_says_so(shared_connection: Callable[..., Shared]) -> None:
    shared = shared_connection()
    shared.network.alive = False

    found = shared.run("storm", processes=1)

    assert found["outcomes"] == {"RefusedError": 1}
    told = health.line(_listed(shared.connection()), datetime.now(UTC))
    assert "no longer accepts this consent: Token was used or revoked" in told
    assert "lost" not in told


def _listed(row: Connection) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "status": row.status,
        "status_reason": row.status_reason,
        "status_at": row.status_at,
    }
