"""Invitations: good once, for whom they name, while they are good."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from service import housekeeping, invitations
from service.clock import real_now
from service.errors import PlainError
from service.models import Invitation
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.belonging import BY, audited, invite, role_of


def test_an_invitation_makes_an_account_and_a_membership_once(held: Runtime, owner: Member) -> None:
    token = invite(held, owner, " Mia@Acme.test ")
    told = invitations.invited(held.db, token)
    assert told
    assert (told.workspace_name, told.email, told.role) == ("Acme", "mia@acme.test", "member")

    made = invitations.join(held.db, token)

    assert made
    assert made.workspace_id == owner.workspace_id
    assert role_of(held, owner, made.user_id) == "member"
    assert invitations.join(held.db, token) is None
    assert invitations.invited(held.db, token) is None
    assert audited(held, owner) == ["invitation.created_member", "member.joined"]


def test_a_link_that_is_withdrawn_replaced_or_too_old_opens_nothing(held: Runtime, owner: Member) -> None:
    first = invite(held, owner)
    second = invite(held, owner, role="viewer")
    assert invitations.join(held.db, first) is None
    with held.db.tenant(owner.workspace_id) as session:
        [row] = session.scalars(select(Invitation))
        assert row.role == "viewer"
        assert invitations.withdraw(session, owner.workspace_id, row.id, by=BY)
        assert not invitations.withdraw(session, owner.workspace_id, row.id, by=BY)
    assert invitations.join(held.db, second) is None
    third = invite(held, owner)
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(update(Invitation).values(expires_at=real_now()))
    assert invitations.invited(held.db, third) is None
    assert invitations.join(held.db, third) is None


@pytest.mark.parametrize("token", ["", "x", "A" * 64, "é" * 64, "=" * 64, "\0"])
def test_what_is_no_link_of_ours_opens_nothing(held: Runtime, owner: Member, token: str) -> None:
    invite(held, owner)
    assert invitations.invited(held.db, token) is None
    assert invitations.join(held.db, token) is None


def test_a_link_with_another_workspaces_name_in_it_opens_nothing(
    held: Runtime, owner: Member, stranger: Member
) -> None:
    blob = urlsafe_b64decode(invite(held, owner))
    forged = urlsafe_b64encode(stranger.workspace_id.bytes + blob[16:]).decode()
    assert invitations.workspace_of(forged) == stranger.workspace_id
    assert invitations.join(held.db, forged) is None


def test_whoever_belongs_already_is_not_invited_and_nothing_tells_who_has_an_account_elsewhere(
    held: Runtime, owner: Member, stranger: Member
) -> None:
    with pytest.raises(invitations.BelongsAlreadyError, match="belongs to this workspace already"):
        invite(held, owner, owner.email)
    known, unknown = invite(held, owner, stranger.email), invite(held, owner, "nobody@nowhere.test")
    assert len(known) == len(unknown)
    made = invitations.join(held.db, known)
    assert made
    assert made.user_id == stranger.user_id


@pytest.mark.parametrize(("email", "role"), [("mia", "member"), ("mia@acme.test", "superuser"), ("", "viewer")])
def test_an_invitation_to_nobody_or_to_no_role_is_refused_in_a_sentence(
    held: Runtime, owner: Member, email: str, role: str
) -> None:
    with pytest.raises(PlainError):
        invite(held, owner, email, role)


def test_an_invitation_that_ran_out_is_forgotten_with_its_address(held: Runtime, owner: Member) -> None:
    invite(held, owner)
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(update(Invitation).values(expires_at=real_now() - timedelta(days=2)))
    housekeeping.tidy(held, owner.workspace_id)
    with held.db.tenant(owner.workspace_id) as session:
        assert session.scalars(select(Invitation)).all() == []
