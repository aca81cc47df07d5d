"""The book-keeping of streams: what a worker that holds one's lease reads and writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import structs
from sqlalchemy import and_, bindparam, func, literal, or_, select, update
from sqlalchemy.orm import Session

from integrations.provider import RECHECK
from integrations.records import Budget
from service.clock import real_now
from service.db import raw
from service.leases import until
from service.models import Connection, Conversation, Engagement, Stream, Task
from service.store import due, freezing
from service.store.rows import execute

# Locked in the order in which whatever changes posts locks them: none of two waits for the other.
_CHECKED = """
WITH old AS (
    SELECT id, native_id = ANY(%(answered)s) AS told FROM engagements
    WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s) ORDER BY native_id FOR UPDATE
)
UPDATE engagements e SET checked_at = CASE WHEN told THEN %(now)s ELSE checked_at END, asked_at = CASE WHEN told THEN asked_at ELSE %(now)s END
FROM old WHERE e.workspace_id = %(w)s AND e.id = old.id
"""


@dataclass(frozen=True)
class Held:
    """A stream whose lease we hold, and its connection, as they were when we read them."""

    stream: Stream
    connection: Connection
    frozen: str  # why nothing may be read just now; "" where it may

    @property
    def stopped(self) -> bool:
        """Whether nothing is to be read any more: the connection was ended, paused or frozen."""
        return self.connection.status != "active" or bool(self.frozen)


@dataclass(frozen=True)
class Sweep:
    """Posts that the network has not served for a while, no older than `posted_since`. One that was asked for and had no answer is
    not asked for again until `asked_before` has gone by."""

    checked_before: datetime  # real time
    asked_before: datetime  # real time
    posted_since: datetime  # business time
    ours_only: bool = False
    waiting_only: bool = False  # those of conversations in which somebody waits


# Each pull asks these, mostly to find nothing: to build one anew takes as long as to ask it.
_HELD = (
    select(Stream, Connection, freezing.CLOSES_AT, freezing.REASON)
    .join(Connection, (Connection.workspace_id == Stream.workspace_id) & (Connection.id == Stream.connection_id))
    .where(Stream.workspace_id == bindparam("w"), Stream.id == bindparam("id"), Stream.lease_id == bindparam("lease"))
    .with_for_update(of=Stream)
)
_UNREAD = (
    select(func.count())
    .select_from(Stream)
    .where(
        Stream.workspace_id == bindparam("w"),
        Stream.connection_id == bindparam("c"),
        Stream.status == "active",
        Stream.name != RECHECK,
        Stream.first_done_at.is_(None),
    )
)
_WAITS = select(
    select(Conversation.id)
    .where(
        Conversation.workspace_id == bindparam("w"),
        Conversation.connection_id == bindparam("c"),
        Conversation.waiting_since.is_not(None),
        Conversation.last_post_at >= bindparam("since"),
    )
    .exists()
)
_STANDS = select(
    select(Task.id)
    .where(
        Task.workspace_id == bindparam("w"),
        Task.crm_connection_id == bindparam("c"),
        Task.wanted == "open",
        Task.external_id.is_not(None),
    )
    .exists()
)


def hold(session: Session, workspace_id: UUID, stream_id: UUID, lease_id: UUID) -> Held | None:
    """The stream, its row locked until the end of the transaction and its lease renewed; None when somebody else has it."""
    row = session.execute(_HELD, {"w": workspace_id, "id": stream_id, "lease": lease_id}).one_or_none()
    if row is None:
        return None
    stream, connection, closes_at, reason = row
    stream.lease_until = until(session)
    return Held(stream, connection, freezing.told(connection, closes_at, reason))


def advance(
    stream: Stream,
    cursor: str | None,
    *,
    new: int,
    served: bool,
    notes: Sequence[str],
    over: Collection[str],
    reads: Mapping[str, int],
) -> None:
    """A page was stored: its cursor, in the same transaction. `served`: something was on it, new or known. `notes` are added to what stands
    there, of which what is `over` goes first."""
    stream.cursor = cursor
    stream.items += new
    if new:
        stream.last_item_at = real_now()
    if served:
        stream.served_at = real_now()
    if notes or over:
        stream.notes = list(dict.fromkeys([*(each for each in stream.notes if each not in over), *notes]))[-5:]
    count(stream, reads)


def keep_budget(stream: Stream, budget: Budget | None) -> None:
    """What the provider has just said that it serves yet; None: nothing."""
    if budget is not None:
        resets_at = budget.resets_at.isoformat() if budget.resets_at else None
        stream.budget = {**structs.asdict(budget), "resets_at": resets_at, "at": real_now().isoformat()}


def count(stream: Stream, reads: Mapping[str, int]) -> None:
    """Billed reads, by the price's name."""
    if reads:
        stream.reads = {**stream.reads, **{name: stream.reads.get(name, 0) + number for name, number in reads.items()}}


def finish(session: Session, stream: Stream, *, next_at: datetime, done: bool, urgent: bool) -> None:
    """The pull ended well. `done`: everything that the network serves today has been read once; `urgent`: somebody waits there. Who
    asked for another one meanwhile, and could not wait, is heard."""
    now = real_now()
    stream.last_pulled_at = now
    stream.failures, stream.error, stream.error_at, stream.waits_for = 0, "", None, ""
    stream.urgent = or_(literal(urgent), and_(Stream.urgent, Stream.next_pull_at.is_not(None)))
    if done and stream.first_done_at is None:
        stream.first_done_at = now
    let_go(session, stream, next_at)


def let_go(session: Session, stream: Stream, next_at: datetime | None) -> None:
    """Ends the lease. `next_at` None: not by itself. Who marked it due meanwhile is heard."""
    stream.next_pull_at = func.least(Stream.next_pull_at, next_at)
    stream.lease_id = stream.lease_until = None
    session.flush()


def others_done(session: Session, stream: Stream, depending: Sequence[str]) -> bool:
    """Whether every other stream of the connection, but those that depend on others themselves, has been read once."""
    waiting = session.scalar(
        select(func.count())
        .select_from(Stream)
        .where(
            Stream.workspace_id == stream.workspace_id,
            Stream.connection_id == stream.connection_id,
            Stream.id != stream.id,
            Stream.name.not_in([*depending, RECHECK]),
            Stream.status == "active",
            Stream.first_done_at.is_(None),
        )
    )
    return not waiting


def open_for_decisions(session: Session, connection: Connection) -> bool:
    """Once every stream has been read, what was stored may be decided. Returns whether that is so since just now."""
    if connection.ready_at is not None:
        return False
    if session.scalar(_UNREAD, {"w": connection.workspace_id, "c": connection.id}):
        return False
    session.execute(
        update(Connection)
        .where(Connection.workspace_id == connection.workspace_id, Connection.id == connection.id)
        .values(ready_at=real_now())
    )
    due.open_conversations(session, connection.workspace_id, connection.id)
    due.decide_soon(session, connection.workspace_id)
    return True


def threads_we_are_in(session: Session, connection: Connection, since: datetime, limit: int) -> list[str]:
    """Ids of threads with a post since then, newest first."""
    rows = session.execute(
        select(Engagement.thread)
        .where(
            Engagement.workspace_id == connection.workspace_id,
            Engagement.connection_id == connection.id,
            Engagement.kind != "direct",
            Engagement.posted_at >= since,
        )
        .group_by(Engagement.thread)
        .order_by(func.max(Engagement.posted_at).desc())
        .limit(limit)
    )
    return [row[0] for row in rows]


def to_recheck(session: Session, connection: Connection, sweeps: Sequence[Sweep], *, limit: int) -> list[str]:
    """Ids of posts to be checked for edits and deletions, those of the first sweep first."""
    waiting = (
        select(Conversation.thread)
        .where(
            Conversation.workspace_id == connection.workspace_id,
            Conversation.connection_id == connection.id,
            Conversation.waiting_since.is_not(None),
        )
        .scalar_subquery()
    )
    mine = (
        Engagement.workspace_id == connection.workspace_id,
        Engagement.connection_id == connection.id,
        Engagement.deleted_at.is_(None),
        Engagement.text_erased_at.is_(None),  # there is nothing left to follow
    )
    found: dict[str, None] = {}
    for sweep in sweeps:
        chosen = (
            Engagement.checked_at < sweep.checked_before,
            Engagement.asked_at.is_(None) | (Engagement.asked_at < sweep.asked_before),
            Engagement.posted_at >= sweep.posted_since,
            Engagement.ours.in_([True, sweep.ours_only]),
            *([Engagement.thread.in_(waiting)] if sweep.waiting_only else ()),
        )
        rows = session.execute(
            select(Engagement.native_id).where(*mine, *chosen).order_by(Engagement.checked_at).limit(limit)
        )
        found.update(dict.fromkeys(row[0] for row in rows))
    return list(found)[:limit]


def checked(session: Session, connection: Connection, ids: Collection[str], answered: Collection[str]) -> None:
    """These posts were asked for just now, and of those among them that are `answered` it is known how they stand. What the network
    says nothing about counts as not served: nobody knows whether it is there."""
    if asked := sorted({*ids, *answered}):
        about = {"w": connection.workspace_id, "c": connection.id, "ids": asked, "answered": list(answered)}
        execute(raw(session), _CHECKED, {**about, "now": real_now()})


def fail(
    session: Session,
    stream: Stream,
    *,
    error: str,
    stop: bool,
    next_at: datetime | None,
    failed: bool,
    waits_for: str = "",
) -> None:
    """The pull ended badly, or has to wait for a limit to pass (`waits_for`)."""
    now = real_now()
    stream.failures = stream.failures + 1 if failed else 0 if waits_for else stream.failures
    stream.waits_for = waits_for
    if waits_for == "rate_limit":
        stream.limited_at = now
    if error or waits_for:
        stream.error, stream.error_at = error, now if error else None
    if stop:
        stream.status = "stopped"
    let_go(session, stream, None if stop else next_at)


def is_open(session: Session, connection: Connection, moved_since: datetime) -> bool:
    """Whether somebody waits on this connection (a network), in a talk that moved since then (business time), or a task of ours
    stands open there (a CRM)."""
    about = {"w": connection.workspace_id, "c": connection.id, "since": moved_since}
    return bool(session.scalar(_WAITS if connection.kind == "social" else _STANDS, about))


def recheck_allowance(session: Session, connection: Connection, share: float) -> int:
    """How many posts the sweep may still buy again: `share` of what the other streams have bought, less what it has bought."""
    rows = session.execute(
        select(Stream.name, Stream.reads).where(
            Stream.workspace_id == connection.workspace_id, Stream.connection_id == connection.id
        )
    ).all()
    bought: dict[str, int] = {name: sum(reads.values()) for name, reads in rows}
    again = bought.pop(RECHECK, 0)
    return max(0, int(share * sum(bought.values())) - again)
