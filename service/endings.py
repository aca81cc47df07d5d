"""What ends with somebody's right to let others in: what they made that would let somebody in still, and what is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.orm import Session

from service import accounts
from service.clock import real_now
from service.models import (
    APIKey,
    Invitation,
    Password,
    PendingSignin,
    SecondFactor,
    SigninLink,
    SigninSession,
    User,
)
from service.store.acting import audit


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


def revoke_keys(session: Session, workspace_id: UUID, user_id: UUID) -> Sequence[Row[UUID, str]]:
    """(id, name) of the keys that this person had made here, and that open nothing any more."""
    return session.execute(
        update(APIKey)
        .where(APIKey.workspace_id == workspace_id, APIKey.created_by == user_id, APIKey.revoked_at.is_(None))
        .values(revoked_at=real_now())
        .returning(APIKey.id, APIKey.name)
    ).all()


def end_what_they_made_for_others(
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
