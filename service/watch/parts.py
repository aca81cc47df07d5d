"""Which parts of the service are alive: database, queue, worker and scheduler."""

from __future__ import annotations

from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service import queue
from service.runtime import Runtime


@dataclass(frozen=True)
class Parts:
    """Which parts of the service answered."""

    database: bool
    queue: bool
    worker: bool
    scheduler: bool

    @property
    def well(self) -> bool:
        return self.database and self.queue and self.worker and self.scheduler


def look(runtime: Runtime) -> Parts:
    """Asks the database and the queue, and looks for the heartbeats of worker and scheduler. Raises nothing."""
    try:
        worker, scheduler = (queue.alive(runtime.redis, who) for who in ("worker", "scheduler"))
        reached = True
    except RedisError:
        worker = scheduler = reached = False
    return Parts(database=_answers(runtime), queue=reached, worker=worker, scheduler=scheduler)


def _answers(runtime: Runtime) -> bool:
    try:
        with runtime.db.globally() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
