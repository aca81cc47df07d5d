"""Few and good: hands waiting tasks to their owners' day, and says of the others why they are held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from service.clock import real_instant
from service.rules.admission import Admitted, Waiting, admit
from service.rules.calendar import free_at, next_open
from service.rules.model import Held, Policy
from service.store import due, tasks
from service.store.tasks import TaskRow

BATCH = 2000
AHEAD = timedelta(days=14)  # how far meetings are looked at

Owner = tuple[str, str]  # CRM connection, owner's id there


def admit_waiting(
    session: Session, workspace_id: UUID, policy: Policy, values: Mapping[str, Any], now: datetime
) -> int:
    """Answers for up to `BATCH` waiting tasks, the most urgent first. Returns how many there were."""
    rows = tasks.to_admit(session, workspace_id, now, BATCH)
    if not rows:
        return 0
    busy = tasks.busy_times(session, workspace_id, now, now + AHEAD) if values["meeting_shield"] else {}
    waiting = [_waiting(row) for row in rows]
    free = (
        {each.owner: free_at(now, busy.get(each.owner, ()), policy) for each in waiting}
        if values["meeting_shield"]
        else {}
    )
    today = _midnight(now, policy)
    answers = admit(
        waiting,
        taken=tasks.taken_slots(session, workspace_id, sorted({row.person for row in rows})),
        given_today=tasks.given_since(session, workspace_id, today) if values["daily_cap"] else {},
        cap=values["daily_cap"],
        tomorrow=next_open(today + timedelta(days=1, hours=1), policy),
        free=free,
        now=now,
    )
    owners = {each.id: each.owner for each in waiting}
    stored: list[tuple[UUID, str, datetime | None, datetime | None, dict[str, Any]]] = []
    for row in rows:
        answer = answers[str(row.id)]
        if isinstance(answer, Held):
            stored.append((row.id, answer.reason, answer.until, None, row.content))
        else:
            stored.append(
                (
                    row.id,
                    answer.reason,
                    answer.at if answer.reason else None,
                    answer.at,
                    _due(row, answer, busy, owners, policy),
                )
            )
    tasks.save_admissions(session, workspace_id, stored, now)
    for connection_id in sorted({row.crm_connection_id for row in rows if row.crm_connection_id is not None}):
        times = [at for _, _, _, at, _ in stored if at is not None]
        if times:
            due.push_soon(session, workspace_id, connection_id, real_instant(min(times)))
    return len(rows)


def _waiting(row: TaskRow) -> Waiting:
    owner = (str(row.crm_connection_id), row.content.get("owner_id") or "")
    return Waiting(str(row.id), (str(row.brand_id), row.person, row.kind), owner, row.urgency, row.since)


def _due(
    row: TaskRow, answer: Admitted, busy: Mapping[Owner, Any], owners: Mapping[str, Owner], policy: Policy
) -> dict[str, Any]:
    """The task's content, due when its owner can act on it: in working hours and outside meetings."""
    wanted = max(datetime.fromisoformat(row.content["due_at"]), answer.at)
    return {**row.content, "due_at": free_at(wanted, busy.get(owners[str(row.id)], ()), policy).isoformat()}


def _midnight(now: datetime, policy: Policy) -> datetime:
    """When today began for the workspace, in UTC."""
    zone = ZoneInfo(policy.timezone)
    return datetime.combine(now.astimezone(zone).date(), datetime.min.time(), zone).astimezone(now.tzinfo)
