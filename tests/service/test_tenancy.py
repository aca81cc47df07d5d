"""One workspace never sees another's rows, whatever a query forgets; and the schema is what the models say."""

from __future__ import annotations

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from service import embedded
from service.config import Config
from service.db import Database
from service.errors import PlainError
from service.migrations.security import SCHEDULED
from service.models import Base, Brand, Tenant
from service.runtime import Runtime
from tests.conftest import Member

TENANTS = sorted(mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, Tenant))


def test_the_migrations_make_what_the_models_say(config: Config) -> None:
    engine = create_engine(config.need("database_admin_url"), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_there_are_tenants_tables() -> None:
    assert {"engagements", "tasks", "contacts", "credentials", "settings"} <= set(TENANTS)


@pytest.mark.parametrize("table", [*TENANTS, "workspace_schedule"])
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


@pytest.mark.parametrize("table", TENANTS)
def test_without_a_workspace_there_are_no_rows(held: Runtime, owner: Member, table: str) -> None:
    with held.db.globally() as session:
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0


def test_a_forgotten_where_shows_no_neighbours_rows(held: Runtime, owner: Member, stranger: Member) -> None:
    with held.db.tenant(stranger.workspace_id) as session:
        assert {row[0] for row in session.execute(text("SELECT workspace_id FROM brands"))} == {stranger.workspace_id}
        assert session.execute(text("UPDATE brands SET name = 'x'")).rowcount == 1  # type: ignore[attr-defined]
        assert session.execute(text("DELETE FROM settings")).rowcount == 1  # type: ignore[attr-defined]


def test_a_row_cannot_be_written_into_another_workspace(held: Runtime, owner: Member, stranger: Member) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), held.db.tenant(stranger.workspace_id) as session:
        session.add(Brand(workspace_id=owner.workspace_id, name="Intruder"))


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


@pytest.mark.parametrize("table", sorted(SCHEDULED))
def test_the_scheduler_sees_due_and_lease_columns_and_nothing_else(template: embedded.Postgres, table: str) -> None:
    sees, changes = SCHEDULED[table]
    others = {column.name for column in Base.metadata.tables[table].columns} - {*sees, *changes}
    with template.connect(embedded.SCHEDULER) as connection:
        connection.execute(f"SELECT {', '.join([*sees, *changes])} FROM {table}".encode())
        for statement in (f"DELETE FROM {table}", *(f"SELECT {name} FROM {table}" for name in sorted(others))):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


@pytest.mark.parametrize("table", ["engagements", "contacts", "credentials", "users", "tasks"])
def test_the_scheduler_reads_nobodys_data(template: embedded.Postgres, table: str) -> None:
    with template.connect(embedded.SCHEDULER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT 1 FROM {table}".encode())
