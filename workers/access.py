"""How a worker comes to speak for a connection: fresh credentials, and a client made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from integrations.clients import Thrifty
from integrations.errors import AuthenticationError
from integrations.oauth import NothingToRenewWithError
from integrations.provider import IDS_ANYWHERE, ONE_ALLOWANCE, Access, Meter, Wanted
from integrations.registry import providers
from service import speaking
from service.credentials import RefusedError
from service.models import Connection
from service.runtime import Runtime
from service.store import allowances, connecting
from service.watch import tracing

T = TypeVar("T")
# How often one call may renew the credentials itself. A token may run out, or be ended at the provider, between the moment it was
# renewed and the call that brings it; one that is refused twice in a row right after its renewal is refused for good.
RENEWALS = 2


@dataclass(frozen=True)
class _Opened:
    """A client, what it was made from, and the version of the credentials among that."""

    client: Any
    access: Access
    version: int
    renewed: bool  # just now, by us


@dataclass
class Line:
    """A connection as a job read it; outlives the transaction. For one job, by one thread at a time."""

    runtime: Runtime
    connection: Connection
    since: datetime | None = None  # how far back a first pull goes
    meter: Meter | None = None  # where reading costs something
    wanted: Wanted | None = None
    listed: tuple[str, ...] = ()
    found: speaking.Found | None = None  # how to speak for it, as the job's first transaction read it
    sampling: bool = False  # to compare: see `Access`
    # A job is over before credentials that were fresh when it began have ended (`credentials.EARLY`).
    _opened: _Opened | None = field(default=None, init=False, repr=False)

    def speak(self, call: Callable[[Any], T]) -> T:
        """`call` with the connection's client. When the provider turns the token down, it is renewed, unless somebody else has
        done that, and `call` is made once more; what is refused right after two renewals of our own is refused for good. `call` must
        be safe to repeat. Raises `integrations.errors`."""
        return self._renewing(lambda opened: call(opened.client))

    def access(self, call: Callable[[Access], T]) -> T:
        """As `speak`, with what the connection's client is made from."""
        return self._renewing(lambda opened: call(opened.access))

    def keep(self, session: Session) -> None:
        """Keeps what the client has left of what it may spend, for the connection's next one."""
        allowances.keep(session, self.connection, self._left())

    def keep_now(self) -> None:
        """As `keep`, in a transaction of its own."""
        if self._left():
            with self.runtime.db.tenant(self.connection.workspace_id) as session:
                self.keep(session)

    def _left(self) -> Mapping[str, Any]:
        client = self._opened.client if self._opened else None
        return client.allowance() if isinstance(client, Thrifty) else {}

    def _holders(self) -> int:
        able = providers()[self.connection.provider].capabilities
        if ONE_ALLOWANCE not in able:
            return 1
        with self.runtime.db.globally() as session:
            return connecting.holders(session, self.connection, on_any_host=IDS_ANYWHERE in able)

    def _renewing(self, call: Callable[[_Opened], T]) -> T:
        opened, renewals = self._opened or self._open(None), 0
        while True:
            try:
                with tracing.span("call", provider=self.connection.provider, connection=str(self.connection.id)):
                    return call(opened)
            except AuthenticationError as refusal:
                if renewals == RENEWALS:
                    raise RefusedError(str(refusal), opened.version) from refusal
                try:
                    opened = self._open(opened.version)
                except NothingToRenewWithError:  # the refusal has the provider's own reason
                    raise RefusedError(str(refusal), opened.version) from None
            renewals += opened.renewed

    def _open(self, refused: int | None) -> _Opened:
        found, self.found = self.found, None  # good for once: after a refusal it is read anew
        access, held = speaking.access_of(self.runtime, self.connection, refused=refused, since=self.since, found=found)
        allowance = {**(self.connection.allowance or {}), **self._left()}
        access = replace(
            access,
            meter=self.meter,
            wanted=self.wanted,
            listed=self.listed,
            allowance=allowance,
            holders=self._holders(),
            sampling=self.sampling,
        )
        client = providers()[self.connection.provider].client(access)
        self._opened = _Opened(client, access, held.version, held.renewed)
        return self._opened
