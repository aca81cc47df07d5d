"""Which parts of the service are alive."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as QueueAway
from sqlalchemy.exc import OperationalError

from service import queue
from service.runtime import Runtime
from service.watch import parts


def test_a_queue_that_is_away_is_told_from_a_worker_that_is(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts.look(held) == parts.Parts(database=True, queue=True, worker=False, scheduler=False)

    def away(*_: object) -> bool:
        raise QueueAway

    monkeypatch.setattr(queue, "alive", away)
    assert parts.look(held) == parts.Parts(database=True, queue=False, worker=False, scheduler=False)


def test_a_database_that_is_away_is_not_an_error(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("refused"))

    monkeypatch.setattr("sqlalchemy.orm.Session.execute", away)
    assert not parts.look(held).database
    assert not parts.look(held).well
