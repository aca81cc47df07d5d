"""What a connection's clients left of what they may spend: see `integrations.clients.Thrifty`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import literal, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from service.models import Connection


def keep(session: Session, connection: Connection, allowance: Mapping[str, Any]) -> None:
    """Keeps it for the connection's next client. What else was kept stays: somebody else spends out of that."""
    if not allowance:
        return
    session.execute(
        update(Connection)
        .where(Connection.workspace_id == connection.workspace_id, Connection.id == connection.id)
        .values(allowance=Connection.allowance.op("||")(literal(dict(allowance), JSONB)))
        .execution_options(synchronize_session=False)
    )
