"""The queue is a hint: jobs are names and ids. What is due stands in the database, so an emptied queue loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from redis import Redis
from rq import Queue, Worker

QUEUE = "warmline"
HEARTBEAT = "warmline:alive:scheduler"  # expires when every scheduler has fallen silent
LEASE = timedelta(minutes=5)  # how long a claimed row stays with one worker, unless it renews
JOB_TIMEOUT = 240  # seconds; shorter than the lease, so that nobody works on after losing it
ENOUGH = 500  # jobs waiting: above this nothing more is claimed, so that leases do not run out in the queue


def _queue(redis: Redis) -> Queue:
    return Queue(QUEUE, connection=redis)


def enqueue(redis: Redis, jobs: Sequence[tuple[str, tuple[UUID, ...]]]) -> None:
    """Puts jobs on the queue: (name below `workers.jobs`, ids). Ids travel as strings."""
    _queue(redis).enqueue_many(
        [
            Queue.prepare_data(
                f"workers.jobs.{name}",
                tuple(str(value) for value in ids),
                timeout=JOB_TIMEOUT,
                result_ttl=0,
                failure_ttl=86_400,
            )
            for name, ids in jobs
        ]
    )


def has_room(redis: Redis) -> bool:
    """Whether the queue is short enough to take more."""
    return _queue(redis).count < ENOUGH


def beat(redis: Redis) -> None:
    """Says that a scheduler lives, for a minute and a half."""
    redis.set(HEARTBEAT, "1", ex=90)


def alive(redis: Redis, who: str) -> bool:
    """Whether any "scheduler" or "worker" lives."""
    return bool(redis.exists(HEARTBEAT)) if who == "scheduler" else Worker.count(connection=redis) > 0
