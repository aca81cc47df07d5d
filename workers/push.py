"""Push: the difference between what should stand in a CRM and what does, in the CRM's batches, safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from sqlalchemy.orm import Session

from integrations import deadline
from integrations.records import PushOutcome, PushResult
from service import leases
from service.clock import business_now, real_now
from service.health import A_FEW
from service.models import Connection
from service.runtime import Runtime
from service.store import claims, connecting, freezing, leaving, pushing, reconciling
from service.store.tasks import TaskRow
from service.watch import following, freshness, meters, tracing
from workers import handles, leave, policy
from workers.access import Line
from workers.saying import as_task
from workers.settling import settled, untouched
from workers.shielding import hold_back
from workers.stopping import Turn

# Tasks handed to a provider at once; it cuts them into the CRM's own batches. A multiple of those (100, 200), so that none goes out half full,
# and many, since what is asked once for each push (whether contacts are there) is spread over them.
BATCH = 1000
BUDGET = 30.0  # seconds of one job
# How soon a task is tried again. (Real time: `push_at` is business time, which may stand still.)
_AGAIN = {PushOutcome.LATER: timedelta(seconds=20), PushOutcome.UNKNOWN: timedelta(seconds=30)}
# A create that was never answered may still be on its way. To delete what was found in its place would free the key for it.
IN_FLIGHT = timedelta(minutes=1)


@dataclass(frozen=True)
class _Job:
    """A CRM connection whose push lease this worker holds."""

    runtime: Runtime
    workspace_id: UUID
    connection_id: UUID
    lease_id: UUID
    # A worker that stood still for longer than its lease must not say what another one has said otherwise since.
    fence: deadline.Fence = field(default_factory=deadline.Fence)

    def hold(self, session: Session) -> Connection | None:
        asked_at = deadline.now()
        row = pushing.hold(session, self.workspace_id, self.connection_id, self.lease_id)
        if row is not None:
            self.fence.move(leases.length(session).total_seconds(), since=asked_at)
        return row


def push(runtime: Runtime, workspace_id: UUID, connection_id: UUID, lease_id: UUID) -> None:
    """Says to one CRM all that is due. While the CRM answers one batch, what it said of the last one is stored and the next
    one is made ready. Raises nothing that is the CRM's doing."""
    job = _Job(runtime, workspace_id, connection_id, lease_id)
    with deadline.behind(job.fence):
        _push(job)


def _push(job: _Job) -> None:
    taken = _begin(job)
    if taken is None:
        return
    turn = Turn(BUDGET)
    line = Line(job.runtime, taken[0])
    retry_at, answered = None, None
    with ThreadPoolExecutor(1) as caller:
        while taken is not None and taken[1]:
            connection, rows = taken
            answer = caller.submit(tracing.here(_call), line, rows)
            if answered is not None:
                _store(job, line, *answered)
            taken = _take(job, [row.id for row in rows]) if not turn.over else None
            ahead = taken[1] if taken else []
            try:
                answered = rows, answer.result()
            except Exception as error:
                _failed(job, line, connection, rows, ahead, error)
                return
            policy.tell_recovered(connection.push_failures, provider=connection.provider, connection=str(connection.id))
            waits = [_AGAIN[each.outcome] for each in answered[1].values() if each.outcome in _AGAIN]
            if waits:
                retry_at = real_now() + max(waits)
                _put_back(job, ahead)
                break
    if answered is not None:
        _store(job, line, *answered)
    _finish(job, line, turn, retry_at)


class _Rest(Enum):
    """What there is to do for a CRM to which no task is to be said now."""

    NOTHING = auto()
    HANDLES = auto()  # they are to be written
    LAST_STEPS = auto()  # it is being left, and nothing of ours is left there


def _rest(session: Session, held: Connection, retry_at: datetime | None, *, handles_too: bool) -> _Rest:
    """Where there is nothing to do, the lease ends in this transaction."""
    if handles_too and handles.wait(session, held):
        return _Rest.HANDLES
    if held.status == "leaving" and retry_at is None and leaving.nothing_is_left(session, held):
        return _Rest.LAST_STEPS
    pushing.let_go(session, held, failures=0, retry_at=retry_at)
    return _Rest.NOTHING


def _finish(job: _Job, line: Line, turn: Turn, retry_at: datetime | None) -> None:
    """After the tasks: what else waits for this CRM, and the end of the lease."""
    rest, held = _look(job, retry_at, handles_too=True)
    if rest is _Rest.HANDLES:
        try:
            left = handles.write_back(job.runtime, job.workspace_id, job.connection_id, job.hold, line, turn)
        except Exception as error:
            with job.runtime.db.tenant(job.workspace_id) as session:
                held = job.hold(session)
            if held is not None:
                _failed(job, line, held, (), (), error)
            return
        if left:
            retry_at = max(filter(None, (retry_at, real_now() + _AGAIN[PushOutcome.LATER])))
        rest, held = _look(job, retry_at, handles_too=False)
    if rest is _Rest.LAST_STEPS and held is not None:
        _leave(job, held, line)


def _look(job: _Job, retry_at: datetime | None, *, handles_too: bool) -> tuple[_Rest, Connection | None]:
    with job.runtime.db.tenant(job.workspace_id) as session:
        held = job.hold(session)
        if held is None:
            return _Rest.NOTHING, None
        return _rest(session, held, retry_at, handles_too=handles_too), held


def _leave(job: _Job, connection: Connection, line: Line) -> None:
    """All that could be withdrawn is: nothing of ours stays there, nor the consent here."""
    try:
        leave.finish(job.runtime, connection, line, job.hold)
    except Exception as error:
        _failed(job, line, connection, (), (), error)


_Taken = tuple[Connection, list[TaskRow]]


def _begin(job: _Job) -> _Taken | None:
    """The connection and its first tasks, which may be none. None when there is nothing to do: then the lease is let go. What is frozen is
    looked at again later."""

    def work(session: Session) -> _Taken | None:
        connection = job.hold(session)
        if connection is None:
            return None
        if freezing.of(session, connection):
            pushing.let_go(
                session, connection, failures=connection.push_failures, error=connection.push_error,
                retry_at=real_now() + freezing.LOOK_AGAIN,
            )  # fmt: skip
            return None
        rows = _due(session, job, connection, ())
        if not rows and _rest(session, connection, None, handles_too=True) is _Rest.NOTHING:
            return None
        return connection, rows

    # Whoever decides has tasks first and asks for their CRM then, so either may have to give way.
    return job.runtime.db.retried(job.workspace_id, work)


def _take(job: _Job, under_way: Sequence[UUID]) -> _Taken | None:
    """What is to be said next, but for what is under way. None when the lease is somebody else's."""

    def work(session: Session) -> _Taken | None:
        connection = job.hold(session)
        if connection is None:
            return None
        return connection, [] if freezing.of(session, connection) else _due(session, job, connection, under_way)

    return job.runtime.db.retried(job.workspace_id, work)


def _due(session: Session, job: _Job, connection: Connection, under_way: Sequence[UUID]) -> list[TaskRow]:
    """What is to be said now, noted as possibly said before a byte is sent."""
    if connection.preview or connection.status not in ("active", "leaving"):
        return []
    hold_back(session, job.workspace_id, job.connection_id, business_now())
    return pushing.take(session, connection, under_way, BATCH)


def _put_back(job: _Job, rows: Sequence[TaskRow]) -> None:
    """These were made ready and never sent."""
    if rows:
        with job.runtime.db.tenant(job.workspace_id) as session:
            if job.hold(session) is not None:
                pushing.settle(session, job.workspace_id, [untouched(row, unsent=True) for row in rows])


def _call(line: Line, rows: Sequence[TaskRow]) -> dict[str, PushResult]:
    early = {row.key for row in rows if _too_early(row)}
    wanted = [task for row in rows if row.key not in early and (task := as_task(row)) is not None]
    results: Sequence[PushResult] = line.speak(lambda client: client.push_tasks(wanted)) if wanted else ()
    return {
        **{result.key: result for result in results},
        **{
            key: PushResult(key, PushOutcome.LATER, detail="Waits until no copy of it can be on its way.")
            for key in early
        },
    }


def _too_early(row: TaskRow) -> bool:
    """Whether it is to be deleted, and a create of it that was never answered may be under way."""
    ends = row.wanted == "withdrawn" and (row.external_id is not None or row.only_sought)
    if not ends or row.maybe_sent_at is None:
        return False
    return real_now() - row.maybe_sent_at < IN_FLIGHT


def _is_lost(row: TaskRow) -> bool:
    """Whether it may stand there by a create that was never answered. It is sought from that one on, so that one stays its date also where
    it was sought, not found and sent again: of that one nobody knows when it went out."""
    return row.external_id is None and not row.is_new


# --- what came of it ------------------------------------------------------------------------------------------


def _store(job: _Job, line: Line, rows: Sequence[TaskRow], results: Mapping[str, PushResult]) -> None:
    def work(session: Session) -> None:
        connection = job.hold(session)
        if connection is None:
            return  # we were away for longer than our lease: whoever has it now finds these by their keys
        line.keep(session)
        now, business = real_now(), business_now()
        outcomes = [settled(row, results.get(row.key), now, business) for row in rows]
        pushing.settle(session, job.workspace_id, outcomes)
        _tell(session, job, connection, rows, results, now)
        ended = {each.id: (each.closed_as, each.ticked_off_at) for each in outcomes if each.closed_as}
        theirs = {row.id: result.theirs for row in rows if (result := results.get(row.key)) and result.theirs}
        if theirs:
            reconciling.take_in_edits(session, job.workspace_id, theirs)
        if ended:
            reconciling.end(session, job.workspace_id, ended)

    job.runtime.db.retried(job.workspace_id, work)


def _tell(
    session: Session, job: _Job, connection: Connection, rows: Sequence[TaskRow], results: Mapping[str, PushResult], now: datetime
) -> None:  # fmt: skip
    """What came of it, for the log and for whoever runs Warmline: how late tasks came that stand there for the first time."""
    told = [
        (row.id, result.outcome.value, result.external_id or row.external_id)
        for row in rows
        if (result := results.get(row.key))
    ]
    following.pushed(session, provider=connection.provider, connection_id=connection.id, tasks=told)
    new = [row.id for row in rows if row.external_id is None]
    delays = freshness.delays(session, job.workspace_id, new, now)

    def count() -> None:
        for kind, seconds in delays.items():
            for each in seconds:
                meters.observe(meters.TASK_DELAY, each, meters.provider_label(connection.provider))
            freshness.record(job.runtime.db, kind, seconds, job.runtime.config.freshness)

    following.on_commit(session, count)


def _failed(
    job: _Job, line: Line, connection: Connection, rows: Sequence[TaskRow], ahead: Sequence[TaskRow], error: Exception
) -> None:
    """The whole call failed before anything was sent (providers promise that), or on our side, and then nobody knows. What
    stood ready behind it was not sent."""
    told = policy.reaction(error, connection.push_failures)
    meters.count(meters.PUSHES, meters.provider_label(connection.provider), type(error).__name__, by=len(rows))
    policy.tell(error, connection.push_failures, provider=connection.provider, connection=str(connection.id))
    unsent = policy.nothing_was_sent(error)
    with job.runtime.db.tenant(job.workspace_id) as session:
        held = job.hold(session)
        if held is None:
            return
        line.keep(session)
        left = [untouched(row, unsent) for row in rows] + [untouched(row, unsent=True) for row in ahead]
        pushing.settle(session, job.workspace_id, left)
        failures = connection.push_failures + 1 if told.failed else connection.push_failures
        wait = _until_again(told, connection.push_failures)
        if not unsent and any(_is_lost(row) for row in rows):
            wait = max(wait, claims.SETTLED)
        shown = told.shown or (policy.sentence(error) if told.waits else "")
        pushing.let_go(session, held, failures=failures, error=shown, retry_at=real_now() + wait)
    if told.reauth:  # in a transaction of its own, which locks the connection before anything else
        with job.runtime.db.tenant(job.workspace_id) as session:
            connecting.needs_reauth(session, connection, told.shown, refused=policy.refused_version(error))


def _until_again(told: policy.Reaction, failures: int) -> timedelta:
    """How long all of it waits, after so many failures in a row before this one. What looks as if a person had to mend it is tried again
    soon at first: whether it stays is known within a minute then, and not within hours."""
    wait = told.delay or policy.HOUR
    may_pass = told.failed and failures < A_FEW
    return min(wait, policy.backoff(failures)) if may_pass and wait >= policy.HOUR else wait
