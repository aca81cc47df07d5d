"""Starts everything in one data folder and stops all of it: servers of our own where none are given, the sandbox, web,
worker, scheduler. Processes are started by command; nothing here imports them."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import requests
from sqlalchemy import make_url

from service import embedded, processes
from service.config import RUNNING, RUNNING_ROLES, Config, parse_keys
from service.db import migrate
from service.errors import PlainError
from service.pgfolder import SUPERUSER
from service.ports import check_free
from service.processes import Command, Process

KEYS = "secret_keys"  # in the data folder: the keys that it was given at its first start
STOP_WITHIN = 5.0  # seconds: processes first, then the servers below them; all of it well within ten
START_WITHIN = 60.0


@dataclass(frozen=True)
class Stack:
    """Everything runs."""

    config: Config  # with the addresses of the servers that were started
    sandbox_url: str
    running: tuple[tuple[Command, Process], ...]
    servers: tuple[embedded.Postgres | embedded.Valkey, ...] = ()  # of our own

    def check(self) -> None:
        """Starts a server of ours again that has ended by itself: the others wait for it. Raises PlainError when that
        fails, or when a process has ended by itself."""
        for server in self.servers:
            if server.process and server.process.poll() is not None:
                server.start()
        for command, process in self.running:
            if process.poll() is not None:
                log = self.config.home / "log" / f"{command.name}.log"
                why = processes.why_ended(log)
                raise PlainError(f"The {command.name} process has ended: {why} (the whole story is in {log}).")


@contextmanager
def stack(config: Config, *, sandbox_port: int, extra: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Runs it all until the block ends. `extra` is environment for every process. Raises PlainError."""
    with ExitStack() as exits:
        exits.enter_context(embedded.hold(config.home))
        if config.port == sandbox_port:
            raise PlainError(f"PORT and WARMLINE_SANDBOX_PORT are both {sandbox_port}. Give each a port of its own.")
        for port, setting in ((config.port, "PORT"), (sandbox_port, "WARMLINE_SANDBOX_PORT")):
            check_free(port, setting)
        config = replace(
            config,
            secret_keys=config.secret_keys or own_keys(config.home),
            stop_within=min(config.stop_within, STOP_WITHIN - 2),  # before they are ended
        )
        config, own = exits.enter_context(servers(config))
        migrate(config.need("database_admin_url"), config.database_url, config.database_scheduler_url)
        env = {**os.environ, **environment(config), **(extra or {})}
        commands = [
            Command("sandbox", (sys.executable, "-m", "sandbox", "--host", "127.0.0.1", "--port", str(sandbox_port),
                                "--data", str(config.home / "sandbox")), env=env),
            Command("web", (sys.executable, "-m", "service.cli", "web"), env=env),
            *(Command(name, (sys.executable, "-m", "workers", name), env=env) for name in ("worker", "scheduler")),
        ]  # fmt: skip
        running: list[tuple[Command, Process]] = []
        exits.callback(lambda: processes.stop(running, within=STOP_WITHIN))
        for command in commands:
            running.append((command, processes.start(command, config.home / "log" / f"{command.name}.log")))
        up = Stack(config, f"http://127.0.0.1:{sandbox_port}", tuple(running), own)
        _wait(up, f"{up.sandbox_url}/control/counts")
        _wait(up, f"http://127.0.0.1:{config.port}/livez")
        exits.enter_context(announced(config))
        yield up


@contextmanager
def servers(config: Config) -> Iterator[tuple[Config, tuple[embedded.Postgres | embedded.Valkey, ...]]]:
    """PostgreSQL and Valkey of our own where none are given: the configuration with their addresses, and those that were
    started. Raises PlainError."""
    own: list[embedded.Postgres | embedded.Valkey] = []
    with ExitStack() as exits:
        if config.database_url is None:
            chosen = os.environ.get("WARMLINE_PG_BIN")
            postgres = exits.enter_context(embedded.postgres(config.home, programs=Path(chosen) if chosen else None))
            own.append(postgres)
            config = _led_to(config, postgres)
        else:
            config = _with_roles(config)
        if config.redis_url is None:
            valkey = exits.enter_context(embedded.valkey(config.home))
            own.append(valkey)
            config = replace(config, redis_url=valkey.url)
        yield config, tuple(own)


@contextmanager
def database(config: Config, *, existing: bool = False) -> Iterator[Config]:
    """For a command that needs the database alone, whether or not anything runs: the data folder's own is started where none is given.
    `existing`: it has to be there already, and none is made. Raises PlainError."""
    if existing and config.database_url is None and not (config.home / "postgres").exists():
        raise PlainError(
            f"Nothing is kept in {config.home} yet. Name the data folder by WARMLINE_HOME, or your own server by DATABASE_URL."
        )
    with ExitStack() as exits:
        if config.database_url is None:
            chosen = os.environ.get("WARMLINE_PG_BIN")
            postgres = exits.enter_context(embedded.postgres(config.home, programs=Path(chosen) if chosen else None))
            config = replace(_led_to(config, postgres), secret_keys=config.secret_keys or own_keys(config.home))
        yield config


def _led_to(config: Config, postgres: embedded.Postgres) -> Config:
    return replace(
        config,
        database_url=postgres.url(),
        database_admin_url=postgres.admin_url,
        database_scheduler_url=postgres.scheduler_url,
        database_backup_url=postgres.url(SUPERUSER),
    )


def _with_roles(config: Config) -> Config:
    """With DATABASE_URL alone, that is the owner's address, and two roles of our own are derived from it: names and passwords
    from this folder's key, so that they are the same next time. `migrate` makes them, or says that it may not."""
    given = config.need("database_url")
    if config.database_admin_url and config.database_scheduler_url:
        return config
    if config.database_admin_url or config.database_scheduler_url:
        raise PlainError(
            "Of DATABASE_URL, DATABASE_ADMIN_URL and DATABASE_SCHEDULER_URL, two are set. Set all three (the same server with three"
            " roles), or DATABASE_URL alone, as somebody who may make roles."
        )
    key = next(iter(config.secret_keys.values()))
    mark = hmac.digest(key, b"warmline role", "sha256").hex()

    def login(name: str) -> str:
        secret = hmac.digest(key, name.encode(), "sha256").hex()
        url = make_url(given).set(username=f"warmline_{name}_{mark[:8]}", password=secret)
        return url.render_as_string(hide_password=False)

    return replace(
        config, database_admin_url=given, database_url=login("application"), database_scheduler_url=login("schedule")
    )


def environment(config: Config) -> dict[str, str]:
    """The configuration as processes read it."""
    keys = ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in config.secret_keys.items())
    return {
        "WARMLINE_HOME": str(config.home), "DATABASE_URL": config.need("database_url"), "DATABASE_ADMIN_URL": config.need("database_admin_url"),
        "DATABASE_SCHEDULER_URL": config.need("database_scheduler_url"), "REDIS_URL": config.need("redis_url"), "PORT": str(config.port),
        "WARMLINE_BIND": config.host, "WARMLINE_URL": config.base_url, "WARMLINE_SECRET_KEYS": keys, "WARMLINE_WORKERS": str(config.workers),
        "WARMLINE_API_PER_SECOND": str(config.api_per_second), "WEB_CONCURRENCY": str(config.web_processes),
        "WARMLINE_STOP_WITHIN": str(config.stop_within), "TZ": "UTC",
    }  # fmt: skip


@contextmanager
def announced(config: Config) -> Iterator[None]:
    """Tells other commands on this data folder how to reach what runs here."""
    path = config.home / RUNNING
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    values = environment(config)
    if config.database_backup_url:  # for `warmline backup`; no process of ours gets it
        values["DATABASE_BACKUP_URL"] = config.database_backup_url
    roles = {f"{RUNNING_ROLES}{name}": value for name, value in values.items() if name.startswith("DATABASE_")}
    path.write_text("".join(f"{name}={_quoted(value)}\n" for name, value in {**values, **roles}.items()))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _quoted(value: str) -> str:
    """As dotenv reads it back, whatever is in the folder's name."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def own_keys(home: Path) -> dict[str, bytes]:
    """The key of this data folder, made the first time. Without it, what the folder holds sealed cannot be opened.
    Raises PlainError when it cannot be read."""
    path = home / KEYS
    if not path.exists():
        fresh = path.with_suffix(".new")  # a file that was half written must never be taken for the key
        fresh.touch(mode=0o600)
        fresh.write_text(f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
        fresh.rename(path)
    return read_keys(path)


def read_keys(path: Path) -> dict[str, bytes]:
    """The keys in a data folder's file. Raises PlainError when there is none in it."""
    try:
        keys = parse_keys(path.read_text().strip(), str(path))
    except (OSError, UnicodeDecodeError):
        keys = {}
    if not keys:
        raise PlainError(
            f"{path} holds no key that can be read, and what is sealed here opens with no other. Put the file back from a copy."
        )
    return keys


def _wait(up: Stack, url: str) -> None:
    deadline = time.monotonic() + START_WITHIN
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            up.check()
            try:
                if session.get(url, timeout=2).ok:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
    raise PlainError(
        f"{url} does not answer after {START_WITHIN:.0f} seconds. See the logs in {up.config.home / 'log'}."
    )
