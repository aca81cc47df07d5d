"""What worker processes share: their runtime, the leases that a scheduler would have given them, a connection's token."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from sqlalchemy import select

from service import config as configuration
from service import speaking
from service.clock import business_now
from service.db import scheduler_engine
from service.models import Connection
from service.runtime import Runtime
from service.store import claims
from service.store.claims import Claim

EVERYTHING = 10_000


@cache
def runtime() -> Runtime:
    """This process's."""
    return Runtime(configuration.load())


def claim(job: str) -> list[Claim]:
    """Everything that is due for this job, claimed as a scheduler claims it."""
    with scheduler_engine(runtime().config.need("database_scheduler_url")).begin() as connection:
        found = claims.claim(connection, business_now(), EVERYTHING, share=EVERYTHING)
        claims.release(connection, [each for each in found if each.job != job], business_now())
    return [each for each in found if each.job == job]


def line(workspace_id: UUID, connection_id: UUID) -> tuple[Connection, str, str]:
    """A connection, its API's address and an access token."""
    held = runtime()
    with held.db.tenant(workspace_id) as session:
        row = session.scalars(
            select(Connection).where(Connection.workspace_id == workspace_id, Connection.id == connection_id)
        ).one()
    access, _ = speaking.access_of(held, row)
    return row, access.hosts["api"], str(access.credentials["access_token"])
