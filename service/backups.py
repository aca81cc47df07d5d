"""Backups: a folder with one subfolder for each, which holds the database as it stood at one instant, what belongs to it, and what
was checked. Never the keys: whoever finds a backup can open no credential in it.

    <instant>/manifest.json    what this is: version, schema, rows, checksums
    <instant>/database.dump    pg_dump's own format
    <instant>/people.json      who is to be left out (erased, objecting), in keyed hashes
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from service import pgtools
from service.clock import real_now
from service.db import Database, plainly
from service.errors import PlainError
from service.models import Workspace
from service.store import carrying

FORMAT = 1
MANIFEST, DUMP, PEOPLE = "manifest.json", "database.dump", "people.json"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
_NAME = "%Y-%m-%dT%H-%M-%SZ"


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. `made_at` is the instant of the snapshot (UTC); `sha256` is by file; `rows` by table."""

    format: int
    warmline: str
    schema: str
    postgres: str
    made_at: datetime
    rows: Mapping[str, int]
    sha256: Mapping[str, str]

    def written(self) -> str:
        return json.dumps({**asdict(self), "made_at": self.made_at.isoformat()}, indent=1)


def make(folder: Path, backup_url: str, app_url: str, *, people_only: bool = False) -> Path:
    """Saves everything into a new subfolder of `folder`, from one snapshot, while the service goes on; with `people_only` the list of
    people to leave out alone. `backup_url` is a role above row-level security. Returns the subfolder. Raises PlainError; what was begun
    is then taken away."""
    at = real_now().replace(microsecond=0)
    target = folder / at.strftime(_NAME)
    fresh = target.with_suffix(".new")
    _prepare(fresh, target)
    try:
        with Snapshot(backup_url) as snapshot:
            rows = {} if people_only else snapshot.rows()
            if not people_only:
                pgtools.dump(backup_url, snapshot.major, snapshot.name, fresh / DUMP)
            _write(fresh / PEOPLE, json.dumps(people(app_url)))
            made = Manifest(
                FORMAT, version("warmline"), snapshot.schema, snapshot.postgres, at, rows,
                {name: digest(fresh / name) for name in (DUMP, PEOPLE) if (fresh / name).exists()},
            )  # fmt: skip
        _write(fresh / MANIFEST, made.written())
        fresh.rename(target)
    except BaseException as error:
        shutil.rmtree(fresh, ignore_errors=True)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from None
        raise
    return target


def read(folder: Path) -> Manifest:
    """A backup's manifest, its files checked. Raises PlainError for what is none, or is damaged."""
    try:
        made = _manifest(json.loads((folder / MANIFEST).read_text()))
    except _UNREADABLE:
        raise PlainError(
            f"{folder} is no backup of Warmline's: it holds no {MANIFEST} that can be read. Name one of the subfolders that"
            " `warmline backup` made."
        ) from None
    if made.format > FORMAT:
        raise PlainError(
            f"{folder} was made by a newer Warmline ({made.warmline}). Install that version to restore it."
        )
    for name, expected in made.sha256.items():
        if name not in (DUMP, PEOPLE) or not (folder / name).is_file() or digest(folder / name) != expected:
            raise PlainError(f"{folder / name} is not what was saved: it is missing or damaged. Take another backup.")
    return made


def read_people(folder: Path) -> Mapping[str, carrying.Rows]:
    """The list of people to leave out that stands in a backup, by workspace. Raises PlainError."""
    read(folder)
    try:
        found: Mapping[str, carrying.Rows] = json.loads((folder / PEOPLE).read_text())
        if not all(isinstance(rows, list) for tables in found.values() for rows in tables.values()):
            raise TypeError
    except _UNREADABLE:
        raise PlainError(f"{folder / PEOPLE} cannot be read. Take another backup.") from None
    return found


def _manifest(said: Mapping[str, Any]) -> Manifest:
    """Raises one of _UNREADABLE for what is none."""
    made = Manifest(**{**said, "made_at": datetime.fromisoformat(said["made_at"])})
    if not isinstance(made.format, int) or made.made_at.tzinfo is None:
        raise TypeError
    if not isinstance(made.rows, Mapping) or not isinstance(made.sha256, Mapping):
        raise TypeError
    return made


def people(app_url: str) -> dict[str, carrying.Rows]:
    """The list of people to leave out as it stands now, by workspace."""
    database = Database(app_url, pool_size=1)
    try:
        found = {}
        for workspace_id in workspaces(database):
            with database.tenant(workspace_id) as session:
                found[str(workspace_id)] = carrying.saved(session, workspace_id)
        return found
    except SQLAlchemyError as error:
        raise plainly(error) from None
    finally:
        database.engine.dispose()


def workspaces(database: Database) -> list[UUID]:
    with database.globally() as session:
        return list(session.scalars(select(Workspace.id).order_by(Workspace.id)))


def prune(folder: Path, keep: timedelta) -> list[Path]:
    """Removes backups older than that, but neither the newest whole one nor the newest of all, which may hold the list of people alone.
    Returns those that went. What is no backup stays."""
    found = []
    for each in sorted(folder.iterdir()):
        try:
            made = _manifest(json.loads((each / MANIFEST).read_text()))
            found.append((made.made_at, DUMP in made.sha256, each))
        except _UNREADABLE:
            continue
    newest = {max((made for made, whole, _ in found if whole >= least), default=None) for least in (True, False)}
    old = [each for made, _, each in found if made < real_now() - keep and made not in newest]
    for each in old:
        shutil.rmtree(each)
    return old


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Snapshot:
    """The database at one instant, for a role that sees all of it. Use it as a context. Raises PlainError."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(url)

    def __enter__(self) -> Snapshot:
        try:
            self._connection = self._engine.connect().execution_options(isolation_level="REPEATABLE READ")
            self.name = str(self._connection.scalar(text("SELECT pg_export_snapshot()")))
            above = self._connection.scalar(
                text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            )
            self.postgres = str(self._connection.scalar(text("SHOW server_version"))).split()[0]
            self.schema = MigrationContext.configure(self._connection).get_current_revision() or ""
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise plainly(error, "DATABASE_BACKUP_URL") from None
        if not above:
            self.__exit__()
            raise PlainError(
                "DATABASE_BACKUP_URL signs in as a role that row-level security holds, so a backup would not be whole. Make one for"
                " backups: CREATE ROLE warmline_backup LOGIN BYPASSRLS PASSWORD '...'; GRANT pg_read_all_data TO warmline_backup;"
            )
        if not self.schema:
            self.__exit__()
            raise PlainError("There is nothing to save: the database has no schema yet. Run `warmline migrate`.")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._engine.dispose()

    @property
    def major(self) -> int:
        return int(self.postgres.split(".")[0])

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        connection = self._connection.connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        return count(connection)


def count(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """How many rows each table of the current schema has, for a role that sees them."""
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
    ).fetchall()
    found = {}
    for (table,) in tables:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        found[table] = int(row[0]) if row else 0
    return found


def _prepare(fresh: Path, target: Path) -> None:
    if fresh.parent.exists() and not fresh.parent.is_dir():
        raise PlainError(f"{fresh.parent} is no folder. Name another one.")
    try:
        fresh.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if target.exists():
            raise FileExistsError
        fresh.mkdir(mode=0o700)
    except FileExistsError:
        raise PlainError(
            f"{target} is there already: another backup runs, or has just been made. Wait a second."
        ) from None
    except OSError as error:
        raise _unwritable(fresh.parent, error) from None


def _unwritable(folder: Path, error: OSError) -> PlainError:
    return PlainError(f"{folder} cannot be written to ({error.strerror}). Make room there, or name another folder.")


def _write(path: Path, content: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
