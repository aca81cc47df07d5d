"""Writing confirmed handles into a CRM's contacts, where the workspace wants it: after its tasks, under the same lease."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.clients import HandleWriter
from integrations.records import HandleWrite, WriteOutcome, WriteResult
from service.models import Connection
from service.runtime import Runtime
from service.store import handles
from workers.access import Line
from workers.stopping import Turn

BATCH = 500  # handles given to a provider at once; it cuts them into the CRM's own batches


def write_back(
    runtime: Runtime, workspace_id: UUID, connection_id: UUID, hold: Callable[[Session], Connection | None], line: Line,
    turn: Turn,
) -> bool:  # fmt: skip
    """Writes what waits for this CRM, until its `turn` is over. `hold` gives the connection while the lease is
    ours. Whether some are left to be written later. Raises what the provider raises."""
    after, later = handles.NOBODY, False
    while not turn.over:
        with runtime.db.tenant(workspace_id) as session:
            connection = hold(session)
            if connection is None or not _may_write(session, connection):
                return False
            found = handles.waiting(session, workspace_id, connection_id, BATCH, after)
        if not found:
            return later
        after = found[-1].match_id
        writes = [each.write for each in found if each.write is not None]
        results = line.speak(partial(_write, writes)) if writes else ()
        with runtime.db.tenant(workspace_id) as session:
            if hold(session) is None:
                return False
            line.keep(session)
            handles.settle(session, workspace_id, found, results)
        later = later or any(each.outcome is WriteOutcome.LATER for each in results)
    return True


def wait(session: Session, connection: Connection) -> bool:
    """Whether some are to be written into this CRM."""
    if not _may_write(session, connection):
        return False
    return bool(handles.waiting(session, connection.workspace_id, connection.id, 1))


def _may_write(session: Session, connection: Connection) -> bool:
    return (
        not connection.preview
        and connection.status == "active"
        and handles.can_write(connection.provider)
        and handles.wanted(session, connection.workspace_id)
    )


def _write(writes: Sequence[HandleWrite], client: HandleWriter) -> Sequence[WriteResult]:
    return client.write_handles(writes)
