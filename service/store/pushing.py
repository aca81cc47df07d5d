"""What has to be said to a CRM, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from service.clock import business_now, real_instant, real_now
from service.db import raw
from service.leases import until
from service.models import Connection
from service.store import due, walls
from service.store.rows import execute, packed, records
from service.store.tasks import _SELECT, TaskRow, _rows

# Built once: each batch of a push asks for it.
_HELD = (
    select(Connection)
    .where(
        Connection.workspace_id == bindparam("w"),
        Connection.id == bindparam("id"),
        Connection.push_lease_id == bindparam("lease"),
    )
    .with_for_update()
)


def hold(session: Session, workspace_id: UUID, connection_id: UUID, lease_id: UUID) -> Connection | None:
    """The connection, its row locked until the end of the transaction and its push lease renewed; None when somebody
    else has it."""
    row = session.scalars(_HELD, {"w": workspace_id, "id": connection_id, "lease": lease_id}).one_or_none()
    if row is not None:
        row.push_lease_until = until(session)
    return row


HELD_UP = timedelta(minutes=10)  # no call is held up on its way for longer: servers end them after two or three
SENT = 8  # contents that are remembered of one task, at most
# As `TaskRow.is_new`.
_IS_NEW = "taken.external_id IS NULL AND (taken.state <> 'unknown' OR taken.maybe_sent_at IS NULL)"
# What may be said to a CRM now: one that is being left has nothing made there, and nothing opened again, whoever wants it.
_MAY_BE_SAID = f"{walls.SPEAKS} AND (wanted <> 'open' OR NOT %(leaving)s)"
# In one statement, and of what nobody decides just now: the rows as they were, and a note of what may stand in the CRM from here on.
# Whoever finds one that never stood there seeks it before sending it again; and what is read back of one that does is held against all
# that we may have written. A create is noted whatever state it is sent from.
_TAKE = f"""
WITH taken AS MATERIALIZED (
    {_SELECT} AND crm_connection_id = %(c)s AND push_at <= %(now)s AND id <> ALL(%(under_way)s) AND {_MAY_BE_SAID}
    ORDER BY urgency DESC, push_at, id LIMIT %(n)s FOR NO KEY UPDATE SKIP LOCKED
), noted AS (
    UPDATE tasks t SET state = 'unknown', sent = jsonb_build_array(taken.content),
        maybe_sent_at = CASE WHEN taken.since < %(restored_at)s::timestamptz THEN %(restored_from)s::timestamptz ELSE %(at)s END FROM taken
    WHERE t.workspace_id = %(w)s AND t.id = taken.id AND taken.wanted = 'open' AND {_IS_NEW}
), noted_too AS (
    UPDATE tasks t SET sent = CASE WHEN t.sent @> said.said THEN t.sent WHEN jsonb_array_length(t.sent) < {SENT} THEN t.sent || said.said
        ELSE (t.sent - 0) || said.said END,
        withdrawing_at = CASE WHEN taken.wanted = 'withdrawn' THEN %(at)s::timestamptz ELSE t.withdrawing_at END FROM taken,
        LATERAL (SELECT jsonb_build_array(taken.content || jsonb_build_object('status', taken.wanted)) AS said) said
    WHERE t.workspace_id = %(w)s AND t.id = taken.id AND taken.external_id IS NOT NULL AND (taken.content <> taken.written OR taken.wanted <> taken.state)
)
SELECT * FROM taken ORDER BY urgency DESC, push_at, id
"""  # noqa: S608 - names of our own columns


def take(session: Session, connection: Connection, under_way: Sequence[UUID], limit: int) -> list[TaskRow]:
    """Tasks that are to be pushed to this CRM now, but for those `under_way`, the most urgent first; noted as possibly sent. What may
    have been made there between a backup and its restore comes as `unknown`: it is sought first."""
    rows = _rows(
        execute(
            raw(session),
            _TAKE,
            {
                "w": connection.workspace_id,
                "c": connection.id,
                "only": connection.brand_id,
                "leaving": connection.status == "leaving",
                "now": business_now(),
                "at": real_now(),
                "restored_from": connection.restored_from,
                "restored_at": connection.restored_at,
                "under_way": list(under_way),
                "n": limit,
            },
        )
    )
    rows = walls.without_news(session, connection, rows)
    before = connection.restored_at
    return rows if before is None else [_perhaps_made(row, before, connection.restored_from) for row in rows]


def _perhaps_made(row: TaskRow, before: datetime, since: datetime | None) -> TaskRow:
    perhaps = row.is_new and row.wanted == "open" and row.since < before
    return replace(row, state="unknown", maybe_sent_at=since, sent=[row.content]) if perhaps else row


class Settled(Struct, frozen=True):
    """What came of one task. `wanted` and `content` are what was sent: if they have changed since, it stays due."""

    id: UUID
    wanted: str
    content: dict[str, Any]
    state: str
    external_id: str | None
    external_url: str
    written: dict[str, Any]
    detail: str
    push_at: datetime | None  # business time
    written_at: datetime | None
    maybe_sent_at: datetime | None
    closed_as: str = ""  # the person ended it in the CRM
    ticked_off_at: datetime | None = None  # when, where the CRM tells: real time
    taken_back: bool = (
        False  # it stands there no more, and it was us, or may have been: where it is wanted by now, it is made anew
    )
    # The CRM will have none of it as it is: it is parked until somebody acts. Where it has changed since, it is due.
    refused: bool = False

    @property
    def written_unless_content(self) -> dict[str, Any] | None:
        """None where what is written there is the content, as it mostly is: a text need not travel twice."""
        return None if self.written == self.content else self.written


_TYPES = {
    "id": "uuid", "wanted": "text", "content": "jsonb", "state": "text", "external_id": "text", "external_url": "text",
    "written": "jsonb", "detail": "text", "push_at": "timestamptz", "written_at": "timestamptz", "maybe_sent_at": "timestamptz",
    "taken_back": "boolean", "refused": "boolean",
}  # fmt: skip
_VALUES = attrgetter(*(name if name != "written" else "written_unless_content" for name in _TYPES))
_CHANGED = "(t.wanted <> new.wanted OR t.content <> new.content)"  # while it was being said
_NOT_MADE = "new.refused AND new.external_id IS NULL"
_OVER = f"{_NOT_MADE} AND t.wanted <> 'open'"  # it never stood there, and need not any more
# It was asked for again while it was being taken away, or the CRM refused to make what it is no more.
_ANEW = f"t.wanted = 'open' AND (new.taken_back OR ({_NOT_MADE} AND {_CHANGED}))"
# Who was erased while it was being said is named by no word of it here, whatever stands there: all of it is written over next.
_WRITTEN = (
    "CASE WHEN t.erased_at IS NOT NULL AND t.content <> new.content"
    " THEN jsonb_build_object('contact_native_id', coalesce(new.written, new.content)->'contact_native_id')"
    " ELSE coalesce(new.written, new.content) END"
)
_SETTLE = (
    f"UPDATE tasks t SET state = CASE WHEN {_OVER} THEN 'withdrawn' WHEN {_ANEW} THEN 'absent' ELSE new.state END,"  # noqa: S608 - names of our own columns
    f" external_id = CASE WHEN {_ANEW} THEN NULL ELSE new.external_id END, edited = CASE WHEN {_ANEW} THEN '[]' ELSE t.edited END,"
    " external_url = coalesce(nullif(new.external_url, ''), t.external_url),"
    f" written = {_WRITTEN}, detail = CASE WHEN {_OVER} THEN '' ELSE new.detail END, written_at = coalesce(new.written_at, t.written_at), maybe_sent_at = new.maybe_sent_at,"
    " sent = CASE WHEN new.written_at IS NULL AND new.state IN ('open', 'unknown') THEN t.sent ELSE '[]' END,"
    f" redacted = t.redacted AND (new.written_at IS NULL OR {_CHANGED}),"
    # Written just now, it stands; a withdrawal that nobody answered may be on its way all the same.
    " withdrawing_at = CASE WHEN new.state = 'open' AND (new.written_at IS NULL OR t.withdrawing_at > %(held_up)s) THEN t.withdrawing_at END,"
    f" pushed_at = coalesce(t.pushed_at, new.written_at), parked_at = CASE WHEN new.refused AND NOT ({_CHANGED} OR {_OVER}) THEN coalesce(t.parked_at, %(real)s) END, held_reason = CASE WHEN new.written_at IS NULL OR t.run_id IS NOT NULL THEN t.held_reason ELSE '' END,"
    f" push_at = CASE WHEN t.run_id IS NOT NULL OR {_OVER} THEN NULL WHEN {_ANEW} THEN %(now)s WHEN {_CHANGED} THEN least(t.push_at, %(now)s) ELSE new.push_at END"
    f" FROM {records(_TYPES)} WHERE t.workspace_id = %(w)s AND t.id = new.id"
)


_BEGIN_AGAIN = (
    "UPDATE tasks SET push_at = %(now)s WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) AND wanted = 'open' AND external_id IS NULL"
    " AND push_at IS NULL AND state <> 'absent'"
)


def begin_again(session: Session, connection: Connection, ids: Sequence[UUID]) -> None:
    """These tasks of the CRM, of which nothing was due, are on their way again. What never was on its way is given to its owner's day
    first, as a new one is."""
    if not ids:
        return
    params = {"w": connection.workspace_id, "ids": list(ids), "now": business_now()}
    execute(raw(session), _BEGIN_AGAIN, params)
    due.push_soon(session, connection.workspace_id, connection.id)
    due.decide_soon(session, connection.workspace_id)


def settle(session: Session, workspace_id: UUID, results: Sequence[Settled]) -> None:
    """Stores what came of these tasks."""
    rows = map(_VALUES, sorted(results, key=lambda each: each.id))
    execute(
        raw(session),
        _SETTLE,
        {
            "w": workspace_id,
            "now": business_now(),
            "real": real_now(),
            "held_up": real_now() - HELD_UP,
            **packed(_TYPES, rows),
        },
    )


def let_go(
    session: Session, connection: Connection, *, failures: int, error: str = "", retry_at: datetime | None = None
) -> None:
    """Ends the lease; the connection is due again when its next task is (`retry_at`, real time, if that is later), and without one at
    `retry_at`: handles may wait for it."""
    connection.push_lease_id = connection.push_lease_until = None
    connection.push_failures, connection.push_error = failures, error
    session.flush()
    goes_on = connection.status == "leaving"  # there is something to do until it is gone
    rows = execute(
        raw(session),
        "SELECT min(push_at) FROM tasks WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s AND push_at IS NOT NULL"  # noqa: S608
        f" AND {_MAY_BE_SAID}",
        {"w": connection.workspace_id, "c": connection.id, "only": connection.brand_id, "leaving": goes_on},
    )
    next_task = real_instant(rows[0][0]) if rows[0][0] is not None else None
    again = max(filter(None, (next_task, retry_at)), default=None)
    if goes_on or (again and not connection.preview):
        due.push_soon(session, connection.workspace_id, connection.id, again)
