"""Which processes of ours are at work, on which hosts: each says so, now and then, in Valkey.

What a process says is a hint for people, as all in Valkey: whether there is a worker or a scheduler at all stands in
`service.queue.alive`. One that stopped in good order is taken off the list; one that was killed stays on it, silent.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from redis import Redis
from redis.exceptions import RedisError

from service.clock import real_now
from service.db import Database
from service.queue import SILENCE

KEY = "warmline:processes"  # a hash: one field for each process
MARKS = (
    "warmline:marks"  # a hash: when something that comes round was last done, in seconds since 1970 by Valkey's clock
)
HOUSEKEEPING = "housekeeping"
EVERY = 15.0  # seconds between two words of a process that could speak at any time
FORGOTTEN = timedelta(hours=1)  # after it was last heard of: long enough for somebody to be told, and no standing alarm
WEB, WORKER, SCHEDULER = ROLES = ("web", "worker", "scheduler")


@dataclass(frozen=True)
class Process:
    """One process. Instants are real, by Valkey's clock, so that hosts can be compared."""

    role: str
    host: str
    pid: int
    seen: float  # seconds since 1970
    patience: float  # seconds of silence after which it is taken for dead
    skew: float  # seconds by which its host's clock is ahead of Valkey's
    pool_used: int  # connections to PostgreSQL that are in use, and as many as there may be
    pool_size: int

    def silent(self, now: float) -> bool:
        """Whether it should have been heard of since."""
        return now - self.seen > self.patience

    @property
    def last_seen(self) -> datetime:
        return datetime.fromtimestamp(self.seen, UTC)


def say(redis: Redis, role: str, db: Database | None = None, *, patience: float = SILENCE) -> None:
    """Says that this process is at work. Raises RedisError."""
    now = clock(redis)
    used, size = db.pool() if db else (0, 0)
    skew = real_now().timestamp() - now
    process = Process(role, socket.gethostname(), os.getpid(), now, patience, round(skew, 3), used, size)
    redis.hset(KEY, _name(process.host, process.pid), json.dumps(asdict(process)))


def leave(redis: Redis) -> None:
    """This process ends in good order. Raises nothing: that it is silent says the same, later."""
    with suppress(RedisError):
        redis.hdel(KEY, _name(socket.gethostname(), os.getpid()))


def clock(redis: Redis) -> float:
    """Valkey's own time, in seconds since 1970. Raises RedisError."""
    seconds, micros = redis.time()
    return float(seconds) + float(micros) / 1e6


def seen(redis: Redis) -> list[Process]:
    """Every process that was heard of within an hour, by role and host. Forgets older ones. Raises RedisError."""
    now = clock(redis)
    stored: Mapping[bytes, bytes] = redis.hgetall(KEY)  # type: ignore[assignment]
    found = {name: process for name, value in stored.items() if (process := _read(value)) is not None}
    old = [name for name, each in found.items() if now - each.seen > FORGOTTEN.total_seconds()]
    if old:
        redis.hdel(KEY, *old)
    kept = [each for name, each in found.items() if name not in old]
    return sorted(kept, key=lambda each: (ROLES.index(each.role), each.host, each.pid))


def _read(value: bytes) -> Process | None:
    """None for what another version of ours has said in other words."""
    try:
        found = Process(**json.loads(value))
    except (TypeError, ValueError):
        return None
    return found if found.role in ROLES else None


def mark(redis: Redis, what: str) -> None:
    """Notes that this was done just now. Raises nothing: it is for people to know."""
    with suppress(RedisError):
        redis.hset(MARKS, what, str(clock(redis)))


def marked(redis: Redis, what: str) -> float | None:
    """How many seconds ago this was last done; None where nobody knows. Raises RedisError."""
    found = redis.hget(MARKS, what)
    return None if found is None else max(0.0, clock(redis) - float(found))


def _name(host: str, pid: int) -> str:
    return f"{host}:{pid}"
