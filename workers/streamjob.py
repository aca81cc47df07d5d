"""One stream that a worker holds, and how what it reads is stored: a page of rows and its cursor in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.provider import Stream
from integrations.records import Budget, Engagement, Gone, Page
from integrations.registry import AnyProvider
from service.leases import LeaseLostError
from service.models import Connection
from service.runtime import Runtime
from service.store import connecting, pulling, renaming, streams, us
from service.watch import meters
from workers import reconcile
from workers.access import Line
from workers.metering import StreamMeter


class StoppedError(Exception):
    """The connection was ended, paused or frozen meanwhile: what was stored stays, and nothing more is read."""


@dataclass
class StreamJob:
    """A stream that this worker holds."""

    runtime: Runtime
    workspace_id: UUID
    stream_id: UUID
    lease_id: UUID
    connection: Connection
    name: str
    cursor: str | None  # as it was stored last
    failures: int
    provider: AnyProvider
    manifest: Stream
    line: Line
    every: timedelta
    fixed: bool  # the workspace says how often
    meter: StreamMeter | None
    begun_at: datetime
    asked_for: Sequence[str]  # what a stream looks into that says so: threads, or missing posts
    budget: Budget | None = None  # as the provider told it last

    def hold(self, session: Session) -> streams.Held:
        held = streams.hold(session, self.workspace_id, self.stream_id, self.lease_id)
        if held is None:
            raise LeaseLostError
        if held.stopped:
            raise StoppedError
        return held

    @property
    def where(self) -> dict[str, object]:
        return {"provider": self.provider.key, "stream": self.name, "connection": str(self.connection.id)}


def store(job: StreamJob, page: Page[Any]) -> None:
    """Stores a page and its cursor in one transaction. Raises LeaseLostError and StoppedError."""
    job.budget = page.budget or job.budget
    if job.meter:
        job.meter.flush()
    reads = Counter(page.reads) + Counter(job.meter.take() if job.meter else {})
    if (
        not (page.items or page.answered or page.notes or reads or page.renamed or page.named)
        and page.cursor == job.cursor
    ):
        return  # nothing new, as most often: the end of the job is the transaction that says so

    def work(session: Session) -> None:
        if page.renamed:  # before the stream is locked, as `connecting.save` locks: the connection first
            connecting.renamed(session, job.connection, page.renamed.account, at=page.renamed.at)
        held = job.hold(session)
        new = _save(session, job, page.items)
        if page.named:
            renaming.named(session, us.source(session, job.connection), page.named)
        if page.answered:
            pulling.parents_answered(session, job.connection, page.answered)
        streams.keep_budget(held.stream, page.budget)
        streams.advance(
            held.stream, page.cursor, new=new, served=bool(page.items), notes=page.notes, over=page.over, reads=reads
        )

    job.runtime.db.retried(job.workspace_id, work)
    job.cursor = page.cursor
    for name, number in reads.items():
        meters.count(meters.READS, job.provider.key, name, by=number)


def _save(session: Session, job: StreamJob, items: Sequence[Any]) -> int:
    if job.connection.kind == "crm":
        return reconcile.save(session, job.connection, job.name, items, read_at=job.begun_at)
    if not items:
        return 0
    source = us.source(session, job.connection)
    pulling.erase_gone(session, source, [item for item in items if isinstance(item, Gone)])
    return pulling.save_engagements(session, source, [item for item in items if isinstance(item, Engagement)])
