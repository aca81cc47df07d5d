"""When owners sit in meetings, by what the CRM knows and what their calendar feeds say, and the tasks that wait for that."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.db import raw
from service.rules.admission import SHIELDED
from service.rules.busy import merged
from service.store.rows import execute, packed, records

Owner = tuple[str, str]  # CRM connection, owner's id there ("" for nobody in particular)
Span = tuple[datetime, datetime]

# A meeting without an end is taken to last half an hour.
_BUSY = """
SELECT connection_id::text, owner_id, at, coalesce(ends_at, at + interval '30 minutes') FROM activities
WHERE workspace_id = %(w)s AND kind = 'meeting' AND owner_id IS NOT NULL AND deleted_at IS NULL AND outcome <> 'cancelled'
  AND (ends_at > %(now)s OR (ends_at IS NULL AND at > %(now)s - interval '30 minutes')) AND at < %(until)s
UNION ALL
SELECT o.connection_id::text, o.native_id, b.starts_at, b.ends_at FROM calendar_feeds f
JOIN owners o ON o.workspace_id = %(w)s AND o.email = f.email
JOIN busy_times b ON b.workspace_id = %(w)s AND b.feed_id = f.id AND b.ends_at > %(now)s AND b.starts_at < %(until)s
WHERE f.workspace_id = %(w)s
"""
# Tasks that a person is to get: neither what is being closed, nor what is held back here.
_COMING = "t.workspace_id = %(w)s AND t.wanted = 'open' AND t.push_at IS NOT NULL"
_ON_THEIR_WAY = f"""
SELECT t.id, t.crm_connection_id::text, coalesce(t.content->>'owner_id', ''), t.push_at, (t.content->>'due_at')::timestamptz, t.state = 'absent'
FROM tasks t WHERE {_COMING} AND {{which}} ORDER BY t.id FOR UPDATE
"""  # noqa: S608 - names of our own columns
# What a run that has not been let through altered stays as it is.
_STANDING = """
SELECT t.id, t.crm_connection_id::text, coalesce(t.content->>'owner_id', ''), t.push_at, (t.content->>'due_at')::timestamptz, false
FROM tasks t WHERE t.workspace_id = %(w)s AND t.wanted = 'open' AND t.run_id IS NULL AND t.crm_connection_id = ANY(%(crms)s)
  AND t.state IN ('open', 'unknown', 'absent') AND (t.push_at IS NOT NULL OR t.state = 'open')
"""
_MOVE = {"id": "uuid", "push_at": "timestamptz", "due_at": "text", "held_reason": "text"}
_MOVED = f"""
UPDATE tasks t SET push_at = new.push_at, held_reason = coalesce(new.held_reason, t.held_reason),
  ripe_at = CASE WHEN coalesce(new.held_reason, t.held_reason) = '' THEN t.ripe_at END,
  admitted_at = CASE WHEN t.state = 'absent' THEN new.push_at ELSE t.admitted_at END,
  content = CASE WHEN t.edited @> '["due_at"]' OR new.due_at IS NULL THEN t.content ELSE jsonb_set(t.content, '{{due_at}}', to_jsonb(new.due_at)) END
FROM {records(_MOVE)} WHERE t.workspace_id = %(w)s AND t.id = new.id
"""  # noqa: S608 - names of our own columns


@dataclass(frozen=True, slots=True)
class Coming:
    """A task that its owner is to get."""

    id: UUID
    owner: Owner
    push_at: datetime | None
    due_at: datetime | None
    new: bool  # it never stood in the CRM


@dataclass(frozen=True, slots=True)
class Moved:
    """When a task is to be pushed (None: there is nothing to push) and to fall due (None: as it is), and why it waits (None:
    what stands there stays)."""

    id: UUID
    push_at: datetime | None
    due_at: datetime | None
    held_reason: str | None


def busy_times(session: Session, workspace_id: UUID, now: datetime, until: datetime) -> dict[Owner, list[Span]]:
    """When each owner sits in a meeting."""
    rows = execute(raw(session), _BUSY, {"w": workspace_id, "now": now, "until": until})
    busy: dict[Owner, list[Span]] = defaultdict(list)
    for connection, owner, start, end in rows:
        busy[connection, owner].append((start, end))
    return busy


def emails(session: Session, workspace_id: UUID) -> dict[Owner, str]:
    """The e-mail address of every owner."""
    rows = execute(
        raw(session),
        "SELECT connection_id::text, native_id, email FROM owners WHERE workspace_id = %(w)s",
        {"w": workspace_id},
    )
    return {(connection, owner): email for connection, owner, email in rows}


def due_now(session: Session, workspace_id: UUID, connection_id: UUID, now: datetime) -> list[Coming]:
    """Tasks that this CRM is to be told of now, whose owner would notice."""
    which = "t.crm_connection_id = %(c)s AND t.push_at <= %(now)s"
    return _coming(session, _ON_THEIR_WAY.format(which=which), {"w": workspace_id, "c": connection_id, "now": now})


def shielded(session: Session, workspace_id: UUID, now: datetime) -> list[Coming]:
    """Tasks that wait for their owner to be free."""
    which = "t.push_at > %(now)s AND t.held_reason = %(reason)s"
    return _coming(session, _ON_THEIR_WAY.format(which=which), {"w": workspace_id, "now": now, "reason": SHIELDED})


def due_while_busy(session: Session, workspace_id: UUID, busy: Mapping[Owner, Sequence[Span]]) -> list[Coming]:
    """Tasks that would fall due while their owner sits in a meeting."""
    spans = {owner: merged(each) for owner, each in busy.items()}
    crms = sorted({UUID(crm) for crm, _ in spans})
    if not crms:
        return []
    standing = _coming(session, _STANDING, {"w": workspace_id, "crms": crms})
    return [each for each in standing if each.due_at and _inside(spans.get(each.owner, ()), each.due_at)]


def _inside(spans: Sequence[Span], at: datetime) -> bool:
    """Whether an instant is in one of these spans, which are in order and apart."""
    number = bisect_right(spans, at, key=itemgetter(0))
    return number > 0 and at < spans[number - 1][1]


def _coming(session: Session, statement: str, params: Mapping[str, Any]) -> list[Coming]:
    return [
        Coming(id_, (crm, owner), push_at, due_at, new)
        for id_, crm, owner, push_at, due_at, new in execute(raw(session), statement, params)
    ]


def move(session: Session, workspace_id: UUID, moved: Sequence[Moved]) -> None:
    """Stores other instants. A due date that a person chose in the CRM stays theirs."""
    rows = [
        (each.id, each.push_at, each.due_at.isoformat() if each.due_at else None, each.held_reason)
        for each in sorted(moved, key=lambda each: each.id)
    ]
    if rows:
        execute(raw(session), _MOVED, {"w": workspace_id, **packed(_MOVE, rows)})
