"""Scheduler: finds what is due and puts ids on the queue. Any number may run; the database decides who has what."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import timedelta
from itertools import groupby
from threading import Event

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from service import database_roles, queue
from service.clock import business_now
from service.config import Config
from service.db import check_at_start, scheduler_engine, unreachable
from service.errors import PlainError
from service.leases import LEASE
from service.runtime import Runtime
from service.store import claims
from service.watch import presence
from service.watch.telling import Teller
from workers import watched

log = structlog.get_logger()

TICK = 0.4  # seconds between two looks
PATIENCE = 5.0  # seconds after a database or queue that is away
CLAIMED = 200  # due rows of each sort that one look takes


def tick(engine: Engine, redis: Redis, lease: timedelta = LEASE) -> int:
    """One look: claims, commits, enqueues. What cannot be enqueued is given back at once. Returns how many were."""
    queue.beat(redis, "scheduler")
    if not queue.has_room(redis):
        return 0
    now = business_now()
    with engine.begin() as connection:
        found = claims.claim(connection, now, CLAIMED, lease)
    if not found:
        return 0
    try:
        left = set(queue.enqueue(redis, [(each.job, each.ids) for each in found]))
    except RedisError:
        with engine.begin() as connection:
            claims.release(connection, found, now)
        raise
    if left:
        with engine.begin() as connection:
            claims.release_rows(connection, [each for each in found if (each.job, each.ids) in left], now)
        found = [each for each in found if (each.job, each.ids) not in left]
    _tell(found)
    return len(found)


def _tell(found: list[claims.Claim]) -> None:
    """Which jobs were claimed, by the traces that their own lines will carry."""
    for job, claimed in groupby(found, key=lambda each: each.job):
        traces = [watched.trace(job, each.ids) for each in claimed]
        log.info("claimed", job=job, count=len(traces), traces=traces)


def run(config: Config, stop: Event | None = None, wait: Callable[[float], object] | None = None) -> None:
    """Looks until it is stopped (SIGTERM, SIGINT). A database or queue that is away is waited for, and said once."""
    stop = stop or _stopped_by_signal()
    wait = wait or stop.wait
    held = Runtime(config)
    engine, redis = scheduler_engine(config.need("database_scheduler_url")), held.redis
    check_at_start(engine, database_roles.scheduler)
    teller = Teller(held, presence.SCHEDULER)
    away = False
    while not stop.is_set():
        try:
            tick(engine, redis, config.lease)
            teller.say()
        except (OperationalError, RedisError) as error:
            if not away:
                why = _why(error)
                log.warning("waiting for the database or the queue", why=str(why))
            away = True
            wait(PATIENCE)
            continue
        if away:
            log.info("the database and the queue are back")
            away = False
        wait(TICK)
    teller.leave()


def _why(error: OperationalError | RedisError) -> PlainError:
    if isinstance(error, OperationalError):
        return unreachable(error, "DATABASE_SCHEDULER_URL")
    return queue.unreachable(error)


def _stopped_by_signal() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
