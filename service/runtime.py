"""What a process holds: configuration, database, vault, queue. Made once; opens no socket before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flask import current_app
from redis import Redis

from service.config import Config
from service.db import Database
from service.vault import Vault


@dataclass(frozen=True)
class Runtime:
    config: Config

    @cached_property
    def db(self) -> Database:
        return Database(self.config.need("database_url"), lease=self.config.lease)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.config.secret_keys)

    @cached_property
    def redis(self) -> Redis:
        return Redis.from_url(self.config.need("redis_url"), socket_connect_timeout=5)


def runtime() -> Runtime:
    """The running web application's."""
    found: Runtime = current_app.extensions["warmline"]
    return found
