"""Recheck: asks a provider again for what no changed-since feed shows: posts that were edited or deleted, tasks that went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.clients import ContactReader
from integrations.records import Engagement, Gone, Page, TaskState, Unasked
from service import housekeeping
from service.clock import business_now, real_now
from service.store import mirroring, reconciling, streams
from workers import checking
from workers.stopping import Turn
from workers.streamjob import StreamJob, store

RECHECKED = 400  # posts a sweep asks for
# Posts on which somebody's wait rests are asked for in every sweep: a task about a post that is gone is a minute wasted. So
# are, a few times, fresh posts of our own: an answer that is deleted opens the wait again. The others come round once a
# week, since reads are paid for; older ones open no wait any more. (Age of the post, and how long it has not been served.)
OUR_ANSWERS, OUR_ANSWERS_AFTER = timedelta(days=3), timedelta(hours=6)
ALL_POSTS, ALL_POSTS_AFTER = timedelta(days=90), timedelta(days=7)
# What the network says nothing about may be there or gone: it is asked for again, sooner the more rests on it.
UNANSWERED, UNANSWERED_OLD = timedelta(hours=1), timedelta(days=1)
# Where the network states within how long a change has to be followed, every post whose text is kept is asked for so much sooner than that.
AHEAD, EVER = timedelta(hours=4), datetime.min.replace(tzinfo=UTC)
RECHECK_EVERY = timedelta(minutes=15)
PART, CONTACTS_WITHIN = (
    25,
    20.0,
)  # contacts asked about at once, where each may take a call; seconds of a sweep for all of them
# Where reading costs, the sweep may buy again so large a share of what was bought; what was bought today already costs nothing.
BOUGHT_AGAIN = 0.05


def recheck(job: StreamJob) -> bool:
    """Asks again for what a changed-since feed cannot show; and, since it comes round everywhere, tidies up."""
    housekeeping.tidy(job.runtime, job.workspace_id)
    checking.check(job.runtime, job.connection, job.line)
    return _recheck_posts(job) if job.connection.kind == "social" else _recheck_tasks(job)


def _recheck_posts(job: StreamJob) -> bool:
    now, real = business_now(), real_now()
    begun = _begun(job)
    soon = real - UNANSWERED
    sweeps = [
        streams.Sweep(begun, soon, EVER, waiting_only=True),
        streams.Sweep(real - OUR_ANSWERS_AFTER, real - OUR_ANSWERS_AFTER, now - OUR_ANSWERS, ours_only=True),
        streams.Sweep(real - ALL_POSTS_AFTER, real - UNANSWERED_OLD, now - ALL_POSTS),
    ]
    if job.provider.follow is not None:
        sweeps.append(streams.Sweep(real - job.provider.follow.within + AHEAD, soon, EVER))
    with job.runtime.db.tenant(job.workspace_id) as session:
        found = streams.to_recheck(session, job.connection, sweeps, limit=RECHECKED)
        ids = _affordable(session, job, found)
    if not ids:
        return True
    answers: Sequence[Engagement | Gone | Unasked] = job.line.speak(lambda client: client.recheck(ids))
    told = [each for each in answers if not isinstance(each, Unasked)]
    left = {each.id for each in answers if isinstance(each, Unasked)}
    # Those that are left come next: the network then says how long to wait, or takes calls again.
    finished = not left and (len(found) < RECHECKED or len(ids) < len(found))
    store(job, Page(tuple(told), None if finished else begun.isoformat()))
    with job.runtime.db.tenant(job.workspace_id) as session:
        job.hold(session)
        streams.checked(session, job.connection, set(ids) - left, {each.id for each in told})
    return finished


def _begun(job: StreamJob) -> datetime:
    """When this sweep began: one that asks for more posts than a job can keeps that as its cursor, or it would never end."""
    try:
        return min(datetime.fromisoformat(job.cursor or ""), job.begun_at)
    except (ValueError, TypeError):
        return job.begun_at


def _affordable(session: Session, job: StreamJob, ids: Sequence[str]) -> Sequence[str]:
    """Of these posts, those that were bought today, and as many others as the sweep may buy again; in the same order."""
    if job.meter is None:
        return ids
    free = job.meter.free(session, ids)
    again = streams.recheck_allowance(session, job.connection, BOUGHT_AGAIN)
    paid = set([each for each in ids if each not in free][:again])
    return [each for each in ids if each in free or each in paid]


def _recheck_tasks(job: StreamJob) -> bool:
    with job.runtime.db.tenant(job.workspace_id) as session:
        ids = reconciling.open_in_crm(session, job.workspace_id, job.connection.id)
    answers: list[TaskState | Gone] = []
    try:
        for start in range(0, len(ids), RECHECKED):
            part = ids[start : start + RECHECKED]
            answers += job.line.speak(partial(_read_tasks, part))
    finally:
        job.line.keep_now()
    store(job, Page(tuple(answers), job.cursor))
    following = _recheck_contacts(job)
    if following != job.cursor:
        store(job, Page((), following))
    return True


def _recheck_contacts(job: StreamJob) -> str | None:
    """Asks about some of the contacts of a CRM whose stream does not show who was deleted, since there are so many. Returns the last one's
    id, after which the next sweep goes on; None: it begins anew."""
    found = job.line.speak(
        lambda client: (client.compared, client.contacts_a_sweep) if isinstance(client, ContactReader) else None
    )
    if found is None:
        return job.cursor
    with job.runtime.db.tenant(job.workspace_id) as session:
        some = mirroring.contacts_in_turn(
            session, job.workspace_id, job.connection.id, more_than=found[0], after=_after(job.cursor), limit=found[1]
        )
    if not some:
        return None
    turn = Turn(CONTACTS_WITHIN)
    last = some[-1][0]
    for start in range(0, len(some), PART):
        part = some[start : start + PART]
        gone = job.line.speak(partial(_gone_contacts, [native for _, native in part]))
        if gone:
            job.runtime.db.retried(job.workspace_id, partial(_drop, job, gone))
        last = part[-1][0]
        if turn.over:
            break
    return str(last)


def _drop(job: StreamJob, gone: Sequence[Gone], session: Session) -> None:
    job.hold(session)
    mirroring.drop_contacts(session, job.workspace_id, job.connection.id, gone)


def _after(cursor: str | None) -> UUID | None:
    try:
        return UUID(cursor) if cursor else None
    except ValueError:
        return None


def _gone_contacts(ids: Sequence[str], client: Any) -> Sequence[Gone]:
    found: Sequence[Gone] = client.gone_contacts(ids)
    return found


def _read_tasks(ids: Sequence[str], client: Any) -> Sequence[TaskState | Gone]:
    found: Sequence[TaskState | Gone] = client.read_tasks(ids)
    return found
