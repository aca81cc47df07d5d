"""What happened, counted: each process adds up its own, and hands it on to Valkey, where all of them come together.

A counter may begin again at nothing (Valkey was emptied): Prometheus's `rate` and `increase` take that for what it is. What alerts
count stands at nothing from the first (`service.watch.zeros`). Labels are words of ours (providers, streams, routes, outcomes), so their
number is bounded; never an id, never what somebody typed.
Why here and not in files or in PostgreSQL: ADR 0025.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

import structlog
from redis import Redis
from redis.exceptions import RedisError

from integrations.registry import providers

log = structlog.get_logger()

KEY = "warmline:meters"  # a hash: one field for each number
OTHER = "other"  # in place of a provider that this version does not have
_CUT = "\x1f"
_MOST = 20_000  # numbers that wait to be handed on: more are made by no version of ours
_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)  # of a request
_JOB = (0.05, 0.25, 1.0, 5.0, 20.0, 60.0)  # of a job, whose turns are of half a minute at most
_DELAY = (10.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14_400.0)  # of a post or a task


@dataclass(frozen=True)
class Meter:
    """One counter, or, with `buckets` (upper bounds, in seconds), one histogram."""

    name: str  # as Prometheus has it, without what it puts behind
    about: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


REQUESTS = Meter("warmline_http_requests", "Requests answered.", ("route", "method", "status"))
REQUEST_SECONDS = Meter("warmline_http_request_seconds", "How long an answer took.", ("route",), _SECONDS)
JOBS = Meter("warmline_jobs", "Jobs that ended, by how.", ("job", "outcome"))
JOB_SECONDS = Meter("warmline_job_seconds", "How long a job took.", ("job",), _JOB)
PULLS = Meter("warmline_pulls", "Pulls that ended, by how.", ("provider", "stream", "outcome"))
POSTS = Meter("warmline_posts", "New posts stored.", ("provider",))
READS = Meter("warmline_billed_reads", "Things read that a provider bills, by the name of the price.", ("provider", "price"))  # fmt: skip
READ_DELAY = Meter("warmline_read_delay_seconds", "From a post on its network to its row here; first pulls are left out.", ("provider",), _DELAY)  # fmt: skip
PUSHES = Meter("warmline_pushes", "Tasks said to a CRM, by what came of it.", ("provider", "outcome"))
TASK_DELAY = Meter("warmline_task_delay_seconds", "From when a task was ripe to when it stood in the CRM; what is held back on purpose is left out.", ("provider",), _DELAY)  # fmt: skip
REFRESHES = Meter("warmline_refreshes", "Credentials renewed, by what came of it.", ("provider", "outcome"))
WEBHOOKS = Meter("warmline_webhooks", "Calls of webhooks, by verdict.", ("provider", "verdict"))
COMPARED = Meter("warmline_compared", "Things looked at on both sides, here and at a network or CRM.", ("provider",))
DIFFERENCES = Meter("warmline_differences", "Differences found between here and a network or CRM, by kind; one that stands is counted again at every look.", ("provider", "kind"))  # fmt: skip

METERS: Mapping[str, Meter] = {
    each.name: each
    for each in (REQUESTS, REQUEST_SECONDS, JOBS, JOB_SECONDS, PULLS, POSTS, READS, READ_DELAY, PUSHES, TASK_DELAY, REFRESHES, WEBHOOKS, COMPARED, DIFFERENCES)
}  # fmt: skip


@dataclass
class _Buffer:
    """What this process has counted and not handed on yet, by the field that it stands under in Valkey."""

    amounts: dict[str, float] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def add(self, amounts: Iterable[tuple[str, float]]) -> None:
        with self.lock:
            for name, amount in amounts:
                if name in self.amounts or len(self.amounts) < _MOST:
                    self.amounts[name] = self.amounts.get(name, 0) + amount

    def take(self) -> dict[str, float]:
        with self.lock:
            taken, self.amounts = self.amounts, {}
        return taken


_buffer = _Buffer()


def _begin_anew() -> None:
    """A child counts its own, and not once more what its parent is going to hand on."""
    global _buffer
    _buffer = _Buffer()


os.register_at_fork(after_in_child=_begin_anew)


def count(meter: Meter, *labels: str, by: int = 1) -> None:
    """Adds to a counter. As many labels as the meter has, in their order."""
    if by:
        _buffer.add([(_field(meter, "n", labels), by)])


def observe(meter: Meter, seconds: float, *labels: str) -> None:
    """Adds one observation to a histogram."""
    amount = max(0.0, seconds)
    bucket = bisect_left(meter.buckets, amount)
    _buffer.add([(_field(meter, f"b{bucket}", labels), 1), (_field(meter, "s", labels), amount)])


def provider_label(key: str) -> str:
    """The provider's key where this version has it: what stands in an address or in an old row is anybody's word."""
    return key if key in providers() else OTHER


def flush(redis: Redis) -> bool:
    """Hands on what was counted. Where Valkey is away that waits for the next time: figures may be late, work may not."""
    taken = _buffer.take()
    if not taken:
        return True
    try:
        with redis.pipeline(transaction=False) as line:
            for name, amount in taken.items():
                if isinstance(amount, int):
                    line.hincrby(KEY, name, amount)
                else:
                    line.hincrbyfloat(KEY, name, amount)
            line.execute()
    except RedisError:
        _buffer.add(taken.items())
        return False
    return True


def _field(meter: Meter, part: str, labels: tuple[str, ...]) -> str:
    if len(labels) != len(meter.labels):
        raise ValueError(f"{meter.name} takes {len(meter.labels)} labels.")
    return _CUT.join((meter.name, part, *labels))


@dataclass(frozen=True)
class Reading:
    """What stands in Valkey for one meter and one choice of labels: a count, or counts by bucket and the sum of seconds."""

    meter: Meter
    labels: tuple[str, ...]
    count: float = 0
    buckets: tuple[float, ...] = ()  # not cumulative; the last one is what is above all bounds
    seconds: float = 0.0


def read(redis: Redis) -> list[Reading]:
    """All that was counted so far, by whichever process. Raises RedisError."""
    found: dict[tuple[Meter, tuple[str, ...]], dict[str, float]] = {}
    for name, value in _fields(redis):
        key, part, *labels = name.split(_CUT)
        meter = METERS.get(key)
        if meter is not None and len(labels) == len(meter.labels):  # another version may have counted otherwise
            found.setdefault((meter, tuple(labels)), {})[part] = value
    return [_reading(meter, labels, parts) for (meter, labels), parts in sorted(found.items(), key=_in_order)]


def _fields(redis: Redis) -> Iterator[tuple[str, float]]:
    stored: Mapping[bytes, bytes] = redis.hgetall(KEY)  # type: ignore[assignment]  # redis types both of its clients as one
    for name, value in stored.items():
        yield name.decode(), float(value)


def _in_order(each: tuple[tuple[Meter, tuple[str, ...]], object]) -> tuple[str, tuple[str, ...]]:
    return each[0][0].name, each[0][1]


def _reading(meter: Meter, labels: tuple[str, ...], parts: Mapping[str, float]) -> Reading:
    if not meter.buckets:
        return Reading(meter, labels, parts.get("n", 0))
    buckets = tuple(parts.get(f"b{number}", 0) for number in range(len(meter.buckets) + 1))
    return Reading(meter, labels, sum(buckets), buckets, parts.get("s", 0.0))
