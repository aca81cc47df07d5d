"""Can this process serve? What it needs, one by one, in a word each.

Asked over connections of its own, which wait for seconds only: a pool that is exhausted by slow requests is no reason to take a process
out of service, and a probe that hangs is worse than one that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from service.config import Config
from service.db import check_schema
from service.errors import PlainError

PATIENCE = 2  # seconds
OK, AWAY, PENDING, UNKNOWN = "ok", "away", "pending", "unknown"


@dataclass(frozen=True)
class Readiness:
    """One word for each thing that a process needs: ok, away, pending (migrations), unknown (could not be asked)."""

    parts: Mapping[str, str]

    @property
    def ready(self) -> bool:
        return all(word == OK for word in self.parts.values())

    @property
    def failing(self) -> list[str]:
        return [name for name, word in self.parts.items() if word != OK]


def look(config: Config) -> Readiness:
    """Asks the database, the schema and the queue. Raises nothing."""
    database, migrations = _database(config)
    return Readiness({"database": database, "migrations": migrations, "queue": _queue(config)})


def _database(config: Config) -> tuple[str, str]:
    url = make_url(config.need("database_url")).update_query_dict({"connect_timeout": str(PATIENCE)})
    engine = create_engine(url, poolclass=NullPool, connect_args={"options": f"-c statement_timeout={PATIENCE * 1000}"})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            return OK, _word(lambda: check_schema(connection, newer=True))
    except SQLAlchemyError:
        return AWAY, UNKNOWN


def _word(check: Callable[[], None]) -> str:
    try:
        check()
    except PlainError:
        return PENDING
    return OK


def _queue(config: Config) -> str:
    redis = Redis.from_url(config.need("redis_url"), socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
    try:
        redis.ping()
    except RedisError:
        return AWAY
    finally:
        redis.close()
    return OK
