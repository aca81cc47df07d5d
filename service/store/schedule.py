"""The lease that makes one decider of a workspace at a time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from service.leases import until
from service.models import WorkspaceSchedule
from service.store import deciding, tasks

# Built once: each batch of decisions asks this.
_HOLDS = select(WorkspaceSchedule.workspace_id).where(
    WorkspaceSchedule.workspace_id == bindparam("w"), WorkspaceSchedule.lease_id == bindparam("lease")
)


def holds(session: Session, workspace_id: UUID, lease_id: UUID) -> bool:
    """Whether the lease is still ours; nothing is locked."""
    return session.scalar(_HOLDS, {"w": workspace_id, "lease": lease_id}) is not None


def hold(session: Session, workspace_id: UUID, lease_id: UUID) -> bool:
    """Renews the lease; False when somebody else has it."""
    held = session.scalar(
        update(WorkspaceSchedule)
        .where(WorkspaceSchedule.workspace_id == workspace_id, WorkspaceSchedule.lease_id == lease_id)
        .values(lease_until=until(session))
        .returning(WorkspaceSchedule.workspace_id)
    )
    return held is not None


def let_go(
    session: Session,
    workspace_id: UUID,
    lease_id: UUID,
    *,
    again_at: datetime | None = None,
    not_before: datetime | None = None,
) -> bool:
    """Ends the lease; False when somebody else has it. The workspace is due again when its next verdict could change, or at `again_at`
    (business time), but `not_before`."""
    times = [deciding.next_decision(session, workspace_id), tasks.next_release(session, workspace_id), again_at]
    next_at = min((each for each in times if each is not None), default=None)
    if next_at is not None and not_before is not None:
        next_at = max(next_at, not_before)
    held = session.scalar(
        update(WorkspaceSchedule)
        .where(WorkspaceSchedule.workspace_id == workspace_id, WorkspaceSchedule.lease_id == lease_id)
        .values(decide_at=func.least(WorkspaceSchedule.decide_at, next_at), lease_id=None, lease_until=None)
        .returning(WorkspaceSchedule.workspace_id)
    )
    return held is not None
