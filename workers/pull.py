"""Pull: one stream of one connection, a handful of pages and their cursor in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.provider import RECHECK, Stream
from integrations.records import Engagement
from integrations.registry import AnyProvider, providers
from service import settings, speaking
from service.clock import business_now, real_now
from service.leases import LeaseLostError
from service.models import Connection
from service.rules import polling
from service.runtime import Runtime
from service.store import connecting, due, freezing, keeping, ledger, profiles, pulling, streams, us
from service.watch import meters
from workers import policy
from workers.access import Line
from workers.handfuls import handfuls, read_ahead
from workers.metering import StreamMeter
from workers.recheck import RECHECK_EVERY, recheck
from workers.stopping import Turn
from workers.streamjob import StoppedError, StreamJob, store

BUDGET = 20.0  # seconds of one job, so that everybody gets a turn; what is left is taken up by the next, from the stored cursor
ANCESTORS = 400  # missing posts asked for in one round
THREADS = 300  # threads looked into, newest first
THREADS_WITHIN = timedelta(days=30)
OPEN_WITHIN = timedelta(
    days=3
)  # a talk in which somebody waits, and that moved so recently, is looked after at full pace

_SWEEP = Stream(RECHECK, "edits and deletions", RECHECK_EVERY)


def pull(runtime: Runtime, workspace_id: UUID, stream_id: UUID, lease_id: UUID) -> None:
    """Reads everything new on one stream. Raises nothing that is the provider's doing."""
    job = _begin(runtime, workspace_id, stream_id, lease_id)
    if job is None:
        return
    try:
        finished = _read(job)
    except LeaseLostError:
        return
    except StoppedError:
        _count(job, "stopped")
        _stopped(job)
        return
    except Exception as error:
        _failed(job, error)
        return
    policy.tell_recovered(job.failures, **job.where)
    _count(job, "read" if finished else "goes on")
    _finish(job, finished)


def _count(job: StreamJob, outcome: str) -> None:
    meters.count(meters.PULLS, job.provider.key, job.name, outcome)


def _read(job: StreamJob) -> bool:
    """Whether all that there is was read. However it ends, what was bought stands in the ledger, and nothing is set aside for calls that
    were not made."""
    try:
        return _WAYS.get(job.name, _pages)(job)
    finally:
        if job.meter:
            job.meter.end()


def _begin(runtime: Runtime, workspace_id: UUID, stream_id: UUID, lease_id: UUID) -> StreamJob | None:
    """All that the job has to know before it calls out, in one transaction."""
    with runtime.db.tenant(workspace_id) as session:
        held = streams.hold(session, workspace_id, stream_id, lease_id)
        if held is None:
            return None
        if held.stopped:
            _stop(session, held)
            return None
        provider = providers()[held.connection.provider]
        manifest = next((each for each in provider.streams if each.name == held.stream.name), _SWEEP)
        values = settings.current(session, workspace_id).values
        # Nothing is read that would not be kept.
        days = min(values["first_pull_days"], keeping.days_of(values, provider.key))
        since = business_now() - timedelta(days=days)
        seconds = None if manifest is _SWEEP else values["poll_seconds"]
        meter = _meter(runtime, provider, held, lease_id)
        wanted = partial(_wanted, runtime, held.connection) if meter else None
        listed = us.colleagues_without_ids(session, held.connection) if meter else ()
        found = speaking.look_up(session, held.connection)
        return StreamJob(
            runtime, workspace_id, stream_id, lease_id, held.connection, held.stream.name, held.stream.cursor, held.stream.failures,
            provider, manifest, Line(runtime, held.connection, since, meter, wanted, listed, found),
            timedelta(seconds=seconds) if seconds else manifest.every, bool(seconds), meter, real_now(),
            _asked_for(session, held.connection, manifest),
        )  # fmt: skip


def _asked_for(session: Session, connection: Connection, manifest: Stream) -> Sequence[str]:
    if manifest.wants_parents:
        return pulling.missing_parents(session, connection, ANCESTORS)
    if manifest.wants_threads:
        return streams.threads_we_are_in(session, connection, business_now() - THREADS_WITHIN, THREADS)
    return ()


def _meter(runtime: Runtime, provider: AnyProvider, held: streams.Held, lease_id: UUID) -> StreamMeter | None:
    """What keeps this stream's reading within what may be spent; None where reading costs nothing."""
    if not provider.prices:
        return None
    row = held.connection
    payer = ledger.Payer(row.workspace_id, row.id, held.stream.name, f"{row.provider}:{row.host}", lease_id)
    return StreamMeter(runtime, payer, {price.name: price for price in provider.prices})


def _wanted(runtime: Runtime, row: Connection, posts: Sequence[Engagement]) -> set[str]:
    with runtime.db.tenant(row.workspace_id) as session:
        return profiles.wanted(session, row.workspace_id, row.provider, row.host, posts)


# --- the ways to read -----------------------------------------------------------------------------------------


def _pages(job: StreamJob) -> bool:
    """Page after page until there are no more (True) or the job's time is up (False)."""
    if job.manifest.wants_parents:
        return _ancestors(job)
    turn = Turn(BUDGET)

    def read(client: Any) -> bool:
        for page in read_ahead(handfuls(turn.within(client.pull(job.name, job.cursor, job.asked_for)))):
            store(job, page)
        return not turn.over

    return job.line.speak(read)


def _ancestors(job: StreamJob) -> bool:
    """Fetches posts that ours answer, and theirs, until every thread reaches its root or what the network still serves."""
    turn, wanted = Turn(BUDGET), job.asked_for
    while wanted:
        if turn.over:
            return False

        def read(client: Any, wanted: Sequence[str] = wanted) -> None:
            for page in client.pull(job.name, None, wanted):
                store(job, page)

        job.line.speak(read)
        # Whatever the network did not name, it does not serve to us: asking again would not bring it.
        wanted = _answered(job, wanted)
    return True


_WAYS = {RECHECK: recheck}


# --- storing and ending ---------------------------------------------------------------------------------------


def _answered(job: StreamJob, ids: Sequence[str]) -> Sequence[str]:
    """Returns what is missing now."""
    with job.runtime.db.tenant(job.workspace_id) as session:
        job.hold(session)
        pulling.parents_answered(session, job.connection, ids)
        return pulling.missing_parents(session, job.connection, ANCESTORS)


def _depending(provider: AnyProvider) -> list[str]:
    return [each.name for each in provider.streams if each.wants_threads or each.wants_parents]


def _finish(job: StreamJob, finished: bool) -> None:
    useful = job.runtime.db.retried(job.workspace_id, lambda session: _end(session, job, finished))
    if useful:
        with job.runtime.db.tenant(job.workspace_id) as session:
            due.pull_soon(session, job.workspace_id, job.connection.id, useful)


def _end(session: Session, job: StreamJob, finished: bool) -> list[str]:
    """Ends the lease. Returns the streams that have something to do now."""
    held = streams.hold(session, job.workspace_id, job.stream_id, job.lease_id)
    if held is None:
        return []
    if held.stopped:
        _stop(session, held)
        return []
    depending = _depending(job.provider)
    first = held.stream.first_done_at is None
    done = finished and (job.name not in depending or streams.others_done(session, held.stream, depending))
    urgent = streams.is_open(session, held.connection, business_now() - OPEN_WITHIN)
    streams.keep_budget(held.stream, job.budget)
    streams.finish(session, held.stream, next_at=_next(job, held, finished, urgent), done=done, urgent=urgent)
    orphans = any(each.wants_parents for each in job.provider.streams) and bool(
        pulling.missing_parents(session, job.connection, 1)
    )
    if not orphans:
        streams.open_for_decisions(session, held.connection)
    return list(_now_useful(job, first=first and done, orphans=orphans))


def _next(job: StreamJob, held: streams.Held, finished: bool, urgent: bool) -> datetime:
    stream = held.stream
    last = stream.last_item_at or held.connection.created_at
    seen = polling.Seen(job.every, finished, job.fixed, urgent, last, stream.limited_at)
    return polling.next_pull(seen, now=real_now(), key=stream.id.bytes)


def _now_useful(job: StreamJob, *, first: bool, orphans: bool) -> Iterator[str]:
    """Streams that this pull has given something to do: threads that lack their beginning, and, the first time, those
    that wait for the others."""
    for each in job.provider.streams:
        waits = each.wants_threads or each.wants_parents
        if each.name != job.name and ((first and waits) or (orphans and each.wants_parents)):
            yield each.name


def _stopped(job: StreamJob) -> None:
    with job.runtime.db.tenant(job.workspace_id) as session:
        held = streams.hold(session, job.workspace_id, job.stream_id, job.lease_id)
        if held is not None:
            _stop(session, held)


def _stop(session: Session, held: streams.Held) -> None:
    """Nothing may be read from there. What is frozen is looked at again by itself."""
    active = held.connection.status == "active"
    streams.let_go(session, held.stream, real_now() + freezing.LOOK_AGAIN if active else None)


def _failed(job: StreamJob, error: Exception) -> None:
    told = policy.reaction(error, job.failures, sweep=job.name == RECHECK)
    _count(job, type(error).__name__)
    policy.tell(error, job.failures, **job.where)
    with job.runtime.db.tenant(job.workspace_id) as session:
        held = streams.hold(session, job.workspace_id, job.stream_id, job.lease_id)
        if held is None:
            return
        if job.meter and (charged := job.meter.take()):  # of a page that was bought and not stored
            streams.count(held.stream, charged)
        streams.fail(
            session, held.stream, error=told.shown, stop=told.stops, next_at=_again(job, told), failed=told.failed, waits_for=told.waits
        )  # fmt: skip
        if told.stops:
            streams.open_for_decisions(session, held.connection)
    if told.reauth:  # in a transaction of its own, which locks the connection before anything else
        with job.runtime.db.tenant(job.workspace_id) as session:
            connecting.needs_reauth(session, job.connection, told.shown, refused=policy.refused_version(error))


def _again(job: StreamJob, told: policy.Reaction) -> datetime | None:
    """When to try again; None: not by itself. Limits pass for many at once: nobody asks before, and not all in one second."""
    if told.delay is None:
        return None
    if told.waits:
        return polling.after_wait(told.delay, now=real_now(), key=job.stream_id.bytes, spread=job.every)
    return real_now() + told.delay
