"""Each benchmark runs to its end at a tiny size, in one run, beside others. What it measures there says nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as main
from bench.scale import SCALES
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
# Goals on sets that may not be there, and how the names of their figures begin.
SETS: dict[str, tuple[str, ...]] = {
    "waiting": ("unanswered_",),
    "texts": ("needs an answer: ", "wish to talk: "),
    "talking": ("call: ",),
}


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    known = {**os.environ, **env}
    return subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All of them in one run, and what they left behind."""
    folder = tmp_path_factory.mktemp("bench")
    done = run(*FIGURES, *SETS, "--scale", "small", "--json", TMPDIR=str(folder))
    assert done.stdout, done.stderr
    return {**json.loads(done.stdout), "code": done.returncode, "said": done.stderr, "left": os.listdir(folder)}


@pytest.mark.parametrize("name", FIGURES)
def test_a_benchmark_says_all_its_figures(name: str, ran: dict[str, Any]) -> None:
    assert name not in ran["failed"], ran["said"]
    told = [each for each in ran["figures"] if each["name"].partition(":")[0] == name]
    assert {each["name"] for each in told} == FIGURES[name]
    assert all((each["value"] == 0) == each["name"].endswith(NOUGHT) for each in told)  # nobody comes late
    assert all(each["value"] >= 0 for each in told)


def test_tasks_that_are_handed_over_as_workers_do_take_the_fewest_calls(ran: dict[str, Any]) -> None:
    """These are counted, not timed: they say the same at any size of the others."""
    told = [each for each in ran["figures"] if each["name"].startswith("calls: ")]
    assert [each for each in told if each["value"] > each["reference"]] == []


def test_benchmarks_end_well_and_leave_nothing_behind(ran: dict[str, Any]) -> None:
    assert ran["code"] == 0, ran["said"]
    assert ran["failed"] == []
    assert ran["left"] == []


def test_a_full_run_starts_programs_and_servers_for_each_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured for the goals is measured apart; here one that needs no server, at its full size made small."""
    monkeypatch.setitem(SCALES, "small", replace(SCALES["small"], apart=True))
    with main._way("small", ["polling"]) as way:
        [(_, found)] = way(["polling"], "small")
    assert way is main._one_by_one
    assert found
    assert {each["name"] for each in found} == FIGURES["polling"]
    with main._way("full", []) as full:
        assert full is main._one_by_one


def test_an_unknown_name_is_refused_with_the_names_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["speed"])
    assert ended.value.code == 2
    told = "there is no benchmark 'speed'; there are pull, decide, push, api, latency, matching"
    assert told in capsys.readouterr().err


def test_goals_on_sets_that_are_not_there_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    names = ("identity", *SETS)
    done = run(*names, "--scale", "small", "--json", WARMLINE_SHARED=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert {each["name"] for each in json.loads(done.stdout)["figures"]} == {"texts read"}
    assert done.stderr.count("is not there, so nothing is measured on it") >= len(names)


@pytest.mark.shared
@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("name", SETS)
def test_goals_are_measured_where_the_sets_are(name: str, ran: dict[str, Any]) -> None:
    assert name not in ran["failed"], ran["said"]
    figures = [each for each in ran["figures"] if each["name"].startswith(SETS[name])]
    assert len(figures) >= 3
    assert any(each["at_least"] is not None and each["reference"] is not None for each in figures)
