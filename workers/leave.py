"""Leave: the last steps out of a CRM whose open tasks have been withdrawn. Each may be done twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from integrations.clients import Cleaner
from service import disconnecting, naming
from service.models import Connection
from service.runtime import Runtime
from service.store import connecting, leaving, pushing
from workers.access import Line

SHARED = (
    "What connecting made in {name}, such as the field for Warmline's key, stays there for now, because another connection to the same"
    " account (in this workspace or in another one of this installation) still needs it for its tasks. Whoever disconnects that account last"
    " removes it, by choosing there too to remove what we made."
)
COPY = (
    "That other connection goes by another server name. If {host} is a copy of that server, and not the same one, nobody removes it from"
    " {host}: an administrator takes it away there by hand."
)
Hold = Callable[[Session], Connection | None]  # the connection while the lease is ours


def finish(runtime: Runtime, connection: Connection, line: Line, hold: Hold) -> None:
    """Removes what connecting made there, unless somebody else here needs it, gives the consent back, and writes the receipt. Raises
    what the provider raises; then all of it is to be done again."""
    with runtime.db.tenant(connection.workspace_id) as session:
        if _leaving(session, hold) is None:
            return
        connecting.release(session, connection.id)  # first, as the others may be leaving at this moment too
    shared = disconnecting.held_elsewhere(runtime, connection)
    name = naming.provider_name(connection.provider)
    cleaned: Sequence[str] = line.speak(partial(_clean, _shared(runtime, connection, name) if shared else ()))
    with runtime.db.tenant(connection.workspace_id) as session:
        held = hold(session)
        if held is None:
            return
        leaves = held.status == "leaving"
        lines = leaving.tasks_in_words(session, held)
    if not shared and (not leaves or disconnecting.held_elsewhere(runtime, connection)):
        line.speak(_make_anew)
        cleaned = _shared(runtime, connection, name)
    disconnecting.end(
        runtime, connection, [*lines, *cleaned], still=lambda session: _leaving(session, hold) is not None
    )


def _leaving(session: Session, hold: Hold) -> Connection | None:
    """The connection; None where the lease is somebody else's, or where it was connected again or disconnected as it is meanwhile: then the
    lease ends in this transaction."""
    held = hold(session)
    if held is None or held.status == "leaving":
        return held
    pushing.let_go(session, held, failures=0)
    return None


def _shared(runtime: Runtime, connection: Connection, name: str) -> Sequence[str]:
    """Why what connecting made stays. Nobody can tell a copy of a server under another name from the server itself, so that it is said."""
    by_other_names = disconnecting.held_by_other_names(runtime, connection)
    return [SHARED.format(name=name), *([COPY.format(host=connection.host)] if by_other_names else [])]


def _clean(shared: Sequence[str], client: Any) -> Sequence[str]:
    """Removes what connecting made, unless it is `shared`, in sentences."""
    if not isinstance(client, Cleaner):
        return ()
    return shared or client.clean()


def _make_anew(client: Any) -> None:
    """For whoever connected while it was removed, and had found it there."""
    client.prepare()
