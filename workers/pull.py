"""Pull: one stream of one connection, a handful of pages and their cursor in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.provider import RECHECK, Stream
from integrations.records import Engagement, Gone, Page, TaskState
from integrations.registry import AnyProvider, providers
from service import housekeeping, settings
from service.clock import business_now, real_now
from service.models import Connection
from service.runtime import Runtime
from service.store import connecting, due, pulling, reconciling, streams
from workers import policy, reconcile
from workers.access import Line
from workers.handfuls import handfuls, read_ahead

BUDGET = 20.0  # seconds of one job, so that everybody gets a turn; what is left is taken up by the next, from the stored cursor
ANCESTORS = 400  # missing posts asked for in one round
THREADS = 300  # threads looked into, newest first
RECHECKED = 400  # posts a sweep asks for
# Posts on which somebody's wait rests are asked for in every sweep: a task about a post that is gone is a minute wasted. So
# are, a few times, fresh posts of our own: an answer that is deleted opens the wait again. The others come round once a
# week, since reads are paid for; older ones open no wait any more. (Age of the post, and how long it has not been served.)
OUR_ANSWERS, OUR_ANSWERS_AFTER = timedelta(days=3), timedelta(hours=6)
ALL_POSTS, ALL_POSTS_AFTER = timedelta(days=90), timedelta(days=7)
RECHECK_EVERY = timedelta(minutes=15)
THREADS_WITHIN = timedelta(days=30)


class LeaseLostError(Exception):
    """Somebody else has the stream now."""


@dataclass(frozen=True)
class _Job:
    """A stream that this worker holds."""

    runtime: Runtime
    workspace_id: UUID
    stream_id: UUID
    lease_id: UUID
    connection: Connection
    name: str
    cursor: str | None
    failures: int
    provider: AnyProvider
    manifest: Stream
    line: Line
    every: timedelta
    begun_at: datetime

    def hold(self, session: Session) -> streams.Held:
        held = streams.hold(session, self.workspace_id, self.stream_id, self.lease_id)
        if held is None:
            raise LeaseLostError
        return held

    @property
    def where(self) -> dict[str, object]:
        return {"provider": self.provider.key, "stream": self.name, "connection": str(self.connection.id)}


_SWEEP = Stream(RECHECK, "edits and deletions", RECHECK_EVERY)


def pull(runtime: Runtime, workspace_id: UUID, stream_id: UUID, lease_id: UUID) -> None:
    """Reads everything new on one stream. Raises nothing that is the provider's doing."""
    job = _begin(runtime, workspace_id, stream_id, lease_id)
    if job is None:
        return
    try:
        finished = _WAYS.get(job.name, _pages)(job)
    except LeaseLostError:
        return
    except Exception as error:
        _failed(job, error)
        return
    policy.tell_recovered(job.failures, **job.where)
    _finish(job, finished)


def _begin(runtime: Runtime, workspace_id: UUID, stream_id: UUID, lease_id: UUID) -> _Job | None:
    with runtime.db.tenant(workspace_id) as session:
        held = streams.hold(session, workspace_id, stream_id, lease_id)
        if held is None:
            return None
        if held.connection.status != "active":
            streams.let_go(session, held.stream, None)
            return None
        provider = providers()[held.connection.provider]
        manifest = next((each for each in provider.streams if each.name == held.stream.name), _SWEEP)
        values = settings.current(session, workspace_id).values
        since = business_now() - timedelta(days=values["first_pull_days"])
        seconds = values["poll_seconds"]
        return _Job(
            runtime, workspace_id, stream_id, lease_id, held.connection, held.stream.name, held.stream.cursor, held.stream.failures,
            provider, manifest, Line(runtime, held.connection, since),
            timedelta(seconds=seconds) if seconds and manifest is not _SWEEP else manifest.every,
            real_now(),
        )  # fmt: skip


# --- the ways to read -----------------------------------------------------------------------------------------


def _pages(job: _Job) -> bool:
    """Page after page until there are no more (True) or the job's time is up (False)."""
    if job.manifest.wants_parents:
        return _ancestors(job)
    threads = _threads(job) if job.manifest.wants_threads else ()
    deadline, cursor = time.monotonic() + BUDGET, job.cursor

    def read(client: Any) -> bool:
        nonlocal cursor
        for page in read_ahead(handfuls(client.pull(job.name, cursor, threads))):
            _store(job, page)
            cursor = page.cursor
            if time.monotonic() > deadline:
                return False
        return True

    return job.line.speak(read)


def _threads(job: _Job) -> Sequence[str]:
    with job.runtime.db.tenant(job.workspace_id) as session:
        return streams.threads_we_are_in(session, job.connection, business_now() - THREADS_WITHIN, THREADS)


def _ancestors(job: _Job) -> bool:
    """Fetches posts that ours answer, and theirs, until every thread reaches its root or what the network still serves."""
    deadline = time.monotonic() + BUDGET
    while time.monotonic() < deadline:
        with job.runtime.db.tenant(job.workspace_id) as session:
            wanted = pulling.missing_parents(session, pulling.source(session, job.connection), ANCESTORS)
        if not wanted:
            return True

        def read(client: Any, wanted: Sequence[str] = wanted) -> None:
            for page in client.pull(job.name, None, wanted):
                _store(job, page)

        job.line.speak(read)
        # Whatever the network did not name, it does not serve to us: asking again would not bring it.
        _answered(job, wanted)
    return False


def _recheck(job: _Job) -> bool:
    """Asks again for what a changed-since feed cannot show; and, since it comes round everywhere, tidies up."""
    housekeeping.tidy(job.runtime, job.workspace_id)
    return _recheck_posts(job) if job.connection.kind == "social" else _recheck_tasks(job)


def _recheck_posts(job: _Job) -> bool:
    now, real = business_now(), real_now()
    sweeps = [
        streams.Sweep(real - OUR_ANSWERS_AFTER, now - OUR_ANSWERS, ours_only=True),
        streams.Sweep(real - ALL_POSTS_AFTER, now - ALL_POSTS),
    ]
    with job.runtime.db.tenant(job.workspace_id) as session:
        ids = streams.to_recheck(session, job.connection, sweeps, waiting_before=job.begun_at, limit=RECHECKED)
    if not ids:
        return True
    answers: Sequence[Engagement | Gone] = job.line.speak(lambda client: client.recheck(ids))
    _store(job, Page(tuple(answers), job.cursor))
    with job.runtime.db.tenant(job.workspace_id) as session:
        job.hold(session)
        streams.checked(session, job.connection, ids)
    return len(ids) < RECHECKED


def _recheck_tasks(job: _Job) -> bool:
    with job.runtime.db.tenant(job.workspace_id) as session:
        ids = reconciling.open_in_crm(session, job.workspace_id, job.connection.id)
    answers: list[TaskState | Gone] = []
    for start in range(0, len(ids), RECHECKED):
        part = ids[start : start + RECHECKED]
        answers += job.line.speak(partial(_read_tasks, part))
    _store(job, Page(tuple(answers), job.cursor))
    return True


def _read_tasks(ids: Sequence[str], client: Any) -> Sequence[TaskState | Gone]:
    found: Sequence[TaskState | Gone] = client.read_tasks(ids)
    return found


_WAYS = {RECHECK: _recheck}


# --- storing and ending ---------------------------------------------------------------------------------------


def _answered(job: _Job, ids: Sequence[str]) -> None:
    with job.runtime.db.tenant(job.workspace_id) as session:
        job.hold(session)
        pulling.parents_answered(session, pulling.source(session, job.connection), ids)


def _store(job: _Job, page: Page[Any]) -> None:
    def work(session: Session) -> None:
        held = job.hold(session)
        new = _save(session, job, page.items)
        if page.answered:
            pulling.parents_answered(session, pulling.source(session, job.connection), page.answered)
        streams.advance(held.stream, page.cursor, new=new, notes=page.notes, reads=page.reads)

    job.runtime.db.retried(job.workspace_id, work)


def _save(session: Session, job: _Job, items: Sequence[Any]) -> int:
    if job.connection.kind == "crm":
        return reconcile.save(session, job.connection, job.name, items, read_at=job.begun_at)
    source = pulling.source(session, job.connection)
    pulling.erase_gone(session, source, [item for item in items if isinstance(item, Gone)])
    return pulling.save_engagements(session, source, [item for item in items if isinstance(item, Engagement)])


def _depending(provider: AnyProvider) -> list[str]:
    return [each.name for each in provider.streams if each.wants_threads or each.wants_parents]


def _finish(job: _Job, finished: bool) -> None:
    useful = job.runtime.db.retried(job.workspace_id, lambda session: _end(session, job, finished))
    if useful:
        with job.runtime.db.tenant(job.workspace_id) as session:
            due.pull_soon(session, job.workspace_id, job.connection.id, useful)


def _end(session: Session, job: _Job, finished: bool) -> list[str]:
    """Ends the lease. Returns the streams that have something to do now."""
    held = streams.hold(session, job.workspace_id, job.stream_id, job.lease_id)
    if held is None:
        return []
    depending = _depending(job.provider)
    first = held.stream.first_done_at is None
    done = finished and (job.name not in depending or streams.others_done(session, held.stream, depending))
    streams.finish(session, held.stream, next_at=real_now() + (job.every if finished else timedelta(0)), done=done)
    orphans = any(each.wants_parents for each in job.provider.streams) and bool(
        pulling.missing_parents(session, pulling.source(session, job.connection), 1)
    )
    if not orphans:
        streams.open_for_decisions(session, held.connection)
    return list(_now_useful(job, first=first and done, orphans=orphans))


def _now_useful(job: _Job, *, first: bool, orphans: bool) -> Iterator[str]:
    """Streams that this pull has given something to do: threads that lack their beginning, and, the first time, those
    that wait for the others."""
    for each in job.provider.streams:
        waits = each.wants_threads or each.wants_parents
        if each.name != job.name and ((first and waits) or (orphans and each.wants_parents)):
            yield each.name


def _failed(job: _Job, error: Exception) -> None:
    told = policy.reaction(error, job.failures)
    policy.tell(error, job.failures, **job.where)
    with job.runtime.db.tenant(job.workspace_id) as session:
        held = streams.hold(session, job.workspace_id, job.stream_id, job.lease_id)
        if held is None:
            return
        streams.fail(session, held.stream, error=told.shown, stop=told.stops, delay=told.delay, failed=told.failed)
        if told.reauth:
            connecting.needs_reauth(session, held.connection, told.shown)
        elif told.stops:
            streams.open_for_decisions(session, held.connection)
