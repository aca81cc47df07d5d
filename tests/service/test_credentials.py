"""Credentials: sealed, refreshed by one process at a time, stored before they are used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import responses
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from integrations import consents
from integrations.clients import SocialClient
from integrations.deadline import at_most
from integrations.errors import AuthenticationError, RateLimitError, TemporaryError
from integrations.provider import App, OAuth2, Provider, Setting
from service import credentials
from service.clock import real_now
from service.models import Connection, Credential
from service.runtime import Runtime
from service.store import connecting
from service.vault import SealBrokenError
from tests.conftest import Member

TOKEN_URL = "https://social.example/token"
SETTING = Setting(App("client", "secret"), {})
PROVIDER: Provider[SocialClient] = Provider(
    key="example", kind="social", name="Example", hosts={}, client=lambda access: None, streams=(),  # type: ignore[arg-type,return-value]
    auth=OAuth2(authorize_url="https://social.example/authorize", token_url=TOKEN_URL, scopes=("read",)),
)  # fmt: skip


@pytest.fixture
def connection_id(held: Runtime, owner: Member) -> UUID:
    """A connection whose access token has just run out."""
    with held.db.tenant(owner.workspace_id) as session:
        row = Connection(workspace_id=owner.workspace_id, provider="example", kind="social", account_id="1")
        session.add(row)
        session.flush()
        past = (real_now() - timedelta(seconds=1)).isoformat()
        values = {"access_token": "old", "refresh_token": "once", "expires_at": past}
        credentials.store_new(session, held.vault, owner.workspace_id, row.id, values)
        return row.id


@pytest.fixture
def endpoint() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def fresh(held: Runtime, owner: Member, connection_id: UUID, refused: int | None = None) -> credentials.Held:
    return credentials.fresh(held, consents.way(PROVIDER), SETTING, owner.workspace_id, connection_id, refused=refused)


def row(held: Runtime, owner: Member) -> Credential:
    with held.db.tenant(owner.workspace_id) as session:
        return session.scalars(select(Credential)).one()


def test_a_token_that_has_run_out_is_refreshed_and_stored(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock
) -> None:
    endpoint.post(TOKEN_URL, json={"access_token": "new", "refresh_token": "next", "expires_in": 3600})

    found = fresh(held, owner, connection_id)

    assert (found.values["access_token"], found.values["refresh_token"], found.version) == ("new", "next", 2)
    stored = row(held, owner)
    assert held.vault.open(stored.sealed, "credentials", "sealed", owner.workspace_id, connection_id) == found.values
    assert stored.refresh_lease_until is None
    assert fresh(held, owner, connection_id).version == 2  # good for an hour: nobody is asked


def test_of_many_that_need_it_at_once_one_refreshes_and_the_others_wait(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock
) -> None:
    endpoint.post(TOKEN_URL, json={"access_token": "new", "refresh_token": "next", "expires_in": 3600})

    def attempt(_: int) -> str:
        try:
            return str(fresh(held, owner, connection_id).values["access_token"])
        except RateLimitError:
            return "later"

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(attempt, range(8)))

    assert answers <= {"new", "later"}
    assert "new" in answers
    endpoint.assert_call_count(TOKEN_URL, 1)


def test_a_token_that_was_turned_down_is_refreshed_even_if_it_should_be_good(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock
) -> None:
    endpoint.post(TOKEN_URL, json={"access_token": "new", "expires_in": 3600})
    first = fresh(held, owner, connection_id)

    endpoint.post(TOKEN_URL, json={"access_token": "newer", "expires_in": 3600})
    second = fresh(held, owner, connection_id, refused=first.version)

    assert second.values["access_token"] == "newer"
    assert second.values["refresh_token"] == "once"  # none came back: the old one stays
    assert (
        fresh(held, owner, connection_id, refused=first.version).version == second.version
    )  # somebody renewed it already


def test_a_refused_grant_is_final_only_if_nobody_has_renewed_it_meanwhile(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock
) -> None:
    def reconnects(_: object) -> tuple[int, dict[str, str], str]:
        with held.db.tenant(owner.workspace_id) as session:
            later = (real_now() + timedelta(hours=1)).isoformat()
            credentials.store_new(
                session, held.vault, owner.workspace_id, connection_id, {"access_token": "theirs", "expires_at": later}
            )
        return 400, {}, '{"error": "invalid_grant"}'

    endpoint.add_callback(responses.POST, TOKEN_URL, callback=reconnects)

    assert fresh(held, owner, connection_id).values["access_token"] == "theirs"


def test_a_grant_that_is_gone_says_so_and_a_failure_in_passing_does_not(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock
) -> None:
    endpoint.post(TOKEN_URL, status=503)
    with pytest.raises(TemporaryError):
        fresh(held, owner, connection_id)
    endpoint.replace(
        responses.POST, TOKEN_URL, status=400, json={"error": "invalid_grant", "error_description": "Token revoked"}
    )
    with pytest.raises(AuthenticationError, match="Token revoked"):
        fresh(held, owner, connection_id)
    assert row(held, owner).refresh_lease_until is None  # the next one may try at once


def test_renewing_is_over_before_its_lease_is(
    held: Runtime, owner: Member, connection_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float] = []

    def refresh(*_: object) -> dict[str, str]:
        for _call in range(6):  # as many as signing in to a network of many servers may take
            with at_most(60) as limit:
                limits.append(limit.seconds)
        return {"access_token": "new"}

    monkeypatch.setattr(consents, "refresh", refresh)
    fresh(held, owner, connection_id)
    [limit] = set(limits)  # one for all of them together
    assert limit < held.config.lease.total_seconds() * credentials.LEASES


def test_a_holder_that_died_is_waited_for_no_longer_than_its_lease(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(update(Credential).values(refresh_lease_until=real_now() + timedelta(seconds=30)))
    with pytest.raises(RateLimitError):
        fresh(held, owner, connection_id)
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(update(Credential).values(refresh_lease_until=real_now() - timedelta(seconds=1)))
    endpoint.post(TOKEN_URL, json={"access_token": "new", "expires_in": 3600})

    assert fresh(held, owner, connection_id).values["access_token"] == "new"


def test_a_refusal_of_older_credentials_ends_no_newer_ones(held: Runtime, owner: Member, connection_id: UUID) -> None:
    def status_after(refused: int) -> str:
        with held.db.tenant(owner.workspace_id) as session:
            row = session.get_one(Connection, (owner.workspace_id, connection_id))
            connecting.needs_reauth(session, row, "no longer accepted", refused=refused)
            return row.status

    with held.db.tenant(
        owner.workspace_id
    ) as session:  # somebody reconnects while a job still works with what was there
        credentials.store_new(session, held.vault, owner.workspace_id, connection_id, {"access_token": "theirs"})
    assert status_after(refused=1) == "active"
    assert status_after(refused=2) == "needs_reauth"


def test_a_database_that_goes_away_when_the_answer_is_there_is_waited_for(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.post(TOKEN_URL, json={"access_token": "new", "refresh_token": "next", "expires_in": 3600})
    store, tries = credentials._swap, 0

    def away(*arguments: Any) -> credentials.Held:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OperationalError("UPDATE", {}, Exception("the database system is shutting down"))
        return store(*arguments)

    monkeypatch.setattr(credentials, "_swap", away)
    monkeypatch.setattr(credentials, "STORED_AGAIN", (0.0, 0.0, 0.0))
    assert fresh(held, owner, connection_id).values["refresh_token"] == "next"
    assert row(held, owner).version == 2


@pytest.mark.parametrize(("status", "unanswered"), [(429, False), (503, True)])
def test_it_is_noted_that_a_token_may_be_spent_unless_the_provider_says_it_is_not(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock, status: int, unanswered: bool
) -> None:
    endpoint.post(TOKEN_URL, status=status, json={"error": "later"})
    with pytest.raises((RateLimitError, TemporaryError)):
        fresh(held, owner, connection_id)
    assert (row(held, owner).unanswered_since is not None) == unanswered


@pytest.mark.parametrize(("lost", "told"), [(False, credentials.RefusedError), (True, credentials.LostAnswerError)])
def test_a_refusal_that_has_come_is_no_lost_answer_for_whoever_is_refused_next(
    held: Runtime, owner: Member, connection_id: UUID, endpoint: responses.RequestsMock, lost: bool, told: type
) -> None:
    if lost:
        endpoint.post(TOKEN_URL, status=503)
        with pytest.raises(TemporaryError):
            fresh(held, owner, connection_id)
        endpoint.reset()
    noted = row(held, owner).unanswered_since
    endpoint.post(TOKEN_URL, status=400, json={"error": "invalid_grant", "error_description": "Token revoked"})
    for _ in range(3):
        with pytest.raises(credentials.RefusedError) as refusal:
            fresh(held, owner, connection_id)
        assert type(refusal.value) is told
        assert row(held, owner).unanswered_since == noted
    assert (noted is not None) == lost


def test_a_sealed_value_moved_to_another_row_does_not_open(held: Runtime, owner: Member, connection_id: UUID) -> None:
    sealed = row(held, owner).sealed
    with pytest.raises(SealBrokenError):
        held.vault.open(sealed, "credentials", "sealed", owner.workspace_id, UUID(int=1))


def test_an_account_that_was_disconnected_asks_for_a_person(held: Runtime, owner: Member) -> None:
    with pytest.raises(AuthenticationError, match="disconnected"):
        fresh(held, owner, UUID(int=5))
