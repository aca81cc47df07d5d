"""What each kind of fault does. One function a kind: it strikes, and returns what ends it (None: an instant)."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import psycopg
import requests
from redis import Redis
from redis.exceptions import RedisError

from chaos.board import Trap
from chaos.plan import Fault
from chaos.releases import following
from chaos.system import System
from service import embedded, processes
from service.processes import Command

End = Callable[[], None]
SOON = 4.0  # seconds within which the next calls must come to meet a fault of the provider
BALLAST = 64 * 2**20  # bytes at once
# What may be repeated without harm by whoever stands between: never the spending of a refresh token that is good for one use.
RESOURCES = {"x": "^/x/2/(?!oauth2/)", "hubspot": "^/hubspot/crm/"}
NO_ANSWER = {True: "timeout_after", False: "timeout_before"}


class MissedError(Exception):
    """There was nothing to strike just now."""


def strike(system: System, fault: Fault) -> End | None:
    """Injects a fault. Raises MissedError."""
    return _KINDS[fault.kind](system, fault.how)


def _kill_child(system: System, how: Mapping[str, Any]) -> None:
    _signal(_chosen_child(system, how), signal.SIGKILL)


def _kill_program(system: System, how: Mapping[str, Any]) -> None:
    if system.units[how["program"]].send(signal.SIGKILL) is None:
        raise MissedError


def _kill_at_step(system: System, how: Mapping[str, Any]) -> None:
    system.hosts[how["host"]].board.set(Trap[how["trap"]])


def _stop_child(system: System, how: Mapping[str, Any]) -> End:
    return _stopped(_chosen_child(system, how))


def _stop_program(system: System, how: Mapping[str, Any]) -> End:
    pid = system.units[how["program"]].send(signal.SIGSTOP)
    if pid is None:
        raise MissedError
    return _stopped(pid)


def _stopped(pid: int) -> End:
    _signal(pid, signal.SIGSTOP)

    def go_on() -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    return go_on


def _restart_postgres(system: System, how: Mapping[str, Any]) -> None:
    if system.units["postgres"].send(signal.Signals[how["signal"]]) is None:
        raise MissedError


def _end_connection(system: System, how: Mapping[str, Any]) -> None:
    """A backend that serves somebody; killing one with SIGKILL makes PostgreSQL restart them all."""
    serving = []
    for pid in system.units["postgres"].children():
        with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            if f": {embedded.APP} ".encode() in file.read():
                serving.append(pid)
    if not serving:
        raise MissedError
    _signal(serving[int(how["which"] * len(serving))], signal.Signals[how["signal"]])


def _no_connections(system: System, how: Mapping[str, Any]) -> End:
    """Takes all that ordinary roles may have."""
    taken: list[psycopg.Connection] = []
    with suppress(psycopg.OperationalError):
        while len(taken) < 1000:
            taken.append(system.postgres.connect(embedded.SCHEDULER))
    if not taken:
        raise MissedError

    def give_back() -> None:
        for each in taken:
            with suppress(psycopg.Error):
                each.close()

    return give_back


def _restart_valkey(system: System, how: Mapping[str, Any]) -> None:
    if system.units["valkey"].send(signal.Signals[how["signal"]]) is None:
        raise MissedError


def _empty_valkey(system: System, how: Mapping[str, Any]) -> None:
    client = Redis.from_url(system.valkey.url, socket_timeout=1)
    try:
        client.flushall()
    except RedisError:
        raise MissedError from None
    finally:
        client.close()


def _answers(kind: str, **fixed: Any) -> Callable[[System, Mapping[str, Any]], None]:
    """Something that goes wrong with the next calls of a provider's API."""

    def ask(system: System, how: Mapping[str, Any]) -> None:
        wanted = {name: how[name] for name in ("provider", "count", "seconds") if name in how}
        wanted["within"] = SOON
        path = RESOURCES[how["provider"]]
        _fault(system, {"fault": how.get("status", kind), "path": path, **wanted, **fixed})

    return ask


def _hang(system: System, how: Mapping[str, Any]) -> None:
    _answers(NO_ANSWER[how["done"]])(system, how)


def _end_tokens(system: System, how: Mapping[str, Any]) -> None:
    _fault(
        system,
        {
            "fault": "expire_tokens",
            "count": 1,
            "within": SOON,
            "path": RESOURCES[how["provider"]],
            "provider": how["provider"],
        },
    )


def _fault(system: System, body: Mapping[str, Any]) -> None:
    try:
        requests.post(f"{system.sandbox.url}/faults", json=body, timeout=5).raise_for_status()
    except requests.RequestException:
        raise MissedError from None


def _step_clock(system: System, how: Mapping[str, Any]) -> End:
    board = system.hosts[how["host"]].board
    board.clock += how["seconds"]

    def step_back() -> None:
        board.clock -= how["seconds"]

    return step_back


def _fill_disk(system: System, how: Mapping[str, Any]) -> End:
    """Every byte of the data folder's file system, which is ours alone."""
    path = system.home / f"ballast-{time.monotonic_ns()}"
    try:
        with path.open("wb") as file:
            size, step = 0, BALLAST
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                    size += step
                except OSError:
                    step //= 4
    except OSError:
        raise MissedError from None
    return lambda: path.unlink(missing_ok=True)


def _deploy(system: System, how: Mapping[str, Any]) -> None:
    system.under_way.append(_roll_out(system, how))


def _roll_out(system: System, how: Mapping[str, Any]) -> Iterator[None]:
    """Migrates while the old code serves, then replaces one program after the other."""
    while system.rolling:
        yield
    system.rolling = True
    release = system.newest = following(system.newest)
    env = {**os.environ, **system.owner_env, "PYTHONPATH": str(release.tree)}
    command = Command("migrate", (sys.executable, "-m", "service.cli", "migrate"), env=env, cwd=release.tree)
    while True:
        try:
            process = processes.start(command, system.home / "log" / "migrate.log")
        except OSError:  # no room for a log
            yield from _wait(1.0)
            continue
        while process.poll() is None:
            yield
        if process.returncode == 0:
            break
        yield from _wait(1.0)  # the database was away, or busy for too long: whoever deploys tries again
    for name in how["order"]:
        unit = system.units[name]
        unit.release = release
        unit.send(signal.SIGTERM)
        yield from _wait(how["pause"])
    system.rolling = False


def _wait(seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield


def _cut_off(system: System, how: Mapping[str, Any]) -> End:
    host = system.hosts[how["host"]]
    if host.off:
        raise MissedError
    host.off = True
    host.cut(True)

    def mend() -> None:
        host.cut(False)
        host.off = False

    return mend


def _chosen_child(system: System, how: Mapping[str, Any]) -> int:
    found = system.units[how["program"]].children()
    if not found:
        raise MissedError
    return found[int(how["which"] * len(found))]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        raise MissedError from None


_KINDS: Mapping[str, Callable[[System, Mapping[str, Any]], End | None]] = {
    "kill a child": _kill_child,
    "kill a program": _kill_program,
    "kill at a step": _kill_at_step,
    "stop a child": _stop_child,
    "stop a program": _stop_program,
    "restart PostgreSQL": _restart_postgres,
    "end a connection to PostgreSQL": _end_connection,
    "leave PostgreSQL no connections": _no_connections,
    "restart Valkey": _restart_valkey,
    "empty Valkey": _empty_valkey,
    "lose answers": _answers("drop_after"),
    "drop calls": _answers("drop_before"),
    "delay answers": _answers("slow"),
    "hang calls": _hang,
    "do calls twice": _answers("twice"),
    "answer garbage": _answers("garbage"),
    "storm of refusals": _answers("503"),
    "end tokens": _end_tokens,
    "step a clock": _step_clock,
    "fill the disk": _fill_disk,
    "deploy": _deploy,
    "cut a host off": _cut_off,
}
