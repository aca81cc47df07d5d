"""Who belongs to a workspace: changed, removed. A workspace always has an owner.

Everything here takes an open session of the workspace and `by`, the caller's actor ("user:<id>" or "key:<id>"), and leaves a
row in the audit trail, with ids alone.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from service import accounts, sessions
from service.access import OWNER, PEOPLE, ROLES, may
from service.accounts import Caller
from service.endings import Ended, end_what_they_made_for_others, revoke_keys
from service.errors import PlainError
from service.models import (
    Membership,
    Password,
    SecondFactor,
    SigninLink,
    SigninSession,
    Workspace,
)
from service.store.acting import audit
from service.store.paging import Listing


class LastOwnerError(PlainError):
    """The workspace would be without an owner."""

    def __init__(self) -> None:
        super().__init__("A workspace needs an owner. Make somebody else an owner first.")


MEMBERS = Listing(
    "members",
    "m.user_id AS id, u.email, u.name, m.role, m.created_at, (SELECT max(s.last_seen_at) FROM sessions s"
    " WHERE s.user_id = m.user_id AND s.workspace_id = m.workspace_id) AS last_seen_at",
    "memberships m JOIN users u ON u.id = m.user_id",
    (("m.user_id", "id", UUID),),
    descending=False,
)


def change_role(
    session: Session, workspace_id: UUID, user_id: UUID, role: str, *, by: str, sparing: UUID | None = None
) -> Ended | None:
    """Gives a member another role, from their next click or call on. Whoever may invite nobody any more has invited nobody: what of it
    has ended comes back. `sparing` is the session in which it is done, which goes on. None when there is no such member. Raises LastOwnerError, and PlainError for something that is no role."""
    check_role(role)
    standing = _locked(session, workspace_id, user_id)
    if standing is None or standing == role:
        return None if standing is None else Ended()
    if role != OWNER:
        _keep_an_owner(session, workspace_id, user_id)
    session.execute(update(Membership).where(*_of(workspace_id, user_id)).values(role=role))
    audit(session, workspace_id, by, f"member.made_{role}", "user", user_id)
    if PEOPLE in may(role):
        return Ended()
    return end_what_they_made_for_others(session, workspace_id, user_id, by, sparing)


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
    ended = end_what_they_made_for_others(session, workspace_id, user_id, by, sparing)
    sessions.end_all(session, workspace_id, user_id)
    revoked = revoke_keys(session, workspace_id, user_id)
    for key in revoked:
        audit(session, workspace_id, by, "key.revoked", "key", key.id)
    audit(session, workspace_id, by, "member.removed", "user", user_id)
    return replace(ended, keys=tuple(sorted(key.name for key in revoked)))


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


def check_role(role: str) -> None:
    """Raises PlainError for something that is no role."""
    if role not in ROLES:
        raise PlainError(f"Choose a role: {', '.join(ROLES)}.")
