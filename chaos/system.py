"""What runs: Warmline's processes, each begun again when it has ended, as an operating system's supervisor does."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from chaos import process as entry
from chaos.hosts import Host
from chaos.releases import Release
from service import embedded, pgfolder, processes
from service.demo.sandbox import Sandbox
from service.processes import Command, Process

AGAIN = 0.5  # seconds until what has ended is begun again


@dataclass
class Unit:
    """One program that is kept running. `command` makes how to start it from a release."""

    name: str
    command: Callable[[Release], Command]
    release: Release
    log: Path
    process: Process | None = None
    again_at: float = 0.0
    starts: int = 0

    def tend(self, now: float) -> None:
        """Begins it again where it has ended. Call it from the main thread, often."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self.process, self.again_at = None, now + AGAIN
        if now < self.again_at:
            return
        try:
            self.process = processes.start(self.command(self.release), self.log)
            self.starts += 1
        except OSError:  # the disk is full, say
            self.again_at = now + AGAIN

    def send(self, number: signal.Signals) -> int | None:
        """Signals the program itself. Its process id, or None where it does not run now."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(number)
        return self.process.pid

    def children(self) -> list[int]:
        if self.process is None or self.process.poll() is not None:
            return []
        return children(self.process.pid)


def children(pid: int) -> list[int]:
    """The processes that a process has forked, the oldest first."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return sorted(found)


@dataclass
class System:
    """Everything, while it runs."""

    home: Path  # the data folder
    lease: float
    hosts: Mapping[str, Host]
    units: Mapping[str, Unit]
    postgres: embedded.Postgres
    valkey: embedded.Valkey
    sandbox: Sandbox
    newest: Release
    owner_env: Mapping[str, str]  # of commands that an administrator runs
    under_way: list[Iterator[None]] = field(default_factory=list)  # what takes several looks: a deployment
    rolling: bool = False

    def tend(self) -> None:
        """One look at everything."""
        now = time.monotonic()
        for unit in self.units.values():
            unit.tend(now)
        self.under_way = [each for each in self.under_way if next(each, self) is None]

    def stop(self) -> None:
        """Ends Warmline's own processes, those that were stopped included."""
        running = []
        for unit in self.units.values():
            if unit.process is not None and unit.process.poll() is None:
                for pid in (*unit.children(), unit.process.pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
                running.append((unit.command(unit.release), unit.process))
        servers = ("postgres", "valkey")
        processes.stop([each for each in running if each[0].name not in servers], within=5)
        processes.stop([each for each in running if each[0].name in servers], within=5)


def program(name: str, argv: tuple[str, ...], env: Mapping[str, str], host: Host | None, board: Path, log: Path, release: Release) -> Unit:  # fmt: skip
    """A program of Warmline on a host (None: the one with web and servers)."""

    def command(release: Release) -> Command:
        own = {**os.environ, **env, **(host.env if host else {}), entry.VARIABLE: str(board)}
        prefix = host.prefix if host else ()
        return Command(
            name,
            (*prefix, sys.executable, "-m", "chaos.process", *argv),
            env={**own, "PYTHONPATH": str(release.tree)},
            cwd=release.tree,
        )

    return Unit(name, command, release, log)


def server(held: embedded.Postgres | embedded.Valkey, release: Release) -> Unit:
    """PostgreSQL or Valkey, which is running already."""

    def command(_: Release) -> Command:
        if isinstance(held, embedded.Postgres) and held.command.cwd is not None:
            pgfolder.settle(held.command.cwd)
        return held.command

    return Unit(held.command.name, command, release, held.log, held.process, starts=1)
