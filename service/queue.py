"""The queue is a hint: jobs are names and ids. What is due stands in the database, so an emptied queue loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from redis import Redis
from rq import Queue

QUEUE = "warmline"
HEARTBEAT = "warmline:alive:{}"  # worker, scheduler: a key that expires when they fall silent
LEASE = timedelta(minutes=5)  # how long a claimed row stays with one worker, unless it renews
JOB_TIMEOUT = 240  # seconds; shorter than the lease, so that nobody works on after losing it


def enqueue(redis: Redis, jobs: Sequence[tuple[str, tuple[UUID, ...]]]) -> None:
    """Puts jobs on the queue: (name below `workers.jobs`, ids). Ids travel as strings."""
    queue = Queue(QUEUE, connection=redis)
    queue.enqueue_many(
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


def beat(redis: Redis, who: str) -> None:
    """Says that this process lives, for a minute and a half."""
    redis.set(HEARTBEAT.format(who), "1", ex=90)


def alive(redis: Redis, who: str) -> bool:
    return bool(redis.exists(HEARTBEAT.format(who)))
