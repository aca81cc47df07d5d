"""Workspaces, people and the ways they show who they are: sign-in links, sessions, API keys."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from service import access, comparing, entering, sessions, settings
from service.access import SCOPES
from service.clock import real_now
from service.db import Database
from service.entering import Entered, Visitor
from service.errors import PlainError
from service.ids import new_id
from service.models import (
    APIKey,
    Audit,
    Brand,
    Membership,
    SigninLink,
    SigninSession,
    User,
    Workspace,
    WorkspaceSchedule,
)
from service.sessions import digest
from service.store import errands, factors

LINK_LIFETIME = timedelta(minutes=30)
KEY_PREFIX = "wl_"


@dataclass(frozen=True)
class Caller:
    """Somebody who has shown who they are: a person in a browser, or a key."""

    workspace_id: UUID
    actor: str  # user:<id> or key:<id>, for the audit trail
    scopes: frozenset[str]
    user_id: UUID | None = None
    email: str = ""
    role: str = ""
    session_id: UUID | None = None
    session_hash: bytes | None = None
    confined: bool = False  # this session may look at no other workspace
    csrf_token: str = field(default="", repr=False)
    workspace_name: str = ""
    began: str = ""  # how the session did
    link_by: str = ""  # the owner whose link is behind it
    since: datetime | None = None  # when
    proven_at: datetime | None = None  # when they last showed in it who they are
    factor_id: UUID | None = None  # the second factor that they are asked for here
    owes_factor: bool = False  # they have none, and the workspace asks for one


def normal_email(address: str) -> str:
    """An e-mail address in lower case. Raises PlainError for something that is not one."""
    clean = address.strip().lower()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", clean):
        raise PlainError(f"{address!r} is not an e-mail address.")
    return clean


def ensure_workspace(
    db: Database, name: str, owner_email: str, *, values: dict[str, object] | None = None
) -> tuple[UUID, UUID]:
    """The workspace of this name that this person owns, made if need be, with its first brand and settings (`values`
    over the defaults). Returns (workspace id, user id)."""
    email = normal_email(owner_email)
    with db.globally() as session:
        user = session.scalar(select(User).where(User.email == email))
        if user is None:
            user = User(email=email)
            session.add(user)
            session.flush()
        workspace_id = session.scalar(
            select(Workspace.id)
            .join(Membership, Membership.workspace_id == Workspace.id)
            .where(Workspace.name == name, Membership.user_id == user.id, Membership.role == access.OWNER)
        )
        user_id = user.id
        if workspace_id is not None:
            return workspace_id, user_id
        workspace = Workspace(name=name)
        session.add(workspace)
        session.flush()
        session.add(Membership(workspace_id=workspace.id, user_id=user_id, role=access.OWNER))
    with db.tenant(workspace.id) as session:
        session.add(WorkspaceSchedule(workspace_id=workspace.id))
        session.add(Brand(workspace_id=workspace.id, name=name))
        settings.change(session, workspace.id, values or {}, by="system")
        errands.run_at(session, workspace.id, errands.COMPARE, real_now() + comparing.EVERY)
    return workspace.id, user_id


def unknown(email: str) -> PlainError:
    """For whoever runs Warmline and names somebody who is not here."""
    return PlainError(
        f"Nobody with the address {email} has an account here. `warmline workspace NAME EMAIL` makes one."
    )


def signin_link(db: Database, email: str, base_url: str) -> str:
    """A link that signs this person in once, within half an hour. Raises PlainError for somebody unknown."""
    with db.globally() as session:
        user_id = session.scalar(select(User.id).where(User.email == normal_email(email)))
        if user_id is None:
            raise unknown(email)
        return f"{base_url}/signin/{new_link(session, user_id)}"


def new_link(session: Session, user_id: UUID, workspace_id: UUID | None = None, *, by: str = "") -> str:
    """The token of a new sign-in link; with a workspace, one that opens this workspace and no other, and `by` is whoever made it."""
    token = secrets.token_urlsafe(32)
    session.add(
        SigninLink(
            token_hash=digest(token),
            user_id=user_id,
            workspace_id=workspace_id,
            made_by=by,
            expires_at=real_now() + LINK_LIFETIME,
            used_at=None,
        )
    )
    return token


def sign_in(db: Database, token: str, browser: str = "") -> str | None:
    """As `spend_link`, for a program that has no second factor at hand: the cookie of a session, or None."""
    entered = spend_link(db, token, Visitor(browser))
    return entered.session or None if entered else None


def spend_link(db: Database, token: str, visitor: Visitor, *, operators_only: bool = False) -> Entered | None:
    """Spends a one-time link. None for a link that is unknown, used or too old, or whose workspace its person has left. With
    `operators_only` a link is worth something only where whoever runs Warmline made it."""
    good = (SigninLink.token_hash == digest(token), *unspent_link(real_now()))
    with db.globally() as session:
        asked = select(SigninLink.user_id, SigninLink.workspace_id, SigninLink.made_by)
        found = session.execute(asked.where(*good)).one_or_none()
        if found is None or (operators_only and found.workspace_id is not None):
            return None
        workspace_id = first_workspace(session, found.user_id, only=found.workspace_id)
    if workspace_id is None:
        return None
    with db.tenant(workspace_id) as session:
        spent = session.scalar(
            update(SigninLink).where(*good).values(used_at=real_now()).returning(SigninLink.token_hash)
        )
        if spent is None:
            return None
        confined = found.workspace_id is not None
        entered = entering.enter(
            session,
            found.user_id,
            workspace_id,
            visitor,
            began=sessions.LINK,
            confined=confined,
            link_by=found.made_by,
        )
        if entered.session:
            note(session, workspace_id, found.user_id, "signin.by_link")
        return entered


def unspent_link(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The links that open something."""
    return SigninLink.used_at.is_(None), SigninLink.expires_at > now


def note(session: Session, workspace_id: UUID, user_id: UUID, action: str, *, by: str = "") -> None:
    """Leaves a row in the workspace's trail: what this person did or, with `by`, what was done to their account."""
    session.add(
        Audit(workspace_id=workspace_id, actor=by or f"user:{user_id}", action=action, subject=f"user:{user_id}")
    )


def first_workspace(session: Session, user_id: UUID, *, only: UUID | None = None) -> UUID | None:
    """The workspace that this person belongs to longest; with `only`, that one if they belong to it. Those that have a second factor of
    their own come last: whoever cannot give a code of it gets into the others."""
    belongs = select(Membership.workspace_id).where(Membership.user_id == user_id)
    if only is not None:
        belongs = belongs.where(Membership.workspace_id == only)
    own = factors.of_its_own(Membership.user_id, Membership.workspace_id)
    return session.scalar(belongs.order_by(own, Membership.created_at).limit(1))


_GUARD = factors.guard(SigninSession.user_id, SigninSession.workspace_id).scalar_subquery()
# Built once: each page asks this.
_WHOSE = (
    select(SigninSession, User.email, User.operator, Membership.role, Workspace.name, Workspace.requires_factor, _GUARD)
    .join(User, User.id == SigninSession.user_id)
    .join(
        Membership,
        (Membership.user_id == SigninSession.user_id) & (Membership.workspace_id == SigninSession.workspace_id),
    )
    .join(Workspace, Workspace.id == SigninSession.workspace_id)
    .where(
        SigninSession.token_hash == bindparam("hash"),
        sessions.good(bindparam("now", type_=DateTime(timezone=True))),
        or_(_GUARD.is_(None), SigninSession.factor_id == _GUARD, SigninSession.began == sessions.OPENID),
    )
)


def caller_of_session(db: Database, cookie: str) -> Caller | None:
    """Who this browser is, in the workspace that it looks at. Nobody, where a second factor guards that for its person and no code of it
    was given in this session."""
    now = real_now()
    with db.globally() as session:
        row = session.execute(_WHOSE, {"hash": digest(cookie), "now": now}).one_or_none()
        if row is None:
            return None
        found, email, operator, role, name, requires, guarded_by = row
        factor_id: UUID | None = guarded_by
        sessions.seen(session, found, now)
    assert found.workspace_id is not None  # the join with memberships found it
    return Caller(
        workspace_id=found.workspace_id,
        actor=f"user:{found.user_id}",
        scopes=access.held_by(role, operator=operator, confined=found.confined),
        user_id=found.user_id,
        email=email,
        role=role,
        session_id=found.id,
        session_hash=found.token_hash,
        confined=found.confined,
        csrf_token=found.csrf_token,
        workspace_name=name,
        began=found.began,
        link_by=found.link_by,
        since=found.created_at,
        proven_at=found.proven_at,
        factor_id=factor_id,
        owes_factor=requires and factor_id is None and found.began != sessions.OPENID,
    )


def sign_out(db: Database, cookie: str) -> None:
    with db.globally() as session:
        session.execute(delete(SigninSession).where(SigninSession.token_hash == digest(cookie)))


def workspaces_of(session: Session, user_id: UUID) -> list[tuple[UUID, str, str]]:
    """(id, name, role) of every workspace that this person belongs to."""
    rows = session.execute(
        select(Workspace.id, Workspace.name, Membership.role)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.user_id == user_id)
        .order_by(Workspace.name)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def create_api_key(db: Database, workspace_id: UUID, user_id: UUID | None, name: str, scopes: Iterable[str]) -> str:
    """As `new_api_key`, in a transaction of its own."""
    with db.tenant(workspace_id) as session:
        return new_api_key(session, workspace_id, user_id, name, scopes)


def new_api_key(session: Session, workspace_id: UUID, user_id: UUID | None, name: str, scopes: Iterable[str]) -> str:
    """A new key's secret, shown once; `user_id` made it (None: Warmline itself). Raises PlainError for an unknown scope."""
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise PlainError(f"{unknown[0]!r} is not a scope. Scopes are {', '.join(SCOPES)}.")
    secret, key_id = KEY_PREFIX + secrets.token_urlsafe(32), new_id()
    key = APIKey(
        id=key_id,
        workspace_id=workspace_id,
        name=name,
        prefix=secret[:9],
        key_hash=digest(secret),
        scopes=wanted,
        created_by=user_id,
        of_operator=user_id is None,
    )
    by = f"user:{user_id}" if user_id else "system"
    session.add(key)
    session.add(Audit(workspace_id=workspace_id, actor=by, action="key.created", subject=f"key:{key_id}"))
    return secret


def revoke_api_key(db: Database, workspace_id: UUID, key_id: UUID, *, by: str) -> bool:
    """The key opens nothing any more. False when there is none that does."""
    good = (APIKey.id == key_id, APIKey.workspace_id == workspace_id, APIKey.revoked_at.is_(None))
    with db.tenant(workspace_id) as session:
        gone = session.scalar(update(APIKey).where(*good).values(revoked_at=real_now()).returning(APIKey.id))
        if gone is not None:
            session.add(Audit(workspace_id=workspace_id, actor=by, action="key.revoked", subject=f"key:{key_id}"))
    return gone is not None


# Every call of the API begins with this one statement, so it stays clear of objects and of a transaction of its own.
_KEY = (
    "SELECT k.id, k.workspace_id, k.scopes, k.created_by, k.of_operator, m.role, coalesce(k.last_used_at < now() - interval '1 minute', true)"
    " FROM api_keys k LEFT JOIN memberships m ON m.workspace_id = k.workspace_id AND m.user_id = k.created_by"
    " WHERE k.key_hash = %(hash)s AND k.revoked_at IS NULL"
)


def caller_of_key(db: Database, secret: str) -> Caller | None:
    """Who this API key is. It may do no more than whoever made it may do now. Notes its use once a minute at most, so that a
    busy key does not write on every call."""
    with db.autocommit() as connection:
        row = connection.execute(_KEY, {"hash": digest(secret)}).fetchone()
    if row is None:
        return None
    key_id, workspace_id, scopes, created_by, of_operator, role, unnoted = row
    if unnoted:
        with db.globally() as session:
            session.execute(update(APIKey).where(APIKey.id == key_id).values(last_used_at=real_now()))
    held = frozenset(scopes) if of_operator else frozenset(scopes) & access.may(role)
    return Caller(workspace_id=workspace_id, actor=f"key:{key_id}", scopes=held, user_id=created_by)
