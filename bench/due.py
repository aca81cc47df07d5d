"""An hour of 100,000 connections that come due in it, in simulation: what claiming one of them costs, with few due and with all of
them waiting at once.

The scheduler's own statements run against a real PostgreSQL; nothing is called, and the workers' part is one statement that lets a claimed
row go until its next turn, as the end of a pull does.
"""

from __future__ import annotations

import time

import psycopg
from sqlalchemy import Connection, create_engine

from bench.figures import Figure
from bench.place import place
from bench.rounds import median
from bench.scale import Scale
from service.clock import business_now
from service.store import claims

CLAIMED = 200  # as the scheduler does it
FEW = 1000
_FILL = """
INSERT INTO workspaces (id, name) SELECT gen_random_uuid(), 'Team ' || n FROM generate_series(1, %(workspaces)s) n;
INSERT INTO connections (workspace_id, id, provider, kind, host, account_id, handle, name, url, options, status, status_reason, preview, responder_email)
    SELECT w.id, gen_random_uuid(), 'x', 'social', '', n::text, '', '', '', '{}', 'active', '', false, ''
    FROM (SELECT id, row_number() OVER () AS number FROM workspaces) w JOIN generate_series(1, %(connections)s) n ON n %% %(workspaces)s + 1 = w.number;
INSERT INTO streams (workspace_id, id, connection_id, name, status, reads, error, notes, next_pull_at)
    SELECT workspace_id, gen_random_uuid(), id, 'mentions', 'active', '{}', '', '[]', now() + interval '1 day' FROM connections;
"""


def measure(scale: Scale) -> list[Figure]:
    """Microseconds of the claiming statements for each row claimed."""
    with place() as here:
        config = here.database("due")
        with here.admin("due") as admin:
            _fill(admin, scale.due_connections)
            scheduler = create_engine(config.need("database_scheduler_url"))
            with scheduler.connect() as connection:
                few = [_round(admin, connection, min(FEW, scale.due_connections)) for _ in range(scale.due_rounds)]
                begun = time.perf_counter()
                many = [_round(admin, connection, scale.due_connections) for _ in range(scale.due_rounds)]
                seconds = (time.perf_counter() - begun) / scale.due_rounds
            scheduler.dispose()
    size = f"{scale.due_connections:,} streams of {_workspaces(scale.due_connections):,} workspaces, all of them due, claimed {CLAIMED} at a time"
    return [
        Figure("due: claiming a row", median(many), "µs", size, median(few), f"the same table with {FEW:,} rows due", at_most=2.0),
        Figure("due: an hour's connections", seconds, "s", f"{size}, and let go again, one scheduler; an hour has 3,600 s", of="value", at_most=3600),
    ]  # fmt: skip


def _workspaces(connections: int) -> int:
    return max(1, connections // 200)


def _fill(admin: psycopg.Connection, connections: int) -> None:
    admin.execute("SET session_replication_role = replica")
    for statement in filter(str.strip, _FILL.split(";")):
        admin.execute(statement, {"workspaces": _workspaces(connections), "connections": connections})
    admin.execute("ANALYZE")


def _round(admin: psycopg.Connection, connection: Connection, due: int) -> float:
    """So many rows come due and are claimed, all of them. Returns microseconds for each, of the claims alone."""
    admin.execute(
        "UPDATE streams SET next_pull_at = now() - random() * interval '1 hour', lease_id = NULL, lease_until = NULL WHERE (workspace_id, id) IN"
        " (SELECT workspace_id, id FROM streams ORDER BY md5(id::text) LIMIT %s)",
        [due],
    )
    admin.execute("VACUUM (ANALYZE) streams")
    claimed, seconds = 0, 0.0
    while True:
        begun = time.perf_counter()
        found = claims.claim(connection, business_now(), CLAIMED)
        connection.commit()
        seconds += time.perf_counter() - begun
        if not found:
            break
        claimed += len(found)
        admin.execute(  # as the end of a pull does
            "UPDATE streams SET next_pull_at = now() + interval '1 day', lease_id = NULL, lease_until = NULL WHERE lease_id = %s",
            [found[0].ids[-1]],
        )
    if claimed != due:
        raise RuntimeError(f"{claimed} of {due} rows were claimed")
    return seconds / claimed * 1e6
