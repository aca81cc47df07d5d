"""The server as a command."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]


def start(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def refusal(*arguments, **environment):
    """Exit status and what was said, of a start that fails."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == ""
    return done.returncode, done.stderr.strip()


def test_it_says_one_line_serves_drops_and_stops_clean(tmp_path):
    with start("--port", "0", "--data", str(tmp_path), WARMLINE_NOW="2026-06-30T12:00:00Z") as server:
        try:
            line = server.stdout.readline()
            (url,) = re.findall(r"^The sandbox listens on (http://127\.0\.0\.1:\d+)/$", line)
            assert requests.get(f"{url}/control/counts", timeout=10).json()["posts"] == 0
            assert "Tue 30 Jun, 12:00 UTC, standing still" in requests.get(url, timeout=10).text
            requests.post(f"{url}/faults", json={"fault": "drop_after", "count": 1}, timeout=10).raise_for_status()
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{url}/x/2/users/me", timeout=10)
            assert requests.get(f"{url}/x/2/users/me", timeout=10).status_code == 401
        finally:
            server.send_signal(signal.SIGTERM)
            rest, complaints = server.communicate(timeout=20)
    assert server.returncode == 0
    assert (rest, complaints) == ("", "")


def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = refusal("--port", str(taken.getsockname()[1]), "--data", str(tmp_path))
    assert status == 1
    assert re.fullmatch(
        r"The sandbox can't listen on 127\.0\.0\.1:\d+: another program does already\. Name another --port\.", said
    )


def test_a_port_that_there_cannot_be_is_named(tmp_path):
    status, said = refusal("--port", "70000", "--data", str(tmp_path))
    assert (status, said) == (
        1,
        "The sandbox can't listen on 127.0.0.1:70000: ports go from 0 to 65535. Name another --port.",
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--host", "0.0.0.0"], {}, "can be reached from outside"),
        (["--host", "everywhere"], {}, "Give --host an address such as 127.0.0.1"),
        ([], {"WARMLINE_NOW": "yesterday"}, "WARMLINE_NOW an instant in ISO 8601"),
    ],
)
def test_a_start_that_cant_be_is_one_plain_sentence(tmp_path, arguments, environment, words):
    status, said = refusal("--port", "0", "--data", str(tmp_path), *arguments, **environment)
    assert status == 1
    assert words in said
    assert "Traceback" not in said


def test_a_folder_that_cant_be_written_is_named(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    status, said = refusal("--port", "0", "--data", str(in_the_way))
    assert status == 1
    assert said.endswith("Name a folder it may write to.")


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "sandbox.db").write_text("not a database" * 100)
    status, said = refusal("--port", "0", "--data", str(tmp_path))
    assert status == 1
    assert "file is not a database" in said
