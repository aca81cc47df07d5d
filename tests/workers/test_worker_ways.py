"""How a worker process is begun, the first time and whenever its pool begins one again."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest
from rq import SimpleWorker

from service.queue import LONG
from service.runtime import Runtime
from workers import __main__ as processes
from workers import giving_way
from workers.__main__ import MortalWorker


@pytest.fixture
def told(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What RQ's own worker is told by ours; it does nothing."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(SimpleWorker, "work", lambda self, *args, **kwargs: told.update(kwargs) or True)
    monkeypatch.setattr(SimpleWorker, "_install_signal_handlers", lambda self: None)
    for name in ("die_with_parent", "_runtime"):
        monkeypatch.setattr(processes, name, lambda *_: held)
    monkeypatch.setattr(processes.tracing, "configure", lambda *_: None)
    monkeypatch.setattr(processes.watched, "leave", lambda *_: None)
    return told


def test_one_that_is_begun_again_says_no_more_than_the_first(held: Runtime, told: dict[str, Any]) -> None:
    MortalWorker(["warmline"], connection=held.redis).work(burst=True, logging_level="INFO")  # as RQ's pool does

    assert told["logging_level"] == "WARNING"
    assert told["max_jobs"] == processes.RECYCLED_AFTER


def test_one_whose_pool_ended_before_it_could_ask_to_be_told_does_not_begin(
    held: Runtime, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(processes, "die_with_parent", lambda *said: asked.append(said))
    monkeypatch.setattr(processes, "parent_process", lambda: SimpleNamespace(pid=17))
    MortalWorker(["warmline"], connection=held.redis).work()
    assert asked == [(signal.SIGTERM, 17)]


def test_how_often_the_queue_is_swept_is_a_setting(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MortalWorker, "sweep_every", 17)
    assert MortalWorker(["warmline"], connection=held.redis).maintenance_interval == 17


def test_one_that_may_not_give_way_to_others_works_all_the_same(
    held: Runtime, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: int) -> int:
        raise PermissionError("Operation not permitted")  # as under a filter of system calls

    for call in ("os.setsid", "os.nice"):
        monkeypatch.setattr(call, refused)
    assert MortalWorker([LONG], connection=held.redis).work() is True
    assert told


def test_one_that_is_told_to_come_again_to_give_way_does_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux lets one process that is not root's do it in a tenth of a second, and pools begin several at once."""
    asked: list[str] = []
    rests: list[float] = []

    def busy_twice(text: str) -> None:
        asked.append(text)
        if len(asked) < 3:
            raise BlockingIOError("write could not complete without blocking")

    for call in ("os.setsid", "os.nice"):
        monkeypatch.setattr(call, lambda *_: 0)
    monkeypatch.setattr(giving_way, "AUTOGROUP", SimpleNamespace(exists=lambda: True, write_text=busy_twice))
    monkeypatch.setattr(giving_way, "time", SimpleNamespace(sleep=rests.append))
    giving_way.give_way()
    assert (asked, rests) == ([str(giving_way.NICE)] * 3, [0.1, 0.1])


def test_one_that_was_told_to_stop_does_not_outlive_its_pool_by_a_moment(
    held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for long jobs is in a process group of its own: whoever ends the pool's in the end does not reach it."""
    asked: list[signal.Signals] = []
    monkeypatch.setattr(processes, "die_with_parent", asked.append)
    monkeypatch.setattr(processes.stopping, "ask", lambda _: None)
    MortalWorker([LONG], connection=held.redis).request_stop(signal.SIGTERM, None)
    assert asked == [signal.SIGKILL]
