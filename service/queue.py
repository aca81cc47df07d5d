"""The queue is a hint: jobs are names and ids. What is due stands in the database, so an emptied queue loses nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, get_current_job
from rq.job import Job

from service.errors import PlainError

QUEUE = "warmline"  # what is done within a short turn, as far as anybody knows
LONG = "warmline-long"  # what was not, the last time
SHORT_TURN = (
    2.0  # seconds: the most that a job of the first queue keeps those behind it waiting, but for the batch under way
)
_MARK = "warmline:long:"  # and a job's name and row; where Valkey forgets it, that costs one short turn
REMEMBERED = 3600  # seconds
HEARTBEAT = "warmline:alive:"  # and who; expires when every one of them has fallen silent
SILENCE = 90  # seconds
JOB_TIMEOUT = 240  # seconds; shorter than the usual lease, so that nobody works on for long after losing it
ENOUGH = 500  # jobs waiting: above this nothing more is claimed, so that leases do not run out in the queue
ENOUGH_LONG = 20  # long ones, each of which may go on for half a minute


Named = tuple[str, tuple[UUID, ...]]  # a job: name below `workers.jobs`, ids up to the lease's


def _queue(redis: Redis, name: str = QUEUE) -> Queue:
    return Queue(name, connection=redis)


def enqueue(redis: Redis, jobs: Sequence[Named]) -> list[Named]:
    """Puts jobs on the queue. Ids travel as strings. Those that went on for long the last time have a queue of their own, so that
    nobody waits behind them; returns those for which that one has no room now."""
    marks = redis.mget([_mark(name, ids[-2]) for name, ids in jobs])
    short = [job for job, mark in zip(jobs, marks, strict=True) if not mark]
    long = [job for job, mark in zip(jobs, marks, strict=True) if mark]
    room = max(0, ENOUGH_LONG - int(_queue(redis, LONG).count)) if long else 0
    for name, found in ((QUEUE, short), (LONG, long[:room])):
        if found:
            _queue(redis, name).enqueue_many([_data(*job) for job in found])
    return long[room:]


def _data(name: str, ids: tuple[UUID, ...]) -> Any:
    return Queue.prepare_data(
        f"workers.jobs.{name}",
        tuple(str(value) for value in ids),
        timeout=JOB_TIMEOUT,
        result_ttl=0,
        failure_ttl=86_400,
    )


def _mark(name: str, row: object) -> str:
    return f"{_MARK}{name}:{row}"


def turn() -> float:
    """How many seconds the job that this process does may go on."""
    job = get_current_job()
    return SHORT_TURN if job is not None and job.origin == QUEUE else math.inf


def took(redis: Redis, name: str, row: str, *, long: bool) -> None:
    """Remembers whether a job about this row had more to do than its turn allowed."""
    if long:
        redis.set(_mark(name, row), "1", ex=REMEMBERED)
    elif turn() == math.inf:
        redis.delete(_mark(name, row))


def has_room(redis: Redis) -> bool:
    """Whether the queue is short enough to take more."""
    return int(_queue(redis).count) < ENOUGH


def waiting(redis: Redis) -> int:
    """How many jobs wait, long ones included."""
    return int(_queue(redis).count) + int(_queue(redis, LONG).count)


# How RQ tells of a job that the queue or its worker died under: the queue's own errors, and one that was found without a worker.
_BROKEN_OFF = re.compile(
    r"^redis\.exceptions\.(?:ConnectionError|TimeoutError|BusyLoadingError|ReadOnlyError)\b|due to AbandonedJobError",
    re.MULTILINE,
)
_LOOKED_AT = 200  # failed jobs of a queue, the newest: beyond that so much is amiss that the rest count as ours


def ended(redis: Redis) -> tuple[int, int]:
    """How many jobs ended by an error of ours, and how many as the queue or their worker died under them; each is kept for a day. What they
    were about is due again by itself."""
    failed = broken_off = 0
    for name in (QUEUE, LONG):
        registry = _queue(redis, name).failed_job_registry
        found = int(registry.count)
        newest = Job.fetch_many(registry.get_job_ids(0, _LOOKED_AT - 1, desc=True), connection=redis) if found else ()
        theirs = sum(1 for job in newest if job is not None and _was_broken_off(job))
        failed, broken_off = failed + found - theirs, broken_off + theirs
    return failed, broken_off


def _was_broken_off(job: Job) -> bool:
    result = job.latest_result()
    return result is not None and bool(_BROKEN_OFF.search(result.exc_string or ""))


def unreachable(error: RedisError) -> PlainError:
    """A plain sentence for a Redis that is away; the client's own words say why."""
    why = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no answer"
    return PlainError(f"Redis cannot be reached: {why}. Start it, or check REDIS_URL.")


def beat(redis: Redis, who: str, seconds: int = SILENCE) -> None:
    """Says that a "scheduler", "worker" or one of such `deciders` lives, for so long. (RQ's own list of workers is gone for good once
    Redis has been emptied, and keeps those that were killed.)"""
    redis.set(HEARTBEAT + who, "1", ex=seconds)


def deciders(rules: int) -> str:
    """Workers whose rules these are, as `beat` and `alive` call them: while they live, those with older ones leave it to them."""
    return f"rules:{rules}"


def alive(redis: Redis, who: str) -> bool:
    """Whether any "scheduler", "worker" or one of such `deciders` lives."""
    return bool(redis.exists(HEARTBEAT + who))
