"""Few and good: hands waiting tasks to their owners' day, and says of the others why they are held."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from integrations.records import TaskKind
from service.clock import real_instant, real_now
from service.drafting import HIGH
from service.rules.admission import Admitted, Waiting, admit
from service.rules.calendar import next_open
from service.rules.model import Held, Policy
from service.rules.standing import deal_of
from service.rules.volume import SPAN, Fared, halved, slowed
from service.store import acting, due, figures, people, tasks
from service.store.tasks import TaskRow
from workers.shielding import Shield, follow_calendars, shield_of

BATCH = 2000
ONE_IN = 10  # call tasks of which one is held back, where the workspace wants to compare
BY_RULES = "system"


def admit_waiting(
    session: Session, workspace_id: UUID, policy: Policy, values: Mapping[str, Any], now: datetime
) -> int:
    """Answers for up to `BATCH` waiting tasks, the most urgent first. Returns how many there were; once there are none, what
    was answered before is brought into line with the owners' calendars."""
    rows = tasks.to_admit(session, workspace_id, now, BATCH)
    if not rows:
        follow_calendars(session, workspace_id, now)
        return 0
    standing = shield_of(session, workspace_id, now)
    known = people.contacts(session, workspace_id, [row.contact_id for row in rows if row.contact_id])
    deals = {contact_id for contact_id, each in known.items() if deal_of(each.record.lifecycle)}
    waiting = [_waiting(row, row.contact_id in deals) for row in rows]
    today = _midnight(now, policy)
    limits = _limits(session, workspace_id, values["daily_cap"], now)
    counted = values["daily_cap"] is not None or limits
    answers = admit(
        waiting,
        taken=tasks.taken_slots(session, workspace_id, sorted({row.person for row in rows})),
        given_today=tasks.given_since(session, workspace_id, today) if counted else {},
        cap=values["daily_cap"],
        tomorrow=next_open(today + timedelta(days=1, hours=1), policy),
        free={owner: standing.free(owner, now) for owner in {each.owner for each in waiting}},
        now=now,
        limits=limits,
        held_back=_held_back(session, workspace_id, rows, now) if values["call_holdout"] else frozenset(),
    )
    stored = [_stored(row, each, answers[each.id], standing) for row, each in zip(rows, waiting, strict=True)]
    tasks.save_admissions(session, workspace_id, stored)
    for connection_id in sorted({row.crm_connection_id for row in rows if row.crm_connection_id is not None}):
        times = [at for _, _, _, at, _ in stored if at is not None]
        if times:
            due.push_soon(session, workspace_id, connection_id, real_instant(min(times)))
    return len(rows)


def _waiting(row: TaskRow, in_deal: bool) -> Waiting:
    owner = (str(row.crm_connection_id), row.content.get("owner_id") or "")
    return Waiting(str(row.id), (str(row.brand_id), row.person, row.kind), owner, row.urgency, row.since, in_deal)


def _stored(
    row: TaskRow, task: Waiting, answer: Admitted | Held, standing: Shield
) -> tuple[UUID, str, datetime | None, datetime | None, str | None]:
    """The row of `tasks.save_admissions` for this answer. What is given falls due when its owner can act on it."""
    if isinstance(answer, Held):
        return row.id, answer.reason, answer.until, None, None
    before = row.content["due_at"]
    due_at = standing.due(task.owner, max(datetime.fromisoformat(before), answer.at)).isoformat()
    return row.id, answer.reason, answer.at if answer.reason else None, answer.at, due_at if due_at != before else None


def _midnight(now: datetime, policy: Policy) -> datetime:
    """When today began for the workspace, in UTC."""
    zone = ZoneInfo(policy.timezone)
    return datetime.combine(now.astimezone(zone).date(), datetime.min.time(), zone).astimezone(now.tzinfo)


# --- rules that people mostly dismiss -------------------------------------------------------------------------


def _limits(session: Session, workspace_id: UUID, cap: int | None, now: datetime) -> dict[str, int]:
    """What each rule that is slowed may give an owner a day. Rules are slowed, and let go, here."""
    standing = {each.kind: each for each in figures.slowed(session, workspace_id)}
    fared = figures.by_rule(session, workspace_id, since=real_now() - SPAN, now=now)
    for kind in TaskKind:
        of_kind = fared.get(kind, Fared(0, 0))
        if slowed(kind in standing, of_kind) == (kind in standing):
            continue
        since = None if kind in standing else real_now()
        usual = figures.usual(session, workspace_id, kind, now - SPAN) if since else standing[kind].usual
        figures.set_volume(session, workspace_id, kind, of_kind, slowed_at=since, usual=usual, now=real_now())
        acting.audit(session, workspace_id, BY_RULES, "rule.slowed" if since else "rule.recovered", "rule", kind)
        session.flush()
    return {each.kind: halved(cap, each.usual) for each in figures.slowed(session, workspace_id)}


# --- a tenth held back, to compare ----------------------------------------------------------------------------


def _held_back(session: Session, workspace_id: UUID, rows: Sequence[TaskRow], now: datetime) -> frozenset[str]:
    """Ids of call tasks that are not handed out. Which ones follows from their key alone. Somebody who asked for the call, or
    nearly so, is never kept waiting for the sake of a figure; nor is anybody whom the CRM does not know, since nobody
    could tell what came of it."""
    groups: dict[str, list[UUID]] = {figures.HELD_BACK: [], figures.GIVEN: []}
    for row in rows:
        if row.kind == TaskKind.READY_FOR_CALL and row.urgency < HIGH and row.contact_id is not None:
            groups[figures.HELD_BACK if in_the_tenth(row.key) else figures.GIVEN].append(row.id)
    figures.assign(session, workspace_id, groups, now)
    return frozenset(str(each) for each in groups[figures.HELD_BACK])


def in_the_tenth(key: str) -> bool:
    """Whether the task with this key is one of those held back."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % ONE_IN == 0
