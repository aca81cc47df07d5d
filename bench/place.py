"""Servers of a benchmark's own, in a folder that is gone afterwards."""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from psycopg import Connection, sql

from service import accounts, embedded, launcher, processes
from service.accounts import Caller
from service.config import Config
from service.db import migrate
from service.demo.run import SETTINGS
from service.demo.sandbox import Sandbox
from service.processes import Command
from service.runtime import Runtime

KEY = {"bench": b"0123456789abcdef0123456789abcdef"}
OWNER = "olga@acme.test"
VALUES = {**SETTINGS, "first_pull_days": 3650, "retention_days": 3650, "lapse_days": 730, "poll_seconds": 3600}


@dataclass(frozen=True)
class Place:
    """PostgreSQL as the launcher runs it, with a migrated, empty database that others are copied from."""

    home: Path
    server: embedded.Postgres

    def database(self, name: str, template: str = embedded.DATABASE) -> Config:
        """A database of its own, copied from another one, and the configuration that leads there."""
        with self.server.connect(database="postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
                    *map(sql.Identifier, (name, template, embedded.OWNER))
                )
            )
            for role in (embedded.APP, embedded.SCHEDULER):
                connection.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(*map(sql.Identifier, (name, role)))
                )
        return Config(
            home=self.home,
            database_url=self.server.url(database=name),
            database_admin_url=self.server.url(embedded.OWNER, name),
            database_scheduler_url=self.server.url(embedded.SCHEDULER, name),
            redis_url="unix:///nowhere",  # benchmarks call the workers' functions themselves
            base_url="http://127.0.0.1:8000",
            port=8000,
            host="127.0.0.1",
            secret_keys=KEY,
        )

    def admin(self, name: str) -> Connection:
        """A superuser's connection: COPY into tables of tenants, VACUUM."""
        return self.server.connect(database=name)


_shared: list[embedded.Postgres] = []


@contextmanager
def place() -> Iterator[Place]:
    """Servers until the block ends, in a folder of the block's own."""
    with _folder() as home, _server(home) as server:
        yield Place(home, server)


@contextmanager
def shared() -> Iterator[None]:
    """Every `place` until the block ends has the same server; each benchmark names its databases. It writes nothing through to the disk, since
    what is measured there says nothing."""
    with _folder() as home, _server(home, fsync=False) as server:
        _shared.append(server)
        try:
            yield
        finally:
            _shared.clear()


@contextmanager
def _folder() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="warmline-bench-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _server(home: Path, *, fsync: bool = True) -> Iterator[embedded.Postgres]:
    if _shared:
        yield _shared[0]
        return
    with embedded.postgres(home, fsync=fsync) as server:
        migrate(server.admin_url, server.url(), server.scheduler_url)
        yield server


def environment(config: Config, **more: str) -> dict[str, str]:
    """The configuration as a worker process reads it."""
    return {**launcher.environment(config), **more}


@dataclass(frozen=True)
class Member:
    workspace_id: UUID
    caller: Caller


def member(runtime: Runtime, values: Mapping[str, object] = VALUES) -> Member:
    """A workspace and its owner, signed in."""
    workspace_id, _ = accounts.ensure_workspace(runtime.db, "Bench", OWNER, values=dict(values))
    cookie = accounts.sign_in(runtime.db, accounts.signin_link(runtime.db, OWNER, "").rsplit("/", 1)[1])
    caller = accounts.caller_of_session(runtime.db, cookie or "")
    assert caller
    return Member(workspace_id, replace(caller, workspace_id=workspace_id))


@contextmanager
def sandbox(home: Path) -> Iterator[Sandbox]:
    """The sandbox as a process on a free port, its limits off, its tokens lasting."""
    port, log = free_port(), home / "log" / "sandbox.log"
    argv = (sys.executable, "-m", "sandbox", "--port", str(port), "--data", str(home / "sandbox"))
    with running(Command("sandbox", argv), log, f"http://127.0.0.1:{port}/control/counts"):
        found = Sandbox(f"http://127.0.0.1:{port}")
        found.settings(rate_limits=False, token_lifetime_seconds=86_400)
        yield found


@contextmanager
def running(command: Command, log: Path, url: str) -> Iterator[None]:
    """A process until the block ends; begins when `url` answers. Raises RuntimeError when it does not come up."""
    import requests

    process = processes.start(command, log)
    try:
        deadline = time.monotonic() + 60
        with requests.Session() as session:
            session.trust_env = False
            while True:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command.name} did not start: {processes.last_words(log, 5)}")
                try:
                    session.get(url, timeout=2)
                    break
                except requests.RequestException:
                    time.sleep(0.05)
        yield
    finally:
        processes.stop([(command, process)], within=5)


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
