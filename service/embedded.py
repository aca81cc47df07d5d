"""PostgreSQL and Valkey of our own, in the data folder: for a first look, for development and for tests.

They listen on sockets inside the data folder, never on the network, and die with the process that started them. Run by
root, PostgreSQL runs as an unprivileged account. That account need not be able to reach the data folder: the server is
started inside its folder and calls it /proc/self/cwd, so a clone under a 0700 home works and stays in one place.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError

from service import binaries, pgfolder, processes
from service.errors import PlainError
from service.processes import Command, Process

DATABASE = "warmline"
OWNER, APP, SCHEDULER = "warmline_owner", "warmline_app", "warmline_scheduler"
_LONGEST_SOCKET = 100  # a socket's path must fit into 108 bytes
_ROLES = {
    OWNER: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE",
    APP: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    SCHEDULER: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
}
_SETTINGS = ("listen_addresses=", "unix_socket_directories=.", "jit=off")
_CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # fast, and lost when the machine fails


@dataclass
class Postgres:
    """An embedded PostgreSQL server."""

    socket: Path  # the folder that clients name as host
    command: Command
    log: Path
    process: Process | None = field(default=None, repr=False)

    def url(self, user: str = APP, database: str = DATABASE) -> str:
        """The SQLAlchemy address for one of the roles."""
        return f"postgresql+psycopg://{user}@/{database}?host={quote(str(self.socket), safe='/')}"

    @property
    def admin_url(self) -> str:
        return self.url(OWNER)

    @property
    def scheduler_url(self) -> str:
        return self.url(SCHEDULER)

    def connect(self, user: str = pgfolder.SUPERUSER, database: str = DATABASE) -> psycopg.Connection:
        """A connection of its own, autocommitting. Raises psycopg.OperationalError."""
        return psycopg.connect(host=str(self.socket), user=user, dbname=database, autocommit=True, connect_timeout=10)

    def start(self) -> None:
        """Starts the server (again) and waits until it answers. Raises PlainError."""
        assert self.command.cwd
        pgfolder.settle(self.command.cwd)
        self.process = processes.start(self.command, self.log)
        deadline = time.monotonic() + 120  # after a crash it reads its log first
        while True:
            try:
                self.connect(database="postgres").close()
                return
            except psycopg.OperationalError:
                _still_there(self, self.process, deadline)


@dataclass
class Valkey:
    """An embedded Valkey server. It keeps nothing on disk: the queue is a hint, and the database knows what is due."""

    url: str
    command: Command
    log: Path
    process: Process | None = field(default=None, repr=False)

    def start(self) -> None:
        """Starts the server (again) and waits until it answers. Raises PlainError."""
        self.process = processes.start(self.command, self.log)
        deadline = time.monotonic() + 30
        client = Redis.from_url(self.url)
        try:
            while True:
                try:
                    client.ping()
                    return
                except RedisError:
                    _still_there(self, self.process, deadline)
        finally:
            client.close()


@contextmanager
def hold(home: Path, what: str = "warmline") -> Iterator[None]:
    """Keeps `home` for this process alone. Raises PlainError when another one has it, or when it cannot be written."""
    path = home / f"{what}.lock"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except (FileExistsError, NotADirectoryError):
        raise PlainError(
            f"The data folder {home} is a file, or lies below one. Set WARMLINE_HOME to a folder of yours."
        ) from None
    except OSError as error:
        raise PlainError(
            f"The data folder {home} cannot be written to ({error.strerror}). Set WARMLINE_HOME to a folder of yours."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        raise PlainError(
            f"The data folder {home} is in use by another Warmline (process {holder or 'unknown'}). Stop it, or set"
            " WARMLINE_HOME to another folder."
        ) from None
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def holder(home: Path, what: str = "warmline") -> int | None:
    """The process that keeps `home` now, if one does (0 where its number cannot be read)."""
    try:
        descriptor = os.open(home / f"{what}.lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.read(descriptor, 20).decode(errors="replace").strip()
        return int(said) if said.isdigit() else 0
    else:
        return None
    finally:
        os.close(descriptor)


@contextmanager
def postgres(home: Path, *, fsync: bool = True, programs: Path | None = None) -> Iterator[Postgres]:
    """PostgreSQL with its data in `home`, the three roles and the database made. `fsync=False` is for tests; `programs`
    is a folder with PostgreSQL's programs. Raises PlainError."""
    home = home.absolute()
    with hold(home, "postgres"):
        folder = home / "postgres"
        user = pgfolder.server_user(folder)
        found = binaries.postgres(user, programs)
        if not folder.exists():
            pgfolder.initialise(found, folder, user, sync=fsync)
        pgfolder.check_version(found, folder)
        settings = [word for each in (*_SETTINGS, *(() if fsync else _CARELESS)) for word in ("-c", each)]
        server = Postgres(
            socket=_short(folder, ".s.PGSQL.5432.lock"),
            command=Command(
                "postgres",
                (str(found.bin / "postgres"), "-D", pgfolder.seen_by(user, folder), *settings),
                env=pgfolder.ENVIRONMENT,
                cwd=folder,
                user=user,
                stop_signal=signal.SIGINT,
                orphan_signal=signal.SIGINT,  # at once, and cleanly
            ),
            log=home / "log" / "postgres.log",
        )
        with _running(server):
            _make_roles(server)
            yield server


@contextmanager
def valkey(home: Path) -> Iterator[Valkey]:
    """Valkey with its socket in `home`. Raises PlainError."""
    home = home.absolute()
    with hold(home, "valkey"):
        folder = home / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        options = {"--port": "0", "--unixsocket": "./valkey.sock", "--unixsocketperm": "700", "--save": ""}
        server = Valkey(
            url=f"unix://{quote(str(_short(folder, 'valkey.sock') / 'valkey.sock'), safe='/')}",
            command=Command(
                "valkey",
                (str(binaries.valkey()), *(word for pair in options.items() for word in pair)),
                env=pgfolder.ENVIRONMENT,
                cwd=folder,
                orphan_signal=signal.SIGKILL,
            ),
            log=home / "log" / "valkey.log",
        )
        with _running(server):
            yield server


@contextmanager
def _running(server: Postgres | Valkey) -> Iterator[None]:
    try:
        server.start()
        yield
    finally:
        if server.process:
            processes.stop([(server.command, server.process)], within=5)


def _still_there(server: Postgres | Valkey, process: Process, deadline: float) -> None:
    name = server.command.name
    if process.poll() is not None:
        why = processes.why_ended(server.log)
        raise PlainError(f"The embedded {name} did not start: {why} (the whole story is in {server.log}).")
    if time.monotonic() > deadline:
        raise PlainError(f"The embedded {name} started but does not answer. See {server.log}.")
    time.sleep(0.02)


def _short(folder: Path, socket: str) -> Path:
    """A path to `folder` that is short enough for a socket in it: a link of ours in /tmp if its own is not."""
    if len(os.fsencode(folder / socket)) <= _LONGEST_SOCKET:
        return folder
    link = Path("/tmp") / f"warmline-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"  # noqa: S108 - checked below
    try:
        link.symlink_to(folder)
    except FileExistsError:
        if not link.is_symlink() or link.lstat().st_uid != os.geteuid() or link.readlink() != folder:
            raise PlainError(
                f"The data folder's path is too long for a socket, and {link} is taken. Set WARMLINE_HOME to a shorter"
                " path."
            ) from None
    return link


def _make_roles(server: Postgres) -> None:
    with server.connect(database="postgres") as connection:
        have = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for role, rights in _ROLES.items():
            if role not in have:
                connection.execute(sql.SQL("CREATE ROLE {} " + rights).format(sql.Identifier(role)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            names = sql.Identifier(DATABASE), sql.Identifier(OWNER)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
