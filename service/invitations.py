"""Invitations into a workspace: made, withdrawn, used.

Whatever changes something takes `by`, the caller's actor ("user:<id>" or "key:<id>"), and leaves a row in the audit trail, with ids
alone. No e-mail is sent: a link is shown to whoever invites, who passes it on.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import accounts
from service.clock import real_now
from service.db import Database
from service.endings import revoke_keys
from service.errors import PlainError
from service.ids import new_id
from service.members import check_role
from service.models import (
    Invitation,
    Membership,
    User,
    Workspace,
)
from service.sessions import digest
from service.store.acting import audit
from service.store.paging import Listing

LIFETIME = timedelta(days=7)  # of an invitation: it travels by hand, and people have weekends
_RANDOM = 32  # bytes


class BelongsAlreadyError(PlainError):
    """Whoever is invited is a member."""


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
class Joined:
    """Somebody has used an invitation."""

    user_id: UUID
    workspace_id: UUID


def invite(session: Session, workspace_id: UUID, email: str, role: str, *, by: str) -> tuple[UUID, str]:
    """Invites somebody, or does it again under a new link. Returns (invitation's id, the link's token), which is shown
    once. Raises BelongsAlreadyError, and PlainError for something that is no address or no role."""
    address = accounts.normal_email(email)
    check_role(role)
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
            revoke_keys(session, workspace_id, user_id) if new else ()
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
