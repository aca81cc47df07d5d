"""Whoever runs Warmline: a mark on a person, given on the command line alone, where only they are."""

from __future__ import annotations

from sqlalchemy import select, update

from service.accounts import normal_email
from service.db import Database
from service.errors import PlainError
from service.models import User


def mark(db: Database, email: str, operator: bool) -> None:
    """Makes this person an operator, or one no more. Raises PlainError for somebody who has no account here."""
    with db.globally() as session:
        changed = session.scalar(
            update(User).where(User.email == normal_email(email)).values(operator=operator).returning(User.id)
        )
    if changed is None:
        raise PlainError(
            f"Nobody with the address {email} has an account here. `warmline workspace NAME EMAIL` makes one."
        )


def every(db: Database) -> list[str]:
    """Their addresses, in order."""
    with db.globally() as session:
        return list(session.scalars(select(User.email).where(User.operator).order_by(User.email)))
