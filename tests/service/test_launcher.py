"""`warmline up` as a process: what it starts, what it refuses, and that nothing of it is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from service import launcher, ports
from service.config import RUNNING, Config
from service.errors import PlainError
from service.launcher import KEYS
from tests.service.demo.conftest import free_port, warmline

PATIENCE = 90  # seconds: for a machine that is busy with other tests


@dataclass
class Up:
    """A `warmline up` that runs."""

    home: Path
    process: subprocess.Popen[bytes]
    env: Mapping[str, str]

    @property
    def said(self) -> str:
        return (self.home.parent / "said").read_text()

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def children(self, words: str = "") -> list[int]:
        """Processes that work on the data folder."""
        return [pid for pid, line in _processes() if str(self.home) in line and words in line]


def _processes() -> Iterator[tuple[int, str]]:
    """Every process with its command line and its environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = b" ".join((folder / name).read_bytes() for name in ("cmdline", "environ"))
            cwd = os.readlink(folder / "cwd")
            yield int(folder.name), f"{told.decode(errors='replace')} {cwd}"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    home = tmp_path_factory.mktemp("up") / "home"
    env = {"WARMLINE_HOME": str(home), "PORT": str(free_port()), "WARMLINE_SANDBOX_PORT": str(free_port())}
    with (home.parent / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "up"], env={**os.environ, **env}, stdout=said, stderr=said, start_new_session=True
        )  # fmt: skip
    running = Up(home, process, env)
    try:
        running.wait_for("Console")
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_it_shows_where_to_look_and_what_happens(up: Up) -> None:
    up.wait_for("9 tasks in the CRM")
    assert f"http://127.0.0.1:{up.env['PORT']}/signin/" in up.said
    assert f"http://127.0.0.1:{up.env['WARMLINE_SANDBOX_PORT']}/crm" in up.said


def test_the_doctor_finds_nothing_missing_beside_it(up: Up) -> None:
    up.wait_for("9 tasks in the CRM")
    done = warmline(up.home, "doctor", "--json")
    found = json.loads(done.stdout)
    assert {step["name"]: step["says"] for step in found["steps"] if step["state"] != "ok"} == {}
    assert (done.returncode, found["ok"]) == (0, True)


def test_other_commands_find_it(up: Up) -> None:
    done = warmline(up.home, "signin", "olivia@fernhill.example")
    assert done.stdout.startswith(f"http://127.0.0.1:{up.env['PORT']}/signin/"), done.stderr


def test_a_second_one_on_its_folder_is_refused(up: Up) -> None:
    done = warmline(up.home, "up")
    assert done.returncode == 1
    assert (
        f"is in use by another Warmline (process {up.process.pid}). Stop it, or set WARMLINE_HOME to another folder."
        in done.stderr
    )


@pytest.mark.parametrize("setting", ["PORT", "WARMLINE_SANDBOX_PORT"])
def test_a_port_that_is_taken_is_named(up: Up, tmp_path: Path, setting: str) -> None:
    done = warmline(tmp_path / "home", "up", **{setting: up.env[setting]})
    assert done.returncode == 1
    assert (
        f"Port {up.env[setting]} is in use by another program. Stop that, or set {setting} to a free port."
        in done.stderr
    )
    assert not (tmp_path / "home" / "postgres").exists()


def _missing(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What the doctor finds missing."""
    return {step["name"]: step["says"] for step in json.loads(done.stdout)["steps"] if step["state"] != "ok"}


def test_a_queue_that_dies_is_started_again_and_nothing_is_lost(up: Up) -> None:
    up.wait_for("9 tasks in the CRM")
    [valkey] = [pid for pid in up.children("valkey-server") if "valkey" in Path(f"/proc/{pid}/comm").read_text()]
    os.kill(valkey, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while _missing(done := warmline(up.home, "doctor", "--json")):
        assert time.monotonic() < deadline, done.stdout
    assert up.process.poll() is None


def test_keys_and_addresses_are_for_their_owner_alone(up: Up) -> None:
    for name in (KEYS, RUNNING):
        assert (up.home / name).stat().st_mode & 0o077 == 0


def test_told_to_stop_it_leaves_no_process_and_no_address_behind(up: Up) -> None:
    assert len(up.children()) > 5
    up.process.terminate()
    up.process.wait(PATIENCE)
    assert up.children() == []
    assert not (up.home / RUNNING).exists()
    assert warmline(up.home, "doctor").returncode == 1


# --- without processes ----------------------------------------------------------------------------------------


def test_a_database_of_ones_own_needs_all_three_roles(config: Config) -> None:
    with pytest.raises(PlainError, match="two are set"):
        launcher.servers(replace(config, database_scheduler_url=None)).__enter__()


@pytest.mark.parametrize("held", [b"", b"\xff\xfe", b"\n\n"])
def test_a_key_file_that_was_emptied_is_never_replaced_by_a_new_key(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / KEYS
    path.write_bytes(held)
    with pytest.raises(PlainError, match=r"holds no key that can be read.* Put the file back from a copy"):
        launcher.read_keys(path)
    assert path.read_bytes() == held


def test_a_key_file_that_holds_something_else_names_itself(tmp_path: Path) -> None:
    (tmp_path / KEYS).write_text("k1:nonsense")
    with pytest.raises(PlainError, match=f"{KEYS} holds something other than id:base64 of 32 bytes"):
        launcher.read_keys(tmp_path / KEYS)


def test_a_port_is_free_once_its_program_has_ended() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PlainError, match=f"Port {port} is in use"):
            ports.check_free(port, "PORT")
    ports.check_free(port, "PORT")
