"""Who waits for whom in PostgreSQL, as tests see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.runtime import Runtime


def waits_for_a_lock(held: Runtime) -> bool:
    with held.db.globally() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


@contextmanager
def impatient(held: Runtime, workspace_id: UUID) -> Iterator[Session]:
    with held.db.tenant(workspace_id) as session:
        session.execute(text("SET LOCAL lock_timeout = '50ms'"))
        yield session
