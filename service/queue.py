"""The queue is a hint: jobs are names and ids. What is due stands in the database, so an emptied queue loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

from service.errors import PlainError

QUEUE = "warmline"
HEARTBEAT = "warmline:alive:"  # and who; expires when every one of them has fallen silent
SILENCE = 90  # seconds
JOB_TIMEOUT = 240  # seconds; shorter than the usual lease, so that nobody works on for long after losing it
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
    return waiting(redis) < ENOUGH


def waiting(redis: Redis) -> int:
    """How many jobs wait."""
    return int(_queue(redis).count)


def failed(redis: Redis) -> int:
    """How many jobs ended by an error of ours; each is kept for a day. What they were about is due again by itself."""
    return int(_queue(redis).failed_job_registry.count)


def unreachable(error: RedisError) -> PlainError:
    """A plain sentence for a Redis that is away; the client's own words say why."""
    why = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no answer"
    return PlainError(f"Redis cannot be reached: {why}. Start it, or check REDIS_URL.")


def beat(redis: Redis, who: str, seconds: int = SILENCE) -> None:
    """Says that a "scheduler" or "worker" lives, for so long. (RQ's own list of workers is gone for good once
    Redis has been emptied, and keeps those that were killed.)"""
    redis.set(HEARTBEAT + who, "1", ex=seconds)


def alive(redis: Redis, who: str) -> bool:
    """Whether any "scheduler" or "worker" lives."""
    return bool(redis.exists(HEARTBEAT + who))
