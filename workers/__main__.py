"""`python -m workers worker|scheduler`: the processes that the Procfile names."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rq.worker_pool import WorkerPool

from service import config as configuration
from service import logs
from service.config import Config
from service.errors import PlainError
from service.queue import QUEUE
from service.runtime import Runtime
from workers import scheduler


def worker(config: Config) -> None:
    """A pool of forking workers. The application is imported here, before they fork: a job then costs milliseconds to
    start instead of two seconds of imports. No database socket is open at that time."""
    from workers import jobs

    jobs.preload()
    pool = WorkerPool([QUEUE], connection=Runtime(config).redis, num_workers=config.workers)
    pool.start(logging_level="WARNING")


_COMMANDS: dict[str, Callable[[Config], None]] = {"worker": worker, "scheduler": scheduler.run}


def main(argv: list[str]) -> int:
    if len(argv) != 1 or argv[0] not in _COMMANDS:
        sys.stderr.write(f"usage: python -m workers {'|'.join(_COMMANDS)}\n")
        return 2
    try:
        config = configuration.load()
        logs.configure(config)
        _COMMANDS[argv[0]](config)
    except PlainError as error:
        sys.stderr.write(f"warmline: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")  # RQ reads cron strings and writes logs in local time
    sys.exit(main(sys.argv[1:]))
