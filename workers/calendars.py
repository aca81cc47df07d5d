"""Calendar: reads one owner's calendar feed, and keeps when they are busy and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from integrations.calendars import fetch
from integrations.errors import InvalidRequestError, UnexpectedResponseError
from service import settings
from service.clock import business_now, real_now
from service.rules.busy import UnreadableCalendarError, busy
from service.runtime import Runtime
from service.store import feeds
from service.vault import SealBrokenError
from workers import policy

BEFORE, AFTER = timedelta(days=1), timedelta(days=31)  # of business time: what is kept of a calendar


@dataclass(frozen=True)
class _Job:
    """A feed whose lease this worker holds."""

    runtime: Runtime
    workspace_id: UUID
    feed_id: UUID
    lease_id: UUID


def calendar(runtime: Runtime, workspace_id: UUID, feed_id: UUID, lease_id: UUID) -> None:
    """Reads the feed. One that is down, wrong or endless keeps what it said last and says what is the matter; raises nothing
    that is its doing."""
    job = _Job(runtime, workspace_id, feed_id, lease_id)
    held = None
    try:
        with runtime.db.tenant(workspace_id) as session:
            held = feeds.hold(session, runtime.vault, workspace_id, feed_id, lease_id)
            rules = settings.policy(settings.current(session, workspace_id))
        if held is not None:
            _read(job, held, rules.of(held.email).timezone)
    except SealBrokenError:
        error = InvalidRequestError("The address can no longer be opened. Remove this calendar, and add it again")
        _failed(job, 0, error)
    except Exception as error:
        _failed(job, held.failures if held else 0, error)


def _read(job: _Job, held: feeds.Held, zone: str) -> None:
    """The transaction is closed while we call out."""
    read_at, now = real_now(), business_now()
    data = fetch(held.address, allow=job.runtime.config.allow_hosts)
    try:
        found = busy(data, start=now - BEFORE, end=now + AFTER, timezone=zone, owner=held.email)
    except UnreadableCalendarError as error:
        raise UnexpectedResponseError(str(error), sample=f"{len(data)} bytes") from None
    with job.runtime.db.tenant(job.workspace_id) as session:
        feeds.save(
            session, job.workspace_id, job.feed_id, job.lease_id, found.spans, covers_until=now + AFTER,
            left_out=found.left_out, read_at=read_at,
        )  # fmt: skip
    policy.tell_recovered(held.failures, calendar=str(job.feed_id))


def _failed(job: _Job, failures: int, error: Exception) -> None:
    told = policy.reaction(error, failures)
    policy.tell(error, failures, calendar=str(job.feed_id))
    with job.runtime.db.tenant(job.workspace_id) as session:
        feeds.fail(
            session, job.workspace_id, job.feed_id, job.lease_id, error=told.shown, failed=told.failed,
            delay=told.delay or policy.HOUR,
        )  # fmt: skip
