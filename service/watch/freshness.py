"""Do tasks come in time? An objective, how far it is kept, and how fast what it allows is used up.

A task is fresh when it stands in its CRM within the objective's time after it was ripe: the instant at which it would have stood there
had every post been read and every step been taken at once. For whoever waits that is when patience ends; for a call, when they had earned
one and nothing stood against it any more. What is held back on purpose (patience, working hours, meetings, the day's limit, a
preview, a change that waits for approval) is not late; a network or a CRM that was away is, since somebody waited for it. A task counts
at the moment it comes: what does not come at all is told by the state of its connection (`service.watch.states`).

The burn rate is the share of late tasks in a window beside the share that the objective allows: at 1 the allowance lasts exactly as
long as the objective's period. Windows in pairs, and how fast is too fast, follow the Site Reliability Workbook, chapter 5 (multiwindow,
multi-burn-rate alerts), worked out for 28 days: 2 % of the allowance in an hour, 5 % in six, 10 % in three days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from integrations.records import TaskKind
from integrations.registry import handed_in
from service.clock import business_now, real_now
from service.db import Database, raw
from service.models import Freshness
from service.store.rows import execute

TARGET = 0.99  # of all tasks
PERIOD = timedelta(days=28)
WITHIN = timedelta(minutes=5)  # unless WARMLINE_FRESHNESS_SECONDS says otherwise
SLOT = timedelta(minutes=5)
WINDOWS: Mapping[str, timedelta] = {
    "5m": timedelta(minutes=5),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "3d": timedelta(days=3),
    "28d": PERIOD,
}


@dataclass(frozen=True)
class TooFast:
    """A pair of windows in both of which this burn rate is too fast: the long one says that it matters, the short one that it
    goes on."""

    long: str
    short: str
    rate: float


TOO_FAST = (TooFast("1h", "5m", 13.44), TooFast("6h", "30m", 5.6), TooFast("3d", "6h", 0.93))


@dataclass(frozen=True)
class Window:
    """Tasks that came in one window, and how many of them late."""

    tasks: int
    late: int

    @property
    def burn(self) -> float:
        return self.late / self.tasks / (1 - TARGET) if self.tasks else 0.0

    @property
    def fresh(self) -> float | None:
        """The share of tasks that came in time; None where none came."""
        return (self.tasks - self.late) / self.tasks if self.tasks else None


# When a task could have stood there: when it was ripe, and not before the settings, the CRM and its approval were there, the accounts that
# it is about had been read for the first time, and it was known whose they are. Posts that programs or people hand in are as old as they are.
_DELAYS = """
SELECT t.kind, extract(epoch FROM %(now)s - greatest(t.ripe_at, s.created_at, crm.created_at, crm.approved_at, n.ready_at, m.decided_at))
FROM tasks t JOIN settings s ON s.workspace_id = t.workspace_id AND s.version = t.settings_version
JOIN connections crm ON crm.workspace_id = t.workspace_id AND crm.id = t.crm_connection_id
CROSS JOIN LATERAL (
    SELECT max(c.ready_at) AS ready_at, coalesce(bool_or(c.provider = ANY(%(handed_in)s)), false) AS handed_in
    FROM connections c WHERE c.workspace_id = t.workspace_id AND c.id IN (
        SELECT v.connection_id FROM conversations v WHERE v.workspace_id = t.workspace_id AND v.id = t.conversation_id
        UNION ALL SELECT v.connection_id FROM conversations v WHERE t.conversation_id IS NULL AND v.workspace_id = t.workspace_id
            AND v.brand_id = t.brand_id AND v.author_id IN (SELECT t.author_id UNION ALL SELECT a.author_id FROM matches a
                WHERE a.workspace_id = t.workspace_id AND a.contact_id = t.contact_id AND a.state = 'confirmed')
    )
) n CROSS JOIN LATERAL (
    SELECT max(a.decided_at) AS decided_at FROM matches a WHERE t.conversation_id IS NULL AND a.workspace_id = t.workspace_id
        AND a.contact_id = t.contact_id AND a.state = 'confirmed'
) m
WHERE t.workspace_id = %(w)s AND t.id = ANY(%(ids)s) AND t.ripe_at IS NOT NULL AND t.pushed_at = %(pushed_at)s AND NOT n.handed_in
"""


def delays(session: Session, workspace_id: UUID, ids: Sequence[UUID], pushed_at: datetime) -> dict[str, list[float]]:
    """How many seconds after they were ripe those of these tasks came that stand in the CRM for the first time since
    `pushed_at`, by kind; what is not counted is left out."""
    found: dict[str, list[float]] = defaultdict(list)
    if ids:
        params = {"w": workspace_id, "ids": list(ids), "now": business_now(), "pushed_at": pushed_at, "handed_in": list(handed_in())}  # fmt: skip
        for kind, seconds in execute(raw(session), _DELAYS, params):
            found[kind].append(max(0.0, float(seconds)))
    return found


def record(db: Database, kind: str, seconds: Sequence[float], within: timedelta, now: datetime | None = None) -> None:
    """Counts tasks of one kind that have just come, in a transaction of its own: one row for five minutes, which nobody holds for
    long."""
    if not seconds:
        return
    late = sum(each > within.total_seconds() for each in seconds)
    added = insert(Freshness).values(slot=slot_of(now or real_now()), kind=kind, tasks=len(seconds), late=late)
    with db.globally() as session:
        session.execute(
            added.on_conflict_do_update(
                index_elements=["slot", "kind"],
                set_={"tasks": Freshness.tasks + added.excluded.tasks, "late": Freshness.late + added.excluded.late},
            )
        )


def by_kind(session: Session, now: datetime) -> dict[str, dict[str, Window]]:
    """Every kind of task, and of each every window up to `now` (real time), by its name. A slot that has only just left a window
    still counts."""
    columns = [
        func.coalesce(func.sum(column).filter(Freshness.slot > now - length - SLOT), 0)
        for length in WINDOWS.values()
        for column in (Freshness.tasks, Freshness.late)
    ]
    rows = session.execute(
        select(Freshness.kind, *columns).where(Freshness.slot > now - PERIOD - SLOT).group_by(Freshness.kind)
    )
    counted = {row[0]: row[1:] for row in rows}
    none = (0,) * len(columns)
    return {
        kind.value: {
            name: Window(int(found[2 * number]), int(found[2 * number + 1])) for number, name in enumerate(WINDOWS)
        }
        for kind in TaskKind
        for found in (counted.get(kind.value, none),)
    }


def together(kinds: Mapping[str, Mapping[str, Window]]) -> dict[str, Window]:
    """All kinds in one: what the objective is about."""
    return {
        name: Window(sum(each[name].tasks for each in kinds.values()), sum(each[name].late for each in kinds.values()))
        for name in WINDOWS
    }


def burns_too_fast(found: Mapping[str, Window]) -> TooFast | None:
    """The first pair of windows in which the allowance is used up too fast."""
    return next((each for each in TOO_FAST if min(found[each.long].burn, found[each.short].burn) > each.rate), None)


def sweep(session: Session, now: datetime) -> None:
    """Forgets what lies before the period."""
    session.execute(delete(Freshness).where(Freshness.slot < now - PERIOD - timedelta(days=1)))


def slot_of(at: datetime) -> datetime:
    """When the five minutes began that this instant lies in."""
    seconds = int(at.timestamp()) // int(SLOT.total_seconds()) * int(SLOT.total_seconds())
    return datetime.fromtimestamp(seconds, UTC)
