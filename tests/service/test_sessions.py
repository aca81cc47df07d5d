"""Sessions of people who belong to several workspaces."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from service import accounts, members, sessions
from service.clock import real_now
from service.models import SigninSession
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.belonging import BY, joined, signed_in


@pytest.fixture
def two_homes(held: Runtime, owner: Member, stranger: Member) -> UUID:
    """Rita, who belongs to both workspaces."""
    return joined(held, owner, stranger.email, "viewer")


def of(held: Runtime, cookie: str) -> UUID:
    with held.db.globally() as session:
        return session.scalars(select(SigninSession.id).filter_by(token_hash=sessions.digest(cookie))).one()


def test_an_owner_ends_sessions_of_their_workspace_and_of_no_other(
    held: Runtime, owner: Member, stranger: Member, two_homes: UUID
) -> None:
    here, there = signed_in(held, two_homes, owner), signed_in(held, two_homes, stranger)
    with held.db.tenant(owner.workspace_id) as session:
        assert not sessions.end(session, owner.workspace_id, of(held, there), by=BY)
        assert sessions.end(session, owner.workspace_id, of(held, here), by=BY)
        assert not sessions.end(session, owner.workspace_id, uuid4(), by=BY)
    assert accounts.caller_of_session(held.db, here) is None
    assert accounts.caller_of_session(held.db, there)


@pytest.mark.parametrize("confined", [True, False])
def test_ones_own_sessions_are_ended_anywhere_unless_one_is_confined(
    held: Runtime, owner: Member, stranger: Member, two_homes: UUID, confined: bool
) -> None:
    there, others = signed_in(held, two_homes, stranger), signed_in(held, owner.user_id, owner)
    with held.db.tenant(owner.workspace_id) as session:
        within = owner.workspace_id if confined else None
        shown = {each.id for each in sessions.of_user(session, two_homes, within=within)}
        assert (of(held, there) in shown) == (not confined)
        for cookie in (there, others):
            sessions.end_own(session, owner.workspace_id, of(held, cookie), two_homes, confined=confined)
    assert (accounts.caller_of_session(held.db, there) is not None) == confined
    assert accounts.caller_of_session(held.db, others)


def test_a_link_from_an_owner_opens_their_workspace_and_the_operators_any(
    held: Runtime, owner: Member, stranger: Member, two_homes: UUID
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        link = members.link_for(session, owner.workspace_id, two_homes, by=BY)
    cookie = accounts.sign_in(held.db, link or "")
    who = accounts.caller_of_session(held.db, cookie or "")
    assert who
    assert (who.workspace_id, who.confined, who.role) == (owner.workspace_id, True, "viewer")
    assert accounts.sign_in(held.db, link or "") is None
    cookie = accounts.sign_in(held.db, accounts.signin_link(held.db, stranger.email, "").rsplit("/", 1)[1])
    who = accounts.caller_of_session(held.db, cookie or "")
    assert who
    assert not who.confined


def test_when_a_browser_was_last_seen_is_noted_now_and_then(
    held: Runtime, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = signed_in(held, owner.user_id, owner)
    now = real_now()

    def seen_after(passed: timedelta) -> timedelta:
        monkeypatch.setattr(accounts, "real_now", lambda: now + passed)
        assert accounts.caller_of_session(held.db, cookie)
        with held.db.globally() as session:
            at = session.scalars(select(SigninSession.last_seen_at).filter_by(id=of(held, cookie))).one()
        assert at
        return at - now

    assert seen_after(timedelta(minutes=4)) < timedelta(seconds=1)
    assert seen_after(timedelta(minutes=6)) == timedelta(minutes=6)
    assert seen_after(timedelta(minutes=9)) == timedelta(minutes=6)


def test_a_session_that_ran_out_is_neither_shown_nor_good(held: Runtime, owner: Member) -> None:
    cookie = signed_in(held, owner.user_id, owner)
    with held.db.globally() as session:
        session.execute(update(SigninSession).values(expires_at=real_now()))
    assert accounts.caller_of_session(held.db, cookie) is None
    with held.db.tenant(owner.workspace_id) as session:
        assert sessions.of_user(session, owner.user_id, within=None) == []
