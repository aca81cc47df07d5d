"""Where relationships have come: each change of stage, with its instant and reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.db import raw
from service.rules.model import Milestone
from service.store.listing import Row
from service.store.rows import execute, insert, packed

_CHANGE = {"relationship_id": "uuid", "at": "timestamptz", "stage": "text", "reason": "text"}
_SAVE = insert(
    "stage_changes",
    _CHANGE,
    fixed={"workspace_id": "%(w)s"},
    conflict="ON CONFLICT (workspace_id, relationship_id, at, stage) DO NOTHING",
)
_OF = """
SELECT at, stage, reason FROM stage_changes WHERE workspace_id = %(w)s AND relationship_id = %(id)s ORDER BY at, stage
"""


def save_changes(session: Session, workspace_id: UUID, moved: Iterable[tuple[UUID, Sequence[Milestone]]]) -> None:
    """Stores what changed for each of these relationships. One that stands there already stays as it is."""
    rows = [(id_, each.at, each.stage, each.reason) for id_, changes in moved for each in changes]
    if rows:
        execute(raw(session), _SAVE, {"w": workspace_id, **packed(_CHANGE, rows)})


def changes_of(session: Session, workspace_id: UUID, relationship_id: UUID) -> list[Row]:
    """Every change of one relationship, oldest first: at, stage, reason."""
    rows = execute(raw(session), _OF, {"w": workspace_id, "id": relationship_id})
    return [{"at": at, "stage": stage, "reason": reason} for at, stage, reason in rows]
