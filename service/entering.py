"""The last step of every way in: a session begins, or, where a second factor guards the workspace, waits for a code of it.

A password, a one-time link and an invitation all end here, and looking at another workspace that has a second factor of its own
waits as well. Single sign-on does not: second factors are the issuer's to ask for there.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service import sessions
from service.clock import real_now
from service.models import PendingSignin
from service.sessions import digest
from service.store import factors

# As long as a consent or a single sign-on under way (OWASP ASVS 5, 6.5.5): time enough to look for one's telephone.
LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Visitor:
    """The browser of whoever signs in."""

    browser: str = ""  # what to call it, in words
    address: str = ""  # where it is on the internet; "" where that is not known
    device: str = field(default="", repr=False)  # the cookie of a known browser, if it holds one
    session: str = field(default="", repr=False)  # the cookie of its session, if it has one: it ends


@dataclass(frozen=True)
class Entered:
    """What the browser gets: the cookie of a session, or of a sign-in that waits for a code; and, after a password, its own."""

    session: str = field(default="", repr=False)
    pending: str = field(default="", repr=False)
    device: str = field(default="", repr=False)


def enter(
    session: Session, user_id: UUID, workspace_id: UUID, visitor: Visitor, *, began: str, confined: bool, link_by: str = "", onward: str = ""
) -> Entered:  # fmt: skip
    """Somebody has shown who they are in the way that `began` names; `link_by` is the owner whose link is behind that, `onward` the page of
    ours to go to. The caller leaves a row in the trail where a session has begun."""
    guard = factors.guarding(session, user_id, workspace_id)
    if guard is not None:
        pending = wait(
            session, user_id, workspace_id, guard, began=began, confined=confined, link_by=link_by, onward=onward
        )
        return Entered(pending=pending)
    cookie = sessions.begin(
        session,
        user_id,
        workspace_id,
        confined=confined,
        browser=visitor.browser,
        began=began,
        link_by=link_by,
        instead_of=visitor.session,
    )
    return Entered(session=cookie)


def wait(
    session: Session, user_id: UUID, workspace_id: UUID, factor_id: UUID, *, began: str, confined: bool, link_by: str = "", onward: str = "",
    session_id: UUID | None = None,
) -> str:  # fmt: skip
    """The cookie of a sign-in that waits for a code of this factor."""
    token = secrets.token_urlsafe(32)
    session.add(
        PendingSignin(
            token_hash=digest(token),
            user_id=user_id,
            factor_id=factor_id,
            session_id=session_id,
            workspace_id=workspace_id,
            confined=confined,
            began=began,
            link_by=link_by,
            onward=onward,
            expires_at=real_now() + LIFETIME,
        )
    )
    return token
