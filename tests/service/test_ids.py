"""Ids: of version 7, and in the order in which they are made."""

from __future__ import annotations

import time

import pytest

from service import ids


def test_ids_come_in_order_and_say_when_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", 0)  # a test before this one may have made some in the future
    before = time.time_ns() // 1_000_000
    made = [ids.new_id() for _ in range(20_000)]
    after = time.time_ns() // 1_000_000

    assert made == sorted(set(made))
    assert {each.version for each in made} == {7}
    assert before <= made[0].int >> 80
    assert made[-1].int >> 80 <= after + 1


def test_a_clock_that_runs_backwards_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ids.new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1)
    assert ids.new_id() > first
