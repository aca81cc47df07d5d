"""How tasks fare, put together for the API and the console alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from service import calendars, settings
from service.clock import business_now, real_now
from service.rules.volume import SPAN
from service.store import feeds, figures, listing
from service.store.figures import Calls, Figures
from service.store.paging import Row

CALLS_OVER = timedelta(days=90)  # call tasks this young are counted


@dataclass(frozen=True)
class Faring:
    """How a workspace's tasks have fared since then. `groups` are the calls that are compared, where the workspace wants it,
    by "given" and "held_back"."""

    since: datetime
    until: datetime
    rules: Sequence[Figures]
    owners: Mapping[tuple[UUID, str], Row]  # native_id, email, name
    calls: Calls
    calls_since: datetime
    groups: Mapping[str, Calls]
    notices: Sequence[str]


def faring(session: Session, workspace_id: UUID, *, over: timedelta = SPAN) -> Faring:
    """The figures over this time."""
    now, business = real_now(), business_now()
    rules = figures.by_owner(session, workspace_id, since=now - over, now=business)
    named = [{"crm_connection_id": each.crm_connection_id, "content": {"owner_id": each.owner_id}} for each in rules]
    calls = figures.calls(session, workspace_id, since=business - CALLS_OVER, now=business)
    given = [number for trial, number in calls.items() if trial != figures.HELD_BACK]
    return Faring(
        since=now - over,
        until=now,
        rules=rules,
        owners=listing.owners_of(session, workspace_id, named),
        calls=sum(given, Calls()),
        calls_since=business - CALLS_OVER,
        groups={name: calls[name] for name in (figures.GIVEN, figures.HELD_BACK) if name in calls},
        notices=notices(session, workspace_id),
    )


def notices(session: Session, workspace_id: UUID) -> list[str]:
    """What whoever looks after the workspace should know: rules that give half, calendars that shield nobody."""
    now = real_now().astimezone(ZoneInfo(settings.current(session, workspace_id).values["timezone"]))
    tired = [each.notice for each in figures.slowed(session, workspace_id)]
    # One that was added just now is about to be read.
    stale = [row for row in feeds.stale(session, workspace_id, now) if row["fetched_at"] or row["error"]]
    return [*tired, *(calendars.notice(row, now) for row in stale)]
