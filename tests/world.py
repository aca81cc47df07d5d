"""Warmline at work without its processes: schedulers and workers act one after the other, at a time that a test tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from service import settings
from service.db import scheduler_engine
from service.models import Connection, Stream, Task
from service.runtime import Runtime
from service.store import claims, due
from tests.conftest import Member
from workers import jobs


@dataclass(kw_only=True)
class Work:
    """`run` lets the schedulers and workers do all that is due at `now`. Tests that use it have `workers.jobs.runtime`
    answer with `runtime`, and WARMLINE_NOW set to `now`."""

    runtime: Runtime
    owner: Member
    monkeypatch: pytest.MonkeyPatch
    now: datetime
    jobs_run: list[str] = field(default_factory=list)

    @property
    def workspace_id(self) -> UUID:
        return self.owner.workspace_id

    def passes(self, time: timedelta) -> None:
        """Business time goes on."""
        self.now += time
        self.monkeypatch.setenv("WARMLINE_NOW", self.now.isoformat())

    def set(self, **values: Any) -> None:
        """Changes settings."""
        with self.runtime.db.tenant(self.workspace_id) as session:
            settings.change(
                session,
                self.workspace_id,
                {**settings.current(session, self.workspace_id).values, **values},
                by="system",
            )
            due.decide_everything(session, self.workspace_id)

    # --- what Warmline does -----------------------------------------------------------------------------------

    def look(self, *, streams: tuple[str, ...] = ()) -> None:
        """Makes every stream (or these) due, and runs."""
        self.due(*streams)
        self.run()

    def due(self, *streams: str) -> None:
        """Makes every stream (or these) due."""
        with self.runtime.db.tenant(self.workspace_id) as session:
            for connection_id in session.scalars(select(Connection.id)):
                due.pull_soon(session, self.workspace_id, connection_id, streams)

    def claim(self) -> list[claims.Claim]:
        """One look of a scheduler."""
        with scheduler_engine(self.runtime.config.need("database_scheduler_url")).begin() as connection:
            return claims.claim(connection, self.now, 100)

    def run(self, *, at_most: int = 60) -> None:
        """Claims and works until nothing is due."""
        for _ in range(at_most):
            found = self.claim()
            if not found:
                return
            for each in found:
                self.work(each)
        raise AssertionError(f"still busy after {at_most} rounds: {self.jobs_run[-10:]}")

    def work(self, claim: claims.Claim) -> None:
        """Does one job, as a worker would."""
        self.jobs_run.append(claim.job)
        getattr(jobs, claim.job)(*map(str, claim.ids))

    # --- what came of it --------------------------------------------------------------------------------------

    def tasks(self, **where: Any) -> list[Task]:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return list(session.scalars(select(Task).filter_by(**where).order_by(Task.since, Task.key)))

    def task(self, **where: Any) -> Task:
        [found] = self.tasks(**where)
        return found

    def connection(self, kind: str, **where: Any) -> Connection:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Connection).filter_by(kind=kind, **where)).one()

    def stream(self, name: str, **where: Any) -> Stream:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Stream).filter_by(name=name, **where)).one()

    def sql(self, statement: str, **params: Any) -> Any:
        with self.runtime.db.tenant(self.workspace_id) as session:
            result = session.execute(text(statement), {"w": self.workspace_id, **params})
            return result.all() if result.returns_rows else None
