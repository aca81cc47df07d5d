"""Second factors as rows: which one guards a workspace for somebody, and codes that are used up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from service import recovery, totp
from service.errors import PlainError
from service.models import Membership, RecoveryCode, SecondFactor
from service.sealed import FACTORS
from service.sessions import digest
from service.vault import SealBrokenError, Vault

By = Literal["app", "recovery"]  # what a code came from


class UnreadableError(PlainError):
    """The secret was sealed with a key that is not here."""

    def __init__(self) -> None:
        super().__init__(
            "Codes of your app cannot be checked here at the moment. Use a recovery code, or ask whoever runs Warmline for help."
        )


def guard(user_id: Any, workspace_id: Any) -> Select[UUID]:
    """The id of the second factor that this person is asked for in this workspace: the one that guards it alone, else the one that
    guards all of theirs. Takes values or columns."""
    here = or_(SecondFactor.workspace_id == workspace_id, SecondFactor.workspace_id.is_(None))
    return (
        select(SecondFactor.id)
        .where(SecondFactor.user_id == user_id, here)
        .order_by(SecondFactor.workspace_id.nulls_last())
        .limit(1)
    )


def of_its_own(user_id: Any, workspace_id: Any) -> ColumnElement[bool]:
    """Whether this workspace has a second factor of this person's that guards nothing else. Takes columns."""
    return exists().where(SecondFactor.user_id == user_id, SecondFactor.workspace_id == workspace_id)


def guarding(session: Session, user_id: UUID, workspace_id: UUID) -> UUID | None:
    """As `guard`; None where this person is asked for none."""
    return session.scalar(guard(user_id, workspace_id))


def holders(session: Session, workspace_id: UUID) -> set[UUID]:
    """The members of this workspace who are asked for a second factor in it."""
    of_theirs = (SecondFactor.user_id == Membership.user_id) & or_(
        SecondFactor.workspace_id == workspace_id, SecondFactor.workspace_id.is_(None)
    )
    theirs = select(Membership.user_id).join(SecondFactor, of_theirs).where(Membership.workspace_id == workspace_id)
    return set(session.scalars(theirs))


def spend(session: Session, vault: Vault, factor_id: UUID, code: str, now: datetime) -> By | None:
    """Uses this code up: what it came from, or None where it is wrong, of another time, or used already. Of two at once with the same
    code one gets in. Raises UnreadableError."""
    letters = recovery.normal(code)
    if letters is not None:
        this = (RecoveryCode.factor_id == factor_id, RecoveryCode.code_hash == digest(letters))
        used = session.scalar(delete(RecoveryCode).where(*this).returning(RecoveryCode.factor_id))
        return "recovery" if used else None
    secret = _secret(session, vault, factor_id)
    step = totp.step_of(secret, code, now) if secret else None
    if step is None:
        return None
    # What came before the last good one counts as used as well: a code that was read over somebody's shoulder is worth nothing later.
    unused = (SecondFactor.id == factor_id, SecondFactor.last_step < step)
    moved = session.scalar(update(SecondFactor).where(*unused).values(last_step=step).returning(SecondFactor.id))
    return "app" if moved else None


def keep_codes(session: Session, factor_id: UUID, codes: Iterable[str]) -> None:
    """These recovery codes in the place of whichever there are."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.factor_id == factor_id))
    session.add_all(RecoveryCode(factor_id=factor_id, code_hash=digest(recovery.normal(each) or "")) for each in codes)


def codes_left(session: Session, factor_id: UUID) -> int:
    """How many recovery codes were not used yet."""
    return session.scalar(select(func.count()).where(RecoveryCode.factor_id == factor_id)) or 0


def _secret(session: Session, vault: Vault, factor_id: UUID) -> str | None:
    """What this person's app holds; None where the factor was turned off just now. Raises UnreadableError."""
    sealed = session.scalar(select(SecondFactor.sealed).where(SecondFactor.id == factor_id))
    try:
        return str(vault.open(sealed, *FACTORS.place(factor_id))["secret"]) if sealed else None
    except SealBrokenError:
        raise UnreadableError from None
