"""What the queue names: a job's arguments are ids, and losing one costs a few minutes, never a mention.

The runtime is made once per process and opens no socket before it is used, so the worker may import this module before it
forks.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial, wraps
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import configure_mappers

from integrations.registry import providers
from service import config as configuration
from service import queue
from service.clock import business_now
from service.db import unreachable, went_away
from service.rules.matching import addresses
from service.rules.readiness import cues
from service.rules.signals import read
from service.runtime import Runtime
from service.store import claims
from workers import calendars, errands, persons, stopping, watched
from workers import decide as deciding
from workers import pull as pulling
from workers import push as pushing

log = structlog.get_logger()

Job = Callable[..., None]
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each try to give a job back to a database that went away


@cache
def runtime() -> Runtime:
    """This process's."""
    return Runtime(configuration.load())


def _outlives(job: Job) -> Job:
    """A database that goes away in the middle costs this job and nothing else: its lease ends, and it is claimed again. A
    process that is to stop begins none, and hands back the one that it cannot end in time."""

    @wraps(job)
    def run(*ids: str) -> None:
        hand_back = partial(_hand_back, job.__name__, ids)
        stopping.begun(hand_back, queue.turn())
        with watched.watched(runtime, job.__name__, ids) as seen:
            try:
                if stopping.asked():
                    seen.outcome = watched.HANDED_BACK
                    hand_back()
                else:
                    job(*ids)
                    _remember(job.__name__, ids[-2])
            except OperationalError as error:
                seen.outcome = watched.GIVEN_UP
                log.warning("given up; it comes again when its lease ends", why=str(unreachable(error)))
                if went_away(error):
                    _hand_back_once_it_is_there(hand_back)
            finally:
                stopping.ended()

    return run


def _remember(job: str, row: str) -> None:
    """Whether it is one of the long ones. A queue that is away forgets it, and that costs one short turn."""
    with suppress(RedisError):
        queue.took(runtime().redis, job, row, long=stopping.ran_out())


def _hand_back_once_it_is_there(hand_back: Callable[[], None]) -> None:
    """A database that restarts is back in seconds, and the lease ends in minutes: nobody waits for it. There is nothing else that
    a worker could do meanwhile."""
    for pause in PAUSES:
        time.sleep(pause)
        if stopping.asked():
            return
        with suppress(OperationalError):
            hand_back()
            log.info("the database is back, and so is the job")
            return


def _hand_back(job: str, ids: tuple[str, ...]) -> None:
    with runtime().db.tenant(UUID(ids[0])) as session:
        session.execute(text("SET LOCAL lock_timeout = '2s'"))
        claims.hand_back(session, job, UUID(ids[-1]), business_now())


@_outlives
def pull(workspace_id: str, stream_id: str, lease_id: str) -> None:
    pulling.pull(runtime(), UUID(workspace_id), UUID(stream_id), UUID(lease_id))


@_outlives
def decide(workspace_id: str, lease_id: str) -> None:
    deciding.decide(runtime(), UUID(workspace_id), UUID(lease_id))


@_outlives
def push(workspace_id: str, connection_id: str, lease_id: str) -> None:
    pushing.push(runtime(), UUID(workspace_id), UUID(connection_id), UUID(lease_id))


@_outlives
def calendar(workspace_id: str, feed_id: str, lease_id: str) -> None:
    calendars.calendar(runtime(), UUID(workspace_id), UUID(feed_id), UUID(lease_id))


@_outlives
def person(workspace_id: str, request_id: str, lease_id: str) -> None:
    persons.person(runtime(), UUID(workspace_id), UUID(request_id), UUID(lease_id))


@_outlives
def errand(workspace_id: str, errand_id: str, lease_id: str) -> None:
    errands.errand(runtime(), UUID(workspace_id), UUID(errand_id), UUID(lease_id))


def preload() -> None:
    """Imports what jobs need (every provider, and with them their client libraries) and makes ready what is made once, so
    that forks inherit it. The garbage collector need not look at all of that again: it stays, and its pages are shared."""
    providers()
    configure_mappers()
    for language in (None, "en"):
        read("", language=language)  # the rules' tables
    cues.preload()
    addresses.preload()
    gc.collect()
    gc.freeze()
    # A batch holds some hundred thousand records that nothing points back to: looking at them all again and again finds nothing.
    gc.set_threshold(100_000, 4, 50)
    # Where one thread reads from the database while another computes, the reader waits this long for its turn, for every piece of an
    # answer: with the default of five thousandths, reading takes twice as long, and sixteen of them gain nothing more.
    sys.setswitchinterval(0.0005)
