"""The audit trail as it is read and verified. It is written by `service.store.acting.audit`, and sealed by PostgreSQL
(`service.migrations.trail`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service.models import Audit, AuditHead
from service.store.paging import Listing

TRAIL = Listing(
    "audit",
    "a.number, a.id, a.actor, a.action, a.subject, a.created_at, encode(a.hash, 'hex') AS hash",
    "audit a",
    (("a.number", "number", int),),
    filters={"action": "a.action = %(action)s", "actor": "a.actor = %(actor)s", "subject": "a.subject = %(subject)s"},
)
BATCH = 1000  # rows read at once
_FIRST = b""  # what the first row follows


@dataclass(frozen=True)
class Head:
    """The newest row of a trail. Whoever keeps it elsewhere can tell later whether what came before is still all there."""

    workspace_id: UUID
    number: int  # 0: nothing was written yet
    hash: str  # hex

    def as_json(self) -> Mapping[str, Any]:
        return {**asdict(self), "workspace_id": str(self.workspace_id)}


@dataclass(frozen=True)
class Verdict:
    """What came of verifying one workspace's trail: rows that follow each other unbroken, and the first that does not."""

    workspace_id: UUID
    rows: int
    head: Head
    broken_at: int | None = None  # the number of the first broken row
    why: str = ""

    @property
    def whole(self) -> bool:
        return not self.why

    def as_json(self) -> Mapping[str, Any]:
        head = {"number": self.head.number, "hash": self.head.hash}
        return {"workspace_id": str(self.workspace_id), "whole": self.whole, "rows": self.rows, "head": head, "broken_at": self.broken_at, "why": self.why}  # fmt: skip


def head(session: Session, workspace_id: UUID) -> Head:
    """Where the trail of this workspace stands."""
    row = session.get(AuditHead, workspace_id, populate_existing=True)
    return Head(workspace_id, row.number, row.hash.hex()) if row else Head(workspace_id, 0, "")


def sealed(row: Audit, number: int, previous: bytes) -> bytes:
    """The hash that this row has at this place of its workspace's trail. What stands in it, and how, is what
    `audit_seal` in PostgreSQL does; no field can hold a line's end, so no two rows read the same."""
    at = row.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = ("warmline audit 1", row.workspace_id, number, row.id, row.actor, row.action, row.subject, at, previous.hex())  # fmt: skip
    return hashlib.sha256("\n".join(map(str, fields)).encode()).digest()


def verify(session: Session, workspace_id: UUID, *, kept: Mapping[int, str] | None = None) -> Verdict:
    """Reads the trail up to where it stands now, and computes every hash again. `kept` are hashes (hex) by number that were
    written down elsewhere before: a trail that was made anew from some row on agrees with itself, and not with them."""
    standing, previous, number, wanted = head(session, workspace_id), _FIRST, 0, dict(kept or {})

    def broken(at: int | None, why: str) -> Verdict:
        return Verdict(workspace_id, number, standing, at, why)

    while number < standing.number and (batch := since(session, workspace_id, number)):
        for row in batch[: standing.number - number]:
            why = _broken(row, number + 1, previous, wanted.pop(number + 1, None))
            if why:
                return broken(number + 1, why)
            number, previous = number + 1, row.hash or _FIRST
        session.expunge_all()
    if (standing.number, standing.hash) != (number, previous.hex()):
        return broken(number + 1, f"The trail was at row {standing.number}, and ends at row {number}.")
    loose = _loose(session, workspace_id)
    if loose:
        return broken(None, f"The row {loose} was put in behind its back.")
    if wanted:
        return broken(number + 1, f"A hash of row {min(wanted)} was kept, and the trail ends at row {number}.")
    return Verdict(workspace_id, number, standing)


def _loose(session: Session, workspace_id: UUID) -> UUID | None:
    """A row that was never sealed, or stands behind the head. In one statement, so that rows which are written meanwhile
    are seen with their head or not at all."""
    newest = select(func.coalesce(func.max(AuditHead.number), 0)).where(AuditHead.workspace_id == workspace_id)
    beyond = or_(Audit.number.is_(None), Audit.number > newest.scalar_subquery())
    return session.scalar(select(Audit.id).where(Audit.workspace_id == workspace_id, beyond).limit(1))


def _broken(row: Audit, number: int, previous: bytes, kept: str | None) -> str:
    """Why this row cannot be the one with this number; "" where it can."""
    if row.number != number:
        return f"Row {number} is missing: row {row.number} comes next."
    if row.previous != previous:
        return f"Row {number} does not follow the row before it."
    if row.hash != sealed(row, number, previous):
        return f"Row {number} was changed after it was sealed."
    if kept is not None and kept.lower() != (row.hash or b"").hex():
        return f"Row {number} is another one than when its hash was kept: the trail was made anew."
    return ""


def since(session: Session, workspace_id: UUID, number: int = 0, limit: int = BATCH) -> list[Audit]:
    """Rows after this number, oldest first: the trail for a file, a piece at a time."""
    query = select(Audit).where(Audit.workspace_id == workspace_id, Audit.number > number)
    return list(session.scalars(query.order_by(Audit.number).limit(limit)))


def instant(row: Audit) -> datetime:
    """When it was sealed, in UTC."""
    return row.created_at.astimezone(UTC)
