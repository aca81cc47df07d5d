"""`warmline demo` as a process of its own, as whoever clones the project runs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from service import embedded


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def warmline(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of Warmline's on this data folder and waits for its end."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("WARMLINE_", "DATABASE_", "REDIS_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        env={
            **inherited,
            "WARMLINE_HOME": str(home),
            "PORT": str(free_port()),
            "WARMLINE_SANDBOX_PORT": str(free_port()),
            **env,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def demo(home: Path, *arguments: str) -> dict[str, Any]:
    """What `warmline demo --json` prints: one JSON object, and nothing else on stdout."""
    done = warmline(home, "demo", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    return found


@contextmanager
def held_in(folder: Path) -> Iterator[psycopg.Connection]:
    """The database that a demo left in its folder."""
    with embedded.postgres(folder, fsync=False) as server, server.connect() as connection:
        yield connection


def rows(connection: psycopg.Connection, query: str) -> Sequence[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()
