"""How the whole service is, put together once for Prometheus, the operator's page and `warmline doctor`: what of it cannot be read is
left out and named, so that a part that is away hides no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from redis.exceptions import RedisError
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from service import queue
from service.clock import real_now
from service.db import scheduler_engine
from service.errors import PlainError
from service.models import ProviderFreeze
from service.runtime import Runtime
from service.watch import freshness, meters, presence, states
from service.watch.freshness import Window
from service.watch.meters import Reading
from service.watch.presence import ROLES, Process
from service.watch.states import States

KEPT = 5.0  # seconds for which an answer is given again: asking more often costs nothing more
T = TypeVar("T")


@dataclass(frozen=True)
class Queue:
    waiting: int
    failed: int  # jobs that ended by an error of ours within a day
    broken_off: int = 0  # and as the queue or their worker died under them


@dataclass(frozen=True)
class Overall:
    """All of it; None or empty is what could not be read."""

    states: States | None = None
    kinds: Mapping[str, Mapping[str, Window]] = field(
        default_factory=dict
    )  # of task -> window -> how many came in time
    queue: Queue | None = None
    processes: tuple[Process, ...] = ()
    housekeeping_age: float | None = None  # seconds
    readings: Sequence[Reading] | None = None
    asked_at: float = 0.0  # by this host's clock, in seconds since 1970
    queue_clock: float = 0.0  # Valkey's, in seconds since 1970, right before the database's was read
    took: float = 0.0  # seconds

    @property
    def database_up(self) -> bool:
        return bool(self.kinds)

    @property
    def windows(self) -> Mapping[str, Window]:
        """All kinds of task together."""
        return freshness.together(self.kinds) if self.kinds else {}

    @property
    def queue_up(self) -> bool:
        return self.queue is not None

    def alive(self, role: str) -> list[Process]:
        return [each for each in self.processes if each.role == role and not each.silent(self.queue_clock)]

    def silent(self, role: str) -> list[Process]:
        """Processes that neither speak nor said goodbye: killed, or cut off."""
        return [each for each in self.processes if each.role == role and each.silent(self.queue_clock)]

    @property
    def skews(self) -> dict[str, float]:
        """By how many seconds the clock of each host that is at work is ahead of the database's; where its processes differ, the one
        that is off most."""
        if self.states is None:
            return {}
        database = self.states.at.timestamp() - self.queue_clock
        found: dict[str, float] = {}
        for skew, host in ((each.skew - database, each.host) for role in ROLES for each in self.alive(role)):
            found[host] = max(found.get(host, 0.0), skew, key=abs)
        return found


def look(runtime: Runtime) -> Overall:
    """Asks the database and the queue. Raises nothing."""
    began = time.perf_counter()
    found: dict[str, object] = {}
    clock = _or_none(lambda: presence.clock(runtime.redis))
    found["asked_at"] = real_now().timestamp()
    found["states"] = _or_none(lambda: states.look(engine_of(runtime), _frozen(runtime)))
    found["kinds"] = _or_none(lambda: _kinds(runtime)) or {}
    if clock is not None:
        found |= {
            "queue_clock": clock,
            "queue": _or_none(lambda: Queue(queue.waiting(runtime.redis), *queue.ended(runtime.redis))),
            "processes": tuple(_or_none(lambda: presence.seen(runtime.redis)) or ()),
            "housekeeping_age": _or_none(lambda: presence.marked(runtime.redis, presence.HOUSEKEEPING)),
            "readings": _or_none(lambda: meters.read(runtime.redis)),
        }
    return Overall(**found, took=time.perf_counter() - began)  # type: ignore[arg-type]  # each as its field says


def engine_of(runtime: Runtime) -> Engine:
    """The scheduler's access. Raises PlainError where this process has none."""
    return scheduler_engine(runtime.config.need("database_scheduler_url"))


def _kinds(runtime: Runtime) -> dict[str, dict[str, Window]]:
    with runtime.db.globally() as session:
        return freshness.by_kind(session, real_now())


def _frozen(runtime: Runtime) -> frozenset[str]:
    with runtime.db.globally() as session:
        return frozenset(session.scalars(select(ProviderFreeze.provider)))


def _or_none(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except (SQLAlchemyError, RedisError, PlainError):
        return None


class Kept:
    """The last answer, for a few seconds: one thread asks, the others get the same."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answer: Overall | None = None
        self._until = 0.0

    def look(self, runtime: Runtime) -> Overall:
        with self._lock:
            if self._answer is None or time.monotonic() >= self._until:
                self._answer = look(runtime)
                self._until = time.monotonic() + KEPT
            return self._answer

    def forget(self) -> None:
        with self._lock:
            self._answer = None
