"""How a worker comes to speak for a connection: fresh credentials, and a client made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from integrations.errors import AuthenticationError
from integrations.provider import Meter, Wanted
from integrations.registry import providers
from service import speaking
from service.models import Connection
from service.runtime import Runtime

T = TypeVar("T")


@dataclass
class Line:
    """A connection as a job read it; outlives the transaction. For one job, by one thread at a time."""

    runtime: Runtime
    connection: Connection
    since: datetime | None = None  # how far back a first pull goes
    meter: Meter | None = None  # where reading costs something
    wanted: Wanted | None = None
    # A job is over before credentials that were fresh when it began have ended (`credentials.EARLY`).
    _opened: tuple[Any, int] | None = field(default=None, init=False, repr=False)

    def speak(self, call: Callable[[Any], T]) -> T:
        """`call` with the connection's client. When the provider turns the token down, it is renewed and `call` is made
        once more; a second refusal is final. `call` must be safe to repeat. Raises `integrations.errors`."""
        client, version = self._opened or self._open(None)
        try:
            return call(client)
        except AuthenticationError:
            client, _ = self._open(version)
            return call(client)

    def _open(self, refused: int | None) -> tuple[Any, int]:
        access, version = speaking.access_of(self.runtime, self.connection, refused=refused, since=self.since)
        access = replace(access, meter=self.meter, wanted=self.wanted)
        self._opened = providers()[self.connection.provider].client(access), version
        return self._opened
