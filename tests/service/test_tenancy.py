"""One workspace never sees another's rows, whatever a query forgets; and the schema is what the models say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from service import embedded
from service.config import Config
from service.db import Database, raw
from service.errors import PlainError
from service.migrations.security import SCHEDULED, WATCHED
from service.models import Base, Tenant
from service.runtime import Runtime
from tests.conftest import Member

TENANTS = sorted(mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, Tenant))
# What no workspace owns. A new table that is neither here nor a tenant's fails below.
GLOBAL = {
    "alembic_version", "api_keys", "memberships", "oauth_states", "freshness", "provider_apps", "provider_freezes", "sessions", "signin_links", "users",
    "connected_accounts", "workspaces", "departures", "passwords", "known_devices", "signin_tries", "identities", "openid_states",
    "second_factors", "recovery_codes", "factor_setups", "pending_signins",
}  # fmt: skip
ISOLATED = [*TENANTS, "workspace_schedule"]
# What the application adds to and reads, and what it reads alone: see `service.migrations.trail`.
KEPT = {"audit", "audit_heads"}
CHANGED = [table for table in ISOLATED if table not in KEPT]


def test_the_migrations_make_what_the_models_say(config: Config) -> None:
    engine = create_engine(config.need("database_admin_url"), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_there_are_tenants_tables() -> None:
    assert {"engagements", "tasks", "contacts", "credentials", "settings"} <= set(TENANTS)


@pytest.mark.parametrize("table", ISOLATED)
def test_row_level_security_is_forced_and_keyed_on_the_workspace(template: embedded.Postgres, table: str) -> None:
    with template.connect() as connection:
        row = connection.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [table]
        ).fetchone()
        first = connection.execute(
            "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE i.indrelid = %s::regclass AND i.indisprimary", [table],
        ).fetchone()  # fmt: skip
    assert row == (True, True)
    assert first == ("workspace_id",)


# A value for a column of this type. A column of a type that is not here fails loudly.
VALUES: dict[type[Any], Callable[[str], Any]] = {
    UUID: lambda _: uuid4(),
    str: lambda name: f"{name}-{uuid4().hex}",
    int: lambda _: 1,
    float: lambda _: 0.5,
    bool: lambda _: False,
    datetime: lambda _: datetime.now(UTC),
    date: lambda _: datetime.now(UTC).date(),
    object: lambda _: Jsonb({}),  # JSON, which may be anything
    bytes: lambda _: b"sealed",
    list: lambda _: [],
}


# Where a table wants a value of a certain shape.
SHAPED: dict[str, dict[str, Any]] = {"audit": {"actor": "system", "action": "test.done", "subject": "test:1"}}


def row_of(table: str, workspace_id: UUID) -> dict[str, Any]:
    """A whole row of this workspace, made from the columns alone."""
    columns = Base.metadata.tables[table].columns
    made = {each.name: VALUES[each.type.python_type](each.name) for each in columns if not each.nullable}
    made |= SHAPED.get(table, {})
    return {**made, "workspace_id": workspace_id}


def insert(table: str, row: Mapping[str, Any]) -> tuple[bytes, list[Any]]:
    names = ", ".join(f'"{name}"' for name in row)
    statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(row))})"
    return statement.encode(), list(row.values())


@dataclass(frozen=True)
class Filled:
    """Two workspaces with rows in every tenant's table."""

    ours: UUID
    theirs: UUID
    superuser: psycopg.Connection[Any]

    def theirs_now(self) -> dict[str, Any]:
        """What stands in the other workspace: a fingerprint of each table."""
        found: dict[str, Any] = {}
        for table in ISOLATED:
            row = self.superuser.execute(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t WHERE workspace_id = %s".encode(), [self.theirs]
            ).fetchone()  # fmt: skip
            found[table] = row[0] if row else None
        assert None not in found.values(), found
        return found


@pytest.fixture
def filled(template: embedded.Postgres, database: str, owner: Member, stranger: Member) -> Iterator[Filled]:
    with template.connect(database=database) as superuser:
        # Rows stand alone here, without those that they would belong to.
        superuser.execute("SET session_replication_role = replica")
        for workspace_id in (owner.workspace_id, stranger.workspace_id):
            for table in ISOLATED:
                statement, values = insert(table, row_of(table, workspace_id))
                superuser.execute(statement + b" ON CONFLICT DO NOTHING", values)  # some have a row from the start
        yield Filled(owner.workspace_id, stranger.workspace_id, superuser)


def test_every_table_is_a_tenants_or_is_named_here(template: embedded.Postgres) -> None:
    with template.connect() as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {row[0] for row in rows} == {*ISOLATED, *GLOBAL}
    assert not GLOBAL & set(ISOLATED)


def test_without_a_workspace_there_are_no_rows_to_see_change_or_delete(held: Runtime, filled: Filled) -> None:
    before = filled.theirs_now()
    for table in ISOLATED:
        with held.db.globally() as session:
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0, table
            if table in KEPT:
                continue
            for statement in (f"UPDATE {table} SET workspace_id = workspace_id", f"DELETE FROM {table}"):
                assert session.execute(text(statement)).rowcount == 0, table  # type: ignore[attr-defined]
    assert filled.theirs_now() == before


def test_a_forgotten_where_shows_no_neighbours_rows(held: Runtime, filled: Filled) -> None:
    for table in ISOLATED:
        with held.db.tenant(filled.ours) as session:
            shown = set(session.scalars(text(f"SELECT workspace_id FROM {table}")))
        assert shown == {filled.ours}, table


def test_a_forgotten_where_changes_and_deletes_no_neighbours_rows(held: Runtime, filled: Filled) -> None:
    before = filled.theirs_now()
    for table in CHANGED:
        with held.db.tenant(filled.ours) as session:
            for statement in (f"UPDATE {table} SET workspace_id = workspace_id", f"DELETE FROM {table}"):
                session.execute(text(statement))
    assert filled.theirs_now() == before


def test_naming_another_workspace_finds_nothing_of_it(held: Runtime, filled: Filled) -> None:
    before = filled.theirs_now()
    params = {"theirs": filled.theirs}
    for table in ISOLATED:
        with held.db.tenant(filled.ours) as session:
            there = "WHERE workspace_id = :theirs"
            assert session.scalar(text(f"SELECT count(*) FROM {table} {there}"), params) == 0, table
            if table in KEPT:
                continue
            for statement in (
                f"UPDATE {table} SET workspace_id = workspace_id {there}",
                f"DELETE FROM {table} {there}",
            ):
                assert session.execute(text(statement), params).rowcount == 0, table  # type: ignore[attr-defined]
    assert filled.theirs_now() == before


@pytest.mark.parametrize("signed_in", [True, False])
def test_no_row_can_be_written_into_another_workspace(held: Runtime, filled: Filled, signed_in: bool) -> None:
    before = filled.theirs_now()
    for table in [*CHANGED, "audit"]:
        place = held.db.tenant(filled.ours) if signed_in else held.db.globally()
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"), place as session:
            raw(session).execute(*insert(table, row_of(table, filled.theirs)))
    assert filled.theirs_now() == before


def test_no_row_can_be_moved_into_another_workspace(held: Runtime, filled: Filled) -> None:
    before = filled.theirs_now()
    for table in CHANGED:
        with pytest.raises(ProgrammingError, match="row-level security"), held.db.tenant(filled.ours) as session:
            session.execute(text(f"UPDATE {table} SET workspace_id = :theirs"), {"theirs": filled.theirs})
    assert filled.theirs_now() == before


def test_the_application_empties_no_table_at_once(held: Runtime, filled: Filled) -> None:
    for table in ISOLATED:
        with pytest.raises(ProgrammingError, match="permission denied"), held.db.tenant(filled.ours) as session:
            session.execute(text(f"TRUNCATE {table} CASCADE"))


def test_the_workspace_is_set_for_one_transaction_only(held: Runtime, owner: Member) -> None:
    held.db.engine.pool.dispose()
    with held.db.tenant(owner.workspace_id) as session:
        assert session.execute(text("SELECT count(*) FROM brands")).scalar() == 1
    with held.db.globally() as session:  # the same pooled connection
        assert session.execute(text("SELECT count(*) FROM brands")).scalar() == 0


def test_the_application_refuses_a_role_that_row_level_security_does_not_hold(
    config: Config, template: embedded.Postgres, database: str
) -> None:
    for user in (embedded.OWNER, "postgres"):
        access = Database(template.url(user, database))
        with pytest.raises(PlainError, match="row-level security does not hold"):
            access.check_role()
        access.engine.dispose()


@pytest.mark.parametrize("table", sorted({*SCHEDULED, *WATCHED}))
def test_the_scheduler_sees_due_lease_and_state_columns_and_nothing_else(
    template: embedded.Postgres, table: str
) -> None:
    sees, changes = SCHEDULED.get(table, ((), ()))
    open_ = [*sees, *changes, *WATCHED.get(table, ())]
    columns = [column.name for column in Base.metadata.tables[table].columns]
    with template.connect(embedded.SCHEDULER) as connection:
        connection.execute(f"SELECT {', '.join(open_)} FROM {table}".encode())
        closed = [
            f"DELETE FROM {table}",
            *(f"SELECT {name} FROM {table}" for name in columns if name not in open_),
            *(f"UPDATE {table} SET {name} = {name}" for name in columns if name not in changes),
        ]
        for statement in closed:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_what_the_scheduler_may_see_of_a_task_is_neither_words_nor_people() -> None:
    """Spelled out, so that whoever adds a column to the list thinks about it here."""
    assert set(WATCHED["tasks"]) == {"workspace_id", "id", "kind", "crm_connection_id", "parked_at"}


@pytest.mark.parametrize(
    "table", ["engagements", "contacts", "credentials", "users", "authors", "conversations", "audit"]
)
def test_the_scheduler_reads_nobodys_data(template: embedded.Postgres, table: str) -> None:
    with template.connect(embedded.SCHEDULER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT 1 FROM {table}".encode())
