"""How fast one workspace may call: so many requests a second, all of its keys together. Whoever asks faster is told when to come back,
and costs nobody else more than that answer.

Counted in Valkey, for all web processes together. Where that is away nothing is counted, and the API answers as ever.

A program that asks without a pause asks again as soon as it is refused, so refusals alone would keep a web process as busy as answers do.
Therefore a refusal comes at the end of the second that it is about, while there is a seat to wait on; what waits computes nothing, and
seats are fewer than threads (`service.serving`), so those of others stay free. Without a seat it comes at once, and asks no database.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar
from uuid import UUID

import structlog
from flask import current_app, request
from redis import Redis
from redis.exceptions import RedisError

from service.api.auth import calling
from service.api.problems import refuse
from service.runtime import runtime

log = structlog.get_logger()
T = TypeVar("T")

KEPT = 5  # seconds that a count is kept: longer than the second that it is of
PATIENCE = 0.25  # seconds for an answer of Valkey's
ASKED_AGAIN = 5.0  # seconds after one that did not come
SEATS = 8  # refusals of one web process that wait for the end of their second: half of its threads
_EXTENSION = "warmline.pace"


@dataclass
class Pace:
    """The limit of one web process: `most` requests in each second, 0 for none. `rest` waits for so many seconds."""

    redis: Redis
    most: int
    rest: Callable[[float], object] = time.sleep
    _away_until: float = field(default=0.0, init=False)
    _full: dict[UUID, int] = field(default_factory=dict, init=False)  # by workspace, the second that is used up
    _keys: dict[bytes, int] = field(
        default_factory=dict, init=False
    )  # the same, by hashed keys that were refused in it
    _seats: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(SEATS), init=False)

    def is_over(self, workspace_id: UUID, now: float) -> bool:
        """Counts a call. Whether the workspace may not make it, since this second is used up; `now` is in seconds since the epoch."""
        second = int(now)
        if not self.most or now < self._away_until:
            return False
        if self._full.get(workspace_id) == second:  # nobody needs to be asked again before that is over
            return True
        try:
            count = self._counted(f"warmline:calls:{workspace_id}:{second}")
        except RedisError as error:
            log.warning("calls are not counted for now", why=type(error).__name__)
            self._away_until = now + ASKED_AGAIN
            return False
        if count <= self.most:
            return False
        self._full = _of_now(self._full, second) | {workspace_id: second}
        return True

    def refused(self, key: bytes, now: float) -> None:
        """Whoever shows this key (hashed) is refused until the second is over."""
        self._keys = _of_now(self._keys, int(now)) | {key: int(now)}

    def is_refused(self, key: bytes, now: float) -> bool:
        """Whether this key was refused in this second."""
        return self._keys.get(key) == int(now)

    def sit(self, now: float) -> None:
        """Waits until the second is over, if there is a seat."""
        if self._seats.acquire(blocking=False):
            try:
                self.rest(math.floor(now) + 1 - now)
            finally:
                self._seats.release()

    def _counted(self, key: str) -> int:
        with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, KEPT)
            found: list[int] = pipeline.execute()
        return found[0]


def _of_now(seconds: dict[T, int], second: int) -> dict[T, int]:
    return {each: of for each, of in seconds.items() if of == second}


def _pace() -> Pace:
    """This process's."""
    found: Pace | None = current_app.extensions.get(_EXTENSION)
    if found is None:
        config = runtime().config
        redis = Redis.from_url(config.need("redis_url"), socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
        found = current_app.extensions[_EXTENSION] = Pace(redis, config.api_per_second)
    return found


def hold_refused() -> None:
    """Before anything is asked about the key: ends the request with 429 where it was refused in this second."""
    pace: Pace | None = current_app.extensions.get(_EXTENSION)  # there is one once anybody has called
    now = time.time()
    if pace is not None and pace.is_refused(_key(), now):
        _refuse(pace, now)


def hold() -> None:
    """Before each request, once it is known who calls: ends the request with 429 where the workspace calls too fast."""
    who, pace, now = calling(), _pace(), time.time()
    if who and pace.is_over(who.workspace_id, now):
        pace.refused(_key(), now)
        _refuse(pace, now)


def _key() -> bytes:
    """What stands for the key that came with the request. Hashed, since it is kept for a moment."""
    return hashlib.sha256(request.headers.get("Authorization", "").encode()).digest()


def _refuse(pace: Pace, now: float) -> NoReturn:
    """`now`: when it was asked. Retry-After counts from the answer, which as a rule is given when that second is over."""
    pace.sit(now)
    left = math.floor(now) + 1 - time.time()
    refuse(
        429,
        f"Your workspace may call {pace.most} times a second, all of its keys together. Wait as long as Retry-After says.",
        headers={"Retry-After": str(max(0, math.ceil(left)))},
    )
