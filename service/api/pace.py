"""How fast one workspace may call: so many requests a second, all of its keys together. Whoever asks faster is told when to come back,
and costs nobody else more than that answer.

Counted in Valkey, for all web processes together. Where that is away nothing is counted, and the API answers as ever.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from service.api.auth import calling
from service.api.problems import refuse
from service.runtime import runtime

log = structlog.get_logger()

KEPT = 5  # seconds that a count is kept: longer than the second that it is of
PATIENCE = 0.25  # seconds for an answer of Valkey's
ASKED_AGAIN = 5.0  # seconds after one that did not come
_EXTENSION = "warmline.pace"


@dataclass
class Pace:
    """The limit of one web process: `most` requests in each second, 0 for none."""

    redis: Redis
    most: int
    _away_until: float = field(default=0.0, init=False)
    _full: dict[UUID, int] = field(default_factory=dict, init=False)  # by workspace, the second that is used up

    def wait(self, workspace_id: UUID, now: float) -> int | None:
        """In how many seconds the workspace may call again; None: now. `now` is in seconds since the epoch."""
        second = int(now)
        if not self.most or now < self._away_until:
            return None
        if self._full.get(workspace_id) == second:  # nobody needs to be asked again before that is over
            return 1
        try:
            count = self._counted(f"warmline:calls:{workspace_id}:{second}")
        except RedisError as error:
            log.warning("calls are not counted for now", why=type(error).__name__)
            self._away_until = now + ASKED_AGAIN
            return None
        if count <= self.most:
            return None
        self._full = {each: of for each, of in self._full.items() if of == second} | {workspace_id: second}
        return 1

    def _counted(self, key: str) -> int:
        with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, KEPT)
            found: list[int] = pipeline.execute()
        return found[0]


def _pace() -> Pace:
    """This process's."""
    found: Pace | None = current_app.extensions.get(_EXTENSION)
    if found is None:
        config = runtime().config
        redis = Redis.from_url(config.need("redis_url"), socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
        found = current_app.extensions[_EXTENSION] = Pace(redis, config.api_per_second)
    return found


def hold() -> None:
    """Before each request, once it is known who calls: ends the request with 429 where the workspace calls too fast."""
    who, pace = calling(), _pace()
    seconds = pace.wait(who.workspace_id, time.time()) if who else None
    if seconds is not None:
        refuse(
            429,
            f"Your workspace may call {pace.most} times a second, all of its keys together. Wait as long as Retry-After says.",
            headers={"Retry-After": str(math.ceil(seconds))},
        )
