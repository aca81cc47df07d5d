"""What a restore must not undo: who was erased or objects. It is saved with every backup, also by itself, and carried into an older
one. Rows hold keyed hashes and ids of ours, no name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock import real_now
from service.db import raw
from service.store import due
from service.store.rows import execute

# In the order in which they refer to each other.
TABLES = ("suppression_keys", "person_requests", "suppressions")
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def saved(session: Session, workspace_id: UUID) -> Rows:
    """This workspace's rows, as JSON can hold them."""
    found: dict[str, Sequence[Mapping[str, Any]]] = {}
    for table in TABLES:
        query = f"SELECT to_jsonb(t) FROM {table} t WHERE workspace_id = %(w)s"  # noqa: S608 - names of our own tables
        found[table] = [row[0] for row in execute(raw(session), query, {"w": workspace_id})]
    return found


def carry(session: Session, workspace_id: UUID, rows: Rows) -> int:
    """Puts this list in the place of the one that stands here; what was erased is erased again. Returns how many people."""
    connection = raw(session)
    for table in reversed(TABLES):
        execute(connection, f"DELETE FROM {table} WHERE workspace_id = %(w)s", {"w": workspace_id})  # noqa: S608
    for table in TABLES:
        execute(
            connection,
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %(rows)s)",  # noqa: S608
            {"rows": json.dumps(list(rows.get(table, ())))},
        )
    execute(
        connection,
        "UPDATE person_requests SET state = 'under_way', next_at = %(now)s, lease_id = NULL, lease_until = NULL, done_at = NULL"
        " WHERE workspace_id = %(w)s AND kind = 'erase'",
        {"w": workspace_id, "now": real_now()},
    )
    _objections(session, workspace_id)
    return len(rows.get("person_requests", ()))


def _objections(session: Session, workspace_id: UUID) -> None:
    """Whoever objects is judged no more, also by what the older backup still holds of them."""
    for table, ids in (("authors", "author_ids"), ("contacts", "contact_ids")):
        execute(
            raw(session),
            f"UPDATE {table} t SET objected_at = coalesce(t.objected_at, r.created_at) FROM person_requests r"  # noqa: S608
            f" WHERE t.workspace_id = %(w)s AND r.workspace_id = %(w)s AND r.kind = 'object' AND r.state = 'done' AND t.id = ANY(r.{ids})",
            {"w": workspace_id},
        )
    due.decide_everything(session, workspace_id)
