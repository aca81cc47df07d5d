"""A web process that is handed its socket, as systemd does it (sd_listen_fds): file descriptor 3, LISTEN_FDS, and LISTEN_PID, which must be
its own. The socket outlives it, so whoever comes while it is started again waits instead of being refused."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from service import accounts
from service.config import Config
from service.runtime import Runtime
from tests.conftest import Member
from tests.processes import PATIENCE, answers, get, running, wait_for

# What systemd does between fork and exec.
ACTIVATE = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3, inheritable=True);"
    " os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
    " os.execv(sys.executable, [sys.executable, '-m', 'service.cli', 'web'])"
)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """systemd's socket: it listens whoever serves."""
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        yield made


@contextmanager
def web(config: Config, listening: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """A web process under that socket. PORT, which it would listen on otherwise, is another one."""
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with running(
        config,
        "-c",
        ACTIVATE,
        str(listening.fileno()),
        pass_fds=(listening.fileno(),),
        WARMLINE_URL=address,
        WARMLINE_JSON_LOGS="true",
    ) as process:
        yield process


def test_whoever_comes_while_it_is_started_again_waits_and_is_answered(
    held: Runtime, owner: Member, config: Config, listening: socket.socket, capfd: pytest.CaptureFixture[str]
) -> None:
    """And all that it writes meanwhile, from its first word to its last, is JSON where that is set."""
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    key = accounts.create_api_key(held.db, owner.workspace_id, None, "test", ["read"])
    with web(config, listening) as process:
        wait_for(lambda: answers(address), process, "an answer on the socket that it was given")
        process.terminate()
        assert process.wait(PATIENCE) == 0
    events = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()]
    assert events[0].startswith("Starting gunicorn")
    assert events[-1].startswith("Shutting down")
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(get, f"{address}/v1/me", key)
        with web(config, listening):
            assert answer.result(PATIENCE).status_code == 200
