"""Jobs that end as the queue or their worker does are told apart from those that end by an error of ours."""

from __future__ import annotations

from redis.exceptions import ConnectionError as Away
from redis.exceptions import ResponseError
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job, JobStatus

from service import queue
from service.runtime import Runtime


class Quiet(SimpleWorker):
    def _install_signal_handlers(self) -> None:
        """The signals are the tests' own."""


def queue_is_gone() -> None:
    raise Away("Error 111 connecting to valkey.sock.")


def error_of_ours() -> None:
    raise KeyError("name")


def wrong_word_to_the_queue() -> None:
    raise ResponseError("unknown command")


def works(held: Runtime, *jobs: object) -> None:
    jobs_of = Queue(queue.QUEUE, connection=held.redis)
    for job in jobs:
        jobs_of.enqueue(job, failure_ttl=86_400)
    Quiet([jobs_of], connection=held.redis).work(burst=True, logging_level="CRITICAL")


def abandoned(held: Runtime) -> Job:
    """A job that a worker began and nobody ended."""
    jobs_of = Queue(queue.LONG, connection=held.redis)
    job = jobs_of.enqueue(error_of_ours)
    jobs_of.remove(job)
    with held.redis.pipeline() as pipeline:
        job.set_status(JobStatus.STARTED, pipeline=pipeline)
        Execution.create(job, ttl=-1, pipeline=pipeline)
        pipeline.execute()
    held.redis.zadd(jobs_of.started_job_registry.key, {f"{job.id}:gone": 1})
    jobs_of.started_job_registry.cleanup()
    return job


def test_none_is_none(held: Runtime) -> None:
    assert queue.ended(held.redis) == (0, 0)


def test_a_job_that_the_queue_died_under_is_no_error_of_ours(held: Runtime) -> None:
    works(held, queue_is_gone, error_of_ours, wrong_word_to_the_queue, queue_is_gone)
    assert queue.ended(held.redis) == (2, 2)


def test_nor_is_one_whose_worker_is_gone(held: Runtime) -> None:
    abandoned(held)
    assert queue.ended(held.redis) == (0, 1)
