"""Who belongs to a workspace: invited, changed, removed; and what a link from within a workspace opens."""

from __future__ import annotations

import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from service import access, accounts, endings, housekeeping, invitations, members, sessions
from service.clock import real_now
from service.errors import PlainError
from service.models import APIKey, Audit, Invitation, Membership, SigninSession
from service.runtime import Runtime
from service.store import departures
from tests.conftest import Member

BY = "user:olga"


def invite(held: Runtime, where: Member, email: str = "mia@acme.test", role: str = "member") -> str:
    with held.db.tenant(where.workspace_id) as session:
        return invitations.invite(session, where.workspace_id, email, role, by=BY)[1]


def joined(held: Runtime, where: Member, email: str = "mia@acme.test", role: str = "member") -> UUID:
    made = invitations.join(held.db, invite(held, where, email, role))
    assert made
    return made.user_id


def role_of(held: Runtime, where: Member, user_id: UUID) -> str | None:
    with held.db.globally() as session:
        return session.scalar(select(Membership.role).filter_by(workspace_id=where.workspace_id, user_id=user_id))


def signed_in(held: Runtime, user_id: UUID, where: Member, *, confined: bool = False) -> str:
    with held.db.globally() as session:
        return sessions.begin(session, user_id, where.workspace_id, confined=confined, browser="Firefox on Linux")


def audited(held: Runtime, where: Member) -> list[str]:
    """What the trail says, in its order, but for the owner's signing in."""
    with held.db.tenant(where.workspace_id) as session:
        actions = session.scalars(select(Audit.action).order_by(Audit.created_at, Audit.id))
        return [each for each in actions if not each.startswith("signin.")]


# --- invitations ------------------------------------------------------------------------------------------------


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


# --- the last owner ---------------------------------------------------------------------------------------------


def test_the_last_owner_is_neither_removed_nor_made_anything_else(held: Runtime, owner: Member) -> None:
    joined(held, owner)
    for act in (
        lambda session: members.remove(session, owner.workspace_id, owner.user_id, by=BY),
        lambda session: members.change_role(session, owner.workspace_id, owner.user_id, "viewer", by=BY),
    ):
        with (
            pytest.raises(members.LastOwnerError, match="needs an owner"),
            held.db.tenant(owner.workspace_id) as session,
        ):
            act(session)
    assert role_of(held, owner, owner.user_id) == "owner"


def test_an_owner_of_another_workspace_does_not_count(held: Runtime, owner: Member, stranger: Member) -> None:
    joined(held, owner, stranger.email, "viewer")
    with pytest.raises(members.LastOwnerError), held.db.tenant(owner.workspace_id) as session:
        members.remove(session, owner.workspace_id, owner.user_id, by=BY)


def test_two_owners_who_remove_each_other_at_once_leave_one(held: Runtime, owner: Member) -> None:
    other = joined(held, owner, role="owner")
    ready = threading.Barrier(2)
    refused: list[Exception] = []

    def remove(user_id: UUID) -> None:
        try:
            with held.db.tenant(owner.workspace_id) as session:
                session.execute(text("SELECT 1"))
                ready.wait(timeout=20)
                members.remove(session, owner.workspace_id, user_id, by=BY)
        except members.LastOwnerError as error:
            refused.append(error)

    threads = [threading.Thread(target=remove, args=(each,)) for each in (owner.user_id, other)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)
    assert len(refused) == 1
    assert sorted(role_of(held, owner, each) or "" for each in (owner.user_id, other)) == ["", "owner"]


# --- roles and removal ------------------------------------------------------------------------------------------


def test_another_role_holds_from_the_next_click_and_the_next_call_on(held: Runtime, owner: Member) -> None:
    mia = joined(held, owner, role="owner")
    cookie = signed_in(held, mia, owner)
    secret = accounts.create_api_key(held.db, owner.workspace_id, mia, "all", access.SCOPES)
    for role in ("viewer", "member", "owner"):
        with held.db.tenant(owner.workspace_id) as session:
            assert members.change_role(session, owner.workspace_id, mia, role, by=BY)
        browser, key = accounts.caller_of_session(held.db, cookie), accounts.caller_of_key(held.db, secret)
        assert browser
        assert key
        assert browser.scopes == key.scopes == access.ROLES[role]
    assert audited(held, owner)[2:] == ["key.created", "member.made_viewer", "member.made_member", "member.made_owner"]


def test_whoever_is_removed_is_out_at_once_and_what_they_know_opens_nothing(
    held: Runtime, owner: Member, stranger: Member
) -> None:
    rita = joined(held, owner, stranger.email, "owner")
    here, there = signed_in(held, rita, owner), signed_in(held, rita, stranger)
    made = accounts.create_api_key(held.db, owner.workspace_id, rita, "hers", access.SCOPES)
    others = accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, "ours", ["read"])
    elsewhere = accounts.create_api_key(held.db, stranger.workspace_id, rita, "theirs", ["read"])
    with held.db.tenant(owner.workspace_id) as session:
        link = members.link_for(session, owner.workspace_id, rita, by=BY)
        assert link
        assert members.remove(session, owner.workspace_id, rita, by=BY)
        assert not members.remove(session, owner.workspace_id, rita, by=BY)

    assert accounts.caller_of_session(held.db, here) is None
    assert accounts.caller_of_key(held.db, made) is None
    assert accounts.sign_in(held.db, link) is None
    assert accounts.caller_of_session(held.db, there)
    assert accounts.caller_of_key(held.db, others)
    assert accounts.caller_of_key(held.db, elsewhere)
    with held.db.globally() as session:
        assert session.scalar(select(APIKey.revoked_at).filter_by(name="hers"))
    assert {"key.revoked", "member.removed"} <= set(audited(held, owner))


@pytest.mark.parametrize("role", [None, "member"])
def test_what_an_owner_made_for_others_opens_nothing_once_they_may_make_it_no_more(
    held: Runtime, owner: Member, stranger: Member, role: str | None
) -> None:
    rita = joined(held, owner, stranger.email, "owner")
    secret = accounts.create_api_key(held.db, owner.workspace_id, rita, "hers", access.SCOPES)
    key = accounts.caller_of_key(held.db, secret)
    assert key
    with held.db.tenant(owner.workspace_id) as session:
        hers = [
            invitations.invite(session, owner.workspace_id, f"{name}@door.test", "owner", by=by)[1]
            for name, by in (("front", f"user:{rita}"), ("back", key.actor))
        ]
        link = members.link_for(session, owner.workspace_id, owner.user_id, by=f"user:{rita}")
        others = members.link_for(session, owner.workspace_id, owner.user_id, by=f"user:{owner.user_id}")
    with held.db.tenant(stranger.workspace_id) as session:
        elsewhere = members.link_for(session, stranger.workspace_id, rita, by=f"user:{rita}")
    ours = invite(held, owner, "nina@acme.test")

    with held.db.tenant(owner.workspace_id) as session:
        ended = (
            members.change_role(session, owner.workspace_id, rita, role, by=BY)
            if role
            else members.remove(session, owner.workspace_id, rita, by=BY)
        )

    assert ended == endings.Ended(
        ("back@door.test", "front@door.test"), (owner.email,), ("hers",) if role is None else ()
    )
    assert [invitations.join(held.db, each) for each in hers] == [None, None]
    assert accounts.sign_in(held.db, link or "") is None
    assert accounts.sign_in(held.db, others or "")
    assert accounts.sign_in(held.db, elsewhere or "")
    assert invitations.join(held.db, ours)
    done = audited(held, owner)
    assert (done.count("invitation.withdrawn"), done.count("member.link_ended")) == (2, 1)


def test_a_role_that_may_invite_as_well_ends_nothing(held: Runtime, owner: Member) -> None:
    mia = joined(held, owner, role="viewer")
    with held.db.tenant(owner.workspace_id) as session:
        made = members.change_role(session, owner.workspace_id, mia, "owner", by=BY)
        _, token = invitations.invite(session, owner.workspace_id, "nina@acme.test", "viewer", by=f"user:{mia}")
        assert made == members.change_role(session, owner.workspace_id, mia, "owner", by=BY) == endings.Ended()
        assert members.change_role(session, owner.workspace_id, uuid4(), "owner", by=BY) is None
    assert invitations.join(held.db, token)


def test_nobody_is_changed_or_removed_by_an_id_of_somebody_elsewhere(
    held: Runtime, owner: Member, stranger: Member
) -> None:
    for user_id in (stranger.user_id, uuid4()):
        with held.db.tenant(owner.workspace_id) as session:
            assert not members.change_role(session, owner.workspace_id, user_id, "viewer", by=BY)
            assert not members.remove(session, owner.workspace_id, user_id, by=BY)
            assert members.link_for(session, owner.workspace_id, user_id, by=BY) is None
    assert role_of(held, stranger, stranger.user_id) == "owner"


def test_the_trail_holds_ids_and_no_names(held: Runtime, owner: Member) -> None:
    mia = joined(held, owner)
    with held.db.tenant(owner.workspace_id) as session:
        members.link_for(session, owner.workspace_id, mia, by=BY)
        members.change_role(session, owner.workspace_id, mia, "viewer", by=BY)
        members.remove(session, owner.workspace_id, mia, by=BY)
    with held.db.tenant(owner.workspace_id) as session:
        rows = [f"{row.actor} {row.action} {row.subject}" for row in session.scalars(select(Audit))]
    assert len(rows) == 6  # the owner's signing in among them
    assert not [row for row in rows if "mia" in row or "@" in row]


# --- sessions ---------------------------------------------------------------------------------------------------


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


def test_no_key_stands_without_a_row_in_the_trail(
    held: Runtime, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, "nightly", ["read"])
    caller = accounts.caller_of_key(held.db, secret)
    assert caller is not None
    key_id = UUID(caller.actor.partition(":")[2])
    assert audited(held, owner)[-1] == "key.created"

    def broken(**_: object) -> None:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(accounts, "Audit", broken)
    with pytest.raises(ConnectionError):
        accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, "another", ["read"])
    with pytest.raises(ConnectionError):
        accounts.revoke_api_key(held.db, owner.workspace_id, key_id, by=f"user:{owner.user_id}")
    monkeypatch.undo()
    with held.db.globally() as session:
        assert session.execute(select(APIKey.name, APIKey.revoked_at)).all() == [("nightly", None)]
    assert accounts.revoke_api_key(held.db, owner.workspace_id, key_id, by=f"user:{owner.user_id}")
    assert not accounts.revoke_api_key(held.db, owner.workspace_id, key_id, by=f"user:{owner.user_id}")
    assert audited(held, owner)[-2:] == ["key.created", "key.revoked"]


def test_a_key_whose_maker_is_nobody_any_more_belongs_to_no_operator(
    held: Runtime, owner: Member, stranger: Member
) -> None:
    """However it came to be there: this one was made by somebody who did not belong."""
    secret = accounts.create_api_key(held.db, owner.workspace_id, stranger.user_id, "late", access.SCOPES)
    unrevoked = accounts.create_api_key(held.db, owner.workspace_id, stranger.user_id, "orphan", access.SCOPES)
    with held.db.tenant(stranger.workspace_id) as session:
        departures.ask(session, stranger.workspace_id, b"x" * 32, by=BY, purge=False, at=real_now())
        departures.begin(session, stranger.workspace_id)
        for table in departures.tables():
            departures.delete_some(session, stranger.workspace_id, table)
        departures.finish(session, stranger.workspace_id, [])
    assert accounts.caller_of_key(held.db, secret) is None
    with held.db.globally() as session:
        session.execute(update(APIKey).where(APIKey.name == "orphan").values(revoked_at=None))
        assert session.scalars(select(APIKey.created_by).where(APIKey.name == "orphan")).one() is None
    found = accounts.caller_of_key(held.db, unrevoked)
    assert found
    assert found.scopes == frozenset()


def test_whoever_is_invited_again_wakes_no_key_of_before(held: Runtime, owner: Member, stranger: Member) -> None:
    secret = accounts.create_api_key(held.db, owner.workspace_id, stranger.user_id, "late", access.SCOPES)
    assert joined(held, owner, stranger.email, "owner") == stranger.user_id
    assert accounts.caller_of_key(held.db, secret) is None
    later = accounts.create_api_key(held.db, owner.workspace_id, stranger.user_id, "new", ["read"])
    assert accounts.caller_of_key(held.db, later)
