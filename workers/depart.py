"""Depart: deletes a workspace whose owner has left for good, a bounded batch after the other. Each step may be done twice, and
broken off at any line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from service import departing
from service.clock import real_now
from service.models import Errand
from service.runtime import Runtime
from service.store import departures
from workers.stopping import Turn

log = structlog.get_logger()

BUDGET = 30.0  # seconds of one job
LOOK_AGAIN = timedelta(seconds=20)  # while CRMs are being left
Hold = Callable[[Session], Errand | None]


class LostError(Exception):
    """Somebody else has the errand now, or the workspace is gone."""


def depart(runtime: Runtime, workspace_id: UUID, hold: Hold) -> timedelta | None:
    """Does what is due of it. `hold` gives the errand while the lease is ours. Returns in how long to come again; None: not by
    itself, since it was undone or is done."""
    turn = Turn(BUDGET)
    with runtime.db.tenant(workspace_id) as session:
        row = departures.of(session, workspace_id)
        if row is None or row.done_at is not None:
            return None
        if row.begun_at is None and row.delete_at > real_now():
            return row.delete_at - real_now()
        departures.begin(session, workspace_id)
    with runtime.db.tenant(workspace_id) as session:
        row = departures.of(session, workspace_id)
    if row is None:  # it was undone in this very moment
        return None
    if not departing.leave_accounts(runtime, row):
        return LOOK_AGAIN
    try:
        if not _delete_rows(runtime, workspace_id, hold, turn):
            return timedelta(0)
    except LostError:
        return None
    with runtime.db.tenant(workspace_id) as session:
        if hold(session) is None:
            return None
        departures.finish(session, workspace_id, departing.last_lines(runtime))
    log.info("the workspace is deleted", workspace=str(workspace_id))
    return None


def _delete_rows(runtime: Runtime, workspace_id: UUID, hold: Hold, turn: Turn) -> bool:
    """Whether all are gone (True), or this turn is over."""

    def batch(session: Session, table: str) -> int:
        if hold(session) is None:
            raise LostError
        return departures.delete_some(session, workspace_id, table)

    for table in departures.tables():
        while True:
            gone = runtime.db.retried(workspace_id, lambda session, table=table: batch(session, table))  # type: ignore[misc]
            if gone == 0:
                break
            if turn.over:
                return False
    return True
