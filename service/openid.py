"""Single sign-on: from our button to the issuer and back, and which of our people somebody is.

Nobody is let in who is not a member, or invited. Somebody is tied to an account once, by an e-mail address that the issuer has
verified; from then on by the issuer's own name for them, which it gives to nobody else.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from integrations.errors import IntegrationError, TemporaryError
from integrations.openid import Identified, OpenID
from service import accounts, invitations, sessions
from service.clock import real_now
from service.entering import Visitor
from service.errors import PlainError
from service.ids import new_id
from service.models import Identity, OpenIDState, User
from service.runtime import Runtime
from service.sessions import digest

LIFETIME = timedelta(minutes=10)
LOST = "This sign-in was not started in this browser, was used already, or took longer than ten minutes. Start again from the sign-in page."


class RefusedError(PlainError):
    """Why nobody was signed in: one sentence, safe to show to whoever tried."""


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and the cookie that it is to bring back."""

    url: str
    browser: str = field(repr=False)


@dataclass(frozen=True)
class Done:
    """Somebody is signed in: their session's cookie, and the page of ours to go to."""

    session: str = field(repr=False)
    onward: str = ""


def begin(runtime: Runtime, browser: str, *, onward: str = "", invitation: str = "") -> Begun:
    """To the issuer. `browser` is the cookie that this browser holds from another such sign-in under way, if any; `invitation` is the
    token of an invitation that is to be used up. Raises RefusedError."""
    issuer = _issuer(runtime)
    browser, state = browser or secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    try:
        url = issuer.begin(
            state=state, nonce=_bound(browser, state, "nonce"), verifier=_bound(browser, state, "verifier")
        )
    except IntegrationError as error:
        raise _in_words(issuer, error) from None
    with runtime.db.globally() as session:
        session.add(
            OpenIDState(
                state_hash=digest(state),
                browser_hash=digest(browser),
                onward=onward,
                workspace_id=invitations.workspace_of(invitation) if invitation else None,
                invitation_hash=digest(invitation) if invitation else None,
                expires_at=real_now() + LIFETIME,
            )
        )
    return Begun(url, browser)


def finish(runtime: Runtime, browser: str, params: Mapping[str, str], visitor: Visitor) -> Done:
    """Spends the callback of a sign-in. Raises RefusedError."""
    issuer, state = _issuer(runtime), params.get("state", "")
    with runtime.db.globally() as session:
        begun = session.execute(
            delete(OpenIDState)
            .where(
                OpenIDState.state_hash == digest(state),
                OpenIDState.browser_hash == digest(browser),
                OpenIDState.expires_at > real_now(),
            )
            .returning(OpenIDState.onward, OpenIDState.workspace_id, OpenIDState.invitation_hash)
        ).one_or_none()
    if begun is None:
        raise RefusedError(LOST)
    try:
        found = issuer.finish(
            params, nonce=_bound(browser, state, "nonce"), verifier=_bound(browser, state, "verifier")
        )
    except IntegrationError as error:
        raise _in_words(issuer, error) from None
    joined = _joined(runtime, found, begun.workspace_id, begun.invitation_hash)
    user_id, workspace_id, is_new = _person(runtime, issuer, found, joined)
    with runtime.db.tenant(workspace_id) as session:
        if is_new:
            accounts.note(session, workspace_id, user_id, "identity.linked")
        accounts.note(session, workspace_id, user_id, "signin.by_openid")
        cookie = sessions.begin(
            session,
            user_id,
            workspace_id,
            confined=False,
            browser=visitor.browser,
            began=sessions.OPENID,
            instead_of=visitor.session,
        )
    return Done(cookie, begun.onward)


# --- who it is ----------------------------------------------------------------------------------------------------


def _joined(
    runtime: Runtime, found: Identified, workspace_id: UUID | None, invited: bytes | None
) -> invitations.Joined | None:
    """What using up the invitation came to, where the sign-in began on one's page. Raises RefusedError for somebody else's."""
    if workspace_id is None or invited is None:
        return None
    with runtime.db.globally() as session:
        address = session.scalar(
            select(User.email)
            .join(Identity, Identity.user_id == User.id)
            .where(Identity.issuer == found.issuer, Identity.subject == found.subject)
        ) or _verified(found)
    joined = invitations.join_as(runtime.db, workspace_id, invited, address) if address else None
    if joined is None:
        raise RefusedError(
            "This invitation is for another address than the one that you signed in with, was used already, or is older than a week."
            " Ask whoever invited you for a new one."
        )
    return joined


def _person(
    runtime: Runtime, issuer: OpenID, found: Identified, joined: invitations.Joined | None
) -> tuple[UUID, UUID, bool]:
    """(Their id, the workspace to show, whether they have just been tied to the issuer's name for them). Raises RefusedError."""
    with runtime.db.globally() as session:
        user_id = session.scalar(
            update(Identity)
            .where(Identity.issuer == found.issuer, Identity.subject == found.subject)
            .values(last_used_at=real_now())
            .returning(Identity.user_id)
        )
        is_new = user_id is None
        if user_id is None:
            user_id = _tie(session, issuer, found)
        workspace_id = joined.workspace_id if joined else accounts.first_workspace(session, user_id)
        if workspace_id is None or (joined and joined.user_id != user_id):
            raise _nobody(issuer)
    return user_id, workspace_id, is_new


def _tie(session: Session, issuer: OpenID, found: Identified) -> UUID:
    """The first time: by a verified address of somebody who has an account."""
    address = _verified(found)
    if not address:
        raise RefusedError(
            f"{issuer.host} has not verified your e-mail address, so it cannot be compared with our members'. Verify it there, and try again."
        )
    user_id = session.scalar(select(User.id).where(User.email == address))
    if user_id is None:
        raise _nobody(issuer)
    if session.scalar(select(Identity.id).where(Identity.issuer == found.issuer, Identity.user_id == user_id)):
        # An address may be given to somebody else there; their account here is not.
        raise RefusedError(
            f"Your account here is tied to another account at {issuer.host}. Sign in with a one-time link, and untie it under Your account."
        )
    now = real_now()
    tied = session.scalar(
        insert(Identity)
        .values(id=new_id(), issuer=found.issuer, subject=found.subject, user_id=user_id, last_used_at=now)
        .on_conflict_do_nothing()
        .returning(Identity.id)
    )
    if tied is None:  # tied in another window just now
        raise RefusedError(LOST)
    return user_id


def _verified(found: Identified) -> str:
    """Their address as it is kept here, where the issuer has verified it. A few capitals beyond ASCII become a letter of ASCII in lower
    case (the sign of Kelvin a k), and with it somebody else's address: they stay as they are."""
    if not found.email_verified:
        return ""
    return "".join(
        each.lower() if each.isascii() or not each.lower()[0].isascii() else each for each in found.email.strip()
    )


def _nobody(issuer: OpenID) -> RefusedError:
    return RefusedError(
        f"{issuer.host} signed you in, but no workspace here has you as a member. Ask an owner to invite you, and open the invitation's link."
    )


# --- for one's account --------------------------------------------------------------------------------------------


def of_user(session: Session, user_id: UUID) -> list[Identity]:
    """What this person is tied to."""
    return list(session.scalars(select(Identity).where(Identity.user_id == user_id).order_by(Identity.id)))


def untie(session: Session, user_id: UUID, identity_id: UUID) -> bool:
    """False where this person is tied to no such thing."""
    gone = session.scalar(
        delete(Identity).where(Identity.user_id == user_id, Identity.id == identity_id).returning(Identity.id)
    )
    return gone is not None


# --- small things -------------------------------------------------------------------------------------------------


def _issuer(runtime: Runtime) -> OpenID:
    if runtime.openid is None:
        raise RefusedError("Single sign-on is not set up here. Sign in with your password or a one-time link.")
    return runtime.openid


def _bound(browser: str, state: str, purpose: str) -> str:
    """A secret of one sign-in in one browser: nothing of it has to be kept here. 43 characters, as RFC 7636 wants of a verifier."""
    made = hmac.digest(browser.encode(), f"warmline openid {purpose} {state}".encode(), "sha256")
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def _in_words(issuer: OpenID, error: IntegrationError) -> RefusedError:
    if isinstance(error, TemporaryError):
        return RefusedError(f"{issuer.host} is not answering at the moment. Try again in a few minutes.")
    return RefusedError(f"Nobody was signed in: {error}. Try again; if it stays so, tell whoever runs Warmline.")
