"""The database that tests take in turns is as it was at first when it is taken, or says who left what."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service import embedded
from service.config import Config
from service.runtime import Runtime
from tests.conftest import make_member, opened
from tests.databases import Turns


@pytest.fixture
def mine(template: embedded.Postgres) -> Iterator[Turns]:
    made = Turns(template, "turns_to_try")
    yield made
    made.close()
    with template.connect(database="postgres") as connection:
        connection.execute("DROP DATABASE turns_to_try WITH (FORCE)")


@pytest.fixture
def superuser(mine: Turns, template: embedded.Postgres) -> Iterator[psycopg.Connection]:
    with template.connect(database=mine.name) as connection:
        yield connection


def _opened(mine: Turns, template: embedded.Postgres, config: Config) -> Config:
    """The same process, in the database that is tried."""
    urls = {
        "database_url": template.url(database=mine.name),
        "database_scheduler_url": template.url(embedded.SCHEDULER, mine.name),
    }
    return config.__class__(**{**vars(config), **urls})


def test_rows_are_gone_and_sessions_stay_ready(mine: Turns, template: embedded.Postgres, config: Config) -> None:
    pids = []
    for _ in range(2):
        mine.take()
        with opened(_opened(mine, template, config), mine, "held") as runtime:
            make_member(runtime, "Acme", "olga@acme.test")  # among others in the trail, of which nobody may delete
            with runtime.db.globally() as session:
                pids.append(session.scalar(text("SELECT pg_backend_pid()")))
        mine.give_back()
    mine.take()

    assert pids[0] == pids[1]


def test_a_row_that_comes_between_two_tests_is_told(mine: Turns, superuser: psycopg.Connection) -> None:
    superuser.execute("INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), 'late@acme.test', 'Late')")

    with pytest.raises(AssertionError, match="there are rows again in users"):
        mine.take()
    mine.take()  # and the next one is spared


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER TABLE tasks ADD COLUMN more text", "pg_attribute"),
        ("CREATE TABLE more (id int)", "pg_class"),
        ("DROP POLICY IF EXISTS workspace ON tasks; ALTER TABLE tasks DISABLE ROW LEVEL SECURITY", "pg_class"),
        ("GRANT SELECT ON users TO warmline_scheduler", "pg_class"),
        ("ALTER DATABASE turns_to_try SET work_mem = '1MB'", "pg_db_role_setting"),
        ("UPDATE alembic_version SET version_num = '9999'", "alembic_version"),
    ],
)
def test_whoever_changes_more_than_rows_is_told_and_nobody_else_has_it(
    mine: Turns, superuser: psycopg.Connection, statement: str, told: str
) -> None:
    mine.take()
    before = mine._schema
    superuser.execute(statement.encode())

    with pytest.raises(AssertionError, match=rf"\(.*{told}.*\) has to be marked own_database"):
        mine.give_back()
    mine.take()
    assert [each[:2] for each in mine._schema] == [each[:2] for each in before]


def test_a_session_that_a_test_leaves_open_is_ended(
    mine: Turns, superuser: psycopg.Connection, template: embedded.Postgres, config: Config
) -> None:
    mine.take()
    superuser.execute("BEGIN; LOCK TABLE users")
    with opened(_opened(mine, template, config), mine, "held") as runtime:
        left = runtime.db.engine.connect()
        left.execute(text("SELECT 1"))
        mine.give_back()

        with pytest.raises(psycopg.OperationalError):
            superuser.execute("SELECT 1")
        with pytest.raises(OperationalError):
            left.execute(text("SELECT 1"))
        left.close()


@pytest.mark.own_database
def test_a_test_that_is_marked_has_another_database(database: str, turns: Turns, held: Runtime) -> None:
    assert database != turns.name
    assert held.db is not turns.database_of("held", held.config)
