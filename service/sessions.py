"""Browsers that are signed in: begun, seen, listed and ended.

A session that began by a link from within a workspace (an invitation, or a link that an owner passed on) is confined to it:
whoever held that link may be somebody else than the person it names, and gets nowhere else in that person's name.

A session ends 14 days after it began, or once nobody has used it for 4. Its cookie changes whenever somebody shows anew who they are.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from service.clock import real_now
from service.models import Audit, PendingSignin, SigninSession
from service.store.paging import Listing

LIFETIME = timedelta(days=14)
IDLE = timedelta(days=4)  # a long weekend, with a day to spare
# How long it counts as just now that somebody showed who they are: a link replaces a password that was forgotten, and what is about
# signing in may be changed without being asked again.
FRESH = timedelta(minutes=30)
LINK, INVITATION, PASSWORD, OPENID = "link", "invitation", "password", "openid"  # how a session began
SEEN_EVERY = timedelta(minutes=5)  # how exactly "last seen" is kept, so that reading pages does not write each time

SESSIONS = Listing(
    "sessions",
    "s.id, s.user_id AS member_id, u.email, s.browser, s.created_at, s.last_seen_at, s.expires_at",
    "sessions s JOIN users u ON u.id = s.user_id JOIN memberships m ON m.workspace_id = s.workspace_id AND m.user_id = s.user_id",
    (("s.id", "id", UUID),),
    where=f"s.expires_at > now() AND coalesce(s.last_seen_at, s.created_at) > now() - interval '{IDLE.days} days'",
)


class EndedError(Exception):
    """The session ended while what was asked in it was under way."""


def digest(token: str) -> bytes:
    """What is kept of a random token. SHA-256 is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def begin(
    session: Session,
    user_id: UUID,
    workspace_id: UUID | None,
    *,
    confined: bool,
    browser: str,
    began: str = LINK,
    link_by: str = "",
    instead_of: str = "",
    factor_id: UUID | None = None,
) -> str:
    """A new session's cookie. `browser` is what to call it, in words; `link_by` is the owner whose link is behind it; `instead_of` is the
    cookie that this browser held before, whose session ends; `factor_id` is the second factor of which a code was given."""
    cookie, now = secrets.token_urlsafe(32), real_now()
    if instead_of:
        session.execute(delete(SigninSession).where(SigninSession.token_hash == digest(instead_of)))
    session.add(
        SigninSession(
            token_hash=digest(cookie),
            user_id=user_id,
            workspace_id=workspace_id,
            confined=confined,
            csrf_token=secrets.token_urlsafe(24),
            began=began,
            link_by=link_by,
            browser=browser,
            factor_id=factor_id,
            proven_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return cookie


def renew(session: Session, token_hash: bytes, began: str) -> str:
    """Another cookie for a session whose person has just shown anew who they are; the old one opens nothing any more."""
    cookie, fresh = secrets.token_urlsafe(32), {"csrf_token": secrets.token_urlsafe(24), "proven_at": real_now()}
    session.execute(
        update(SigninSession)
        .where(SigninSession.token_hash == token_hash)
        .values(token_hash=digest(cookie), began=began, **fresh)
    )
    return cookie


def prove(session: Session, token_hash: bytes | None) -> None:
    """The person of this session has just shown anew who they are."""
    session.execute(update(SigninSession).where(SigninSession.token_hash == token_hash).values(proven_at=real_now()))


def turn(session: Session, token_hash: bytes, workspace_id: UUID) -> None:
    """This session looks at another workspace from now on."""
    session.execute(
        update(SigninSession).where(SigninSession.token_hash == token_hash).values(workspace_id=workspace_id)
    )


def good(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Whether a session has neither run out nor been left alone for too long."""
    used = func.coalesce(SigninSession.last_seen_at, SigninSession.created_at)
    return and_(SigninSession.expires_at > now, used > now - IDLE)


def seen(session: Session, row: SigninSession, now: datetime) -> None:
    """Notes that this session is in use, now and then."""
    if row.last_seen_at is None or row.last_seen_at < now - SEEN_EVERY:
        session.execute(
            update(SigninSession).where(SigninSession.token_hash == row.token_hash).values(last_seen_at=now)
        )


def of_user(session: Session, user_id: UUID, *, within: UUID | None) -> list[SigninSession]:
    """Where this person is signed in, the latest first: everywhere, or `within` one workspace."""
    query = select(SigninSession).where(SigninSession.user_id == user_id, good(real_now()))
    if within is not None:
        query = query.where(SigninSession.workspace_id == within)
    return list(session.scalars(query.order_by(SigninSession.last_seen_at.desc().nulls_last(), SigninSession.id)))


def end(session: Session, workspace_id: UUID, session_id: UUID, *, by: str) -> bool:
    """Ends a session that looks at this workspace. False when there is none."""
    return _end(session, workspace_id, session_id, SigninSession.workspace_id == workspace_id, by)


def end_own(session: Session, workspace_id: UUID, session_id: UUID, user_id: UUID, *, confined: bool) -> bool:
    """Ends a session of this person, who sits in this workspace: any of theirs, or one that looks at it as well for somebody
    who is confined to it. False when there is none."""
    theirs = SigninSession.user_id == user_id
    whose = and_(theirs, SigninSession.workspace_id == workspace_id) if confined else theirs
    return _end(session, workspace_id, session_id, whose, f"user:{user_id}")


def _end(session: Session, workspace_id: UUID, session_id: UUID, whose: ColumnElement[bool], by: str) -> bool:
    ended = session.scalar(
        delete(SigninSession).where(SigninSession.id == session_id, whose).returning(SigninSession.id)
    )
    if ended is None:
        return False
    session.add(Audit(workspace_id=workspace_id, actor=by, action="session.ended", subject=f"session:{session_id}"))
    return True


def end_all(session: Session, workspace_id: UUID, user_id: UUID) -> None:
    """Ends all of this person's sessions that look at this workspace, and sign-ins to it that wait for a code."""
    end_others(session, user_id, but=None, within=workspace_id)


def end_others(session: Session, user_id: UUID, *, but: bytes | None, within: UUID | None) -> None:
    """Ends all sessions of this person `but` the one with this hash, and sign-ins that wait for a code: everywhere, or `within` one
    workspace."""
    # First: one that is being finished right now holds its row until its session stands, which then ends as well.
    forget_waiting(session, user_id, within=within)
    theirs = delete(SigninSession).where(SigninSession.user_id == user_id)
    if but is not None:
        theirs = theirs.where(SigninSession.token_hash != but)
    if within is not None:
        theirs = theirs.where(SigninSession.workspace_id == within)
    session.execute(theirs)


def forget_waiting(session: Session, user_id: UUID, *, within: UUID | None = None, began: str | None = None) -> None:
    """No code finishes a sign-in of this person's any more that waits for one: everywhere or `within` one workspace, and of all ways or
    the one that it `began` in. What waits in a session goes with that."""
    waiting = delete(PendingSignin).where(PendingSignin.user_id == user_id, PendingSignin.session_id.is_(None))
    if within is not None:
        waiting = waiting.where(PendingSignin.workspace_id == within)
    if began is not None:
        waiting = waiting.where(PendingSignin.began == began)
    session.execute(waiting)


def sweep(session: Session, before: datetime) -> None:
    """Forgets sessions that ran out, or were used last, before then."""
    used = func.coalesce(SigninSession.last_seen_at, SigninSession.created_at)
    session.execute(delete(SigninSession).where(or_(SigninSession.expires_at < before, used < before - IDLE)))
