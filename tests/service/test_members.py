"""Who belongs to a workspace: changed, removed, and the last owner who stays."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from service import access, accounts, endings, invitations, members
from service.clock import real_now
from service.models import APIKey, Audit
from service.runtime import Runtime
from service.store import departures
from tests.conftest import Member
from tests.service.belonging import BY, audited, invite, joined, role_of, signed_in

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
