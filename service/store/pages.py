"""What only the console's pages ask: counts, who gets a task, who somebody is. Lists are in `service.store.listing`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db import raw
from service.models import APIKey, Connection, Conversation, Match, Stream, Task

Row = dict[str, Any]

_TASKS = """
SELECT t.id, t.kind, t.wanted, t.state, t.content, t.held_reason, t.held_until, t.external_url, t.due_at, t.crm_connection_id, t.detail,
       coalesce(nullif(o.name, ''), o.email) AS owner
FROM tasks t LEFT JOIN owners o ON o.workspace_id = t.workspace_id AND o.connection_id = t.crm_connection_id AND o.native_id = t.content->>'owner_id'
WHERE t.workspace_id = %(w)s AND t.id = ANY(%(ids)s)
"""
_CLOSED_BY_DAY = """
SELECT (closed_at AT TIME ZONE %(zone)s)::date AS day, kind, count(*) AS number FROM tasks
WHERE workspace_id = %(w)s AND closed_at >= %(since)s AND wanted = 'completed' GROUP BY 1, 2
"""


def counts(session: Session, workspace_id: UUID) -> dict[str, int]:
    """How many wait, how many tasks stand open in a CRM, how many are held, and how many matches wait for a decision."""

    def number(model: Any, *conditions: Any) -> int:
        return session.scalar(select(func.count()).where(model.workspace_id == workspace_id, *conditions)) or 0

    is_open = Task.wanted == "open"
    return {
        "waiting": number(Conversation, Conversation.waiting_since.is_not(None)),
        "open": number(Task, is_open, Task.state == "open"),
        "held": number(Task, is_open, Task.held_reason != ""),
        "parked": number(Task, Task.parked_at.is_not(None)),
        "suggested": number(Match, Match.state == "suggested"),
    }


def closed_by_day(session: Session, workspace_id: UUID, since: datetime, zone: str) -> list[Row]:
    """How many tasks were dealt with on each day (in the time zone) since then, by kind: rows of day, kind, number."""
    return _rows(session, _CLOSED_BY_DAY, {"w": workspace_id, "since": since, "zone": zone})


def last_arrival(session: Session, workspace_id: UUID) -> datetime | None:
    """When the newest post of any social account arrived here."""
    return session.scalar(
        select(func.max(Stream.last_item_at))
        .join(Connection, (Connection.workspace_id == Stream.workspace_id) & (Connection.id == Stream.connection_id))
        .where(Stream.workspace_id == workspace_id, Connection.kind == "social")
    )


def tasks(session: Session, workspace_id: UUID, ids: Iterable[UUID | None]) -> dict[UUID, Row]:
    """These tasks by id, each with the name of its owner in the CRM."""
    wanted = [each for each in ids if each is not None]
    if not wanted:
        return {}
    return {row["id"]: row for row in _rows(session, _TASKS, {"w": workspace_id, "ids": wanted})}


def in_preview(session: Session, workspace_id: UUID, connection_id: UUID) -> int:
    """How many tasks would be written to this CRM as soon as somebody approves it."""
    return (
        session.scalar(
            select(func.count()).where(
                Task.workspace_id == workspace_id,
                Task.crm_connection_id == connection_id,
                Task.wanted == "open",
                Task.state == "absent",
            )
        )
        or 0
    )


def keys(session: Session, workspace_id: UUID) -> list[APIKey]:
    """The workspace's API keys that still open something, newest first. In a global session: keys are no tenant's table."""
    query = select(APIKey).where(APIKey.workspace_id == workspace_id, APIKey.revoked_at.is_(None))
    return list(session.scalars(query.order_by(APIKey.created_at.desc())))


def _rows(session: Session, statement: str, params: Mapping[str, Any]) -> list[Row]:
    with raw(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), params).fetchall()
