"""Person: erases one person, a bounded batch after the other, then waits until every CRM has been told, and writes the receipt."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from service import receipts
from service.models import PersonRequest
from service.runtime import Runtime
from service.store import erasing, erasing_tasks
from workers.stopping import Turn

log = structlog.get_logger()

BUDGET = 30.0  # seconds of one job; what is left is taken up by the next, where this one stopped


def person(runtime: Runtime, workspace_id: UUID, request_id: UUID, lease_id: UUID) -> None:
    """Does what is left of this request. Safe to repeat, and to break off at any line: a batch is one transaction."""
    turn = Turn(BUDGET)

    def batch(session: Session) -> bool | None:
        """Whether there may be more; None when the request is somebody else's."""
        row = erasing.hold(session, workspace_id, request_id, lease_id)
        return None if row is None else _batch(session, row)

    more: bool | None = True
    batches = 0
    while more and not turn.over:
        more = runtime.db.retried(workspace_id, batch)
        batches += bool(more)
    if more is None:
        return
    left = more

    def end(session: Session) -> bool:
        """Writes the receipt, or comes back for what is left. It is done when a job found nothing more, a while after the last that did:
        what was being stored or decided meanwhile has ended by then."""
        row = erasing.hold(session, workspace_id, request_id, lease_id)
        if row is None:
            return False
        tasks = erasing_tasks.standing(session, row)
        done = not left and not batches and not receipts.waits(tasks)
        lines = receipts.lines(row.counts, tasks, asked_at=row.created_at, backup_days=runtime.config.backup_days)
        erasing.end(session, row, lines, done=done, more=left)
        return done

    if runtime.db.retried(workspace_id, end):
        log.info("erased", workspace=str(workspace_id), request=str(request_id))


def _batch(session: Session, row: PersonRequest) -> bool:
    """One batch of the first step that finds something."""
    for step in erasing.STEPS:
        gone = step(session, row)
        if gone:
            erasing.count(row, gone)
            return True
    return False
