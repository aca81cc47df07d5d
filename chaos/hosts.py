"""The two worker hosts and what lies between them and the rest: a network namespace each, where this machine lets us make them,
else a proxy on loopback. Either can be cut off from the database, the queue and (namespaces only) the providers."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from chaos.board import Board
from service import processes
from service.embedded import APP, DATABASE, OWNER, SCHEDULER, Postgres, Valkey
from service.processes import Command, Process

NAMES = ("a", "b")
_PORTS = (5432, 6379, 8790)


@dataclass
class Host:
    """A machine, as far as its processes can tell."""

    name: str
    board: Board
    board_path: Path
    env: Mapping[str, str]  # how its processes reach the servers
    prefix: tuple[str, ...] = ()  # what puts a process onto it
    cut: Callable[[bool], None] = field(default=lambda _: None, repr=False)
    off: bool = False


@dataclass(frozen=True)
class Servers:
    """What the hosts must reach."""

    postgres: Postgres
    valkey: Valkey
    sandbox_port: int

    @property
    def sockets(self) -> tuple[str, str, str]:
        valkey = self.valkey.url.removeprefix("unix://")
        return str(self.postgres.socket / ".s.PGSQL.5432"), valkey, f"127.0.0.1:{self.sandbox_port}"


def can_make_namespaces() -> bool:
    """Whether this machine lets us make a network of our own."""
    if os.geteuid() != 0 or sys.platform != "linux":
        return False
    name = f"chaos{os.getpid()}"
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextmanager
def hosts(home: Path, servers: Servers, ports: Callable[[], int], *, namespaces: bool) -> Iterator[list[Host]]:
    """The hosts, until the block ends. `ports` gives a free port of loopback."""
    with ExitStack() as exits:
        make = _in_a_namespace if namespaces else _behind_a_proxy
        yield [exits.enter_context(make(name, number, home, servers, ports)) for number, name in enumerate(NAMES)]


@contextmanager
def _in_a_namespace(name: str, number: int, home: Path, servers: Servers, ports: Callable[[], int]) -> Iterator[Host]:
    here, there = _addresses()
    # A name of its own each time: the kernel takes a network apart after its deletion has returned.
    space, outer, inner = (f"wl{secrets.token_hex(4)}{name}{end}" for end in ("", "o", "i"))
    board_path = home / f"board-{name}"
    board = Board(board_path)
    listening = [f"{here}:{port}" for port in _PORTS]  # the address is ours alone
    with ExitStack() as exits:
        _ip("netns", "add", space)
        exits.callback(_ip, "netns", "delete", space)
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", space)
        _ip("address", "add", f"{here}/30", "dev", outer)
        _ip("link", "set", outer, "up")
        prefix = ("ip", "netns", "exec", space)
        for words in (
            ("address", "add", f"{there}/30", "dev", inner),
            ("link", "set", inner, "up"),
            ("link", "set", "lo", "up"),
        ):
            subprocess.run([*prefix, "ip", *words], check=True, capture_output=True)
        pairs = [f"{each}={target}" for each, target in zip(listening, servers.sockets, strict=True)]
        exits.enter_context(_relay(f"relay-{name}", home, home / "board-none", pairs))
        # Providers are called under one address wherever a worker runs.
        inside = [f"127.0.0.1:{servers.sandbox_port}={listening[2]}"]
        exits.enter_context(_relay(f"relay-{name}-inside", home, home / "board-none", inside, prefix))

        def cut(off: bool) -> None:
            _ip("link", "set", outer, "down" if off else "up")

        yield Host(name, board, board_path, _env(listening[0], listening[1]), prefix, cut)


def _addresses() -> tuple[str, str]:
    """Both ends of a network of four addresses that nobody has here, of the range that is kept for benchmarks (RFC 2544)."""
    taken = subprocess.run(["ip", "-4", "-o", "address"], check=True, capture_output=True, text=True).stdout
    while True:
        net = f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}"
        last = 4 * secrets.randbelow(64)
        if f" {net}.{last + 1}/" not in taken:
            return f"{net}.{last + 1}", f"{net}.{last + 2}"


@contextmanager
def _behind_a_proxy(name: str, number: int, home: Path, servers: Servers, ports: Callable[[], int]) -> Iterator[Host]:
    board_path = home / f"board-{name}"
    board = Board(board_path)
    listening = [f"127.0.0.1:{ports()}" for _ in servers.sockets[:2]]
    pairs = [f"{each}={target}" for each, target in zip(listening, servers.sockets, strict=False)]

    def cut(off: bool) -> None:
        board.cut = off

    with _relay(f"relay-{name}", home, board_path, pairs):
        yield Host(name, board, board_path, _env(*listening), (), cut)


def _env(postgres: str, valkey: str) -> dict[str, str]:
    url = f"@{postgres}/{quote(DATABASE)}"
    return {
        "DATABASE_URL": f"postgresql://{APP}{url}",
        "DATABASE_ADMIN_URL": f"postgresql://{OWNER}{url}",
        "DATABASE_SCHEDULER_URL": f"postgresql://{SCHEDULER}{url}",
        "REDIS_URL": f"redis://{valkey}/0",
    }


@contextmanager
def _relay(name: str, home: Path, board: Path, pairs: list[str], prefix: tuple[str, ...] = ()) -> Iterator[None]:
    Board(board)
    command = Command(name, (*prefix, sys.executable, "-m", "chaos.relay", str(board), *pairs), env=dict(os.environ))
    process: Process = processes.start(command, home / "log" / f"{name}.log")
    try:
        time.sleep(0.5)
        if process.poll() is not None:
            raise RuntimeError(f"{name} did not start: {processes.last_words(home / 'log' / f'{name}.log')}")
        yield
    finally:
        processes.stop([(command, process)], within=2)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
