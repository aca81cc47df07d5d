"""How due rows are claimed: by a lease, with SKIP LOCKED, so that any number of schedulers may run.

Claiming sets the row's instant to NULL; whoever marks it due meanwhile is not missed. A lease that ran out (its worker
died, or the queue was emptied) is claimed again. Leases are real time: PostgreSQL's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from service.ids import new_id
from service.leases import LEASE


@dataclass(frozen=True, slots=True)
class Claim:
    """A job to enqueue: its name, and ids up to the lease's."""

    job: str
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class _Due:
    job: str
    table: str
    key: tuple[str, ...]
    at: str
    lease: str
    until: str
    where: str
    now: str  # which clock its instant is in
    rank: str = ""  # in which order they are claimed; without one, the longest due first
    first: str = (
        ""  # rows that are looked for by themselves, however many others have been due longer; an index has them
    )
    settles: timedelta = timedelta(0)  # how long what was broken off may go on at the other side


# No CRM goes on for longer with a create whose sender has hung up.
SETTLED = timedelta(minutes=3)
# Rows of one sort that one workspace has claimed at a time: whoever has ten thousand due hides nobody else's one.
SHARE = 8
WINDOW = 2000  # due rows of one sort that one look sees, so that those of several workspaces are among them

# A job at work renews its lease page by page. Whatever has not done so for the rest of a lease waits, or is dead: were it counted, what an
# emptied queue lost would keep its workspace's other rows waiting until those leases end.
ALIVE = 0.8

# Where somebody waits, a stream goes before those that have been due a few minutes longer: first, and nobody starves.
_URGENT = "next_pull_at - CASE WHEN urgent THEN interval '5 minutes' ELSE interval '0' END"

_DUE = (
    _Due("pull", "streams", ("workspace_id", "id"), "next_pull_at", "lease_id", "lease_until", "status = 'active'", "now()", _URGENT, "urgent"),
    _Due("decide", "workspace_schedule", ("workspace_id",), "decide_at", "lease_id", "lease_until", "true", ":business_now"),
    _Due("calendar", "calendar_feeds", ("workspace_id", "id"), "next_fetch_at", "lease_id", "lease_until", "true", "now()"),
    _Due("person", "person_requests", ("workspace_id", "id"), "next_at", "lease_id", "lease_until", "true", "now()"),
    _Due("errand", "errands", ("workspace_id", "id"), "next_at", "lease_id", "lease_until", "true", "now()"),
    _Due("push", "connections", ("workspace_id", "id"), "next_push_at", "push_lease_id", "push_lease_until", "status IN ('active', 'leaving')", "now()", settles=SETTLED),
)  # fmt: skip


def _statement(due: _Due) -> str:
    """Of those that have been due longest (and those whose lease ran out, and where somebody waits) every workspace's first row comes
    before anybody's second one. Each part begins in an index and ends after so many rows: what a claim costs does not depend on how many
    are due. Workspaces that hold their share are passed over, so that what waits behind them is seen.

    What is chosen and what is locked is found once each, whatever PostgreSQL takes the table for: a queue that was full and is counted
    while it is empty is thought to hold one row, and to look for that one among ten thousand is quick only if there is one."""
    key, rank = ", ".join(due.key), due.rank or due.at
    is_due = f"{due.where} AND {due.at} <= {due.now} AND ({due.until} IS NULL OR {due.until} < now())"
    ran_out = f"{due.where} AND {due.until} < now()"
    seen = [f"{is_due} AND {{}} ORDER BY {due.at}", f"{ran_out} AND {{}} ORDER BY {due.until}"]
    if due.first:
        seen.append(f"{due.first} AND {is_due} AND {{}} ORDER BY {due.at}")
    has_room = "workspace_id NOT IN (SELECT workspace_id FROM held WHERE rows >= :share)"
    waiting = " UNION ".join(
        f"(SELECT {key}, {rank} AS rank FROM {due.table} WHERE {each.format(has_room)} LIMIT :window)"  # noqa: S608
        for each in seen
    )
    return (  # names of our own tables and columns
        f"WITH held AS (SELECT workspace_id, count(*) AS rows FROM {due.table} WHERE {due.until} >= now() + :length * {ALIVE} GROUP BY workspace_id),"  # noqa: S608
        f" waiting AS (SELECT *, row_number() OVER (PARTITION BY workspace_id ORDER BY rank NULLS FIRST) AS turn FROM ({waiting}) seen),"
        f" chosen AS MATERIALIZED (SELECT {key} FROM waiting LEFT JOIN held USING (workspace_id) WHERE turn + coalesce(rows, 0) <= :share"
        " ORDER BY turn, rank NULLS FIRST LIMIT :limit),"
        f" locked AS MATERIALIZED (SELECT {key} FROM {due.table} WHERE ({key}) IN (SELECT {key} FROM chosen)"
        f" AND (({is_due}) OR ({ran_out})) FOR UPDATE SKIP LOCKED)"
        f" UPDATE {due.table} SET {due.at} = NULL, {due.lease} = :lease, {due.until} = now() + :length"
        f" WHERE ({key}) IN (SELECT {key} FROM locked) RETURNING {key}"
    )


_STATEMENTS = {due.job: text(_statement(due)) for due in _DUE}
_RELEASE = {
    due.job: text(
        f"UPDATE {due.table} SET {due.at} = coalesce({due.at}, {due.now}), {due.lease} = NULL, {due.until} = NULL"  # noqa: S608
        f" WHERE {due.lease} = :lease"
    )
    for due in _DUE
}


def claim(
    connection: Connection, business_now: datetime, limit: int, length: timedelta = LEASE, share: int = SHARE
) -> list[Claim]:
    """Claims up to `limit` due rows of each sort for so long, as the scheduler's role, and no more than `share` of one workspace.
    Commit before enqueuing."""
    found = []
    for job, statement in _STATEMENTS.items():
        lease = new_id()
        rows = connection.execute(
            statement,
            {
                "lease": lease,
                "length": length,
                "limit": limit,
                "window": max(WINDOW, limit),
                "share": share,
                **_clock(statement.text, business_now),
            },
        )
        found += [Claim(job, (*row, lease)) for row in rows]
    return found


def release(connection: Connection, claims: list[Claim], business_now: datetime) -> None:
    """Gives claims back that could not be enqueued: they are due at once."""
    for job, lease in {(each.job, each.ids[-1]) for each in claims}:
        statement = _RELEASE[job]
        connection.execute(statement, {"lease": lease, **_clock(statement.text, business_now)})


def release_rows(connection: Connection, claims: list[Claim], business_now: datetime) -> None:
    """As `release`, for some of those that one look has claimed under one lease."""
    for each in claims:
        [due] = [due for due in _DUE if due.job == each.job]
        statement = _RELEASE[each.job].text + "".join(f" AND {name} = :{name}" for name in due.key)
        row = dict(zip(due.key, each.ids, strict=False))
        connection.execute(text(statement), {"lease": each.ids[-1], **row, **_clock(statement, business_now)})


def hand_back(session: Session, job: str, lease_id: UUID, business_now: datetime) -> None:
    """Gives back a job of the session's workspace that was broken off: it is due at once, or as soon as a call that may
    still be under way has settled. Waits for a row that is locked no longer than the transaction's `lock_timeout`."""
    [due] = [each for each in _DUE if each.job == job]
    statement = (
        f"UPDATE {due.table} SET {due.at} = {due.now} + :settles, {due.lease} = NULL, {due.until} = NULL"  # noqa: S608
        f" WHERE {due.lease} = :lease"
    )
    session.execute(text(statement), {"lease": lease_id, "settles": due.settles, **_clock(statement, business_now)})


def forget(connection: Connection, business_now: datetime) -> None:
    """After a restore, as the scheduler's role: what was claimed then is due now, and nobody has it."""
    for due in _DUE:
        statement = (
            f"UPDATE {due.table} SET {due.at} = coalesce({due.at}, {due.now}), {due.lease} = NULL, {due.until} = NULL"  # noqa: S608
            f" WHERE {due.lease} IS NOT NULL OR {due.until} IS NOT NULL"
        )
        connection.execute(text(statement), _clock(statement, business_now))


def _clock(statement: str, business_now: datetime) -> dict[str, datetime]:
    return {"business_now": business_now} if ":business_now" in statement else {}
