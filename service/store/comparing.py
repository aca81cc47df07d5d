"""Samples of what is to be compared with the other side, and the differences that were found."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.clock import real_now
from service.db import raw
from service.ids import new_id
from service.models import Comparison, Connection, Difference, Task
from service.store.paging import Listing
from service.store.rows import execute

Row = Mapping[str, Any]
Found = tuple[str, str]  # (kind, subject)
KEPT = timedelta(days=30)  # a difference that is gone

COMPARISONS = Listing(
    "comparisons",
    "n.id AS connection_id, n.provider, n.handle, c.at, c.compared, c.why_not, (SELECT count(*) FROM differences d"
    " WHERE d.workspace_id = n.workspace_id AND d.connection_id = n.id AND d.gone_at IS NULL) AS standing",
    "connections n JOIN comparisons c ON c.workspace_id = n.workspace_id AND c.connection_id = n.id",
    (("n.id", "connection_id", UUID),),
    descending=False,
    where="n.status <> 'disconnected'",
)
DIFFERENCES = Listing(
    "differences",
    "d.id, d.connection_id, d.kind, d.subject, d.found_at, d.seen_at, d.times, d.gone_at",
    "differences d",
    (("d.id", "id", UUID),),
    filters={
        "connection_id": "d.connection_id = %(connection_id)s",
        "standing": "(d.gone_at IS NULL) = %(standing)s",
    },
)


def due(session: Session, workspace_id: UUID, before: datetime) -> list[Connection]:
    """Active connections that were not compared since `before`, the one that has waited longest first."""
    rows = session.scalars(
        select(Connection)
        .outerjoin(
            Comparison,
            (Comparison.workspace_id == Connection.workspace_id) & (Comparison.connection_id == Connection.id),
        )
        .where(
            Connection.workspace_id == workspace_id,
            Connection.status == "active",
            Connection.ready_at.is_not(None),  # before that everything is on its way
            func.coalesce(Comparison.at, before) <= before,
        )
        .order_by(Comparison.at.nulls_first(), Connection.id)
    )
    return list(rows)


# --- samples --------------------------------------------------------------------------------------------------

_POST = "SELECT id, native_id, text FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s AND deleted_at IS NULL AND text_erased_at IS NULL"
_SPAN = "SELECT min(checked_at), max(checked_at) FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s AND deleted_at IS NULL"
_TASK = "SELECT id, key, external_id, wanted, state FROM tasks WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s AND external_id IS NOT NULL"
# What was said a moment ago may not be told on the other side yet.
_SETTLED = " AND push_at IS NULL AND coalesce(written_at, created_at) < %(settled)s"


@dataclass(frozen=True)
class Sample:
    """What is to be looked at on the other side. `again` are differences that stood last time."""

    rows: Sequence[Row]
    again: frozenset[Found]


def posts(session: Session, connection: Connection, number: int) -> Sample:
    """Posts whose text is kept: those that differed last time, and others from some place in the order in which the network
    last served them, which an index has."""
    where = {"w": connection.workspace_id, "c": connection.id}
    [(first, last)] = execute(raw(session), _SPAN, where)
    again = standing(session, connection)
    if first is None:
        return Sample([], again)
    at = first + (last - first) * random.random()  # noqa: S311 - a sample, and no secret
    found = _dicts(
        session, f"{_POST} AND checked_at >= %(at)s ORDER BY checked_at LIMIT %(n)s", {**where, "at": at, "n": number}
    )
    ids = [UUID(subject.removeprefix("post:")) for kind, subject in again if kind in ("post_gone", "post_edited")]
    found += _dicts(session, f"{_POST} AND id = ANY(%(ids)s)", {**where, "ids": ids}) if ids else []
    return Sample(_once(found), again)


def tasks(session: Session, connection: Connection, number: int, *, settled: datetime, since: datetime) -> Sample:
    """Tasks that stand in this CRM, or were closed since then: some of either, and those that differed last time. `settled`: what was
    written later is left alone (real time, as `since`)."""
    params = {"w": connection.workspace_id, "c": connection.id, "n": number, "settled": settled, "since": since}
    again = standing(session, connection)
    open_, closed = (
        "wanted = 'open' AND state = 'open'",
        "closed_at >= %(since)s AND state IN ('completed', 'withdrawn')",
    )
    some = f"{_SETTLED} ORDER BY random() LIMIT %(n)s"
    # A person's own changes are theirs: what became of such a task is for them to say.
    found = _dicts(session, f"{_TASK} AND {open_}{some}", params)
    found += _dicts(session, f"{_TASK} AND {closed} AND jsonb_array_length(edited) = 0{some}", params)
    ids = [
        UUID(subject.removeprefix("task:"))
        for kind, subject in again
        if kind in ("task_gone", "task_done", "task_open")
    ]
    found += _dicts(session, f"{_TASK} AND id = ANY(%(ids)s){_SETTLED}", {**params, "ids": ids}) if ids else []
    return Sample(_once(found), again)


def held(session: Session, connection: Connection, native_ids: Collection[str]) -> set[str]:
    """Which of these posts are here, erased ones too."""
    statement = "SELECT native_id FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s)"
    rows = execute(raw(session), statement, {"w": connection.workspace_id, "c": connection.id, "ids": list(native_ids)})
    return {row[0] for row in rows}


def known_keys(session: Session, connection: Connection, keys: Collection[str]) -> dict[str, str | None]:
    """Which of these keys are tasks of ours; each with its task's id in this CRM, None where it has none or is in another one."""
    rows = session.execute(
        select(Task.key, Task.external_id, Task.crm_connection_id).where(
            Task.workspace_id == connection.workspace_id, Task.key.in_(keys)
        )
    )
    return {row.key: row.external_id if row.crm_connection_id == connection.id else None for row in rows}


# The last word in the thread is ours and was here for a while, and the task says that somebody waits.
_ANSWERED = """
SELECT t.id FROM tasks t JOIN conversations c ON c.workspace_id = t.workspace_id AND c.id = t.conversation_id
JOIN authors a ON a.workspace_id = c.workspace_id AND a.id = c.author_id
JOIN LATERAL (SELECT e.ours, e.received_at, e.posted_at FROM engagements e WHERE e.workspace_id = c.workspace_id AND e.brand_id = c.brand_id
    AND e.thread = c.thread AND e.deleted_at IS NULL AND (e.author_id = c.author_id OR (e.ours AND e.in_reply_to_author = a.native_id))
    ORDER BY e.posted_at DESC LIMIT 1) p ON true
WHERE t.workspace_id = %(w)s AND c.connection_id = %(c)s AND t.wanted = 'open' AND t.kind = 'unanswered'
    AND p.ours AND p.received_at < %(settled)s AND p.posted_at > t.since LIMIT %(n)s
"""


def answered(session: Session, connection: Connection, *, settled: datetime, number: int) -> set[UUID]:
    """Open tasks of this network whose conversations ended with a word of ours that has been here since before `settled`."""
    params = {"w": connection.workspace_id, "c": connection.id, "settled": settled, "n": number}
    return {row[0] for row in execute(raw(session), _ANSWERED, params)}


# From some place in the order of time, which an index has: those that wait and have no task open, and whoever wrote lately. Of either, some
# of the workspace's, and of these the ones of this network. What is due is not missed: it is decided anyway.
_TOLD = "EXISTS (SELECT FROM tasks t WHERE t.workspace_id = c.workspace_id AND t.conversation_id = c.id AND t.wanted = 'open')"
_LATELY = f"""
SELECT id FROM (
    (SELECT * FROM conversations c WHERE workspace_id = %(w)s AND waiting_since >= (SELECT min(waiting_since)
        + random() * (max(waiting_since) - min(waiting_since)) FROM conversations WHERE workspace_id = %(w)s AND waiting_since IS NOT NULL)
        AND waiting_since < %(settled)s AND NOT {_TOLD} ORDER BY waiting_since LIMIT %(n)s)
    UNION ALL
    (SELECT * FROM conversations WHERE workspace_id = %(w)s AND last_post_at >= %(at)s AND last_post_at < %(settled)s
        ORDER BY last_post_at LIMIT %(n)s)
    UNION ALL
    SELECT * FROM conversations WHERE workspace_id = %(w)s AND id = ANY(%(again)s)
) c WHERE connection_id = %(c)s AND (decide_at IS NULL OR decide_at > %(now)s) AND decide_at IS DISTINCT FROM 'infinity'
"""  # noqa: S608 - names of our own columns


def conversations(
    session: Session, connection: Connection, number: int, *, settled: datetime, since: datetime, now: datetime, again: Collection[UUID]
) -> set[UUID]:  # fmt: skip
    """Conversations on this network of which no decision is due, and in which nothing was said after `settled`: some of those that wait and
    have no task open, some of those in which something was said since `since`, and those to look at `again`. All in business time."""
    at = since + (settled - since) * random.random()  # noqa: S311 - a sample, and no secret
    params = {"w": connection.workspace_id, "c": connection.id, "n": number, "settled": settled, "at": at, "now": now, "again": list(again)}  # fmt: skip
    return {row[0] for row in execute(raw(session), _LATELY, params)}


# Wanted there, and neither there nor on its way, nor held or parked, of which people are told elsewhere.
_UNSENT = """
SELECT id, state FROM tasks WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s AND wanted = 'open' AND external_id IS NULL AND push_at IS NULL
    AND held_reason = '' AND run_id IS NULL AND parked_at IS NULL AND coalesce(written_at, created_at) < %(settled)s AND decided_at < %(settled)s LIMIT %(n)s
"""


def unsent(session: Session, connection: Connection, *, settled: datetime, number: int) -> set[UUID]:
    """Tasks that should stand in this CRM and do not, though nothing is due to be done about it (real time)."""
    params = {"w": connection.workspace_id, "c": connection.id, "settled": settled, "n": number}
    return {row[0] for row in execute(raw(session), _UNSENT, params)}


def _dicts(session: Session, statement: str, params: Row) -> list[Row]:
    with raw(session).cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(statement.encode(), params).fetchall())


def _once(rows: Sequence[Row]) -> list[Row]:
    return list({row["id"]: row for row in rows}.values())


# --- differences ----------------------------------------------------------------------------------------------


def standing(session: Session, connection: Connection) -> frozenset[Found]:
    """What differed when this connection was compared last."""
    mine = (Difference.workspace_id == connection.workspace_id, Difference.connection_id == connection.id)
    rows = session.execute(select(Difference.kind, Difference.subject).where(*mine, Difference.gone_at.is_(None)))
    return frozenset((kind, subject) for kind, subject in rows)


def save(
    session: Session,
    connection: Connection,
    found: Collection[Found],
    *,
    looked: Collection[Found],
    compared: int,
    why_not: str = "",
) -> None:
    """What came of a comparison. Of what was `looked` at again, whatever differs no more is gone."""
    now = real_now()
    key = {"workspace_id": connection.workspace_id, "connection_id": connection.id}
    row = insert(Comparison).values(**key, at=now, compared=compared, why_not=why_not)
    fresh = {"at": now, "compared": compared, "why_not": why_not}
    session.execute(row.on_conflict_do_update(index_elements=list(key), set_=fresh))
    stood = Difference.gone_at.is_(None)
    for kind, subject in sorted(set(found)):
        made = insert(Difference).values(
            **key, id=new_id(), kind=kind, subject=subject, found_at=now, seen_at=now, times=1
        )
        seen = {
            "seen_at": now,
            "found_at": case((stood, Difference.found_at), else_=now),
            "times": case((stood, Difference.times + 1), else_=1),
            "gone_at": None,
        }
        session.execute(made.on_conflict_do_update(index_elements=[*key, "kind", "subject"], set_=seen))
    mine = (Difference.workspace_id == connection.workspace_id, Difference.connection_id == connection.id)
    for kind, subject in set(looked) - set(found):
        same = (Difference.kind == kind, Difference.subject == subject)
        session.execute(update(Difference).where(*mine, *same, stood).values(gone_at=now))
    session.execute(delete(Difference).where(*mine, Difference.gone_at < now - KEPT))


def counts(session: Session, workspace_id: UUID) -> dict[str, int]:
    """How many differences of each kind stand in this workspace now."""
    rows = session.execute(
        select(Difference.kind, func.count())
        .where(Difference.workspace_id == workspace_id, Difference.gone_at.is_(None))
        .group_by(Difference.kind)
    )
    return {row[0]: row[1] for row in rows}


def standing_now(session: Session, workspace_id: UUID) -> tuple[int, int]:
    """How many differences stand, and how many of them were seen more than once: those do not mend themselves."""
    row = session.execute(
        select(func.count(), func.count().filter(Difference.times > 1)).where(
            Difference.workspace_id == workspace_id, Difference.gone_at.is_(None)
        )
    ).one()
    return row[0], row[1]
