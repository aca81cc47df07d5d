"""`python -m workers worker|scheduler`: the processes that the Procfile names."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess, parent_process
from types import FrameType
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.worker_pool import WorkerPool
from sqlalchemy.exc import SQLAlchemyError

from service import config as configuration
from service import database_roles, logs
from service.config import Config
from service.db import check_at_start, plainly
from service.errors import PlainError
from service.importing import importing
from service.processes import die_with_parent
from service.queue import LONG, QUEUE, SILENCE, beat, deciders, unreachable
from service.rules.model import RULES_VERSION
from service.runtime import Runtime
from service.watch import tracing
from workers import giving_way, scheduler, stopping, watched

RECYCLED_AFTER = 2000  # jobs of one process, should anything leak
# What is due stands in the database: RQ's own scheduler, a process beside each pool, would have nothing to do. A pool begins again
# whoever has died as if it had never been told how much they are to say.
_STOPS = (signal.SIGTERM, signal.SIGINT)
_ITS_WAYS = {"max_jobs": RECYCLED_AFTER, "with_scheduler": False, "logging_level": "WARNING"}


class HeedfulQueue(Queue):
    """Hands out nothing to a process that is to stop."""

    @classmethod
    def dequeue_any(cls, *args: Any, **kwargs: Any) -> tuple[Job, Queue] | None:
        return None if stopping.asked() else super().dequeue_any(*args, **kwargs)


class MortalWorker(SimpleWorker):
    """A worker that does not outlive its pool, and does its jobs itself. A fork for each would start with a cold cache of
    statements and a new connection to PostgreSQL, and costs five times what a short pull does; what a fork protects from
    (a job that dies, leaks or hangs) is what leases, recycling and the job's time limit are for."""

    stop_within = 20.0  # seconds; `worker` says this and the next before the fork
    sweep_every = 600  # seconds

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        own = {
            "worker_ttl": SILENCE - 15,
            "maintenance_interval": self.sweep_every,
        }  # it says that it lives more often than that
        super().__init__(*args, **{**kwargs, **own})

    @property
    def dequeue_timeout(self) -> int:
        return 1  # second: how long one that has nothing to do takes to notice that it is to stop

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """RQ's own breaks off the wait for the next job, and with it one that has just been handed over."""
        self._stop_requested = True
        die_with_parent(signal.SIGKILL)  # a pool ends last; if somebody ends it before, nobody waits for us any more
        stopping.ask(self.stop_within)

    def heartbeat(self, timeout: int | None = None, *args: Any, **kwargs: Any) -> None:
        super().heartbeat(timeout, *args, **kwargs)
        patience = max(SILENCE, timeout or 0)
        for who in ("worker", deciders(RULES_VERSION)):
            beat(self.connection, who, patience)
        watched.say(_runtime, patience)

    def work(self, *args: Any, **kwargs: Any) -> bool:
        # RQ does so later. Until then one that is begun again has its pool's, and would go on when it is told to stop.
        self._install_signal_handlers()  # type: ignore[no-untyped-call]
        pool = parent_process()  # none where somebody runs a worker by itself
        die_with_parent(signal.SIGTERM, pool.pid if pool else None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)  # see `Pool.start_worker`
        if LONG in self.queue_names():
            giving_way.give_way()
            giving_way.have_servers_give_way(_runtime().db.engine)
        tracing.configure(_runtime().config, "worker")
        try:
            return super().work(*args, **{**kwargs, **_ITS_WAYS})
        finally:
            watched.leave(_runtime)


class Pool(WorkerPool):
    """Workers for short jobs, and `long` others for long ones alone. Whoever has little to do waits for nobody with a million posts, and is
    never worked for by a process that gives way to others: once it has let others pass, a process may not step in front of them again."""

    def __init__(self, *args: Any, long: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._long, self._those = long, set[str]()

    def start_workers(self, *args: Any, **kwargs: Any) -> None:
        """RQ hears signals once all of them are begun. Who has begun one has somebody to tell."""
        self._install_signal_handlers()  # type: ignore[no-untyped-call]
        super().start_workers(*args, **kwargs)

    def request_stop(self, signum: int | None = None, frame: FrameType | None = None) -> None:
        """Ends with its last worker, and begins no other meanwhile. RQ's own looks once a second whether they have ended."""
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]
        for each in list(self.worker_dict.values()):
            each.process.join()
        sys.exit(0)

    def start_worker(self, *args: Any, **kwargs: Any) -> None:
        """A signal to stop waits until the new process is one that we tell of it, and that process until it has a handler of its own: with
        ours, which it inherits, it would take it for told and never end."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            super().start_worker(*args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def get_worker_process(self, name: str, *args: Any, **kwargs: Any) -> BaseProcess:
        self._those &= self.worker_dict.keys()
        missing = len(self._those) < self._long
        self._queue_names = [LONG] if missing else [QUEUE]
        if missing:
            self._those.add(name)
        return super().get_worker_process(name, *args, **kwargs)


def _runtime() -> Runtime:
    """What this process's jobs hold."""
    from workers import jobs  # by now it is there: the scheduler's process does without it

    return jobs.runtime()


def worker(config: Config) -> None:
    """A pool of workers. The application is imported here, before they are forked, so that they share it and start at
    once. No database socket is open at that time."""
    with importing():
        from workers import jobs

        jobs.preload()
    held = Runtime(config)
    held.vault  # noqa: B018 - refuses here, not in every job
    held.redis.ping()
    check_at_start(held.db.engine, database_roles.application)
    MortalWorker.stop_within, MortalWorker.sweep_every = config.stop_within, config.queue_sweep_seconds
    pool = Pool(
        [QUEUE],
        connection=held.redis,
        num_workers=2 * config.workers + 1,
        long=config.workers,
        worker_class=MortalWorker,
        queue_class=HeedfulQueue,
    )
    pool.start(logging_level="WARNING")


_COMMANDS: dict[str, Callable[[Config], None]] = {"worker": worker, "scheduler": scheduler.run}


def main(argv: list[str]) -> int:
    """Runs one of them until it is stopped. Returns the exit code."""
    if len(argv) != 1 or argv[0] not in _COMMANDS:
        sys.stderr.write(f"usage: python -m workers {'|'.join(_COMMANDS)}\n")
        return 2
    try:
        config = configuration.load()
        gc.freeze()  # what was imported is there until the end
        logs.configure(config)
        _COMMANDS[argv[0]](config)
    except PlainError as error:
        return _refuse(error)
    except SQLAlchemyError as error:
        return _refuse(plainly(error))
    except RedisError as error:
        return _refuse(unreachable(error))
    return 0


def _refuse(error: PlainError) -> int:
    sys.stderr.write(f"warmline: {error}\n")
    return 1


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")  # RQ reads cron strings and writes logs in local time
    sys.exit(main(sys.argv[1:]))
