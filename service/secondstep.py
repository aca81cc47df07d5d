"""The second step of signing in: somebody who has given a password or a link gives a code of their second factor.

Until then there is no session: what the browser holds is the cookie of a sign-in that waits, for ten minutes, and opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service import accounts, devices, entering, sessions, throttling
from service.accounts import Caller
from service.clock import real_now
from service.entering import Visitor
from service.errors import PlainError
from service.models import PendingSignin, SigninSession
from service.runtime import Runtime
from service.sessions import digest
from service.signin import BY_NOBODY
from service.store import factors
from service.throttling import ClosedError, Door

WRONG = (
    "That code is not right, was used already, or is too old. Wait for the next one in your app, and see that your phone's clock is set"
    " by itself."
)
BY_A_LINK = "or sign in with a one-time link, for which tries are counted apart"
HELP = "or ask whoever runs Warmline for help"
# How a session began, to what stands in the trail of it.
_NOTED: Mapping[str, str] = MappingProxyType(
    {
        sessions.PASSWORD: "signin.by_password",
        sessions.LINK: "signin.by_link",
        sessions.INVITATION: "signin.by_link",
    }
)


class WrongCodeError(PlainError):
    """The code opens nothing."""

    def __init__(self) -> None:
        super().__init__(WRONG)


class LostError(PlainError):
    """There is no sign-in that waits for a code in this browser."""

    def __init__(self) -> None:
        super().__init__(
            "This sign-in took longer than ten minutes, was begun in another browser, or was ended meanwhile. Start again."
        )


@dataclass(frozen=True)
class Finished:
    """Cookies for a browser that is signed in from now on, the page of ours to go to, and what the code came from."""

    session: str = field(repr=False)
    device: str = field(repr=False)
    onward: str
    by: factors.By


def waits(runtime: Runtime, token: str) -> bool:
    """Whether this is the cookie of a sign-in that waits for a code."""
    with runtime.db.globally() as session:
        return _pending(session, token) is not None


def finish(runtime: Runtime, token: str, code: str, visitor: Visitor) -> Finished:
    """Signs somebody in, once. Raises LostError, WrongCodeError, ClosedError and `factors.UnreadableError`."""
    with runtime.db.globally() as session:
        pending = _pending(session, token)
        if pending is None:
            raise LostError
        doors = _doors(session, pending, visitor)
        closed = throttling.charge(session, doors)
    if closed is not None:
        raise ClosedError(closed, BY_A_LINK if pending.began == sessions.PASSWORD else HELP)
    with runtime.db.tenant(pending.workspace_id) as session:
        by = factors.spend(session, runtime.vault, pending.factor_id, code, real_now())
        if by is not None:
            throttling.settle(session, *doors)
            return _signed_in(session, pending, visitor, by)
        accounts.note(session, pending.workspace_id, pending.user_id, "signin.code_refused", by=BY_NOBODY)
    raise WrongCodeError


def look_at(runtime: Runtime, who: Caller, workspace_id: UUID) -> str:
    """This session looks at another workspace of its person's from now on: "". Where that has a second factor of which no code was given
    in it, it stays where it is, and the cookie of a sign-in that waits for one comes back."""
    with runtime.db.globally() as session:
        row = session.scalars(select(SigninSession).where(SigninSession.token_hash == who.session_hash)).one()
        guard = factors.guarding(session, row.user_id, workspace_id)
        if guard is None or guard == row.factor_id or row.began == sessions.OPENID:
            sessions.turn(session, row.token_hash, workspace_id)
            return ""
        return entering.wait(
            session, row.user_id, workspace_id, guard, began=row.began, confined=False, session_id=row.id
        )


# --- what is left of it -------------------------------------------------------------------------------------------


def _signed_in(session: Session, pending: PendingSignin, visitor: Visitor, by: factors.By) -> Finished:
    """Raises LostError where it was finished just now, or its person has left the workspace meanwhile: then nothing is used up."""
    gone = session.scalar(
        delete(PendingSignin).where(PendingSignin.token_hash == pending.token_hash).returning(PendingSignin.token_hash)
    )
    if gone is None or accounts.first_workspace(session, pending.user_id, only=pending.workspace_id) is None:
        raise LostError
    cookie = _turned(session, pending, visitor) if pending.session_id else _begun(session, pending, visitor)
    accounts.note(session, pending.workspace_id, pending.user_id, _NOTED[pending.began])
    if by == "recovery":
        accounts.note(session, pending.workspace_id, pending.user_id, "factor.code_used")
    known = pending.began == sessions.PASSWORD
    device = devices.remember(session, pending.user_id, visitor.device, visitor.browser) if known else ""
    return Finished(cookie, device, pending.onward, by)


def _begun(session: Session, pending: PendingSignin, visitor: Visitor) -> str:
    return sessions.begin(
        session,
        pending.user_id,
        pending.workspace_id,
        confined=pending.confined,
        browser=visitor.browser,
        began=pending.began,
        link_by=pending.link_by,
        instead_of=visitor.session,
        factor_id=pending.factor_id,
    )


def _turned(session: Session, pending: PendingSignin, visitor: Visitor) -> str:
    """The session that this browser has: it is as old as it was, so a link that it began by is not taken for a fresh one."""
    here = (SigninSession.id == pending.session_id, SigninSession.token_hash == digest(visitor.session))
    turned = {"workspace_id": pending.workspace_id, "factor_id": pending.factor_id}
    if session.scalar(update(SigninSession).where(*here).values(**turned).returning(SigninSession.id)) is None:
        raise LostError
    return sessions.renew(session, digest(visitor.session), pending.began)


def _pending(session: Session, token: str) -> PendingSignin | None:
    return session.scalars(
        select(PendingSignin).where(PendingSignin.token_hash == digest(token), PendingSignin.expires_at > real_now())
    ).one_or_none()


def _doors(session: Session, pending: PendingSignin, visitor: Visitor) -> Sequence[Door]:
    """As for passwords: a known browser has a door of its own, so that whoever has stolen a password keeps nobody out there; and so has
    each way in, so that they keep nobody out who comes by a link."""
    if devices.is_known(session, pending.user_id, visitor.device):
        return [throttling.code(f"in {visitor.device}")]
    place = throttling.address(visitor.address)
    return [throttling.code(f"by {pending.began} {pending.user_id}"), *([place] if place else [])]
