"""The databases that tests work on: one that they take in turns, and copies for those that change more than rows.

To copy the migrated database and to drop the copy takes a hundred times as long as to empty it, and costs every session and engine what it had
made ready. So tests take turns with one copy. It is put back after each of them, and whoever takes it sees to it that it was.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import Engine, event

from service import embedded
from service.config import Config
from service.db import Database, scheduler_engine
from service.runtime import Runtime

_TOO_LARGE = 256 * 1024  # bytes: what is deleted keeps its place, and who reads the table goes through it
_OURS = "SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace"
# What DDL, GRANT, CREATE ROLE and ALTER DATABASE write to: there is a row more or less, or a newer one.
_CATALOGS = {
    "pg_class": f"oid IN ({_OURS})",
    "pg_attribute": f"attrelid IN ({_OURS})",
    "pg_attrdef": "true",
    "pg_constraint": "true",
    "pg_index": f"indexrelid IN ({_OURS})",
    "pg_trigger": "true",
    "pg_policy": "true",
    "pg_proc": "pronamespace = 'public'::regnamespace",
    "pg_namespace": "nspname !~ '^pg_'",
    "pg_authid": "true",
    "pg_auth_members": "true",
    "pg_db_role_setting": "true",
    "pg_database": "datname = current_database()",
}
_SCHEMA = " UNION ALL ".join(
    f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM {name} WHERE {which}"
    for name, which in {**_CATALOGS, "alembic_version": "true"}.items()
)
_END = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND pid <> ALL(%s)"
)

Rows = list[tuple[Any, ...]]


@contextmanager
def copied(server: embedded.Postgres, name: str | None = None) -> Iterator[str]:
    """The name of a copy of the migrated database, which is dropped at the end with all sessions in it."""
    name = name or f"t_{uuid4().hex}"
    with server.connect(database="postgres") as connection:
        _copy(connection, name)
        yield name
        _drop(connection, name)


def _copy(connection: psycopg.Connection[Any], name: str) -> None:
    # Copying files flushes first what was written meanwhile; writing a whole database to the log takes three times as long.
    made = "CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy"
    connection.execute(sql.SQL(made).format(*map(sql.Identifier, (name, embedded.DATABASE, embedded.OWNER))))


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class _Kept:
    """An engine that outlives tests, with its sessions and the statements that it has compiled."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pids: set[int] = set()
        event.listen(engine, "connect", lambda made, _: self._pids.add(made.info.backend_pid))

    def idle(self) -> set[int]:
        """Its sessions, if nobody uses one any more; otherwise they are given up, all of them."""
        if self._engine.pool.checkedout():  # type: ignore[attr-defined]
            self.give_up()
        return self._pids

    def give_up(self) -> None:
        self._engine.dispose()
        self._pids.clear()


class Turns:
    """One database that tests take in turns. `name` is the database's; it is made here."""

    def __init__(self, server: embedded.Postgres, name: str) -> None:
        self.name, self._server = name, server
        self._databases: dict[Hashable, Database] = {}
        self._kept = [_Kept(scheduler_engine(server.url(embedded.SCHEDULER, name)))]
        self._connection: psycopg.Connection[Any] | None = None
        with server.connect(database="postgres") as connection:
            _copy(connection, name)
        tables = [
            table for (table,) in self._rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        ]
        filled = [table for table in tables if self._rows(f'SELECT 1 FROM "{table}" LIMIT 1')]
        assert filled == ["alembic_version"], (
            f"to be emptied is to be put back only for a schema without rows: {filled}"
        )
        assert not self._rows("SELECT 1 FROM pg_sequences"), (
            "the schema has a sequence, which has to begin anew as well"
        )
        self._tables = [table for table in tables if table not in filled]
        each = "SELECT '{0}', pg_relation_size('\"{0}\"'::regclass) WHERE EXISTS (SELECT FROM \"{0}\")"
        self._with_rows = " UNION ALL ".join(each.format(table) for table in self._tables)
        self._schema = self._rows(_SCHEMA, prepare=True)

    def database_of(self, who: str, config: Config) -> Database | None:
        """The access that is kept for this one of a process' runtimes, or None where it works on another database."""
        if config.database_url != self._server.url(database=self.name):
            return None
        key = who, config.lease, frozenset(config.secret_keys.items())
        if key not in self._databases:
            self._databases[key] = Runtime(config).db
            self._kept.append(_Kept(self._databases[key].engine))
        self._databases[key].pool()  # it counts from here
        return self._databases[key]

    def take(self) -> None:
        """For the next test. Raises AssertionError where somebody wrote to it since it was given back."""
        found = self._rows(self._with_rows, prepare=True)
        if found:
            self._empty(found)
            told = ", ".join(str(table) for table, _ in found)
            raise AssertionError(f"something of a test before goes on: there are rows again in {told}")
        self._schema = self._rows(_SCHEMA, prepare=True)

    def give_back(self) -> None:
        """Ends the sessions that a test has left and empties the tables. Raises AssertionError where it changed more than rows."""
        idle = [pid for each in self._kept for pid in each.idle()]
        self._rows(_END, [idle], prepare=True)
        changed = {*self._schema} ^ {*self._rows(_SCHEMA, prepare=True)}
        if changed:
            self._renew()
            told = ", ".join(sorted({str(catalog) for catalog, *_ in changed}))
            raise AssertionError(f"a test that changes more than rows ({told}) has to be marked own_database")
        self._empty(self._rows(self._with_rows, prepare=True))

    def close(self) -> None:
        for each in self._kept:
            each.give_up()
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _empty(self, filled: Rows) -> None:
        if any(size > _TOO_LARGE for _, size in filled):
            self._rows("TRUNCATE " + ", ".join(f'"{table}"' for table in self._tables))
        elif filled:
            self._rows("; ".join(f'DELETE FROM "{table}"' for table, _ in filled))

    def _renew(self) -> None:
        self.close()
        with self._server.connect(database="postgres") as connection:
            _drop(connection, self.name)
            _copy(connection, self.name)

    def _rows(self, statement: str, values: list[Any] | None = None, *, prepare: bool = False) -> Rows:
        try:
            cursor = self._superuser().execute(statement.encode(), values, prepare=prepare)
        except psycopg.OperationalError:  # a test may have ended all sessions, or the server
            self.close()
            cursor = self._superuser().execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def _superuser(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = self._server.connect(database=self.name)
            self._connection.execute(
                "SET session_replication_role = replica"
            )  # no trigger keeps a row, no key asks for one
        return self._connection
