"""How we come to speak for a connection: fresh credentials, and what a client needs besides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integrations.provider import Access
from integrations.records import Author
from service import credentials, registrations
from service.clock import business_now
from service.credentials import Held
from service.models import Connection, Credential, ProviderApp
from service.registrations import ConnectError
from service.runtime import Runtime


@dataclass(frozen=True)
class Found:
    """What a transaction has read of how to speak for a connection, sealed as it is stored."""

    registration: registrations.Found
    credential: Credential


# Built once: each job asks this.
_SPOKEN_BY = (
    select(Credential, ProviderApp)
    .outerjoin(ProviderApp, registrations.with_server(bindparam("provider"), bindparam("server")))
    .where(Credential.workspace_id == bindparam("w"), Credential.connection_id == bindparam("c"))
    .order_by(ProviderApp.host.desc())
    .limit(1)
)


def look_up(session: Session, row: Connection) -> Found | None:
    """For whoever reads about the connection anyway, and speaks for it right after: `access_of` then asks nothing. None where something is
    missing, of which `access_of` tells."""
    if row.status == "disconnected":  # its credentials rest until the provider was told
        return None
    try:
        server = registrations.server_of(row)
    except ConnectError:
        return None
    about = {"w": row.workspace_id, "c": row.id, "provider": row.provider, "server": server}
    found = session.execute(_SPOKEN_BY, about).one_or_none()
    return Found(registrations.Found(found[1]), found[0]) if found is not None else None


def access_of(
    runtime: Runtime,
    row: Connection,
    *,
    refused: int | None = None,
    since: datetime | None = None,
    found: Found | None = None,
) -> tuple[Access, Held]:
    """What a client of this connection needs, and the credentials among that. `refused` is the version that the provider
    has just turned down, `since` how far back a first pull goes, `found` what `look_up` read a moment ago. Raises ConnectError and
    `integrations.errors`."""
    registration, credential = (found.registration, found.credential) if found else (None, None)
    way, setting = registrations.setting_of(runtime, row, registration)
    held = credentials.fresh(runtime, way, setting, row.workspace_id, row.id, refused=refused, stored=credential)
    access = registrations.access(
        setting,
        held.values,
        account=Author(row.account_id, row.handle, row.name, url=row.url),
        options=row.options,
        since=since,
        now=business_now,
    )
    return access, held
