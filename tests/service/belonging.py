"""Who belongs to a workspace, as tests bring it about and look at it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from service import invitations, sessions
from service.models import Audit, Membership
from service.runtime import Runtime
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
