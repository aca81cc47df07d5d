"""What one brand may still say to a CRM that serves another one alone: of what stands there already, or may, that it has ended or is to
be deleted, and that somebody's words are gone from it. It is kept to at the door, as a task is taken to be said: a CRM may be given away at
any moment, also between a decision and its saying.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from service.db import raw
from service.models import Connection
from service.rules.redaction import MARKS
from service.store.rows import execute, packed, records
from service.store.tasks import TaskRow

# A task that has to do with the CRM that serves the brand `only` alone (NULL: every brand): its own brand's, one that stands there, or one
# that is to end and may stand there, since a create of it was never answered.
SPEAKS = (
    "(%(only)s::uuid IS NULL OR brand_id = %(only)s OR external_id IS NOT NULL OR erased_at IS NOT NULL"
    " OR (wanted <> 'open' AND (state = 'unknown' OR maybe_sent_at IS NOT NULL)))"
)
_CONTENT = {"id": "uuid", "content": "jsonb"}
_SAVE = (
    "UPDATE tasks t SET content = new.content"  # noqa: S608 - names of our own columns
    f" FROM {records(_CONTENT)} WHERE t.workspace_id = %(w)s AND t.id = new.id"
)


def without_news(session: Session, connection: Connection, rows: Sequence[TaskRow]) -> list[TaskRow]:
    """These tasks, which are locked, as they may be said to this CRM: those of other brands without anything new, and so from now on."""
    found = [row if _is_its_own(row, connection) else _apart(row) for row in rows]
    changed = [(new.id, new.content) for new, row in zip(found, rows, strict=True) if new.content != row.content]
    if changed:
        execute(raw(session), _SAVE, {"w": connection.workspace_id, **packed(_CONTENT, changed)})
    return found


def _is_its_own(row: TaskRow, connection: Connection) -> bool:
    return connection.brand_id in (None, row.brand_id)


def _apart(row: TaskRow) -> TaskRow:
    """Without anything new; and one of which nobody knows whether it stands there is only sought, never made. What was erased says nothing
    of anybody as it is."""
    lost = row.external_id is None
    if row.erased_at is not None:
        return replace(row, only_sought=lost)
    stands = row.sent[-1] if lost and row.sent else row.written
    return replace(row, content=_as_it_stands(row.content, stands), only_sought=lost)


def _as_it_stands(content: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """What stands there, but for words that were deleted or replaced at their source, or can no longer be followed there."""
    stands, fresh = _lines(written), _lines(content)
    shorter = all(line in stands or line.endswith(MARKS) for line in fresh)
    return {**written, "body": content.get("body")} if shorter else {**written}


def _lines(content: Mapping[str, Any]) -> Sequence[str]:
    return str(content.get("body") or "").split("\n")
