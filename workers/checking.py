"""Check: does all that must stand at the provider for a connection stand, and by which handle does its account go? Now and then, beside
the sweep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from integrations.errors import IntegrationError
from integrations.records import Author
from integrations.registry import AnyProvider, providers
from service.clock import business_now, real_now
from service.models import Connection
from service.runtime import Runtime
from service.store import connecting
from workers import policy
from workers.access import Line

T = TypeVar("T")
EVERY = timedelta(hours=1)


def check(runtime: Runtime, connection: Connection, line: Line) -> None:
    """Asks the provider's `check`, and who we are there, at most once an hour, and stores what a person has to do and what the account is
    called. One that cannot be asked is told in the log, asked again in an hour, and no trouble of the sweep's."""
    provider = providers()[connection.provider]
    last = _last(provider, connection)
    if last is not None and real_now() - last < EVERY:
        return
    steps = _ask(connection, "check", partial(line.access, provider.check)) if provider.check else None
    _look_at_the_name(runtime, provider, connection, line)
    with runtime.db.tenant(connection.workspace_id) as session:
        connecting.checked(session, connection.workspace_id, connection.id, steps)


def _last(provider: AnyProvider, connection: Connection) -> datetime | None:
    """When it was asked. As it was connected it said who we are, so that alone is not asked at once again."""
    return connection.checked_at or (None if provider.check else connection.status_at)


def _look_at_the_name(runtime: Runtime, provider: AnyProvider, connection: Connection, line: Line) -> None:
    """An account on a network may be renamed, and is the same by its id. Where reading costs money nothing is asked: there the pages
    tell (see `Page.renamed`)."""
    if connection.kind != "social" or provider.prices:
        return
    at = business_now()
    account: Author | None = _ask(connection, "whoami", lambda: line.speak(lambda client: client.whoami()))
    if account is not None:
        with runtime.db.tenant(connection.workspace_id) as session:
            connecting.renamed(session, connection, account, at=at)


def _ask(connection: Connection, step: str, call: Callable[[], T]) -> T | None:
    try:
        return call()
    except IntegrationError as error:
        policy.tell(error, 0, provider=connection.provider, connection=str(connection.id), step=step)
        return None
