"""The place where it runs: a data folder that can fill up, servers, hosts, programs, and a workspace with its accounts connected."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import requests

from bench.place import free_port, running
from chaos import releases
from chaos.board import Board
from chaos.hosts import Servers, hosts
from chaos.system import System, Unit, program, server
from service import config as configuration
from service import embedded, launcher, logs
from service.db import migrate
from service.demo import run
from service.demo.run import SETTINGS, Run
from service.demo.sandbox import Load, Sandbox
from service.errors import PlainError
from service.processes import Command
from service.runtime import Runtime

DISK = "2g"  # of the data folder, where we may mount one
OWNER = "olivia@brand.example"
VALUES = {
    **SETTINGS,
    "patience": dict.fromkeys(("direct", "problem", "question", "other"), 0),
    "first_pull_days": 30,
    "poll_seconds": 5,
}
# WAL that is kept for longer than needed would fill the disk by itself; eighty clients are plenty, and soon taken.
_POSTGRES = ("max_wal_size=256MB", "max_connections=80")


@dataclass(frozen=True)
class Place:
    """Everything runs, and a team has connected its accounts."""

    system: System
    runtime: Runtime  # ours, to look with: it is on no host
    workspace_id: UUID
    sandbox_data: Path
    work: Run


@contextmanager
def disk(folder: Path, *, own: bool) -> Iterator[Path]:
    """A data folder on a small file system of its own (`own`), or without one. Ends with all that is in it."""
    home = folder / "home"
    home.mkdir()
    if own:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755", "chaos", str(home)],
            check=True,
            capture_output=True,
        )
    try:
        yield home
    finally:
        if own:
            subprocess.run(["umount", "--lazy", str(home)], check=False, capture_output=True)


def can_mount() -> bool:
    """Whether this machine lets us mount a file system."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory(prefix="warmline-chaos-") as folder:
        try:
            with disk(Path(folder), own=True):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


@contextmanager
def place(
    load: Load,
    *,
    lease: int,
    workers: int,
    namespaces: bool,
    own_disk: bool,
    unique: bool,
    keep: bool = False,
    say: run.Say,
) -> Iterator[Place]:
    """Until the block ends. `unique`: the CRM keeps our key unique. `lease` is in seconds."""
    folder = Path(tempfile.mkdtemp(prefix="warmline-chaos-"))
    folder.chmod(0o755)
    try:
        with ExitStack() as exits:
            home = exits.enter_context(disk(folder, own=own_disk))
            if keep:
                exits.callback(shutil.copytree, home, folder / "kept", ignore=shutil.ignore_patterns("*.sock", ".s.*"))
            yield exits.enter_context(_running(folder, home, load, lease, workers, namespaces, unique, say))
    finally:
        if keep:
            say(f"What is left stands in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    folder: Path, home: Path, load: Load, lease: int, workers: int, namespaces: bool, unique: bool, say: run.Say
) -> Iterator[Place]:
    release = releases.first(folder)
    port, sandbox_port = free_port(), free_port()
    with ExitStack() as exits:
        exits.enter_context(embedded.hold(home))
        postgres = exits.enter_context(embedded.postgres(home))
        valkey = exits.enter_context(embedded.valkey(home))
        with postgres.connect() as connection:
            for name, value in (each.split("=") for each in _POSTGRES):
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        config = replace(
            configuration.load(follow=False), home=home, port=port, base_url=f"http://127.0.0.1:{port}", workers=workers,
            database_url=postgres.url(), database_admin_url=postgres.admin_url, database_scheduler_url=postgres.scheduler_url,
            redis_url=valkey.url, secret_keys={"chaos": secrets.token_bytes(32)},
        )  # fmt: skip
        logs.configure(config)  # to standard error: what comes of it goes to standard output
        migrate(postgres.admin_url, postgres.url(), postgres.scheduler_url)
        sandbox = exits.enter_context(_sandbox(folder, sandbox_port, release))
        sandbox.settings(rate_limits=False, whole_history=True, token_lifetime_seconds=300, unique_properties=unique)
        own = {
            **launcher.environment(config),
            "WARMLINE_LEASE_SECONDS": str(lease),
            "WARMLINE_QUEUE_SWEEP_SECONDS": str(lease),
        }
        machines = exits.enter_context(
            hosts(folder, Servers(postgres, valkey, sandbox_port), free_port, namespaces=namespaces)
        )
        by_name = {each.name: each for each in machines}
        front = folder / "board-front"
        Board(front)
        units: list[Unit] = [server(postgres, release), server(valkey, release)]
        for name, word, host in (
            ("web", "web", None),
            ("scheduler", "scheduler", "a"),
            ("worker-a", "worker", "a"),
            ("worker-b", "worker", "b"),
        ):
            there = by_name.get(host or "")
            log = home / "log" / f"{name}.log"
            units.append(program(name, (word,), own, there, there.board_path if there else front, log, release))
        system = System(
            home, lease, by_name, {each.name: each for each in units}, postgres, valkey, sandbox, release, own
        )
        exits.callback(_give_back, system)
        system.units["postgres"].send(postgres.command.stop_signal)  # it begins again with its settings
        work = _workspace(system, config, load, say)
        assert work.workspace_id
        yield Place(system, work.runtime, work.workspace_id, folder / "sandbox" / "sandbox.db", work)


def _give_back(system: System) -> None:
    """Ends what we began, and what began as somebody else's."""
    system.stop()
    system.postgres.process = system.units["postgres"].process
    system.valkey.process = system.units["valkey"].process


@contextmanager
def _sandbox(folder: Path, port: int, release: releases.Release) -> Iterator[Sandbox]:
    argv = (sys.executable, "-m", "sandbox", "--port", str(port), "--data", str(folder / "sandbox"))
    command = Command("sandbox", argv, env=dict(os.environ), cwd=release.tree)
    with running(command, folder / "log" / "sandbox.log", f"http://127.0.0.1:{port}/control/counts"):
        yield Sandbox(f"http://127.0.0.1:{port}")


def _workspace(system: System, config: configuration.Config, load: Load, say: run.Say) -> Run:
    """Everything is up, and the accounts are connected through their consent pages."""
    stack = _Tended(config, system.sandbox.url, (), (), system=system)
    _await(system, f"http://127.0.0.1:{config.port}/livez")
    work = Run(stack, load, say, OWNER, "Chaos", VALUES)
    run.fill(work)
    run.connect_all(work)
    run.settle(work)
    return work


@dataclass(frozen=True, kw_only=True)
class _Tended(launcher.Stack):
    """The stack as the demo's steps know it: to check it is to tend the system."""

    system: System

    def check(self) -> None:
        self.system.tend()


def _await(system: System, url: str) -> None:
    deadline = time.monotonic() + launcher.START_WITHIN
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            system.tend()
            with suppress(requests.RequestException):
                if session.get(url, timeout=2).ok:
                    return
            time.sleep(0.05)
    raise PlainError(f"{url} does not answer. See the logs in {system.home / 'log'}.")
