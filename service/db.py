"""PostgreSQL: engines, the workspace of a transaction, start-up checks, migrations.

A session belongs to one workspace, set at its outermost BEGIN; without one, tenants' tables show no rows. Nothing here
opens a socket before it is used, so that workers may import the application before they fork.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import psycopg
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, InternalError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

from service import arrays, database_roles
from service.errors import PlainError
from service.leases import INFO, LEASE
from service.pooling import begins_for, driver, pooled
from service.vault import Vault

VAULT = "vault"  # in `Session.info`

set_json_loads(msgspec.json.Decoder().decode)
arrays.install()

_GONE = (
    "08",
    "57P",
)  # SQLSTATE: connection exceptions; shutdowns, crashes, and a server that cannot take connections yet
RETRIES = 4  # of a transaction that PostgreSQL ended for the sake of another
T = TypeVar("T")
RawConnection = psycopg.Connection[Any]


class Database:
    """The application's access. `url` is the application's role's; `lease` is how long rows stay with whoever claims them, and
    `vault` opens what a store must read itself (see `service.store.suppressing`)."""

    def __init__(
        self, url: str, *, pool_size: int = 8, lease: timedelta = LEASE, vault: Callable[[], Vault] | None = None
    ) -> None:
        self.engine = pooled(url, size=pool_size, overflow=pool_size)
        self._lease = lease
        self._most, self._peak = 2 * pool_size, 0
        event.listen(self.engine, "checkout", self._count)
        self._sessions = sessionmaker(
            self.engine, expire_on_commit=False, autoflush=False, info={INFO: lease, VAULT: vault}
        )

    @contextmanager
    def tenant(self, workspace_id: UUID) -> Iterator[Session]:
        """One transaction of one workspace: committed at the end, rolled back on an exception. Never call out inside."""
        bound = begins_for(self.engine, workspace_id, self._lease)
        with _one_error(), self._sessions(bind=bound) as session, session.begin():
            yield session

    def retried(self, workspace_id: UUID, work: Callable[[Session], T]) -> T:
        """`work` in one transaction of one workspace, from its beginning again when PostgreSQL ended it for the sake of
        another (deadlock, serialization). `work` changes nothing but the database."""
        for _ in range(RETRIES):
            try:
                with self.tenant(workspace_id) as session:
                    return work(session)
            except OperationalError as error:
                if not isinstance(error.orig, (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)):
                    raise
        with self.tenant(workspace_id) as session:
            return work(session)

    @contextmanager
    def globally(self) -> Iterator[Session]:
        """One transaction over the global tables; tenants' tables show nothing in it."""
        with _one_error(), self._sessions() as session, session.begin():
            yield session

    @contextmanager
    def autocommit(self) -> Iterator[RawConnection]:
        """For one statement over the global tables that needs no transaction around it."""
        with self.engine.connect() as connection:
            yield driver(connection)

    def pool(self) -> tuple[int, int]:
        """How many of its connections were in use at most since this was last asked, and how many there may be."""
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        peak, self._peak = self._peak, pool.checkedout()
        return max(peak, self._peak), self._most

    def _count(self, *_: object) -> None:
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        self._peak = max(self._peak, pool.checkedout())

    def check_role(self) -> None:
        """Raises PlainError unless this role is held by row-level security."""
        try:
            with self.engine.connect() as connection:
                database_roles.application(connection)
        except OperationalError as error:
            raise unreachable(error) from None


@contextmanager
def _one_error() -> Iterator[None]:
    """A statement that goes straight to the driver (see `raw`) raises what one through SQLAlchemy does: whoever asks whether the
    database is away, or a transaction is to be tried again, asks once."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
        raise OperationalError(None, None, error) from error
    except InternalError as error:
        if isinstance(error.orig, psycopg.errors.IdleInTransactionSessionTimeout):
            raise OperationalError(None, None, error.orig) from error
        raise


def raw(session: Session) -> RawConnection:
    """The psycopg connection below a session, inside its transaction: for COPY and for statements over many rows."""
    return driver(session.connection())


def unreachable(error: OperationalError, setting: str = "DATABASE_URL") -> PlainError:
    """A plain sentence for a database that is away; the driver's own first line says why. `setting` holds the address that was tried."""
    why = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
    return PlainError(f"PostgreSQL cannot be reached: {why}. Start it, or check {setting}.")


def went_away(error: OperationalError) -> bool:
    """Whether the database is not there, or ended this connection: another try will do as soon as it is back. (A full disk, say, is
    no such thing.)"""
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state.startswith(_GONE)


def plainly(error: SQLAlchemyError, setting: str = "DATABASE_URL") -> PlainError:
    """A plain sentence for what the database, or its address, which is in `setting`, made impossible."""
    if isinstance(getattr(error, "orig", None), psycopg.errors.DiskFull):
        return PlainError("No room is left on PostgreSQL's disk. Make some, and run the command again.")
    if isinstance(error, OperationalError):
        return unreachable(error, setting)
    if isinstance(error, (ArgumentError, NoSuchModuleError)):  # their own words may hold the password
        return PlainError(
            f"{setting} is not an address that can be read. Write it as postgresql://user:password@host/database."
        )
    cause = getattr(error, "orig", None)
    if isinstance(cause, (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)):
        return PlainError("The database's schema is not that of this Warmline. Run `warmline migrate`.")
    why = (str(cause or error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
    return PlainError(f"PostgreSQL refused: {why}. Run `warmline doctor`, which says what is wrong.")


@cache
def scheduler_engine(url: str) -> Engine:
    """The scheduler's access: due and lease columns of all tenants, and nothing else."""
    return pooled(url, size=1, overflow=1)


BEFORE_RESTORE = "warmline_before_restore"  # the schema that stood there, while a restore is under way


# --- migrations ---------------------------------------------------------------------------------------------


# Old code serves meanwhile. A statement that stands in line for a table's lock holds up everybody who comes after it, so it
# steps back soon and comes again: long enough for usual transactions to pass, too short for a person to notice.
LOCK_WAIT = "2s"
ATTEMPTS = 30


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(admin_url: str, *logins: str | None, pause: Callable[[float], object] = time.sleep) -> None:
    """Brings the schema up to date as the owner, one migrator at a time, while web, workers and schedulers of the version
    before go on. `logins` are the application's and the scheduler's addresses: their users are made members of the two roles
    (and made, where that is allowed). `pause` waits for so many seconds before a table that is in use is tried again.
    Raises PlainError when the database is away, this role may not do it, or a table stays in use."""
    engine = create_engine(admin_url)
    config = _alembic()
    try:
        with engine.connect() as turn:  # its transaction holds the lock and nothing else
            turn.execute(text("SELECT pg_advisory_xact_lock(7261635)"))
            with engine.begin() as connection:
                _refuse_newer(connection)
                _make_roles(connection)
            _upgrade(engine, config, pause)
            with engine.begin() as connection:
                for login, role in zip(logins, ("warmline_app", "warmline_scheduler"), strict=False):
                    _admit(connection, login, role)
    except SQLAlchemyError as error:
        raise plainly(error, "DATABASE_ADMIN_URL") from None
    finally:
        engine.dispose()


def make_roles(admin_url: str) -> None:
    """Makes the two roles that the tables are granted to, where they are missing. Raises PlainError."""
    engine = create_engine(admin_url)
    try:
        with engine.begin() as connection:
            _make_roles(connection)
    except SQLAlchemyError as error:
        raise plainly(error, "DATABASE_ADMIN_URL") from None
    finally:
        engine.dispose()


def revisions() -> set[str]:
    """The schemas that this version knows: its own and all before."""
    return {each.revision for each in ScriptDirectory.from_config(_alembic()).walk_revisions()}


def _refuse_newer(connection: Connection) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    if current and current not in revisions():
        raise _newer(current)


def _upgrade(engine: Engine, config: AlembicConfig, pause: Callable[[float], object]) -> None:
    """Each migration in a transaction of its own: what is done stays done when the next one has to be tried again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with engine.connect() as connection:
                connection.execute(text(f"SET lock_timeout = '{LOCK_WAIT}'"))
                connection.commit()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            return
        except OperationalError as error:
            if not isinstance(error.orig, (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)):
                raise
        if attempt < ATTEMPTS:
            pause(min(0.5 * attempt, 5.0))
    raise PlainError(
        "A table that has to be changed stayed in use, by a backup or a long query perhaps. Nothing is half done: run"
        " `warmline migrate` again when that is over."
    )


def check_schema(connection: Connection, *, newer: bool = False) -> None:
    """Raises PlainError unless the schema is the one that this version was written for. `newer`: a later one will do, as
    where a new version is being rolled out. Half a restore is no schema to work on."""
    if connection.scalar(text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": BEFORE_RESTORE}):
        raise PlainError(
            "A restore is under way, or was broken off. Where none runs, give `warmline restore` once more: it begins with"
            " what stood there before."
        )
    current = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(_alembic())
    if current == scripts.get_current_head():
        return
    if current is None:
        raise PlainError("The database has no schema yet. Run `warmline migrate`.")
    if current in revisions():
        raise PlainError(f"The database's schema ({current}) is older than this Warmline. Run `warmline migrate`.")
    if not newer:
        raise _newer(current)


def check_at_start(engine: Engine, role: Callable[[Connection], object]) -> None:
    """For processes that work without anybody looking: raises PlainError where the schema is older than this version, or where they
    do not sign in as this of the `database_roles`. A database that is away is waited for later."""
    with suppress(OperationalError), engine.connect() as connection:
        check_schema(connection, newer=True)
        role(connection)
    engine.dispose()  # no socket is left open, so that whoever calls may fork


def _newer(revision: str) -> PlainError:
    return PlainError(
        f"The database's schema ({revision}) was made by a newer Warmline than this one. Install that version, or use another"
        " database; nothing was changed."
    )


def _make_roles(connection: Connection) -> None:
    have = set(connection.execute(text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'warmline%'")).scalars())
    may = connection.execute(
        text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    ).scalar_one()
    for role in ("warmline_app", "warmline_scheduler"):
        if role in have:
            continue
        if not may:
            raise PlainError(
                f"The role {role} is missing and DATABASE_ADMIN_URL may not make it. Run as a superuser: CREATE ROLE {role} NOLOGIN;"
            )
        connection.execute(text(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS"))


def _admit(connection: Connection, login: str | None, role: str) -> None:
    if login is None:
        return
    url = make_url(login)
    if url.username in (None, role):
        return
    quote = connection.dialect.identifier_preparer.quote
    user = quote(str(url.username))
    if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": url.username}).scalar():
        secret = f" PASSWORD {_literal(str(url.password))}" if url.password else ""
        connection.execute(text(f"CREATE ROLE {user} LOGIN NOSUPERUSER NOBYPASSRLS{secret}".replace(":", "\\:")))
    member = text(
        "SELECT pg_has_role(CAST(:name AS name), CAST(:role AS name), 'MEMBER') AND NOT rolsuper FROM pg_roles WHERE rolname = :name"
    )
    if not connection.execute(member, {"name": url.username, "role": role}).scalar():
        connection.execute(text(f"GRANT {role} TO {user}"))


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
