"""Each benchmark runs to its end at a tiny size, on servers of its own. What it measures there says nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.contract.harnesses import FAKE, HARNESSES
from tests.integrations.contract.reading import OVER_HTTP

ROOT = Path(__file__).parents[2]
FIGURES = {
    "pull": {"pull: posts/s", "pull: peak memory"},
    "decide": {
        "decide: posts/s from scratch",
        "decide: posts per processor second",
        "decide: peak memory",
        "decide: an hour's new posts",
    },
    "push": {"push: tasks/s", "push: peak memory"},
    "api": {"api: requests/s", "api: last page"},
    "latency": {f"latency: {way}, {what}" for way in ("webhook hint", "pull now") for what in ("p95", "median")},
    "matching": {
        "matching: authors/s",
        "matching: one author, p95",
        "matching: peak memory",
        "matching: contacts stored/s",
        "matching: contacts re-keyed/s",
    },
    "polling": {
        "polling: pulls more than 30 s late",
        "polling: most in one second",
        "polling: mean delay of a post",
        "polling: pulls an hour",
    },
    "doors": {f"doors: an unsigned delivery of {size}" for size in ("2 KB", "the largest")},
    "cost": {
        *(
            f"cost: {step}, {whose}"
            for step in ("pull", "decide", "push", "reconcile")
            for whose in ("worker", "database")
        ),
        *(f"cost: posts/s a core of {whose} carries" for whose in ("workers", "PostgreSQL")),
    },
    "fleet": {
        *(f"fleet: {way}, {what}" for way in ("webhook", "polled") for what in ("p95", "median")),
        "fleet: pulls/s meanwhile",
    },
    "due": {"due: claiming a row", "due: an hour's connections"},
    "neighbour": {"neighbour: post to task, p95", "neighbour: post to task, median"},
    "release": {"release: written before anybody has looked", "release: undone"},
    "contacts": {"contacts: first pull", "contacts: first pull, peak memory"},
    "mapping": {f"mapping: {name}" for name in OVER_HTTP if " " not in name},
    "calls": {f"calls: {name}, per 1,000 tasks" for name in HARNESSES if " " not in name and name != FAKE},
}
NOUGHT = (" late", " looked")  # nobody comes late, and nothing is written unseen


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("name", FIGURES)
def test_a_benchmark_says_all_its_figures_and_leaves_nothing_behind(
    name: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = run(name, "--scale", "small", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["failed"] == []
    assert {each["name"] for each in told["figures"]} == FIGURES[name]
    assert all((each["value"] == 0) == each["name"].endswith(NOUGHT) for each in told["figures"])  # nobody comes late
    assert all(each["value"] >= 0 for each in told["figures"])
    assert os.listdir(tmp_path) == []


def test_an_unknown_name_is_refused_with_the_names_that_there_are() -> None:
    done = run("speed")
    assert done.returncode == 2
    assert "there is no benchmark 'speed'; there are pull, decide, push, api, latency, matching" in done.stderr


GOALS = {"identity": set(), "waiting": set(), "texts": {"texts read"}, "talking": set()}


@pytest.mark.parametrize("name", GOALS)
def test_goals_on_sets_that_are_not_there_are_left_out_and_that_is_said(
    name: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("WARMLINE_SHARED", str(tmp_path))
    done = run(name, "--scale", "small", "--json")
    assert done.returncode == 0, done.stderr
    assert {each["name"] for each in json.loads(done.stdout)["figures"]} == GOALS[name]
    assert "is not there, so nothing is measured on it" in done.stderr


@pytest.mark.shared
@pytest.mark.parametrize("name", ["waiting", "texts", "talking"])
def test_goals_are_measured_where_the_sets_are(name: str, shared: Path) -> None:
    done = run(name, "--scale", "small", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert len(figures) >= 3
    assert any(each["at_least"] is not None and each["reference"] is not None for each in figures)
