"""Errands of a workspace: what is done for it as a whole now and then, one worker at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import leases
from service.clock import real_now
from service.ids import new_id
from service.models import Errand

COMPARE, DEPART, FAREWELL, KEEP = "compare", "depart", "farewell", "keep"


def run_at(session: Session, workspace_id: UUID, name: str, at: datetime) -> None:
    """The errand is due at `at` (real time) or, if it is due sooner already, then. One that is under way comes again."""
    row = insert(Errand).values(workspace_id=workspace_id, id=new_id(), name=name, next_at=at, failures=0)
    sooner = func.least(Errand.next_at, at)
    session.execute(row.on_conflict_do_update(index_elements=["workspace_id", "name"], set_={"next_at": sooner}))


def call_off(session: Session, workspace_id: UUID, name: str) -> None:
    """The errand is not due any more."""
    session.execute(update(Errand).where(Errand.workspace_id == workspace_id, Errand.name == name).values(next_at=None))


def hold(session: Session, workspace_id: UUID, errand_id: UUID, lease_id: UUID) -> Errand | None:
    """The errand, its row locked until the end of the transaction and its lease renewed; None when somebody else has it."""
    row = session.scalars(
        select(Errand)
        .where(Errand.workspace_id == workspace_id, Errand.id == errand_id, Errand.lease_id == lease_id)
        .with_for_update()
    ).one_or_none()
    if row is not None:
        row.lease_until = leases.until(session)
        session.flush()
    return row


def let_go(session: Session, row: Errand, after: timedelta | None, *, failed: bool = False) -> None:
    """Ends the lease. It is due again `after` so long (None: not by itself), or when somebody has asked meanwhile."""
    next_at = None if after is None else real_now() + after
    session.execute(
        update(Errand)
        .where(Errand.workspace_id == row.workspace_id, Errand.id == row.id)
        .values(
            next_at=func.least(Errand.next_at, next_at),
            lease_id=None,
            lease_until=None,
            failures=row.failures + 1 if failed else 0,
        )
    )
