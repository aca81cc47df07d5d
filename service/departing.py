"""Leaving for good: a workspace and all that belongs to it is deleted after some days in which it can still be kept, and a
receipt says what went and what stays."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import disconnecting
from service.clock import real_now
from service.errors import PlainError
from service.models import Connection, Departure, Workspace
from service.naming import provider_name
from service.runtime import Runtime
from service.sessions import digest
from service.store import acting, departures, errands, freezing

PATIENCE = timedelta(days=1)  # for CRMs in which our tasks are to be withdrawn first
RECEIPT_KEPT = timedelta(days=90)  # after the deletion
_THERE = (
    "The accounts themselves, what was posted there and the contacts in the CRM are not ours: they stay as they are."
)


@dataclass(frozen=True)
class Receipt:
    """How far it has come, for whoever holds the link."""

    workspace_id: UUID
    delete_at: datetime
    begun: bool
    done_at: datetime | None
    rows: int
    lines: Sequence[str]


def ask(
    runtime: Runtime, workspace_id: UUID, *, by: str, purge: bool, days: int | None = None, first: Callable[[Session], None] = lambda _: None
) -> tuple[str, datetime]:  # fmt: skip
    """The workspace is to be deleted in so many days (None: as configured). Until then nothing is read and nothing written, and
    `keep` undoes it. `purge`: our open tasks in the CRMs are withdrawn first. Returns the token of the receipt's link, which is not
    kept, and when. `first` looks, in the same transaction, whether whoever asks still may. Raises PlainError for a workspace that is not there, or is being deleted already."""
    token = secrets.token_urlsafe(32)
    at = real_now() + timedelta(days=runtime.config.leave_days if days is None else days)
    with runtime.db.tenant(workspace_id) as session:
        first(session)
        if session.scalar(select(Workspace.id).where(Workspace.id == workspace_id)) is None:
            raise PlainError("There is no such workspace.")
        row = departures.ask(session, workspace_id, digest(token), by=by, purge=purge, at=at)
        if row.begun_at is not None:
            raise PlainError("This workspace is being deleted already.")
        errands.call_off(session, workspace_id, errands.DEPART)
        errands.run_at(session, workspace_id, errands.DEPART, at)
        acting.audit(session, workspace_id, by, "workspace.leaving", "workspace", workspace_id)
    return token, at


def keep(runtime: Runtime, workspace_id: UUID, *, by: str) -> bool:
    """It is not deleted after all, and everything goes on where it stopped. False when nobody had asked, or it is too late."""
    with runtime.db.tenant(workspace_id) as session:
        if not departures.keep(session, workspace_id):
            return False
        errands.call_off(session, workspace_id, errands.DEPART)
        freezing.wake(session, workspace_id)
        acting.audit(session, workspace_id, by, "workspace.kept", "workspace", workspace_id)
        freezing.decide_again(session, workspace_id, provider=None, connection_id=None)
    return True


def why_not_kept(runtime: Runtime, workspace_id: UUID) -> str:
    """What a workspace is that `keep` has found nothing to keep of, in a sentence."""
    with runtime.db.globally() as session:
        row = departures.of(session, workspace_id)
    with runtime.db.tenant(workspace_id) as session:
        there = session.scalar(select(Workspace.id).where(Workspace.id == workspace_id)) is not None
    if row is not None and row.done_at is not None:
        return "That workspace is deleted already: a backup alone has it."
    if row is not None and row.begun_at is not None:
        return "That workspace is being deleted already, which nothing undoes."
    if there:
        return "Nobody has asked for that workspace to be deleted, so there is nothing to undo."
    return f"There is no workspace {workspace_id} here. Look at its id once more: `GET /v1/me` tells it to each of its API keys."


def receipt(runtime: Runtime, token: str) -> Receipt | None:
    """What the holder of the link may know."""
    with runtime.db.globally() as session:
        row = departures.by_token(session, digest(token))
        return None if row is None else as_receipt(row)


def as_receipt(row: Departure) -> Receipt:
    rows = sum(row.counts.values())
    return Receipt(row.workspace_id, row.delete_at, row.begun_at is not None, row.done_at, rows, list(row.lines))


# --- what a worker does ---------------------------------------------------------------------------------------


def leave_accounts(runtime: Runtime, row: Departure) -> bool:
    """Ends every connection: the open tasks of CRMs are withdrawn first, where that was wished and can be done, and consents are
    given back. Whether all are ended; what is left goes on by itself."""
    late = row.begun_at is not None and real_now() - row.begun_at > PATIENCE
    with runtime.db.tenant(row.workspace_id) as session:
        found = departures.connections(session, row.workspace_id)
    for connection in found:
        if connection.status != "disconnected":
            _leave(runtime, row, connection, late)
    told = disconnecting.tell_all(runtime, row.workspace_id)  # also those of whoever died in the middle
    with runtime.db.tenant(row.workspace_id) as session:
        found = departures.connections(session, row.workspace_id)
        waits = not told or any(each.status != "disconnected" for each in found)
        if not waits and not row.lines:
            departures.note(session, row.workspace_id, [line for each in found for line in _said(each)])
    return not waits


def _leave(runtime: Runtime, row: Departure, connection: Connection, late: bool) -> None:
    if connection.status == "leaving" and not late:
        return  # workers are at it
    if row.purge and connection.kind == "crm" and connection.status == "active" and not late:
        try:
            disconnecting.purge(runtime, disconnecting.operator(row.workspace_id, row.asked_by), connection.id)
            return
        except PlainError:  # paused, or its provider is frozen here: it is left as it is
            pass
    with runtime.db.tenant(row.workspace_id) as session:
        standing = departures.open_tasks(session, connection)
    tasks = "task" if standing == 1 else "tasks"
    lines = (
        [f"{standing} open {tasks} of ours could not be taken back, or were not to be: delete them there."]
        if standing
        else []
    )
    disconnecting.end(runtime, connection, lines, by=row.asked_by)


def _said(connection: Connection) -> list[str]:
    """What its own receipt says, without a name: whose account it was is nobody's business any more."""
    name, lines = provider_name(connection.provider), connection.receipt.get("lines", [])
    return [f"{name}: {line}" for line in lines if line not in (disconnecting.STAYS, disconnecting.STAYS_OF_A_CRM)]


def last_lines(runtime: Runtime) -> list[str]:
    """What every receipt says in the end: what stays, and until when."""
    days = runtime.config.backup_days
    until = f"{real_now() + timedelta(days=days):%d %B %Y}" if days is not None else ""
    backups = (
        f"Backups made before today hold it until they are discarded, by {until} at the latest."
        if until
        else "Backups made before today hold it until whoever runs Warmline discards them."
    )
    return [_THERE, backups, "Logs name it by its id alone."]
