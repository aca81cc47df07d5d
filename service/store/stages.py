"""Where relationships stand and have come: each change of stage, with its instant and reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.db import raw
from service.rules.model import Milestone
from service.store import knowing
from service.store.paging import PAGE, Filters, Listing, Page, Row, one, page
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
_WHY = """
SELECT DISTINCT ON (s.relationship_id) s.relationship_id, s.at, s.reason FROM stage_changes s
JOIN relationships r ON r.workspace_id = s.workspace_id AND r.id = s.relationship_id AND r.stage = s.stage
WHERE s.workspace_id = %(w)s AND s.relationship_id = ANY(%(ids)s) ORDER BY s.relationship_id, s.at DESC
"""
# The newest author of a contact stands for all of them, and says where to find them.
RELATIONSHIPS = Listing(
    "relationships",
    "r.id, r.brand_id, coalesce(r.author_id, m.author_id) AS author_id, a.provider, a.handle AS author_handle, a.name AS author_name,"
    " a.url AS author_url, r.contact_id, k.name AS contact_name, k.company AS contact_company, k.fields->>'url' AS contact_url,"
    " coalesce(nullif(r.stage, ''), 'aware') AS stage, r.stage_at, r.score, r.reasons, r.decided_at, r.settings_version, r.rules_version",
    "relationships r LEFT JOIN LATERAL (SELECT m.author_id FROM matches m WHERE m.workspace_id = r.workspace_id AND m.contact_id = r.contact_id"
    " AND m.state = 'confirmed' ORDER BY m.author_id DESC LIMIT 1) m ON true"
    " LEFT JOIN authors a ON a.workspace_id = r.workspace_id AND a.id = coalesce(r.author_id, m.author_id)"
    " LEFT JOIN contacts k ON k.workspace_id = r.workspace_id AND k.id = r.contact_id",
    (("r.id", "id", UUID),),
    filters={
        "brand_id": "r.brand_id = %(brand_id)s",
        "stage": "coalesce(nullif(r.stage, ''), 'aware') = %(stage)s",
        # A part of a name is enough, whatever its capitals: read through, for a person looks rarely.
        "name": "strpos(lower(concat_ws(E'\\n', k.name, k.company, a.name, '@' || a.handle)), lower(%(name)s)) > 0",
        "contact_id": "r.contact_id = %(contact_id)s",
    },
    # An author whom the brand knows as a contact meanwhile is part of that one's relationship.
    where=f"r.decided_at IS NOT NULL AND (r.author_id IS NULL OR NOT EXISTS {knowing.contact_of('r')})",
)


def relationships(
    session: Session, workspace_id: UUID, *, filters: Filters | None = None, after: str | None = None, limit: int = PAGE
) -> Page:
    """Relationships that have been decided, newest first. Filters: brand_id, stage, contact_id, name (a part of their
    name, handle or company). Raises BadCursorError."""
    return page(session, workspace_id, RELATIONSHIPS, filters=filters or {}, after=after, limit=limit)


def relationship(session: Session, workspace_id: UUID, relationship_id: UUID) -> Row | None:
    """One of them."""
    return one(session, workspace_id, RELATIONSHIPS, relationship_id)


def save_changes(session: Session, workspace_id: UUID, moved: Iterable[tuple[UUID, Sequence[Milestone]]]) -> None:
    """Stores what changed for each of these relationships. One that stands there already stays as it is."""
    rows = [(id_, each.at, each.stage, each.reason) for id_, changes in moved for each in changes]
    if rows:
        execute(raw(session), _SAVE, {"w": workspace_id, **packed(_CHANGE, rows)})


def why(session: Session, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """What brought each of these relationships to where it stands: at, reason. One that began there is left out."""
    rows = execute(raw(session), _WHY, {"w": workspace_id, "ids": list(ids)})
    return {id_: {"at": at, "reason": reason} for id_, at, reason in rows}


def changes_of(session: Session, workspace_id: UUID, relationship_id: UUID) -> list[Row]:
    """Every change of one relationship, oldest first: at, stage, reason."""
    rows = execute(raw(session), _OF, {"w": workspace_id, "id": relationship_id})
    return [{"at": at, "stage": stage, "reason": reason} for at, stage, reason in rows]
