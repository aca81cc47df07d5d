"""What the checks look at, and have learned so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import requests
from redis import Redis
from sqlalchemy import make_url

from service import db
from service.config import Config
from service.launcher import KEYS, read_keys
from service.models import ProviderApp
from service.runtime import Runtime
from service.vault import Vault
from service.watch import overall
from service.watch.overall import Overall

PATIENCE = 3  # seconds for one answer: a doctor who waits for minutes is no help


@dataclass
class Patient:
    """What the checks have learned so far."""

    config: Config | None = None
    apps: list[ProviderApp] = field(default_factory=list)

    @property
    def known(self) -> Config:
        assert self.config is not None  # checks that need it come after the one that reads it
        return self.config

    @cached_property
    def database(self) -> db.Database:
        return db.Database(hasty(self.known.need("database_url")), pool_size=1)

    @cached_property
    def vault(self) -> Vault:
        keys = self.known.secret_keys
        if not keys and (self.known.home / KEYS).is_file():
            keys = read_keys(self.known.home / KEYS)
        return Vault(keys)

    @cached_property
    def runtime(self) -> Runtime:
        return Runtime(replace(self.known, database_url=hasty(self.known.need("database_url"))))

    @cached_property
    def overall(self) -> Overall:
        return overall.look(self.runtime)

    @cached_property
    def redis(self) -> Redis:
        return Redis.from_url(self.known.need("redis_url"), socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)

    def close(self) -> None:
        if "database" in self.__dict__:
            self.database.engine.dispose()
        if "redis" in self.__dict__:
            self.redis.close()
        if "runtime" in self.__dict__:
            self.runtime.db.engine.dispose()
            self.runtime.redis.close()
            if self.known.database_scheduler_url:
                overall.engine_of(self.runtime).dispose()


Look = Callable[[Patient], str]  # the sentence of a check that is content. Raises PlainError with what to do


def hasty(url: str) -> str:
    """The database's address, for whoever waits no longer than PATIENCE."""
    return make_url(url).update_query_dict({"connect_timeout": str(PATIENCE)}).render_as_string(hide_password=False)


def answers(url: str) -> bool:
    """Whether somebody answers there, and well, within PATIENCE."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=PATIENCE, allow_redirects=False).ok
        except requests.RequestException:
            return False
