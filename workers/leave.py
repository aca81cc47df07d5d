"""Leave: the last steps out of a CRM whose open tasks have been withdrawn. Each may be done twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from integrations.provider import Cleaner
from service import disconnecting
from service.models import Connection
from service.runtime import Runtime
from service.store import leaving
from workers.access import Line


def finish(runtime: Runtime, connection: Connection, line: Line, hold: Callable[[Session], Connection | None]) -> None:
    """Removes what connecting made there, gives the consent back, and writes the receipt. `hold` gives the connection while
    the lease is ours. Raises what the provider raises; then all of it is to be done again."""
    cleaned: Sequence[str] = line.speak(_clean)
    with runtime.db.tenant(connection.workspace_id) as session:
        held = hold(session)
        if held is None:
            return
        lines = [*leaving.tasks_in_words(session, held), *cleaned]
    disconnecting.end(runtime, connection, lines)


def _clean(client: Any) -> Sequence[str]:
    return client.clean() if isinstance(client, Cleaner) else ()
