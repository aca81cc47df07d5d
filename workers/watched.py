"""What a worker says of each job: its trace, how it ended and how long it took, and that the worker is there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from service.queue import SILENCE
from service.runtime import Runtime
from service.watch import meters, presence, tracing
from service.watch.telling import Teller

DONE, GIVEN_UP, HANDED_BACK, FAILED = "done", "given up", "handed back", "failed"
# What a job's second id is of.
_SUBJECT = {
    "pull": "stream_id",
    "push": "connection",
    "calendar": "calendar",
    "person": "request_id",
    "errand": "errand",
}


@dataclass
class Seen:
    """How a job ended, as far as it is known."""

    outcome: str = DONE


@contextmanager
def watched(runtime: Callable[[], Runtime], job: str, ids: tuple[str, ...]) -> Iterator[Seen]:
    """Around one job: `ids` are its arguments, the workspace's first and the lease's last. What it logs carries the trace that the
    scheduler named when it claimed it."""
    seen, began = Seen(), time.monotonic()
    subject = {_SUBJECT[job]: ids[1]} if job in _SUBJECT else {}
    try:
        with tracing.traced(job, trace(job, ids), job=job, workspace=ids[0], **subject):
            yield seen
    except BaseException:
        seen.outcome = FAILED
        raise
    finally:
        meters.count(meters.JOBS, job, seen.outcome)
        meters.observe(meters.JOB_SECONDS, time.monotonic() - began, job)
        _teller(runtime(), os.getpid()).say()


def trace(job: str, ids: tuple[object, ...]) -> str:
    """The trace of a claim: the same in the scheduler, which has the ids, and in the worker, which gets them as text."""
    return tracing.trace_of(job, *ids)


def say(runtime: Callable[[], Runtime], patience: float = SILENCE) -> None:
    """This worker is there, and may be silent for so many seconds."""
    _teller(runtime(), os.getpid()).say(patience=patience, now=patience > SILENCE)


def leave(runtime: Callable[[], Runtime]) -> None:
    """This worker ends in good order."""
    _teller(runtime(), os.getpid()).leave()
    tracing.shut_down()


_speaks: tuple[Runtime, int, Teller] | None = None


def _teller(runtime: Runtime, process: int) -> Teller:
    """One for each process: a fork has said nothing yet."""
    global _speaks
    if _speaks is None or _speaks[0] is not runtime or _speaks[1] != process:
        _speaks = runtime, process, Teller(runtime, presence.WORKER)
    return _speaks[2]
