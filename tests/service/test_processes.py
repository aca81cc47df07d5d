"""No process of ours outlives whoever started it, and it is said why one has ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.processes import die_with_parent, why_ended

# A parent ends as soon as its child is there; the child asks to be told of that when it is too late.
LATE = """
import os
import sys
from service.processes import die_with_parent

parent, (ends, ended) = os.getpid(), os.pipe()
if os.fork():
    os._exit(0)
os.close(ended)
os.read(ends, 1)  # until nobody holds the other end: the parent is gone
while os.getppid() == parent:  # and its end is known a moment later
    os.sched_yield()
die_with_parent(parent=parent)
sys.stdout.write("went on")
"""


def test_a_process_whose_parent_ended_before_it_asked_to_be_told_ends_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("", "")  # read to the end, which is the child's


def test_a_process_whose_parent_lives_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "service.processes.sys.platform", "elsewhere"
    )  # the kernel would end the tests with their runner
    die_with_parent(parent=os.getppid())


@pytest.mark.parametrize(
    ("free", "why"),
    [
        (1 << 30, "Address already in use"),
        (4096, "no room is left on the disk of {folder}. Make some, and start again"),
    ],
)
def test_why_a_process_has_ended_is_its_last_word_but_where_the_disk_below_its_log_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, why: str
) -> None:
    (tmp_path / "web.log").write_text("Starting\nAddress already in use\n\n")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert why_ended(tmp_path / "web.log") == why.format(folder=tmp_path)


def test_a_process_that_has_said_nothing_gave_no_reason(tmp_path: Path) -> None:
    assert why_ended(tmp_path / "web.log") == "no reason given"
