"""Processes of Warmline's, started for a test on its own servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from service import launcher
from service.config import Config
from tests.service.demo.conftest import free_port

ROOT = Path(__file__).parents[1]
PATIENCE = 60  # seconds: for a machine that is busy with other tests
INHERITED = {
    name: value for name, value in os.environ.items() if not name.startswith(("WARMLINE_", "DATABASE_", "REDIS_"))
}


def wait_for(met: Callable[[], object], process: subprocess.Popen[bytes], what: str) -> None:
    """Until it is met, while that process lives."""
    deadline = time.monotonic() + PATIENCE
    while not met():
        assert process.poll() is None, f"ended before {what}"
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)


@contextmanager
def running(
    config: Config, *argv: str, pass_fds: tuple[int, ...] = (), **env: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Warmline's on the test's servers. It is killed if the test forgets it."""
    known = {**INHERITED, **launcher.environment(config), "PORT": str(free_port()), **env}
    command = [sys.executable, *argv]
    with subprocess.Popen(command, env=known, cwd=ROOT, start_new_session=True, pass_fds=pass_fds) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def web(config: Config) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A web process that answers, and its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running(config, "-m", "service.cli", "web", PORT=str(port), WARMLINE_URL=address) as process:
        wait_for(lambda: answers(address), process, "an answer")
        yield process, address


def get(url: str, key: str = "") -> requests.Response:
    with requests.Session() as http:
        http.trust_env = False
        return http.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)


def answers(address: str) -> bool:
    """Whether a web process takes requests there."""
    try:
        return get(f"{address}/livez").ok
    except requests.ConnectionError:
        return False
