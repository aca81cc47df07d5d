"""The tasks of somebody who is erased: their text goes here and in the CRM. One that is open is taken back; one that is closed stays as
your figures have it, and says nothing of anybody any more; what people wrote into a task is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock import business_now, real_now
from service.db import raw
from service.models import PersonRequest
from service.store import due
from service.store.rows import execute, packed, records

SUBJECT = "Erased at the person's request"
REASON = "The person asked to be erased."
_STANDS = ("open", "unknown", "completed")
_KEPT = ("owner_id", "due_at", "high_priority")  # what says nothing of them, and counts in the figures

_FIND = """
SELECT id, wanted, state, external_id, maybe_sent_at, written, content, edited, crm_connection_id, closed_at FROM tasks
WHERE workspace_id = %(w)s AND erased_at IS NULL AND (author_id = ANY(%(authors)s) OR contact_id = ANY(%(contacts)s)
   OR person = ANY(%(people)s)
   OR id = ANY(ARRAY(SELECT task_id FROM task_authors WHERE workspace_id = %(w)s AND author_id = ANY(%(authors)s)))) ORDER BY id LIMIT %(n)s FOR UPDATE
"""
_TYPES = {
    "id": "uuid",
    "wanted": "text",
    "state": "text",
    "content": "jsonb",
    "written": "jsonb",
    "push": "boolean",
    "closing": "boolean",
}
_SAVE = (
    "UPDATE tasks t SET wanted = new.wanted, state = new.state, content = new.content, written = new.written, sent = '[]'::jsonb,"  # noqa: S608 - names of our own columns
    " push_at = CASE WHEN new.push THEN %(now)s::timestamptz END, held_reason = '', held_until = NULL, run_id = NULL, detail = '',"
    " close_reason = CASE WHEN new.closing THEN %(reason)s WHEN t.close_reason = '' THEN '' ELSE %(gone)s END, reasons = '[]'::jsonb,"
    " closed_at = coalesce(t.closed_at, %(real)s), closed_by = CASE WHEN new.closing THEN %(by)s ELSE t.closed_by END,"
    " author_id = NULL, contact_id = NULL, conversation_id = NULL, relationship_id = NULL, person = %(person)s, erased_at = %(real)s"
    f" FROM {records(_TYPES)} WHERE t.workspace_id = %(w)s AND t.id = new.id"
)
_REMEMBERED = "DELETE FROM run_changes WHERE workspace_id = %(w)s AND task_id = ANY(%(ids)s)"
_SAID_BY = "DELETE FROM task_authors WHERE workspace_id = %(w)s AND task_id = ANY(%(ids)s)"
_STANDING = """
SELECT t.id, t.wanted, t.state, t.external_id, t.external_url, t.edited, t.detail, t.push_at, n.status, n.provider
FROM tasks t JOIN connections n ON n.workspace_id = %(w)s AND n.id = t.crm_connection_id
WHERE t.workspace_id = %(w)s AND t.id = ANY(%(ids)s) AND (t.external_id IS NOT NULL OR t.state IN ('unknown', 'parked'))
"""
_FORGET = (
    "UPDATE tasks SET written = '{}'::jsonb, sent = '[]'::jsonb, content = content - 'contact_native_id' - 'body' WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)"
    " AND push_at IS NULL"
)


@dataclass(frozen=True)
class _Found:
    id: UUID
    wanted: str
    state: str
    external_id: str | None
    maybe_sent_at: Any
    written: Mapping[str, Any]
    content: Mapping[str, Any]
    edited: Sequence[str]
    crm: UUID | None
    closed_at: Any

    @property
    def stands(self) -> bool:
        """Whether it stands in the CRM, or may."""
        return self.crm is not None and self.state in _STANDS


def erase(session: Session, row: PersonRequest, limit: int) -> int:
    """Takes the text out of up to `limit` tasks and notes what is to be said to the CRMs. Returns how many there were."""
    people = [f"author:{each}" for each in row.author_ids] + [f"contact:{each}" for each in row.contact_ids]
    params = {
        "w": row.workspace_id,
        "authors": row.author_ids,
        "contacts": row.contact_ids,
        "people": people,
        "n": limit,
    }
    found = [_Found(*each) for each in execute(raw(session), _FIND, params)]
    if not found:
        return 0
    ids = [each.id for each in found]
    shared = {
        "w": row.workspace_id, "now": business_now(), "real": real_now(), "reason": REASON, "gone": "Erased.", "by": row.asked_by,
        "person": f"erased:{row.id}",
    }  # fmt: skip
    execute(raw(session), _SAVE, {**shared, **packed(_TYPES, map(_erased, found))})
    for statement in (_REMEMBERED, _SAID_BY):
        execute(raw(session), statement, {"w": row.workspace_id, "ids": ids})
    row.task_ids = [*row.task_ids, *ids]
    session.flush()
    for crm in sorted({each.crm for each in found if each.crm and each.stands}):
        due.push_soon(session, row.workspace_id, crm)
    return len(found)


def _erased(task: _Found) -> tuple[Any, ...]:
    """The task without anything of anybody's, and whether the CRM is to be told."""
    content = {name: task.content.get(name) for name in _KEPT} | {
        "subject": SUBJECT,
        "body": "",
        "contact_native_id": None,
    }
    closing = task.wanted == "open"
    if not task.stands:
        state = "withdrawn" if closing else task.state
        return task.id, "withdrawn" if closing else task.wanted, state, content, {}, False, closing
    # What was written stands in no row of ours any more, so all of it differs from the content, and is pushed. Whom it was
    # about is known until the task is taken off them.
    written = {"contact_native_id": task.written.get("contact_native_id")}
    content = {**content, "body": SUBJECT}
    # What people made theirs cannot be deleted: it is closed, and what we wrote there is replaced.
    wanted = ("completed" if task.edited else "withdrawn") if closing else "completed" if task.edited else task.wanted
    if task.state == "completed":
        wanted = "completed"
    return task.id, wanted, task.state, content, written, True, closing


def forget(session: Session, row: PersonRequest) -> None:
    """The CRMs have been told: what was needed for that goes too."""
    execute(raw(session), _FORGET, {"w": row.workspace_id, "ids": row.task_ids})


def standing(session: Session, row: PersonRequest) -> list[dict[str, Any]]:
    """Those of these tasks that stand in a CRM, stood there, or may, as they are now."""
    names = (
        "id",
        "wanted",
        "state",
        "external_id",
        "external_url",
        "edited",
        "detail",
        "push_at",
        "status",
        "provider",
    )
    params = {"w": row.workspace_id, "ids": row.task_ids}
    return [dict(zip(names, each, strict=True)) for each in execute(raw(session), _STANDING, params)]
