"""No process of ours outlives whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from service.processes import die_with_parent

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
