"""What is claimed, of many rows that are due: nobody hides behind anybody, and the cost does not grow with what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text

from service import embedded
from service.clock import business_now
from service.config import Config
from service.store import claims

LIMIT = 3  # rows of one claim, so that its window is thirty


@pytest.fixture
def rows(template: embedded.Postgres, database: str) -> Iterator[psycopg.Connection]:
    """A superuser, for rows that stand alone."""
    with template.connect(database=database) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.fixture
def scheduler(config: Config) -> Iterator[Connection]:
    engine = create_engine(config.need("database_scheduler_url"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def add(rows: psycopg.Connection, workspace: UUID, number: int, ago: timedelta, **fields: object) -> None:
    """Streams of this workspace that have been due since then."""
    names = "".join(f", {name}" for name in fields)
    rows.execute(
        f"INSERT INTO streams (workspace_id, id, connection_id, name, status, reads, error, notes, next_pull_at{names})"
        " SELECT %s, gen_random_uuid(), gen_random_uuid(), 'mentions', 'active', '{}', '', '[]', now() - %s"
        f"{', %s' * len(fields)} FROM generate_series(1, %s)".encode(),
        [workspace, ago, *fields.values(), number],
    )


def claim(scheduler: Connection) -> Counter[UUID]:
    """How many rows of each workspace one look claims."""
    found = claims.claim(scheduler, business_now(), LIMIT)
    scheduler.commit()
    return Counter(each.ids[0] for each in found)


def test_whoever_has_more_due_than_is_looked_at_hides_nobody(rows: psycopg.Connection, scheduler: Connection) -> None:
    busy, quiet = uuid4(), uuid4()
    add(rows, busy, 2 * claims.WINDOW * LIMIT, timedelta(hours=5))
    add(rows, quiet, 1, timedelta(seconds=1))
    looks = [claim(scheduler) for _ in range(claims.SHARE // LIMIT + 2)]
    assert sum(look[quiet] for look in looks) == 1
    assert sum(look[busy] for look in looks) == claims.SHARE


def test_a_table_that_is_thought_to_be_empty_costs_a_claim_no_more(
    rows: psycopg.Connection, scheduler: Connection
) -> None:
    """What is filled and emptied in bulk is taken for empty until somebody counts again: PostgreSQL must not choose a way then that
    looks for each row in all the others."""
    number = 2 * claims.WINDOW
    add(rows, uuid4(), number, timedelta(hours=5))
    rows.execute("DELETE FROM streams")
    rows.execute("ANALYZE streams")
    for _ in range(LIMIT):
        add(rows, uuid4(), number, timedelta(hours=5))
    scheduler.execute(text("SET statement_timeout = '3s'"))
    assert claim(scheduler).total() == LIMIT


def test_every_workspaces_first_row_comes_before_anybodys_second(
    rows: psycopg.Connection, scheduler: Connection
) -> None:
    workspaces = [uuid4() for _ in range(LIMIT)]
    for number, workspace in enumerate(workspaces):
        add(rows, workspace, 5, timedelta(hours=1 + number))
    assert claim(scheduler) == Counter(workspaces)


def test_where_somebody_waits_is_seen_however_many_have_been_due_longer(
    rows: psycopg.Connection, scheduler: Connection
) -> None:
    waits = uuid4()
    for _ in range(2 * claims.WINDOW * LIMIT):
        add(rows, uuid4(), 1, timedelta(minutes=2))
    add(rows, waits, 1, timedelta(seconds=1), urgent=True)
    assert claim(scheduler)[waits] == 1


def test_a_lease_that_ran_out_is_claimed_again_however_many_are_due(
    rows: psycopg.Connection, scheduler: Connection
) -> None:
    left = uuid4()
    add(rows, left, 1, timedelta(hours=9))
    assert claim(scheduler) == {left: 1}
    assert claim(scheduler) == {}
    rows.execute("UPDATE streams SET lease_until = now() - interval '1 second'")
    for _ in range(2 * claims.WINDOW * LIMIT):
        add(rows, uuid4(), 1, timedelta(hours=1))
    assert claim(scheduler)[left] == 1


@pytest.mark.parametrize("due", claims._DUE, ids=lambda due: due.job)
def test_each_part_of_a_claim_starts_in_an_index(
    rows: psycopg.Connection, scheduler: Connection, due: claims._Due
) -> None:
    """Were there no index for one, PostgreSQL would have to read the whole table, however much it is told not to."""
    scheduler.execute(text("SET enable_seqscan = off"))
    values = {
        "lease": uuid4(), "length": timedelta(minutes=5), "limit": LIMIT, "window": 30, "share": 8,
        **claims._clock(claims._STATEMENTS[due.job].text, business_now()),
    }  # fmt: skip
    plan = scheduler.execute(text(f"EXPLAIN {claims._STATEMENTS[due.job].text}"), values).scalars().all()
    assert [line for line in plan if "Seq Scan" in line] == []
