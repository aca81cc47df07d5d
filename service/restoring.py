"""Restoring a backup, and making it fit to go on from: what happened since is told, not done again.

The new schema is made and counted beside the one that stood there, which goes only at the end: a restore that fails, or is broken off
at any line, leaves what was there, or the next one puts it back first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import create_engine, delete, make_url, update
from sqlalchemy.exc import SQLAlchemyError

from service import backups, db, pgtools, rekeying
from service.backups import Manifest
from service.clock import business_now, real_now
from service.config import Config
from service.db import BEFORE_RESTORE, Database
from service.errors import PlainError
from service.models import Base, Connection, PendingSignin, SigninSession, Tenant
from service.runtime import Runtime
from service.sentences import count_of
from service.store import carrying, claims

SKEW = timedelta(minutes=5)  # a CRM's clock may be behind ours by so much
HANGS_UP = 3.0  # seconds that whoever has hung up may still be counted


def restore(
    config: Config, source: Path, *, force: bool = False, people: Path | None = None, tell: Callable[[str], None] = lambda _: None
) -> tuple[str, ...]:  # fmt: skip
    """Puts a backup in the place of what the database holds. `people` is a newer backup whose list of people to leave out is carried
    over; what stands in the database now is carried over by itself. `tell` hears of each step. Returns what there is to know
    afterwards, in sentences. Raises PlainError; then everything is as it was."""
    made = backups.read(source)
    admin, app = config.need("database_admin_url"), config.need("database_url")
    _refuse_newer(made)
    with _connected(admin) as connection:
        _refuse_in_use(connection)
        _put_back(connection)
        held = _held(connection)
        if held and not force:
            raise PlainError(
                f"The database holds {count_of(held, 'workspace')}, and a restore would put the backup of {_day(made.made_at)} in their place. Say so with"
                " --force, or name another database."
            )
        left_out = _lists(app, source, people, held)
        now = {str(each) for each in _workspaces(app)} if held else set()
        db.make_roles(admin)
        tell("Restoring")
        connection.execute(f"ALTER SCHEMA public RENAME TO {BEFORE_RESTORE}".encode())
        try:
            _make(connection, admin, source, made)
            tell("Checking")
            db.migrate(admin, config.database_url, config.database_scheduler_url)
            _check_isolation(connection)
            lines = _go_on(
                config, made, left_out, now
            )  # who is to be left out may stand nowhere else than in what goes next
        except BaseException:
            _put_back(connection)
            raise
        connection.execute(f"DROP SCHEMA {BEFORE_RESTORE} CASCADE".encode())
    return lines


# --- before ---------------------------------------------------------------------------------------------------


def _refuse_newer(made: Manifest) -> None:
    if made.schema not in db.revisions():
        raise PlainError(
            f"This backup was made by a newer Warmline ({made.warmline}, schema {made.schema}). Install that version to restore it; nothing was"
            " changed."
        )
    if backups.DUMP not in made.sha256:
        raise PlainError(
            "This backup holds the list of people to leave out and nothing else. Name one of a whole database."
        )


def _connected(url: str) -> psycopg.Connection[tuple[object, ...]]:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        return psycopg.connect(address, autocommit=True)
    except psycopg.OperationalError as error:
        raise PlainError(
            f"PostgreSQL cannot be reached: {str(error).strip().splitlines()[0]}. Check DATABASE_ADMIN_URL."
        ) from None


def _put_back(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """After a restore that was broken off: what stood there stands there again."""
    if _one(connection, "SELECT to_regnamespace(%s) IS NOT NULL", BEFORE_RESTORE):
        with connection.transaction():
            connection.execute(b"DROP SCHEMA IF EXISTS public CASCADE")
            connection.execute(f"ALTER SCHEMA {BEFORE_RESTORE} RENAME TO public".encode())


def _refuse_in_use(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Waits a moment for those who have just hung up: on a busy machine PostgreSQL takes its time to notice."""
    until = time.monotonic() + HANGS_UP
    while others := _others(connection):
        if time.monotonic() > until:
            raise PlainError(
                f"The database is in use ({count_of(others, 'connection')}). Stop web, workers and schedulers first, and whatever else reads it."
            )
        time.sleep(0.05)


def _others(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    found = _one(
        connection,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND usename IS NOT NULL",  # PostgreSQL's own helpers have none
    )
    return int(str(found))


def _held(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """How many workspaces stand there."""
    if not _one(connection, "SELECT to_regclass('public.workspaces') IS NOT NULL"):
        return 0
    return int(str(_one(connection, "SELECT count(*) FROM public.workspaces")))


def _lists(app: str, source: Path, people: Path | None, held: int) -> Mapping[str, carrying.Rows]:
    """Who is to be left out, by workspace: as the newest of these says."""
    folders = sorted(filter(None, (source, people)), key=lambda each: backups.read(each).made_at)
    lists = [*map(backups.read_people, folders), *([backups.people(app)] if held else [])]
    return {workspace: rows for each in lists for workspace, rows in each.items()}


def _workspaces(app: str) -> list[UUID]:
    database = Database(app, pool_size=1)
    try:
        return backups.workspaces(database)
    finally:
        database.engine.dispose()


# --- the schema -----------------------------------------------------------------------------------------------


def _make(connection: psycopg.Connection[tuple[object, ...]], admin: str, source: Path, made: Manifest) -> None:
    """Tables and rows first, which are counted before row-level security comes to stand between us and them."""
    connection.execute(b"CREATE SCHEMA public")
    connection.execute(b"ALTER SCHEMA public OWNER TO pg_database_owner")  # as in a new database
    connection.execute(b"GRANT USAGE ON SCHEMA public TO PUBLIC")
    major = max(int(made.postgres.split(".")[0]), connection.info.server_version // 10_000)
    pgtools.restore(admin, major, source / backups.DUMP, "pre-data", "data")
    found = backups.count(connection)
    if wrong := sorted(table for table in {*found, *made.rows} if found.get(table) != made.rows.get(table)):
        raise PlainError(
            f"The backup is not whole: {', '.join(wrong)} came back with other numbers of rows. Take another one."
        )
    pgtools.restore(admin, major, source / backups.DUMP, "post-data")


def _check_isolation(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Raises PlainError unless every tenant's table is closed to other workspaces."""
    closed = connection.execute(
        b"SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity AND c.relforcerowsecurity"
        b" AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)"
    ).fetchall()
    tenants = {str(each.local_table) for each in Base.registry.mappers if issubclass(each.class_, Tenant)}
    if wrong := tenants - {row[0] for row in closed}:
        raise PlainError(f"Row-level security did not come back on {', '.join(sorted(wrong))}. Nothing was changed.")


# --- going on -------------------------------------------------------------------------------------------------


def _go_on(config: Config, made: Manifest, left_out: Mapping[str, carrying.Rows], now: set[str]) -> tuple[str, ...]:
    """Makes what was under way then due now, and remembers that more may have happened since."""
    runtime = Runtime(config)
    scheduler = create_engine(config.need("database_scheduler_url"))
    try:
        runtime.db.check_role()
        standing = backups.workspaces(runtime.db)
        people = sum(_workspace(runtime.db, each, made, left_out.get(str(each))) for each in standing)
        with runtime.db.globally() as session:
            for each in (SigninSession, PendingSignin):
                session.execute(delete(each))
        with scheduler.begin() as connection:
            claims.forget(connection, business_now())
        lost = sorted(rekeying.resting(runtime).lost)
    except SQLAlchemyError as error:
        raise db.plainly(error) from None
    finally:
        runtime.db.engine.dispose()
        scheduler.dispose()
    back = [each for each in map(str, standing) if now and each not in now]
    return tuple(_lines(made, len(standing), people, lost, back))


def _workspace(database: Database, workspace_id: UUID, made: Manifest, left_out: carrying.Rows | None) -> int:
    with database.tenant(workspace_id) as session:
        session.execute(
            update(Connection)
            .where(Connection.workspace_id == workspace_id, Connection.kind == "crm")
            .values(restored_from=made.made_at - SKEW, restored_at=real_now())
        )
        return carrying.carry(session, workspace_id, left_out) if left_out is not None else 0


def _lines(made: Manifest, workspaces: int, people: int, lost: Sequence[str], back: Sequence[str]) -> Iterator[str]:
    yield f"Restored as of {_day(made.made_at)}: {count_of(workspaces, 'workspace')}, {count_of(sum(made.rows.values()), 'row')}. Start the processes again."
    yield "What was read since comes again; tasks that were made since are found in their CRM and not made twice."
    yield f"{count_of(people, 'person is', 'people are')} left out. What the backup still held of those who were erased goes as soon as a worker runs."
    yield (
        "Everybody has to sign in again. Keys, members, accounts and second factors are those of that day: revoke and remove anew what has"
        " gone since, and have recovery codes made anew where one was used."
    )
    if lost:
        yield (
            f"Some of what is sealed was sealed under keys that are not here ({', '.join(lost)}). Put them into WARMLINE_SECRET_KEYS, or"
            " connect those accounts again."
        )
    if back:
        yield f"These workspaces had been deleted since and stand there again: {', '.join(back)}. Let each go once more: warmline leave WORKSPACE --now"


def _day(instant: datetime) -> str:
    return instant.strftime("%d %B %Y %H:%M UTC")


def _one(connection: psycopg.Connection[tuple[object, ...]], query: str, *params: object) -> object:
    row = connection.execute(query.encode(), params).fetchone()
    return row[0] if row else None
