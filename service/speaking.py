"""How we come to speak for a connection: fresh credentials, and what a client needs besides."""

from __future__ import annotations

from datetime import datetime

from integrations.provider import Access
from integrations.records import Author
from service import credentials, registrations
from service.clock import business_now
from service.credentials import Held
from service.models import Connection
from service.runtime import Runtime


def access_of(
    runtime: Runtime, row: Connection, *, refused: int | None = None, since: datetime | None = None
) -> tuple[Access, Held]:
    """What a client of this connection needs, and the credentials among that. `refused` is the version that the provider
    has just turned down, `since` how far back a first pull goes. Raises ConnectError and `integrations.errors`."""
    way, setting = registrations.setting_of(runtime, row)
    held = credentials.fresh(runtime, way, setting, row.workspace_id, row.id, refused=refused)
    access = registrations.access(
        setting,
        held.values,
        account=Author(row.account_id, row.handle, row.name, url=row.url),
        options=row.options,
        since=since,
        now=business_now,
    )
    return access, held
