"""The shield: nothing reaches an owner, and nothing falls due, while they sit in a meeting or are outside their hours.

When a task may be pushed is worked out where it is admitted. Calendars change after that, and queues are late, so it is
worked out again when a calendar has changed and, for good, right before a task is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service import settings
from service.clock import real_instant
from service.rules.admission import SHIELDED
from service.rules.calendar import free_at
from service.rules.model import Policy
from service.store import due, people, shield
from service.store.shield import Coming, Moved, Owner, Span

NOBODY: Owner = ("", "")
AHEAD = timedelta(days=30)  # how far calendars are looked at


@dataclass(frozen=True)
class Shield:
    """When owners can be reached. `on` is the workspace's setting: without it everybody can, at any time."""

    on: bool
    policy: Policy  # the workspace's
    policies: Mapping[Owner, Policy]  # of owners who keep other hours
    busy: Mapping[Owner, Sequence[Span]]

    def free(self, owner: Owner, at: datetime) -> datetime:
        """The first instant from `at` on at which this owner is at work and in no meeting."""
        return self.due(owner, at) if self.on else at

    def due(self, owner: Owner, at: datetime) -> datetime:
        """When a task that should be done by `at` falls due: in working hours whether there is a shield or not."""
        return free_at(at, self.busy.get(owner, ()), self.policies.get(owner, self.policy))

    def everybody_is_free(self, at: datetime) -> bool:
        """Whether nobody has to be spared now, whoever has tasks."""
        return all(self.free(owner, at) <= at for owner in {NOBODY, *self.policies, *self.busy})


def shield_of(session: Session, workspace_id: UUID, now: datetime) -> Shield:
    """As the settings and the calendars stand."""
    row = settings.current(session, workspace_id)
    on = bool(row.values["meeting_shield"])
    busy = shield.busy_times(session, workspace_id, now, now + AHEAD) if on else {}
    policy = settings.policy(row)
    emails = people.owners_by_email(session, workspace_id, policy.people)
    return Shield(on, policy, {owner: policy.of(email) for owner, email in emails.items()}, busy)


def hold_back(session: Session, workspace_id: UUID, connection_id: UUID, now: datetime) -> None:
    """Of what is due for this CRM, nothing stays due whose owner cannot be reached now. What closes a task takes work away:
    that goes at any time."""
    standing = shield_of(session, workspace_id, now)
    if standing.everybody_is_free(now):
        return
    coming = shield.due_now(session, workspace_id, connection_id, now)
    shield.move(session, workspace_id, later(standing, coming, now))


def later(standing: Shield, coming: Sequence[Coming], now: datetime) -> list[Moved]:
    """Which of these tasks, all due now, have to wait for their owner, and until when."""
    free = _once(lambda owner: standing.free(owner, now))
    return [
        Moved(each.id, at, _due(standing, each, at) if each.new else None, SHIELDED)
        for each in coming
        if (at := free(each.owner)) > now
    ]


def _once(work_out: Callable[[Owner], datetime]) -> Callable[[Owner], datetime]:
    known: dict[Owner, datetime] = {}

    def look_up(owner: Owner) -> datetime:
        if owner not in known:
            known[owner] = work_out(owner)
        return known[owner]

    return look_up


def _due(standing: Shield, each: Coming, at: datetime) -> datetime | None:
    return standing.due(each.owner, max(each.due_at, at)) if each.due_at else None


def follow_calendars(session: Session, workspace_id: UUID, now: datetime) -> None:
    """Brings what was worked out before into line with the calendars as they stand: tasks that wait for their owner come
    when the owner is free now, not when that was thought to be, and no task falls due in a meeting."""
    standing = shield_of(session, workspace_id, now)
    moved: list[tuple[Coming, Moved]] = []
    for each in shield.shielded(session, workspace_id, now):
        at = standing.free(each.owner, now)
        if at != each.push_at:
            reason = SHIELDED if at > now else ""
            moved.append((each, Moved(each.id, at, _due(standing, each, at) if each.new else None, reason)))
    for each in shield.due_while_busy(session, workspace_id, standing.busy):
        if each.due_at is not None:
            moved.append((each, Moved(each.id, each.push_at or now, standing.due(each.owner, each.due_at), None)))
    # A task that waits and falls due in a meeting is in here twice; where it waits, its due date was worked out anew.
    shield.move(session, workspace_id, list({each.id: move for each, move in reversed(moved)}.values()))
    for crm in sorted({each.owner[0] for each, _ in moved}):
        times = [move.push_at for each, move in moved if each.owner[0] == crm and move.push_at]
        due.push_soon(session, workspace_id, UUID(crm), real_instant(min(times)))
