"""What a process holds: configuration, database, vault, queue. Made once; opens no socket before it is used.

Workers and schedulers hold one too: what only the web application needs is imported there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from redis import Redis

from service.config import Config
from service.db import Database
from service.vault import Vault

if TYPE_CHECKING:
    from integrations.openid import OpenID

SILENT = 20  # seconds without an answer after which Redis is taken to be away; workers wait for a job less than that


@dataclass(frozen=True)
class Runtime:
    config: Config

    @cached_property
    def db(self) -> Database:
        return Database(self.config.need("database_url"), lease=self.config.lease, vault=lambda: self.vault)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.config.secret_keys)

    @cached_property
    def redis(self) -> Redis:
        return Redis.from_url(self.config.need("redis_url"), socket_connect_timeout=5, socket_timeout=SILENT)

    @cached_property
    def openid(self) -> OpenID | None:
        """Where people sign in once for several services, if whoever runs Warmline has named such a place."""
        known = self.config.single_sign_on
        if known is None:
            return None
        from integrations.openid import OpenID

        back = f"{self.config.base_url}/signin/openid/callback"
        return OpenID(known.issuer, known.client_id, known.client_secret, back, allow=self.config.allow_hosts)


def runtime() -> Runtime:
    """The running web application's."""
    from flask import current_app

    found: Runtime = current_app.extensions["warmline"]
    return found
