"""Confirmed handles that are to be written into the CRM's contacts, and what came of it.

A handle that the CRM has on file already is not written. One that was written is remembered with its match, so that it is never
taken for evidence; an undone match writes nothing more, and takes nothing away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.provider import WRITE_HANDLES
from integrations.records import HandleWrite, WriteOutcome, WriteResult
from integrations.registry import providers
from service import settings
from service.db import raw
from service.store import due, knowing
from service.store.rows import execute, packed, records

# Whom a CRM's own brands have talked to: what others learnt of somebody is not told to it.
_WAITING = (
    "SELECT m.id, c.native_id, a.provider, a.handle, a.url, c.fields->'handles' FROM matches m"  # noqa: S608 - names of our own columns
    " JOIN contacts c ON c.workspace_id = %(w)s AND c.id = m.contact_id AND c.connection_id = %(c)s AND c.deleted_at IS NULL"
    " JOIN authors a ON a.workspace_id = %(w)s AND a.id = m.author_id AND a.handle <> '' AND a.objected_at IS NULL"
    " JOIN connections n ON n.workspace_id = %(w)s AND n.id = %(c)s"
    " WHERE m.workspace_id = %(w)s AND m.connection_id = %(c)s AND m.state = 'confirmed' AND m.handle_state = '' AND m.id > %(after)s"
    " AND EXISTS (SELECT 1 FROM conversations t JOIN brands b ON b.workspace_id = %(w)s AND b.id = t.brand_id"
    f" WHERE t.workspace_id = %(w)s AND t.author_id = m.author_id AND {knowing.SERVES}) ORDER BY m.id LIMIT %(n)s"
)
_RESULT = {"id": "uuid", "state": "text", "detail": "text"}
_SETTLE = (
    "UPDATE matches m SET handle_state = new.state, handle_detail = new.detail"  # noqa: S608 - names of our own columns
    f" FROM {records(_RESULT)} WHERE m.workspace_id = %(w)s AND m.id = new.id AND m.handle_state = ''"
)
_CRMS = "SELECT id, provider FROM connections WHERE workspace_id = %(w)s AND kind = 'crm' AND status = 'active' AND NOT preview"
_CRMS_OF = (
    "SELECT DISTINCT n.id, n.provider FROM contacts c JOIN connections n ON n.workspace_id = %(w)s AND n.id = c.connection_id"
    " AND n.status = 'active' AND NOT n.preview WHERE c.workspace_id = %(w)s AND c.id = ANY(%(ids)s)"
)
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Waiting:
    """A confirmed match whose handle is to be written; `write` is None where the CRM has it on file already."""

    match_id: UUID
    write: HandleWrite | None


def wanted(session: Session, workspace_id: UUID) -> bool:
    """Whether the workspace wants confirmed handles written."""
    return bool(settings.current(session, workspace_id).values.get("write_handles"))


def write_soon(session: Session, workspace_id: UUID, contact_ids: Iterable[UUID] | None = None) -> None:
    """There may be handles to write into the CRMs of these contacts (of all, if none are given), where the workspace wants it and
    the CRM can."""
    ids = None if contact_ids is None else list(contact_ids)
    if ids == [] or not wanted(session, workspace_id):
        return
    statement, params = (_CRMS, {"w": workspace_id}) if ids is None else (_CRMS_OF, {"w": workspace_id, "ids": ids})
    for connection_id, provider in sorted(execute(raw(session), statement, params)):
        if can_write(provider):
            due.push_soon(session, workspace_id, connection_id)


def can_write(provider: str) -> bool:
    """Whether this CRM keeps social handles with its contacts."""
    known = providers().get(provider)
    return known is not None and WRITE_HANDLES in known.capabilities


def waiting(
    session: Session, workspace_id: UUID, connection_id: UUID, limit: int, after: UUID = NOBODY
) -> Sequence[Waiting]:
    """Confirmed matches with contacts of this CRM whose handles were not seen to yet, oldest first, after the match `after`."""
    params = {"w": workspace_id, "c": connection_id, "n": limit, "after": after}
    return [
        Waiting(
            match_id,
            None
            if any(each["network"] == network for each in on_file)
            else HandleWrite(native_id, network, handle, url),
        )
        for match_id, native_id, network, handle, url, on_file in execute(raw(session), _WAITING, params)
    ]


def settle(session: Session, workspace_id: UUID, found: Sequence[Waiting], results: Sequence[WriteResult]) -> None:
    """Notes what came of them: `results` are those of the writes among `found`. What is to be tried again stays as it is."""
    told = {(each.contact_id, each.network): each for each in results}
    rows = []
    for each in found:
        result = None if each.write is None else told.get((each.write.contact_id, each.write.network))
        if each.write is None:
            rows.append((each.match_id, WriteOutcome.KEPT.value, ""))
        elif result is not None and result.outcome is not WriteOutcome.LATER:
            rows.append((each.match_id, result.outcome.value, result.detail))
    if rows:
        execute(raw(session), _SETTLE, {"w": workspace_id, **packed(_RESULT, rows)})
