"""Who belongs to a workspace: invited, changed, removed. A workspace always has an owner.

Everything here takes an open session of the workspace and `by`, the caller's actor ("user:<id>" or "key:<id>"), and leaves a
row in the audit trail, with ids alone. No e-mail is sent: a link is shown to whoever invites, who passes it on.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import accounts, sessions
from service.access import OWNER, PEOPLE, ROLES, may
from service.accounts import Caller
from service.clock import real_now
from service.db import Database
from service.errors import PlainError
from service.ids import new_id
from service.models import (
    APIKey,
    Invitation,
    Membership,
    Password,
    PendingSignin,
    SecondFactor,
    SigninLink,
    SigninSession,
    User,
    Workspace,
)
from service.sessions import digest
from service.store.acting import audit
from service.store.listing import Listing

LIFETIME = timedelta(days=7)  # of an invitation: it travels by hand, and people have weekends
_RANDOM = 32  # bytes


class LastOwnerError(PlainError):
    """The workspace would be without an owner."""

    def __init__(self) -> None:
        super().__init__("A workspace needs an owner. Make somebody else an owner first.")


class BelongsAlreadyError(PlainError):
    """Whoever is invited is a member."""


MEMBERS = Listing(
    "members",
    "m.user_id AS id, u.email, u.name, m.role, m.created_at, (SELECT max(s.last_seen_at) FROM sessions s"
    " WHERE s.user_id = m.user_id AND s.workspace_id = m.workspace_id) AS last_seen_at",
    "memberships m JOIN users u ON u.id = m.user_id",
    (("m.user_id", "id", UUID),),
    descending=False,
)
INVITATIONS = Listing(
    "invitations",
    "i.id, i.email, i.role, i.invited_by, i.created_at, i.expires_at",
    "invitations i",
    (("i.id", "id", UUID),),
    where="i.expires_at > now()",
)


@dataclass(frozen=True)
class Invited:
    """What an invitation says."""

    workspace_id: UUID
    workspace_name: str
    email: str
    role: str


@dataclass(frozen=True)
class Ended:
    """What opens nothing any more, since whoever made it may make no such thing now: whom they had invited and for whom they had made
    a link to sign in, by address, and API keys of theirs, by name. And, by the address of whom the link was for, what is behind links of
    theirs that were used: sessions, and passwords and second factors for the workspace that were set in one."""

    invitations: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    passwords: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        return self != Ended()


@dataclass(frozen=True)
class Joined:
    """Somebody has used an invitation."""

    user_id: UUID
    workspace_id: UUID


# --- invitations ----------------------------------------------------------------------------------------------


def invite(session: Session, workspace_id: UUID, email: str, role: str, *, by: str) -> tuple[UUID, str]:
    """Invites somebody, or does it again under a new link. Returns (invitation's id, the link's token), which is shown
    once. Raises BelongsAlreadyError, and PlainError for something that is no address or no role."""
    address = accounts.normal_email(email)
    _check(role)
    belongs = exists().where(
        Membership.workspace_id == workspace_id, Membership.user_id == User.id, User.email == address
    )
    if session.scalar(select(belongs)):
        raise BelongsAlreadyError(f"{address} belongs to this workspace already.")
    token = urlsafe_b64encode(workspace_id.bytes + secrets.token_bytes(_RANDOM)).decode()
    made, now = new_id(), real_now()
    fresh = {"id": made, "role": role, "token_hash": digest(token), "invited_by": by, "created_at": now}
    # Whoever is invited anew gets another link, and the older one is worth nothing any more.
    session.execute(
        insert(Invitation)
        .values(workspace_id=workspace_id, email=address, expires_at=now + LIFETIME, **fresh)
        .on_conflict_do_update(index_elements=["workspace_id", "email"], set_={**fresh, "expires_at": now + LIFETIME})
    )
    audit(session, workspace_id, by, f"invitation.created_{role}", "invitation", made)
    return made, token


def withdraw(session: Session, workspace_id: UUID, invitation_id: UUID, *, by: str) -> bool:
    """The link is worth nothing any more. False when there is no such invitation."""
    gone = session.scalar(
        delete(Invitation)
        .where(Invitation.workspace_id == workspace_id, Invitation.id == invitation_id)
        .returning(Invitation.id)
    )
    if gone is None:
        return False
    audit(session, workspace_id, by, "invitation.withdrawn", "invitation", invitation_id)
    return True


def invited(db: Database, token: str) -> Invited | None:
    """What this link invites to. None for one that is unknown, used, withdrawn or too old."""
    workspace_id = workspace_of(token)
    if workspace_id is None:
        return None
    with db.tenant(workspace_id) as session:
        row = session.execute(
            select(Invitation.email, Invitation.role, Workspace.name)
            .join(Workspace, Workspace.id == Invitation.workspace_id)
            .where(*_good(workspace_id, digest(token)))
        ).one_or_none()
    return Invited(workspace_id, row.name, row.email, row.role) if row else None


def join(db: Database, token: str) -> Joined | None:
    """Uses an invitation up: whoever it names belongs to the workspace from now on, and has an account if there was none.
    None for one that is unknown, used, withdrawn or too old."""
    workspace_id = workspace_of(token)
    return None if workspace_id is None else _use(db, workspace_id, *_good(workspace_id, digest(token)))


def join_as(db: Database, workspace_id: UUID, token_hash: bytes, email: str) -> Joined | None:
    """As `join`, by the hash of the link's token, for somebody who has shown that this address is theirs. None for another's
    invitation as well."""
    return _use(db, workspace_id, *_good(workspace_id, token_hash), Invitation.email == email)


def _use(db: Database, workspace_id: UUID, *good: ColumnElement[bool]) -> Joined | None:
    with db.tenant(workspace_id) as session:
        used = session.execute(
            delete(Invitation).where(*good).returning(Invitation.id, Invitation.email, Invitation.role)
        ).one_or_none()
        if used is None:
            return None
        session.execute(insert(User).values(id=new_id(), email=used.email, name="").on_conflict_do_nothing())
        user_id = session.scalars(select(User.id).where(User.email == used.email)).one()
        new = session.scalar(
            insert(Membership)
            .values(workspace_id=workspace_id, user_id=user_id, role=used.role)
            .on_conflict_do_nothing()
            .returning(Membership.user_id)
        )
        for key in (
            _revoke_keys(session, workspace_id, user_id) if new else ()
        ):  # of another time: they open nothing again
            audit(session, workspace_id, f"user:{user_id}", "key.revoked", "key", key.id)
        audit(session, workspace_id, f"user:{user_id}", "member.joined", "invitation", used.id)
    return Joined(user_id, workspace_id)


def address(base_url: str, token: str) -> str:
    """The link that whoever is invited opens."""
    return f"{base_url}/join/{token}"


def workspace_of(token: str) -> UUID | None:
    """The workspace that an invitation's link leads to; None for something that is no such link. It is no secret and proves
    nothing: what counts is the hash of the whole."""
    try:
        blob = urlsafe_b64decode(token)
    except ValueError:
        return None
    return UUID(bytes=blob[:16]) if len(blob) == 16 + _RANDOM else None


def sweep(session: Session, workspace_id: UUID, before: datetime) -> None:
    """Forgets invitations, and with them addresses, that ran out before then."""
    session.execute(delete(Invitation).where(Invitation.workspace_id == workspace_id, Invitation.expires_at < before))


def _good(workspace_id: UUID, token_hash: bytes) -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.workspace_id == workspace_id,
        Invitation.token_hash == token_hash,
        Invitation.expires_at > real_now(),
    )


# --- members --------------------------------------------------------------------------------------------------


def change_role(
    session: Session, workspace_id: UUID, user_id: UUID, role: str, *, by: str, sparing: UUID | None = None
) -> Ended | None:
    """Gives a member another role, from their next click or call on. Whoever may invite nobody any more has invited nobody: what of it
    has ended comes back. `sparing` is the session in which it is done, which goes on. None when there is no such member. Raises LastOwnerError, and PlainError for something that is no role."""
    _check(role)
    standing = _locked(session, workspace_id, user_id)
    if standing is None or standing == role:
        return None if standing is None else Ended()
    if role != OWNER:
        _keep_an_owner(session, workspace_id, user_id)
    session.execute(update(Membership).where(*_of(workspace_id, user_id)).values(role=role))
    audit(session, workspace_id, by, f"member.made_{role}", "user", user_id)
    if PEOPLE in may(role):
        return Ended()
    return _end_what_they_made_for_others(session, workspace_id, user_id, by, sparing)


def remove(
    session: Session, workspace_id: UUID, user_id: UUID, *, by: str, sparing: UUID | None = None
) -> Ended | None:
    """Somebody belongs no more: their sessions here end, and sign-in links, a password and a second factor for this workspace
    alone open nothing. Nor does what they made and know the secret of: API keys, invitations, and links for others, with what is behind
    those; that comes back. `sparing` is the session in which it is done, which goes on. None when there is no such member. Raises
    LastOwnerError."""
    if _locked(session, workspace_id, user_id) is None:
        return None
    _keep_an_owner(session, workspace_id, user_id)
    session.execute(delete(Membership).where(*_of(workspace_id, user_id)))
    # In the order in which signing in locks them: what opens a session, then the session.
    for each in (Password, SecondFactor, SigninLink):
        session.execute(delete(each).where(each.workspace_id == workspace_id, each.user_id == user_id))
    ended = _end_what_they_made_for_others(session, workspace_id, user_id, by, sparing)
    sessions.end_all(session, workspace_id, user_id)
    revoked = _revoke_keys(session, workspace_id, user_id)
    for key in revoked:
        audit(session, workspace_id, by, "key.revoked", "key", key.id)
    audit(session, workspace_id, by, "member.removed", "user", user_id)
    return replace(ended, keys=tuple(sorted(key.name for key in revoked)))


def _revoke_keys(session: Session, workspace_id: UUID, user_id: UUID) -> Sequence[Row[UUID, str]]:
    """(id, name) of the keys that this person had made here, and that open nothing any more."""
    return session.execute(
        update(APIKey)
        .where(APIKey.workspace_id == workspace_id, APIKey.created_by == user_id, APIKey.revoked_at.is_(None))
        .values(revoked_at=real_now())
        .returning(APIKey.id, APIKey.name)
    ).all()


def still_may(session: Session, who: Caller) -> bool:
    """Whether the caller may see to people here, as they could when their request began; that stays so until this transaction ends. For
    what outlives a request: else somebody who is removed at this moment would leave it behind."""
    _lock(session, who.workspace_id)
    if who.user_id is None:  # a key of Warmline's operator, which belongs to nobody
        return True
    return PEOPLE in may(session.scalar(select(Membership.role).where(*_of(who.workspace_id, who.user_id))))


def stay(session: Session, who: Caller) -> None:
    """Raises `sessions.EndedError` unless the caller's session stands, as it did when their request began; that stays so until this
    transaction ends. For what they set that lets them in again: else it would outlive what has ended the session at this moment."""
    _lock(session, who.workspace_id)
    if session.scalar(select(SigninSession.id).where(SigninSession.id == who.session_id)) is None:
        raise sessions.EndedError


def link_for(session: Session, workspace_id: UUID, user_id: UUID, *, by: str) -> str | None:
    """The token of a link that signs a member in once, into this workspace and no other. None when there is no such
    member."""
    if session.scalar(select(Membership.role).where(*_of(workspace_id, user_id))) is None:
        return None
    audit(session, workspace_id, by, "member.link_made", "user", user_id)
    return accounts.new_link(session, user_id, workspace_id, by=by)


def _end_what_they_made_for_others(
    session: Session, workspace_id: UUID, user_id: UUID, by: str, sparing: UUID | None
) -> Ended:
    """Withdraws invitations that this person made, themselves or by API keys of theirs, and ends sign-in links, with what is behind them."""
    keys = session.scalars(select(APIKey.id).where(APIKey.workspace_id == workspace_id, APIKey.created_by == user_id))
    makers, now = [f"user:{user_id}", *(f"key:{key_id}" for key_id in keys)], real_now()
    theirs = (Invitation.workspace_id == workspace_id, Invitation.invited_by.in_(makers))
    invited = session.execute(
        delete(Invitation).where(*theirs, Invitation.expires_at > now).returning(Invitation.id, Invitation.email)
    ).all()
    made = (SigninLink.workspace_id == workspace_id, SigninLink.made_by.in_(makers))
    linked = session.scalars(
        delete(SigninLink).where(*made, *accounts.unspent_link(now)).returning(SigninLink.user_id)
    ).all()
    for each in invited:
        audit(session, workspace_id, by, "invitation.withdrawn", "invitation", each.id)
    for each_id in linked:
        audit(session, workspace_id, by, "member.link_ended", "user", each_id)
    return replace(
        _end_what_is_behind(session, workspace_id, user_id, makers, by, sparing),
        invitations=tuple(sorted(each.email for each in invited)),
        links=_addresses(session, linked),
    )


def _end_what_is_behind(
    session: Session, workspace_id: UUID, user_id: UUID, makers: Sequence[str], by: str, sparing: UUID | None
) -> Ended:
    """Ends what is behind links that this person had made for others, and may have opened themselves: sessions, `sparing` one, sign-ins
    that wait for a code, and passwords and second factors that were set there."""

    def behind(table: Any) -> tuple[ColumnElement[bool], ...]:
        return table.workspace_id == workspace_id, table.link_by.in_(makers), table.user_id != user_id

    # In the order in which signing in locks them: what opens a session, then the session.
    passwords, factors, _ = (
        session.scalars(delete(each).where(*behind(each)).returning(each.user_id)).all()
        for each in (Password, SecondFactor, PendingSignin)
    )
    theirs = delete(SigninSession).where(*behind(SigninSession), SigninSession.id.is_distinct_from(sparing))
    begun = session.execute(theirs.returning(SigninSession.id, SigninSession.user_id)).all()
    for action, noun, ids in (
        ("session.ended", "session", [each.id for each in begun]),
        ("member.password_ended", "user", passwords),
        ("member.factor_ended", "user", factors),
    ):
        for each_id in ids:
            audit(session, workspace_id, by, action, noun, each_id)
    return Ended(
        sessions=_addresses(session, [each.user_id for each in begun]),
        passwords=_addresses(session, passwords),
        factors=_addresses(session, factors),
    )


def _addresses(session: Session, user_ids: Sequence[UUID]) -> tuple[str, ...]:
    return tuple(session.scalars(select(User.email).where(User.id.in_(user_ids)).order_by(User.email)))


def _locked(session: Session, workspace_id: UUID, user_id: UUID) -> str | None:
    """This member's role. The workspace's row is locked first: two owners who remove each other come one after the other."""
    _lock(session, workspace_id)
    return session.scalar(select(Membership.role).where(*_of(workspace_id, user_id)))


def _lock(session: Session, workspace_id: UUID) -> None:
    """One lock for whoever changes who belongs here and for whoever asks first whether they may: a shared one, which both held, would let
    neither go on."""
    session.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))


def _keep_an_owner(session: Session, workspace_id: UUID, without: UUID) -> None:
    others = select(Membership.user_id).where(
        Membership.workspace_id == workspace_id, Membership.role == OWNER, Membership.user_id != without
    )
    if session.scalar(others.limit(1)) is None:
        raise LastOwnerError


def _of(workspace_id: UUID, user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return Membership.workspace_id == workspace_id, Membership.user_id == user_id


def _check(role: str) -> None:
    if role not in ROLES:
        raise PlainError(f"Choose a role: {', '.join(ROLES)}.")
