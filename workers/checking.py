"""Check: does all that must stand at the provider for a connection stand? Now and then, beside the sweep."""

from __future__ import annotations

from datetime import timedelta

from integrations.errors import IntegrationError
from integrations.registry import providers
from service.clock import real_now
from service.models import Connection
from service.runtime import Runtime
from service.store import connecting
from workers import policy
from workers.access import Line

EVERY = timedelta(hours=1)


def check(runtime: Runtime, connection: Connection, line: Line) -> None:
    """Asks the provider's `check`, at most once an hour, and stores what a person has to do. One that cannot be
    asked is told in the log, asked again in an hour, and no trouble of the sweep's."""
    found = providers()[connection.provider].check
    if found is None or (connection.checked_at is not None and real_now() - connection.checked_at < EVERY):
        return
    try:
        steps = line.access(found)
    except IntegrationError as error:
        policy.tell(error, 0, provider=connection.provider, connection=str(connection.id), step="check")
        steps = None
    with runtime.db.tenant(connection.workspace_id) as session:
        connecting.checked(session, connection.workspace_id, connection.id, steps)
