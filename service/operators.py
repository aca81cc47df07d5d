"""Whoever runs Warmline: a mark on a person, given on the command line alone, where only they are."""

from __future__ import annotations

from sqlalchemy import select

from service import trail
from service.accounts import normal_email, unknown
from service.db import Database
from service.freezes import OPERATOR
from service.models import User


def mark(db: Database, email: str, operator: bool) -> None:
    """Makes this person an operator, or one no more, which stands in every trail. Raises PlainError for somebody who has no account here."""
    with db.globally() as session:
        user = session.scalars(select(User).where(User.email == normal_email(email)).with_for_update()).one_or_none()
        if user is None:
            raise unknown(email)
        changed, user.operator = user.operator is not operator, operator
    if changed:
        action = "operator.added" if operator else "operator.removed"
        trail.everywhere(db, OPERATOR, action, "user", user.id)


def every(db: Database) -> list[str]:
    """Their addresses, in order."""
    with db.globally() as session:
        return list(session.scalars(select(User.email).where(User.operator).order_by(User.email)))
