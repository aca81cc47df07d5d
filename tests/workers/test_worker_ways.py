"""How a worker process is begun, the first time and whenever its pool begins one again."""

from __future__ import annotations

from typing import Any

import pytest
from rq import SimpleWorker

from service.queue import LONG
from service.runtime import Runtime
from workers import __main__ as processes
from workers.__main__ import MortalWorker


@pytest.fixture
def told(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What RQ's own worker is told by ours; it does nothing."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(SimpleWorker, "work", lambda self, *args, **kwargs: told.update(kwargs) or True)
    for name in ("die_with_parent", "_runtime"):
        monkeypatch.setattr(processes, name, lambda *_: held)
    monkeypatch.setattr(processes.tracing, "configure", lambda *_: None)
    monkeypatch.setattr(processes.watched, "leave", lambda *_: None)
    return told


def test_one_that_is_begun_again_says_no_more_than_the_first(held: Runtime, told: dict[str, Any]) -> None:
    MortalWorker(["warmline"], connection=held.redis).work(burst=True, logging_level="INFO")  # as RQ's pool does

    assert told["logging_level"] == "WARNING"
    assert told["max_jobs"] == processes.RECYCLED_AFTER


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
