"""Rows of a workspace that is being left: asked for, undone, and, once its time has come, deleted in bounded batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.clock import real_now
from service.db import raw
from service.models import APIKey, Base, Connection, Departure, Membership, Task, User, Workspace
from service.store import trail
from service.store.rows import execute

BATCH = 5000  # rows that one transaction deletes
# These go with the workspace's own row: the trail cannot be deleted otherwise, and a worker holds the errand.
_LAST = {"audit", "audit_heads", "errands"}
_NOT_OURS = {"workspaces", "departures"}  # have a workspace's id, and are no rows of it


def of(session: Session, workspace_id: UUID) -> Departure | None:
    """This workspace's departure, as it stands."""
    return session.get(Departure, workspace_id, populate_existing=True)


def ask(session: Session, workspace_id: UUID, token_hash: bytes, *, by: str, purge: bool, at: datetime) -> Departure:
    """The workspace is to be deleted at `at` (real time). Asked again before that, the newest wish stands."""
    wish = {"token_hash": token_hash, "asked_by": by, "purge": purge, "delete_at": at, "created_at": real_now()}
    row = insert(Departure).values(workspace_id=workspace_id, counts={}, lines=[], **wish)
    session.execute(
        row.on_conflict_do_update(index_elements=["workspace_id"], set_=wish, where=Departure.begun_at.is_(None))
    )
    found = of(session, workspace_id)
    assert found is not None
    return found


def keep(session: Session, workspace_id: UUID) -> bool:
    """It is not deleted after all. False when nobody had asked, or it has begun."""
    gone = delete(Departure).where(Departure.workspace_id == workspace_id, Departure.begun_at.is_(None))
    return session.scalar(gone.returning(Departure.workspace_id)) is not None


def begin(session: Session, workspace_id: UUID) -> None:
    """Its time has come: from here on nothing undoes it."""
    session.execute(
        update(Departure)
        .where(Departure.workspace_id == workspace_id, Departure.begun_at.is_(None))
        .values(begun_at=real_now())
    )


def connections(session: Session, workspace_id: UUID) -> Sequence[Connection]:
    """All of the workspace's, the disconnected ones too."""
    rows = session.scalars(select(Connection).where(Connection.workspace_id == workspace_id).order_by(Connection.id))
    return rows.all()


def open_tasks(session: Session, row: Connection) -> int:
    """How many of our tasks stand open in this CRM."""
    stand = (Task.crm_connection_id == row.id, Task.state == "open", Task.external_id.is_not(None))
    return session.scalar(select(func.count()).where(Task.workspace_id == row.workspace_id, *stand)) or 0


def note(session: Session, workspace_id: UUID, lines: Sequence[str]) -> None:
    """The receipt says this so far."""
    session.execute(update(Departure).where(Departure.workspace_id == workspace_id).values(lines=list(lines)))


@cache
def tables() -> tuple[str, ...]:
    """The tables of a workspace's rows in the order in which they can be deleted: what refers to others first. Told from the
    models, so that a new table is among them."""
    return tuple(each.name for each in reversed(Base.metadata.sorted_tables) if _is_tenants(each))


def _is_tenants(table: Table) -> bool:
    first = next(iter(table.primary_key.columns), None)
    tenant = first is not None and first.name == "workspace_id" and table.name != "memberships"
    return tenant and table.name not in _LAST | _NOT_OURS


@cache
def shared_tables() -> tuple[Table, ...]:
    """Global tables that hold rows of workspaces: keys, sessions, memberships and the like."""
    mine = {*tables(), *_LAST, *_NOT_OURS}
    return tuple(
        each for each in reversed(Base.metadata.sorted_tables) if "workspace_id" in each.c and each.name not in mine
    )


def delete_some(session: Session, workspace_id: UUID, table: str) -> int:
    """Deletes up to `BATCH` rows of one of `tables()`. Returns how many went."""
    statement = (  # names of our own tables
        f"WITH gone AS (DELETE FROM {table} WHERE workspace_id = %(w)s AND ctid = ANY(ARRAY(SELECT ctid FROM {table}"  # noqa: S608
        " WHERE workspace_id = %(w)s LIMIT %(n)s)) RETURNING 1) SELECT count(*) FROM gone"
    )
    [(gone,)] = execute(raw(session), statement, {"w": workspace_id, "n": BATCH})
    if gone:
        count(session, workspace_id, {table: gone})
    return int(gone)


def count(session: Session, workspace_id: UUID, gone: Mapping[str, int]) -> None:
    """So many more rows went, by table."""
    row = session.get_one(Departure, workspace_id, populate_existing=True, with_for_update=True)
    row.counts = {**row.counts, **{name: row.counts.get(name, 0) + number for name, number in gone.items()}}
    session.flush()


def finish(session: Session, workspace_id: UUID, lines: Sequence[str]) -> None:
    """The last rows go in one transaction with the workspace itself: keys, sessions, memberships, people who belong nowhere
    else, and the trail. `lines` complete the receipt."""
    head = trail.head(session, workspace_id)
    session.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update())
    members = session.scalars(select(Membership.user_id).where(Membership.workspace_id == workspace_id)).all()
    gone = {each.name: _emptied(session, each, workspace_id) for each in shared_tables()}
    belongs = exists().where(Membership.user_id == User.id)
    nowhere = (User.id.in_(members), ~belongs, User.operator.is_(False))
    session.execute(
        update(APIKey)
        .where(APIKey.created_by.in_(select(User.id).where(*nowhere)), APIKey.revoked_at.is_(None))
        .values(revoked_at=real_now())
    )
    gone["users"] = len(session.scalars(delete(User).where(*nowhere).returning(User.id)).all())
    gone["audit"] = head.number
    session.execute(delete(Workspace).where(Workspace.id == workspace_id))
    count(session, workspace_id, {name: number for name, number in gone.items() if number})
    row = session.get_one(Departure, workspace_id)
    sealed = f"The audit trail went with it: {head.number} rows, the last sealed {head.hash}." if head.number else ""
    row.lines, row.done_at = [*row.lines, *lines, *filter(None, [sealed])], real_now()


def _emptied(session: Session, table: Table, workspace_id: UUID) -> int:
    result: Any = session.execute(delete(table).where(table.c.workspace_id == workspace_id))
    return int(result.rowcount)


def by_token(session: Session, token_hash: bytes) -> Departure | None:
    """The departure whose receipt this link shows."""
    return session.scalars(select(Departure).where(Departure.token_hash == token_hash)).one_or_none()


def sweep(session: Session, before: datetime) -> None:
    """Forgets receipts of workspaces that were gone before then."""
    session.execute(delete(Departure).where(Departure.done_at < before))
