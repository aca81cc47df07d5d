"""How all of it stands: counts over every workspace, read as the scheduler's role, which sees ids, instants and words of ours and
nothing that anybody said (ADR 0025).

Every statement begins in an index of rows that need a look (due, leased, troubled, parked), so that it costs by what is wrong and not
by what there is; what is more than `MOST` is counted as that many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from service import unread
from service.clock import business_now
from service.rules import polling

MOST = 10_000  # rows of one sort that are counted one by one
WITHIN = "2s"  # for one statement: whoever scrapes comes again
A_FEW = 3  # failures in a row that may pass by themselves; as in `service.health`

# What is due and whose, and for how long: (step, provider, rows, seconds that the oldest is late). A lease that ran out is due as well.
_STREAMS = """
SELECT c.provider, count(*), extract(epoch FROM now() - min(d.at)) FROM (
    (SELECT workspace_id, connection_id, next_pull_at AS at FROM streams
      WHERE status = 'active' AND next_pull_at <= now() AND (lease_until IS NULL OR lease_until < now()) ORDER BY next_pull_at LIMIT :most)
    UNION ALL
    (SELECT workspace_id, connection_id, lease_until FROM streams
      WHERE status = 'active' AND lease_until < now() AND next_pull_at IS NULL ORDER BY lease_until LIMIT :most)
) d JOIN connections c ON c.workspace_id = d.workspace_id AND c.id = d.connection_id GROUP BY 1
"""
_DECISIONS = """
SELECT '', count(*), extract(epoch FROM CAST(:now AS timestamptz) - min(at)) FROM (
    (SELECT decide_at AS at FROM workspace_schedule WHERE decide_at <= :now AND (lease_until IS NULL OR lease_until < now()) LIMIT :most)
    UNION ALL
    (SELECT lease_until FROM workspace_schedule WHERE lease_until < now() AND decide_at IS NULL LIMIT :most)
) d HAVING count(*) > 0
"""
_CRMS = """
SELECT provider, count(*), extract(epoch FROM now() - min(at)) FROM (
    (SELECT provider, next_push_at AS at FROM connections WHERE status IN ('active', 'leaving') AND next_push_at <= now()
        AND (push_lease_until IS NULL OR push_lease_until < now()) ORDER BY next_push_at LIMIT :most)
    UNION ALL
    (SELECT provider, push_lease_until FROM connections WHERE status IN ('active', 'leaving') AND push_lease_until < now() AND next_push_at IS NULL LIMIT :most)
) d GROUP BY 1
"""


def _of(table: str, at: str) -> str:
    """The question for a step whose rows stand in a table of their own."""
    return f"""
SELECT '', count(*), extract(epoch FROM now() - min(at)) FROM (
    (SELECT {at} AS at FROM {table} WHERE {at} <= now() AND (lease_until IS NULL OR lease_until < now()) LIMIT :most)
    UNION ALL
    (SELECT lease_until FROM {table} WHERE lease_until < now() AND {at} IS NULL LIMIT :most)
) d HAVING count(*) > 0
"""  # noqa: S608 - names of our own tables and columns


STEPS: Mapping[str, str] = {
    "pull": _STREAMS,
    "decide": _DECISIONS,
    "push": _CRMS,
    "calendar": _of("calendar_feeds", "next_fetch_at"),
    "person": _of("person_requests", "next_at"),
    "errand": _of("errands", "next_at"),
}
BY_PROVIDER = ("pull", "push")
_UNDER_WAY = "SELECT count(*) FROM (SELECT 1 FROM streams WHERE lease_until >= now() LIMIT :most) l"
# The first that holds, worst first: how a connection is, in one word.
CONDITIONS = ("needs_reauth", "leaving", "disconnected", "paused", "frozen", "stopped", "failing", "ceiling", "limited", "first_pull", "well")  # fmt: skip
# A CRM that takes nothing of what is due there. Where nothing is due any more (it was withdrawn, say), nobody waits for it.
_UNWRITTEN = "c.push_failures > :few AND coalesce(c.next_push_at, c.push_lease_until) IS NOT NULL"
_CONNECTIONS = f"""
SELECT c.provider,
       CASE WHEN c.status <> 'active' THEN c.status WHEN c.paused_at IS NOT NULL THEN 'paused' WHEN t.stopped THEN 'stopped'
            WHEN t.failing OR ({_UNWRITTEN}) THEN 'failing' WHEN t.ceiling THEN 'ceiling' WHEN t.limited THEN 'limited' WHEN c.ready_at IS NULL THEN 'first_pull'
            ELSE 'well' END AS condition, count(*)
FROM connections c LEFT JOIN (
    SELECT workspace_id, connection_id, bool_or(status = 'stopped') AS stopped, bool_or(failures > :few) AS failing,
           bool_or(waits_for = 'ceiling') AS ceiling, bool_or(waits_for = 'rate_limit') AS limited
    FROM streams WHERE failures > 0 OR status = 'stopped' OR waits_for <> '' GROUP BY 1, 2
) t ON t.workspace_id = c.workspace_id AND t.connection_id = c.id GROUP BY 1, 2
"""  # noqa: S608 - a condition of our own
_CRMS_UNWRITTEN = f"SELECT c.provider, count(*) FROM connections c WHERE c.status = 'active' AND c.paused_at IS NULL AND {_UNWRITTEN} GROUP BY 1"  # noqa: S608
_PARKED = """
SELECT coalesce(c.provider, ''), count(*) FROM (
    SELECT workspace_id, crm_connection_id FROM tasks WHERE parked_at IS NOT NULL LIMIT :most
) p LEFT JOIN connections c ON c.workspace_id = p.workspace_id AND c.id = p.crm_connection_id GROUP BY 1
"""
_SPENT = "SELECT coalesce(sum(micros), 0) FROM spend_months WHERE month = :month"
# Streams that may be unread (`service.unread`, which says which are): those that are due or being read, and those that a limit puts off.
_UNREAD = """
SELECT c.provider, c.status_at, s.name, s.waits_for, s.next_pull_at, s.last_pulled_at, s.last_item_at, s.served_at FROM (
    (SELECT workspace_id, id FROM streams WHERE status = 'active' AND next_pull_at < :before ORDER BY next_pull_at LIMIT :most)
    UNION (SELECT workspace_id, id FROM streams WHERE status = 'active' AND lease_until IS NOT NULL AND next_pull_at IS NULL LIMIT :most)
    UNION (SELECT workspace_id, id FROM streams WHERE status = 'active' AND waits_for = 'rate_limit' AND waits_for <> '' LIMIT :most)
) d JOIN streams s ON s.workspace_id = d.workspace_id AND s.id = d.id
JOIN connections c ON c.workspace_id = s.workspace_id AND c.id = s.connection_id
WHERE c.status = 'active' AND c.paused_at IS NULL AND s.failures = 0 AND s.waits_for <> 'ceiling'
  AND (s.waits_for = 'rate_limit' OR s.next_pull_at IS NULL OR s.next_pull_at < :before)
  AND greatest(s.last_pulled_at, s.last_item_at, s.served_at, c.status_at) < :before
"""
STATEMENTS = {
    **STEPS,
    "under way": _UNDER_WAY,
    "connections": _CONNECTIONS,
    "unwritten": _CRMS_UNWRITTEN,
    "parked": _PARKED,
    "spent": _SPENT,
    "unread": _UNREAD,
}


@dataclass(frozen=True)
class Backlog:
    """What is due of one step at one provider ("" where the step has none)."""

    step: str
    provider: str
    rows: int
    lag: float  # seconds since the oldest fell due


@dataclass(frozen=True)
class States:
    """How all of it stands, at one moment."""

    at: datetime  # by the database's clock
    backlog: tuple[Backlog, ...] = ()
    under_way: int = 0  # streams that a worker holds
    connections: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by (provider, condition)
    unwritten: Mapping[str, int] = field(default_factory=dict)  # CRMs that take nothing, by provider
    parked: Mapping[str, int] = field(default_factory=dict)  # tasks, by the CRM's provider
    unread: Mapping[str, int] = field(
        default_factory=dict
    )  # streams that are not read though they should be, by provider
    spent: int = 0  # millionths of a dollar, by all workspaces, in this calendar month (UTC)

    def of(self, *conditions: str) -> int:
        """How many connections are in one of these conditions."""
        return sum(number for (_, condition), number in self.connections.items() if condition in conditions)


def look(engine: Engine, frozen: frozenset[str] = frozenset()) -> States:
    """`engine` signs in as the scheduler's role; `frozen` are providers that are frozen here. Raises SQLAlchemyError."""
    with _reading(engine) as connection:
        at: datetime = connection.execute(text("SELECT now()")).scalar_one()
        now = business_now()
        backlog = [
            Backlog(step, provider, rows, float(lag))
            for step, statement in STEPS.items()
            for provider, rows, lag in _rows(connection, statement, now=now)
        ]
        connections: Counter[tuple[str, str]] = Counter()
        for provider, condition, number in _rows(connection, _CONNECTIONS, few=A_FEW):
            off = condition in ("needs_reauth", "leaving", "disconnected", "paused")
            connections[provider, condition if off or provider not in frozen else "frozen"] += number
        return States(
            at,
            tuple(backlog),
            _rows(connection, _UNDER_WAY)[0][0],
            connections,
            {crm: number for crm, number in _rows(connection, _CRMS_UNWRITTEN, few=A_FEW) if crm not in frozen},
            dict(map(tuple, _rows(connection, _PARKED))),
            _unread(connection, at, frozen),
            int(_rows(connection, _SPENT, month=at.astimezone(UTC).date().replace(day=1))[0][0]),
        )


def _unread(connection: Connection, now: datetime, frozen: frozenset[str]) -> Counter[str]:
    """By provider, those that need somebody: not what a limit puts off for a while. How seldom a workspace
    wants to look is not known here, so what is due has to have been so for as long as it may be left alone (see `_UNREAD`)."""
    found: Counter[str] = Counter()
    for provider, status_at, *stream in _rows(connection, _UNREAD, before=now - unread.MISSED * polling.LONGEST):
        named = dict(zip(_STREAM, stream, strict=True)) | {"status": "active", "failures": 0}
        row = {"provider": provider, "status": "active", "status_at": status_at, "streams": [named]}
        found[provider] += provider not in frozen and unread.in_trouble(row, now)
    return +found


_STREAM = ("name", "waits_for", "next_pull_at", "last_pulled_at", "last_item_at", "served_at")


# --- what the operator's page names ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Parked:
    """A task that a CRM refuses, without a word of it."""

    workspace_id: UUID
    id: UUID
    kind: str
    provider: str
    parked_at: datetime


@dataclass(frozen=True)
class Troubled:
    """A stream that is not read as it should be, without a word of what it brings."""

    workspace_id: UUID
    provider: str
    name: str
    status: str
    failures: int
    waits_for: str
    next_pull_at: datetime | None


@dataclass(frozen=True)
class Unwritten:
    """A CRM that takes nothing of what is due there, without a word of why."""

    workspace_id: UUID
    provider: str
    failures: int
    next_push_at: datetime | None  # None: it is being tried


@dataclass(frozen=True)
class DueStream:
    """A stream that should have been pulled before."""

    workspace_id: UUID
    provider: str
    name: str
    at: datetime  # since when it is due


_OLDEST = """
SELECT d.workspace_id, c.provider, d.name, d.next_pull_at FROM (
    SELECT workspace_id, connection_id, name, next_pull_at FROM streams
    WHERE status = 'active' AND next_pull_at <= now() ORDER BY next_pull_at LIMIT :most
) d JOIN connections c ON c.workspace_id = d.workspace_id AND c.id = d.connection_id ORDER BY d.next_pull_at
"""
_NAMED_PARKED = """
SELECT p.workspace_id, p.id, p.kind, coalesce(c.provider, ''), p.parked_at FROM (
    SELECT workspace_id, id, kind, crm_connection_id, parked_at FROM tasks WHERE parked_at IS NOT NULL ORDER BY parked_at LIMIT :most
) p LEFT JOIN connections c ON c.workspace_id = p.workspace_id AND c.id = p.crm_connection_id ORDER BY p.parked_at
"""
_NAMED_TROUBLED = """
SELECT s.workspace_id, c.provider, s.name, s.status, s.failures, s.waits_for, s.next_pull_at FROM streams s
JOIN connections c ON c.workspace_id = s.workspace_id AND c.id = s.connection_id
WHERE (s.failures > 0 OR s.status = 'stopped' OR s.waits_for <> '') AND c.status = 'active' AND (s.failures > :few OR s.status = 'stopped' OR s.waits_for = 'ceiling')
ORDER BY s.failures DESC LIMIT :most
"""
_NAMED_UNWRITTEN = f"""
SELECT c.workspace_id, c.provider, c.push_failures, c.next_push_at FROM connections c
WHERE c.status = 'active' AND c.paused_at IS NULL AND {_UNWRITTEN} ORDER BY c.push_failures DESC LIMIT :most
"""  # noqa: S608 - a condition of our own


@dataclass(frozen=True)
class Named:
    """What needs a look, one by one; of each the first few."""

    due: tuple[DueStream, ...]
    parked: tuple[Parked, ...]
    troubled: tuple[Troubled, ...]
    unwritten: tuple[Unwritten, ...]


def name(engine: Engine, most: int) -> Named:
    """The first `most` of each sort: the longest due, the longest parked, those that fail most. Raises SQLAlchemyError."""
    with _reading(engine) as connection:
        return Named(
            tuple(DueStream(*row) for row in _rows(connection, _OLDEST, most=most)),
            tuple(Parked(*row) for row in _rows(connection, _NAMED_PARKED, most=most)),
            tuple(Troubled(*row) for row in _rows(connection, _NAMED_TROUBLED, most=most, few=A_FEW)),
            tuple(Unwritten(*row) for row in _rows(connection, _NAMED_UNWRITTEN, most=most, few=A_FEW)),
        )


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{WITHIN}'"))
        connection.execute(text("SET TRANSACTION READ ONLY"))
        yield connection


def _rows(connection: Connection, statement: str, **params: Any) -> list[Any]:
    found = text(statement)
    given = {"most": MOST, **params}
    return list(connection.execute(found, {key: given[key] for key in found.compile().params}))
