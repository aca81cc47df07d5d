"""Errand: something that is done for a whole workspace now and then, one worker at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from service.models import Errand
from service.runtime import Runtime
from service.store import errands
from workers import compare, depart, farewell, keep, policy

Hold = Callable[[Session], Errand | None]
# By name: does what is due, and says in how long to come again (None: not by itself).
_WAYS: Mapping[str, Callable[[Runtime, UUID, Hold], timedelta | None]] = {
    errands.COMPARE: compare.compare,
    errands.DEPART: depart.depart,
    errands.FAREWELL: farewell.farewell,
    errands.KEEP: keep.keep,
}


def errand(runtime: Runtime, workspace_id: UUID, errand_id: UUID, lease_id: UUID) -> None:
    """Does it. One that fails is told in the log and comes again, later each time."""
    hold = partial(_hold, workspace_id, errand_id, lease_id)
    with runtime.db.tenant(workspace_id) as session:
        row = hold(session)
    if row is None:
        return
    failed = False
    try:
        after = _WAYS[row.name](runtime, workspace_id, hold)
    except Exception as error:
        policy.tell(error, row.failures, errand=row.name, workspace=str(workspace_id))
        failed, after = True, policy.backoff(row.failures)
    with runtime.db.tenant(workspace_id) as session:
        held = hold(session)
        if held is not None:
            errands.let_go(session, held, after, failed=failed)


def _hold(workspace_id: UUID, errand_id: UUID, lease_id: UUID, session: Session) -> Errand | None:
    return errands.hold(session, workspace_id, errand_id, lease_id)
