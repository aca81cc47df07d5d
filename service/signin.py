"""Signing in with a password, and choosing one.

A password belongs to a person, who may belong to several workspaces. One that was set in a session confined to a workspace opens
that workspace alone, since whoever held the link that began the session may be somebody else than the person it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import accounts, devices, entering, members, passwords, sessions, throttling
from service.accounts import Caller
from service.clock import real_now
from service.config import Config
from service.db import Database
from service.entering import Entered, Visitor
from service.errors import PlainError
from service.models import Password, SigninLink, User
from service.throttling import ClosedError, Door

WRONG = "That address and password do not belong together. Check both, or ask for a one-time link if you have forgotten the password."
WRONG_PRESENT = (
    "The present password is not right. Check it, or sign in with a new one-time link if you have forgotten it."
)
ANOTHERS = (
    "Your password also opens other workspaces than the one that your link was for. Give the present one, or ask whoever runs Warmline"
    " for a link."
)
LONGEST_ADDRESS = 254  # characters, RFC 5321; what is longer is nobody's
INSTEAD = "use a browser in which you have signed in with your password before, or ask for a one-time link"
BY_NOBODY = "system"  # who tried is not known


class WrongPasswordError(PlainError):
    """Nobody was signed in. `user_id` is whose account was tried, if there is one: for the trail, and for nobody's eyes."""

    def __init__(self, sentence: str = WRONG, user_id: UUID | None = None) -> None:
        super().__init__(sentence)
        self.user_id = user_id


def may_go_on(config: Config, who: Caller) -> bool:
    """Whether a session that began as this one did is still good, where single sign-on is the only way in."""
    if config.single_sign_on is None or not config.single_sign_on.only:
        return True
    return who.began == sessions.OPENID or (who.began == sessions.LINK and not who.confined)


def only_single_sign_on(config: Config) -> bool:
    return config.single_sign_on is not None and config.single_sign_on.only


# --- signing in ---------------------------------------------------------------------------------------------------


def with_password(db: Database, email: str, password: str, visitor: Visitor, onward: str = "") -> Entered:
    """Signs somebody in; one with a second factor as far as its code, and then to the page `onward`. Raises WrongPasswordError, with one sentence and after one time for all that can be wrong, ClosedError and
    `passwords.BusyError`."""
    address = email.strip().lower()[: LONGEST_ADDRESS + 1]
    with db.globally() as session:
        # One statement, whether there is such a person or not, and whether they have a password or not.
        found = session.execute(
            select(User.id, Password.hash, Password.workspace_id, Password.link_by)
            .outerjoin(Password, Password.user_id == User.id)
            .where(User.email == address)
        ).one_or_none()
        user_id, kept, only, link_by = found or (None, None, None, None)
        known = devices.is_known(session, user_id, visitor.device)
        doors = _doors(address, visitor, known=known)
        closed = throttling.charge(session, doors)
    if closed is not None:
        raise ClosedError(closed, INSTEAD)
    if not _is_right(db, password, kept, doors) or user_id is None or kept is None:
        raise WrongPasswordError(user_id=user_id)
    with db.globally() as session:
        workspace_id = accounts.first_workspace(session, user_id, only=only)
    if workspace_id is None:  # belongs nowhere any more
        raise WrongPasswordError
    renewed = passwords.sealed(password) if passwords.is_outdated(kept) else None
    with db.tenant(workspace_id) as session:
        if not _still_opens(db, session, user_id, only, password, kept, doors):
            raise WrongPasswordError(user_id=user_id)
        # The first door is the account's or the browser's own; an address may be many people's.
        throttling.settle(session, *doors)
        if renewed:
            session.execute(
                update(Password).where(Password.user_id == user_id, Password.hash == kept).values(hash=renewed)
            )
        entered = entering.enter(
            session,
            user_id,
            workspace_id,
            visitor,
            began=sessions.PASSWORD,
            confined=only is not None,
            link_by=link_by or "",
            onward=onward,
        )
        if entered.pending:
            return entered
        accounts.note(session, workspace_id, user_id, "signin.by_password")
        return replace(entered, device=devices.remember(session, user_id, visitor.device, visitor.browser))


def note_failure(db: Database, user_id: UUID) -> None:
    """Leaves a row in the trail of each workspace of the account that was tried in vain. Called once the answer has gone out, so that
    the time it takes tells nobody that there is such an account."""
    with db.globally() as session:
        theirs = [workspace_id for workspace_id, _, _ in accounts.workspaces_of(session, user_id)]
    for workspace_id in theirs:
        with db.tenant(workspace_id) as session:
            accounts.note(session, workspace_id, user_id, "signin.failed", by=BY_NOBODY)


def _doors(address: str, visitor: Visitor, *, known: bool) -> list[Door]:
    if known:
        return [throttling.device(visitor.device)]
    place = throttling.address(visitor.address)
    return [throttling.account(address), *([place] if place else [])]


def _is_right(db: Database, password: str, kept: str | None, doors: Sequence[Door]) -> bool:
    """As `passwords.is_right`; a try that nobody had the time to judge costs nothing at these doors."""
    try:
        return passwords.is_right(password, kept)
    except passwords.BusyError:
        with db.globally() as session:
            throttling.give_back(session, *doors)
        raise


def _still_opens(
    db: Database, session: Session, user_id: UUID, only: UUID | None, password: str, kept: str, doors: Sequence[Door]
) -> bool:
    """Whether the password that was judged right stands until this transaction ends: judging takes a while, and whoever changes a password
    ends what stands then. Under another hash it is judged anew, for a sign-in at the same moment may have made that."""
    mine = select(Password.hash, Password.workspace_id).where(Password.user_id == user_id).with_for_update()
    now = session.execute(mine).one_or_none()
    if now is None or now.workspace_id != only:
        return False
    return now.hash == kept or _is_right(db, password, now.hash, doors)


# --- choosing one -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How it is with somebody's password."""

    is_set: bool
    changed_at: datetime | None = None
    only: UUID | None = None  # the only workspace that it opens
    link_by: str = ""  # the owner whose link is behind it
    needs_present: bool = False  # to be changed in this session
    is_anothers: bool = False  # this session's link is from one workspace, and the password opens more


def standing(session: Session, who: Caller) -> Standing:
    """How it is with the caller's password, in this session."""
    row = session.get(Password, who.user_id)
    if row is None:
        return Standing(is_set=False)
    theirs = not who.confined or row.workspace_id == who.workspace_id
    return Standing(
        True,
        row.changed_at,
        row.workspace_id,
        row.link_by,
        needs_present=not (_is_fresh(who) and theirs),
        is_anothers=_is_fresh(who) and not theirs,
    )


def choose(db: Database, who: Caller, password: str, present: str, visitor: Visitor) -> Entered:
    """Sets the caller's password, or changes it; their other sessions end, links that they have not used open nothing any more, nor does
    a code after the former password, and other browsers are known no longer. Returns this browser's new cookies. `present` is needed
    for a change, unless this session has just begun by a one-time link or single sign-on. Raises WeakPasswordError,
    WrongPasswordError, ClosedError, BusyError and `sessions.EndedError`."""
    assert who.user_id is not None and who.session_hash is not None  # a person in a browser  # noqa: PT018
    with db.globally() as session:
        now = standing(session, who)
        kept = session.scalar(select(Password.hash).where(Password.user_id == who.user_id))
        context = _context(session, who)
    passwords.check_new(password, context)  # first: what cannot be chosen is no try at the present one
    if now.needs_present:
        _check_present(db, who, present, kept, ANOTHERS if now.is_anothers and not present else WRONG_PRESENT)
    fresh = passwords.sealed(password)
    with db.tenant(who.workspace_id) as session:
        members.stay(session, who)
        # Whoever gave the present one keeps what it opens, and for how long; else it is as this session.
        only, link_by = who.workspace_id if who.confined else None, who.link_by
        if now.needs_present and who.confined:
            only, link_by = now.only, now.link_by
        values = {"workspace_id": only, "link_by": link_by, "hash": fresh, "changed_at": real_now()}
        session.execute(
            insert(Password)
            .values(user_id=who.user_id, **values)
            .on_conflict_do_update(index_elements=["user_id"], set_=values, where=Password.hash == (kept or ""))
        )
        if session.scalar(select(Password.hash).where(Password.user_id == who.user_id)) != fresh:
            raise WrongPasswordError("Your password was changed elsewhere just now. Load the page again.", who.user_id)
        throttling.settle(session, _own_door(who))
        within = who.workspace_id if who.confined else None
        sessions.forget_waiting(session, who.user_id, began=sessions.PASSWORD)  # wherever the former one was given
        # What opens a session first: one that it opens at this moment is there then, and ends as well.
        _drop_links(session, who.user_id, within)
        sessions.end_others(session, who.user_id, but=who.session_hash, within=within)
        devices.forget_all(session, who.user_id)
        accounts.note(session, who.workspace_id, who.user_id, "password.changed" if now.is_set else "password.set")
        cookie = sessions.renew(
            session, who.session_hash, who.began if who.began == sessions.OPENID else sessions.PASSWORD
        )
        return Entered(session=cookie, device=devices.remember(session, who.user_id, "", visitor.browser))


def _own_door(who: Caller) -> Door:
    """For whoever tries passwords in a session of theirs, or of somebody who has left it open."""
    return throttling.device(f"change {who.user_id}")


def _check_present(db: Database, who: Caller, present: str, kept: str | None, refusal: str) -> None:
    """Raises WrongPasswordError with this sentence, ClosedError or BusyError unless this is the caller's password."""
    assert who.user_id is not None
    door = _own_door(who)
    with db.globally() as session:
        closed = throttling.charge(session, [door])
    if closed is not None:
        raise ClosedError(closed, INSTEAD)
    if not _is_right(db, present, kept, [door]):
        with db.tenant(who.workspace_id) as session:
            accounts.note(session, who.workspace_id, who.user_id, "password.refused")
        raise WrongPasswordError(refusal, who.user_id)


# --- showing anew who one is --------------------------------------------------------------------------------------


def is_proven(who: Caller) -> bool:
    """Whether the caller has shown just now, in this session, who they are: as it began, or since, by their
    password or a code."""
    return who.proven_at is not None and who.proven_at > real_now() - sessions.FRESH


def prove(db: Database, who: Caller, present: str) -> None:
    """The caller shows anew who they are, by their password. Raises WrongPasswordError, ClosedError and BusyError."""
    with db.globally() as session:
        kept = session.scalar(select(Password.hash).where(Password.user_id == who.user_id))
    _check_present(db, who, present, kept, WRONG_PRESENT)
    with db.tenant(who.workspace_id) as session:
        throttling.settle(session, _own_door(who))
        sessions.prove(session, who.session_hash)


def _is_fresh(who: Caller) -> bool:
    """Whether somebody has shown just now, other than by this password, who they are."""
    proven = who.began in (sessions.LINK, sessions.INVITATION, sessions.OPENID)
    return proven and who.since is not None and who.since > real_now() - sessions.FRESH


def _context(session: Session, who: Caller) -> list[str]:
    """What attackers know of somebody."""
    assert who.user_id is not None
    name = session.scalar(select(User.name).where(User.id == who.user_id)) or ""
    return [who.email, name, *(each for _, each, _ in accounts.workspaces_of(session, who.user_id))]


def _drop_links(session: Session, user_id: UUID, within: UUID | None) -> None:
    unused = delete(SigninLink).where(SigninLink.user_id == user_id)
    session.execute(unused if within is None else unused.where(SigninLink.workspace_id == within))
