"""Somebody's second factor: set up, used to show anew who one is, replaced, turned off; and whether a workspace asks for one.

One that is set up in a session confined to a workspace guards that workspace alone, as a password does that is set there: whoever held the
link that began the session may be somebody else than the person it names, and locks nobody out elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import accounts, members, recovery, sessions, throttling, totp
from service.accounts import Caller
from service.clock import real_now
from service.db import Database
from service.errors import PlainError
from service.freezes import OPERATOR
from service.ids import new_id
from service.models import FactorSetup, SecondFactor, SigninSession, User, Workspace
from service.runtime import Runtime
from service.sealed import FACTORS, SETUPS
from service.secondstep import WrongCodeError
from service.store import factors
from service.store.acting import audit
from service.throttling import ClosedError, Door
from service.vault import SealBrokenError

SETUP = timedelta(minutes=30)  # as long as it counts as just now that somebody showed who they are
INSTEAD = "or ask whoever runs Warmline to turn it off"
CHANGED = (
    "Your second factor was changed elsewhere just now, or setting it up took longer than half an hour. Start again."
)
WRONG_FIRST = (
    "That code is not right. Wait for the next one in your app, see that your phone's clock is set by itself, and that what you scanned or"
    " typed is the key on this page."
)

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """How it is with somebody's second factor, in this session."""

    since: datetime | None = None  # None: there is none that they are asked for here
    only: UUID | None = None  # the only workspace that it guards
    codes: int = 0  # recovery codes that are left
    secret: str = field(default="", repr=False)  # of one that is being set up here


@dataclass(frozen=True)
class Made:
    """A second factor that counts from now on: this session's new cookie, and the recovery codes, which are shown once."""

    session: str = field(repr=False)
    codes: list[str] = field(repr=False)


def standing(runtime: Runtime, who: Caller) -> Standing:
    """How it is with the caller's."""
    with runtime.db.globally() as session:
        setup = _setup(session, who)
        secret = _secret(runtime, setup) if setup else ""
        row = session.get(SecondFactor, who.factor_id) if who.factor_id else None
        if row is None:
            return Standing(secret=secret)
        return Standing(row.created_at, row.workspace_id, factors.codes_left(session, row.id), secret)


# --- setting one up -----------------------------------------------------------------------------------------------


def begin(runtime: Runtime, who: Caller, code: str = "") -> None:
    """A new secret for this session, which counts for nothing yet. Whoever has a second factor gives a code of it. Raises
    WrongCodeError, ClosedError and `sessions.EndedError`."""
    if who.factor_id is None:
        with runtime.db.globally() as session:
            _keep_secret(runtime, session, who)
    else:
        _with_code(runtime, who, code, lambda session: _keep_secret(runtime, session, who))


def confirm(runtime: Runtime, who: Caller, code: str) -> Made:
    """The app shows what it should: it counts from now on. The caller's other sessions end where it guards. Raises PlainError for a code
    that is wrong, or a setting up that is not under way, and `sessions.EndedError`."""
    assert who.user_id is not None and who.session_hash is not None  # a person in a browser  # noqa: PT018
    with runtime.db.tenant(who.workspace_id) as session:
        members.stay(session, who)
        # One after the other, so that no two are made at once of which one would guard and the other not be known to anybody.
        session.execute(select(User.id).where(User.id == who.user_id).with_for_update())
        setup = _setup(session, who)
        if setup is None or setup.replaces != factors.guarding(session, who.user_id, who.workspace_id):
            raise PlainError(CHANGED)
        secret = _secret(runtime, setup)
        step = totp.step_of(secret, code, real_now())
        if step is None:
            raise PlainError(WRONG_FIRST)
        row, codes = _put(runtime, session, who, setup.replaces, secret, step), recovery.new()
        factors.keep_codes(session, row.id, codes)
        session.execute(delete(FactorSetup).where(FactorSetup.session_id == who.session_id))
        _passed(session, who, row.id)
        sessions.end_others(session, who.user_id, but=who.session_hash, within=row.workspace_id)
        accounts.note(session, who.workspace_id, who.user_id, "factor.replaced" if setup.replaces else "factor.set_up")
        return Made(sessions.renew(session, who.session_hash, who.began), codes)


def account_of(who: Caller) -> str:
    """What an app is to call it."""
    return f"{who.email} ({who.workspace_name})" if who.confined else who.email


def _put(
    runtime: Runtime, session: Session, who: Caller, replaces: UUID | None, secret: str, step: int
) -> SecondFactor:
    """One in the place of another, of which a code was given, guards what that did, and for as long."""
    old = session.get(SecondFactor, replaces) if replaces else None
    only, link_by = who.workspace_id if who.confined else None, who.link_by
    if old is not None:
        only, link_by = old.workspace_id, old.link_by
        session.delete(old)
        session.flush()
    made = new_id()
    sealed = runtime.vault.seal({"secret": secret}, *FACTORS.place(made))
    row = SecondFactor(id=made, user_id=who.user_id, workspace_id=only, link_by=link_by, sealed=sealed, last_step=step)
    session.add(row)
    session.flush()
    return row


def _keep_secret(runtime: Runtime, session: Session, who: Caller) -> None:
    stands = select(SigninSession.id).where(SigninSession.id == who.session_id).with_for_update(key_share=True)
    if session.scalar(stands) is None:
        raise sessions.EndedError
    values = {
        "replaces": who.factor_id,
        "sealed": runtime.vault.seal({"secret": totp.new_secret()}, *SETUPS.place(who.session_id)),
        "expires_at": real_now() + SETUP,
    }
    session.execute(
        insert(FactorSetup)
        .values(session_id=who.session_id, **values)
        .on_conflict_do_update(index_elements=["session_id"], set_=values)
    )


def _setup(session: Session, who: Caller) -> FactorSetup | None:
    return session.scalars(
        select(FactorSetup).where(FactorSetup.session_id == who.session_id, FactorSetup.expires_at > real_now())
    ).one_or_none()


def _secret(runtime: Runtime, setup: FactorSetup) -> str:
    try:
        return str(runtime.vault.open(setup.sealed, *SETUPS.place(setup.session_id))["secret"])
    except SealBrokenError:
        raise PlainError(CHANGED) from None


def _passed(session: Session, who: Caller, factor_id: UUID) -> None:
    session.execute(
        update(SigninSession).where(SigninSession.token_hash == who.session_hash).values(factor_id=factor_id)
    )


# --- with a code of it --------------------------------------------------------------------------------------------


def new_codes(runtime: Runtime, who: Caller, code: str) -> list[str]:
    """Ten recovery codes in the place of those that there are. Raises WrongCodeError and ClosedError."""

    def make(session: Session) -> list[str]:
        assert who.factor_id is not None and who.user_id is not None  # `_with_code` has seen to it  # noqa: PT018
        codes = recovery.new()
        factors.keep_codes(session, who.factor_id, codes)
        accounts.note(session, who.workspace_id, who.user_id, "factor.codes_made")
        return codes

    return _with_code(runtime, who, code, make)


def turn_off(runtime: Runtime, who: Caller, code: str) -> None:
    """The caller is asked for it no more. Raises WrongCodeError and ClosedError."""

    def off(session: Session) -> None:
        assert who.user_id is not None
        session.execute(delete(SecondFactor).where(SecondFactor.id == who.factor_id))
        accounts.note(session, who.workspace_id, who.user_id, "factor.turned_off")

    _with_code(runtime, who, code, off)


def prove(runtime: Runtime, who: Caller, code: str) -> None:
    """The caller shows anew who they are. Raises WrongCodeError and ClosedError."""
    _with_code(runtime, who, code, lambda session: sessions.prove(session, who.session_hash))


def _with_code(runtime: Runtime, who: Caller, code: str, then: Callable[[Session], T]) -> T:
    """Does this where the code is one of the second factor that the caller is asked for here, in the transaction that uses it up."""
    assert who.user_id is not None
    if who.factor_id is None:
        raise PlainError(CHANGED)
    door = _own_door(who)
    with runtime.db.globally() as session:
        closed = throttling.charge(session, [door])
    if closed is not None:
        raise ClosedError(closed, INSTEAD)
    with runtime.db.tenant(who.workspace_id) as session:
        if factors.spend(session, runtime.vault, who.factor_id, code, real_now()):
            throttling.settle(session, door)
            return then(session)
        accounts.note(session, who.workspace_id, who.user_id, "factor.refused")
    raise WrongCodeError


def _own_door(who: Caller) -> Door:
    """For whoever tries codes in a session of theirs, or of somebody who has left it open."""
    return throttling.code(f"within {who.user_id}")


# --- for others ---------------------------------------------------------------------------------------------------


def require(session: Session, who: Caller, required: bool) -> bool:
    """The workspace asks everybody for a second factor who signs in with a password or a link, or asks no more, from the next click on.
    False where nothing changed. Raises PlainError for a caller who would be shut out themselves."""
    if required and who.factor_id is None and who.began != sessions.OPENID:
        raise PlainError(
            "Set up a second factor of your own first, under Your account. It would be asked of you at once."
        )
    changed = session.scalar(
        update(Workspace)
        .where(Workspace.id == who.workspace_id, Workspace.requires_factor.is_not(required))
        .values(requires_factor=required)
        .returning(Workspace.id)
    )
    if changed is None:
        return False
    action = "workspace.factor_required" if required else "workspace.factor_optional"
    audit(session, who.workspace_id, who.actor, action, "workspace", who.workspace_id)
    return True


def forget(db: Database, email: str) -> bool:
    """Whoever runs Warmline turns off what somebody has lost, in all of their workspaces. False where there was none. Raises PlainError
    for somebody unknown."""
    with db.globally() as session:
        user_id = session.scalar(select(User.id).where(User.email == accounts.normal_email(email)))
        if user_id is None:
            raise accounts.unknown(email)
        gone = session.scalars(
            delete(SecondFactor).where(SecondFactor.user_id == user_id).returning(SecondFactor.id)
        ).all()
        theirs = [workspace_id for workspace_id, _, _ in accounts.workspaces_of(session, user_id)]
    for workspace_id in theirs if gone else ():
        with db.tenant(workspace_id) as session:
            accounts.note(session, workspace_id, user_id, "factor.taken_off", by=OPERATOR)
    return bool(gone)
