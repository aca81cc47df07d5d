"""Every target, with the same few inputs each time; and every find there ever was, as a case of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fuzz import engine, odd
from fuzz.every import targets
from fuzz.ours import MANIFEST
from fuzz.target import Target, plain
from integrations.provider import Consent
from integrations.registry import providers

CASES = Path(__file__).parent / "cases"
TARGETS = {each.name: each for each in targets()}
INPUTS = 8  # of each; `make fuzz` tries as many as there is time for


@pytest.mark.parametrize("name", TARGETS)
def test_a_stranger_gets_an_answer_and_no_more(name: str) -> None:
    with TARGETS[name].open() as check:
        _, found = engine.attempt(TARGETS[name], check, INPUTS, seed=None)
    assert found is None, found.error


PARSED = sorted(set(CASES.glob("*.json")) - set(CASES.glob("doors-*.json")))  # those are tried in test_doors.py


@pytest.mark.parametrize("path", PARSED, ids=lambda path: path.stem)
def test_what_was_found_once_holds_now(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    with TARGETS[case["target"]].open() as check:
        check(case["input"])


def _told(body: str, do: int = 0, status: int = 400) -> dict[str, Any]:
    return {"do": do, "answers": [{"status": status, "headers": {}, "body": body}], "callback": {}}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("signing in/hubspot", _told(odd.DEEP)),
        ("signing in/pipedrive", _told(odd.DEEP)),
        ("signing in/salesforce", _told(odd.DEEP)),
        ("signing in/mastodon", _told(odd.DEEP, do=1, status=200)),
        ("file/call histories", odd.DEEP),
        ("backup/manifest", {"manifest": odd.DEEP, "people": "[]"}),
        ("backup/manifest", {"manifest": json.dumps(MANIFEST), "people": odd.DEEP}),
        ("backup/manifest", {"manifest": json.dumps(MANIFEST), "people": ""}),
    ],
)
def test_what_is_nested_too_deeply_is_refused_like_any_other_garbage(name: str, given: Any) -> None:
    with TARGETS[name].open() as check:
        check(given)


def test_every_provider_is_tried_at_each_of_its_doors() -> None:
    for key, provider in providers().items():
        assert f"signing in/{key}" in TARGETS
        assert (f"webhook/{key}" in TARGETS) == (provider.webhook is not None)
        assert (f"consents/{key}" in TARGETS) == isinstance(provider.auth, Consent)
        if "handed_in" not in provider.capabilities:
            assert {f"answers/{key}", f"cursors/{key}"} <= set(TARGETS)


def test_a_find_is_told_with_its_smallest_input_and_kept_as_a_case(tmp_path: Path) -> None:
    def check(value: Any) -> None:
        if value >= 10:
            raise KeyError(value)

    from hypothesis import strategies as st

    broken = Target("a/broken one", st.integers(0, 1000), plain(check))
    _, found = engine.attempt(broken, check, 200, seed=7)
    assert found is not None
    kept = json.loads(found.keep(tmp_path).read_text())
    assert kept == {"target": "a/broken one", "input": 10, "was": "KeyError: 10"}


def test_a_run_ends_with_its_time_and_counts_what_it_tried(tmp_path: Path) -> None:
    from hypothesis import strategies as st

    def odd(value: bool) -> None:
        assert not value

    tried = (Target("good", st.booleans(), plain(lambda _: None)), Target("bad", st.booleans(), plain(odd)))
    finds: list[engine.Found] = []
    said: list[str] = []
    counts = engine.fuzz(tried, 0, 1, said.append, finds.append)
    assert set(counts) == {"good", "bad"}
    assert [each.target for each in finds] == ["bad"]
    assert "FOUND" in said[0]
