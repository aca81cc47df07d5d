"""Browsers in which people have signed in with their password: each has a cookie of its own, which opens nothing by itself.

Tries from one are counted apart (`service.throttling`), so that nobody who hammers an account from elsewhere keeps its owner out.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service.clock import real_now
from service.models import KnownDevice
from service.sessions import digest

LIFETIME = timedelta(days=180)  # after the last sign-in there


def is_known(session: Session, user_id: UUID | None, token: str) -> bool:
    """Whether this is the cookie of a browser that this person has signed in with. Asks the same for nobody."""
    found = session.scalar(
        select(KnownDevice.id).where(
            KnownDevice.token_hash == digest(token),
            KnownDevice.user_id == (user_id or UUID(int=0)),
            KnownDevice.expires_at > real_now(),
        )
    )
    return found is not None


def remember(session: Session, user_id: UUID, token: str, browser: str) -> str:
    """The cookie for a browser in which this person has just shown that they know their password: the one it holds, if that is
    this person's, else a new one."""
    now = real_now()
    if token and is_known(session, user_id, token):
        session.execute(
            update(KnownDevice)
            .where(KnownDevice.token_hash == digest(token))
            .values(browser=browser, last_seen_at=now, expires_at=now + LIFETIME)
        )
        return token
    fresh = secrets.token_urlsafe(32)
    session.add(
        KnownDevice(
            token_hash=digest(fresh), user_id=user_id, browser=browser, last_seen_at=now, expires_at=now + LIFETIME
        )
    )
    return fresh


def of_user(session: Session, user_id: UUID) -> list[KnownDevice]:
    """The browsers that this person's account knows, the latest first."""
    query = select(KnownDevice).where(KnownDevice.user_id == user_id, KnownDevice.expires_at > real_now())
    return list(session.scalars(query.order_by(KnownDevice.last_seen_at.desc(), KnownDevice.id)))


def forget(session: Session, user_id: UUID, device_id: UUID) -> bool:
    """False when this person's account knows no such browser."""
    gone = session.scalar(
        delete(KnownDevice).where(KnownDevice.user_id == user_id, KnownDevice.id == device_id).returning(KnownDevice.id)
    )
    return gone is not None


def forget_all(session: Session, user_id: UUID) -> None:
    session.execute(delete(KnownDevice).where(KnownDevice.user_id == user_id))
