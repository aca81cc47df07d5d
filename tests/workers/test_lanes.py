"""Batches that are worked through by more than one thread."""

from __future__ import annotations

import threading

import pytest

from workers.lanes import LANES, exhaust


def test_everything_is_taken_up_once_and_the_end_is_told() -> None:
    left, taken = list(range(50)), list[int]()

    def batch() -> bool:
        taken.append(left.pop())
        return bool(left)

    lock = threading.Lock()

    def guarded() -> bool:
        with lock:
            return bool(left) and batch()

    assert exhaust(guarded, lambda: False)
    assert sorted(taken) == list(range(50))


def test_two_batches_are_under_way_at_once() -> None:
    both = threading.Barrier(LANES, timeout=10)
    calls = 0

    def batch() -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            return True
        both.wait()  # breaks, and with it the test, where one waits for the other's end
        return False

    assert exhaust(batch, lambda: False)


def test_little_work_starts_no_thread() -> None:
    before = threading.active_count()
    assert exhaust(lambda: threading.active_count() > before, lambda: False)


def test_when_time_is_up_the_rest_is_left() -> None:
    assert not exhaust(lambda: True, lambda: True)


def test_what_one_batch_raises_is_raised() -> None:
    calls: list[int] = []

    def batch() -> bool:
        calls.append(1)
        if len(calls) > 1:
            raise LookupError("gone")
        return True

    with pytest.raises(LookupError, match="gone"):
        exhaust(batch, lambda: False)
