"""How tasks fare, counted from the tasks themselves: what people did with them, and whether a talk came of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.db import raw
from service.rules.volume import Fared
from service.store.rows import execute

FOLLOWED = timedelta(days=14)  # how long a call task is followed
GIVEN, HELD_BACK = "given", "held_back"

# Whether the CRM has logged a talk with the contact within `FOLLOWED` of `{start}`. Warmline's tasks are no activities, so
# nothing of our own is in here.
# OFFSET 0 keeps the order: from the contact to its activities, each by its key, whatever the planner thinks of tables that
# it has not looked at yet.
_TALKED = """
EXISTS (SELECT 1
  FROM (SELECT connection_id, native_id FROM contacts WHERE workspace_id = %(w)s AND id = t.contact_id OFFSET 0) c
  JOIN LATERAL (SELECT activity_id FROM activity_contacts WHERE workspace_id = %(w)s AND connection_id = c.connection_id
                AND contact_native_id = c.native_id OFFSET 0) l ON true
  JOIN LATERAL (SELECT kind, outcome, at, deleted_at FROM activities WHERE workspace_id = %(w)s AND id = l.activity_id OFFSET 0) v ON true
  WHERE v.deleted_at IS NULL AND v.kind IN ('call', 'meeting') AND v.outcome NOT IN ('no_answer', 'cancelled')
    AND v.at > {start} AND v.at <= least({start} + %(followed)s, %(now)s))
"""
# What became of a closed task. A call task whose call was made loses its reason and is taken back: that is acting on it.
_FATE = f"""
CASE WHEN t.kind = 'ready_for_call' AND t.pushed_at IS NOT NULL AND t.contact_id IS NOT NULL AND {_TALKED.format(start="t.admitted_at")} THEN 'acted_on'
     WHEN t.closed_by NOT IN ('', 'rules', 'crm') OR (t.closed_by = 'crm' AND t.wanted = 'withdrawn') THEN 'dismissed'
     WHEN t.pushed_at IS NULL THEN 'never_given'
     WHEN t.wanted = 'completed' THEN 'acted_on'
     ELSE 'lapsed' END
"""
_CLOSED = f"""
SELECT t.kind, t.crm_connection_id AS crm, coalesce(t.content->>'owner_id', '') AS owner, t.closed_at - t.pushed_at AS took, {_FATE} AS fate
FROM tasks t WHERE t.workspace_id = %(w)s AND t.closed_at >= %(since)s AND t.wanted <> 'open'
"""  # noqa: S608 - our own words
_COUNTS = f"""
SELECT f.kind, f.crm, f.owner, count(*) FILTER (WHERE fate = 'acted_on'), count(*) FILTER (WHERE fate = 'dismissed'),
  count(*) FILTER (WHERE fate = 'lapsed'), count(*) FILTER (WHERE fate = 'never_given'),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FILTER (WHERE fate = 'acted_on' AND took >= interval '0')
FROM ({_CLOSED}) f GROUP BY 1, 2, 3
"""  # noqa: S608 - our own words
_OF_RULES = f"""
SELECT f.kind, count(*) FILTER (WHERE fate = 'acted_on'), count(*) FILTER (WHERE fate = 'dismissed') FROM ({_CLOSED}) f GROUP BY 1
"""  # noqa: S608 - our own words
_STANDING = """
SELECT t.kind, t.crm_connection_id, coalesce(t.content->>'owner_id', ''), count(*) FILTER (WHERE t.pushed_at IS NOT NULL),
  count(*) FILTER (WHERE t.pushed_at IS NULL AND t.held_reason <> '')
FROM tasks t WHERE t.workspace_id = %(w)s AND t.wanted = 'open' AND t.crm_connection_id IS NOT NULL GROUP BY 1, 2, 3
"""
_USUAL = """
SELECT ceil(avg(number))::int FROM (
  SELECT count(*) AS number FROM tasks WHERE workspace_id = %(w)s AND kind = %(kind)s AND admitted_at >= %(since)s
  GROUP BY crm_connection_id, content->>'owner_id', date_trunc('day', admitted_at)) days
"""
_CALLS = f"""
SELECT c.trial, count(*), count(*) FILTER (WHERE c.start + %(followed)s <= %(now)s),
  count(*) FILTER (WHERE c.talked), count(*) FILTER (WHERE c.talked AND c.start + %(followed)s <= %(now)s)
FROM (SELECT t.trial, coalesce(t.trial_at, t.admitted_at) AS start, {_TALKED.format(start="coalesce(t.trial_at, t.admitted_at)")} AS talked
      FROM tasks t WHERE t.workspace_id = %(w)s AND t.kind = 'ready_for_call' AND t.contact_id IS NOT NULL
        AND coalesce(t.trial_at, t.admitted_at) >= %(since)s AND coalesce(t.trial_at, t.admitted_at) <= %(now)s) c
GROUP BY 1
"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Figures:
    """How one rule's tasks fared with one owner. `open` and `held` are as of now, the rest over the time asked about."""

    kind: str
    crm_connection_id: UUID | None
    owner_id: str  # the CRM's; "" for nobody in particular
    acted_on: int = 0  # answered, called, or ticked off in the CRM
    dismissed: int = 0  # "no reply needed", or deleted in the CRM
    lapsed: int = 0  # given, and taken back because it became too old or lost its reason
    never_given: int = 0  # closed before it was handed over
    open: int = 0
    held: int = 0
    time_to_act: timedelta | None = None  # the median, from the task's arrival in the CRM


@dataclass(frozen=True, slots=True)
class Calls:
    """What came of call tasks about people whom the CRM knows. `over` are those whose two weeks are over."""

    number: int = 0
    over: int = 0
    talks: int = 0
    talks_of_over: int = 0

    def __add__(self, other: Calls) -> Calls:
        return Calls(
            self.number + other.number, self.over + other.over, self.talks + other.talks,
            self.talks_of_over + other.talks_of_over,
        )  # fmt: skip


def by_owner(session: Session, workspace_id: UUID, *, since: datetime, now: datetime) -> list[Figures]:
    """Per rule and owner, over tasks closed since then (real time); `now` is business time."""
    params = {"w": workspace_id, "since": since, "now": now, "followed": FOLLOWED}
    standing = {(row[0], row[1], row[2]): row[3:] for row in execute(raw(session), _STANDING, params)}
    closed = {(row[0], row[1], row[2]): row[3:] for row in execute(raw(session), _COUNTS, params)}
    made = []
    for key in sorted({*standing, *closed}, key=str):
        acted, dismissed, lapsed, never, took = closed.get(key, (0, 0, 0, 0, None))
        is_open, held = standing.get(key, (0, 0))
        made.append(Figures(*key, acted, dismissed, lapsed, never, is_open, held, took))
    return made


def by_rule(session: Session, workspace_id: UUID, *, since: datetime, now: datetime) -> dict[str, Fared]:
    """What people did with each rule's tasks that were closed since then (real time)."""
    rows = execute(raw(session), _OF_RULES, {"w": workspace_id, "since": since, "now": now, "followed": FOLLOWED})
    return {kind: Fared(acted_on, dismissed) for kind, acted_on, dismissed in rows}


def usual(session: Session, workspace_id: UUID, kind: str, since: datetime) -> int:
    """How many tasks of this kind an owner was given on a day on which there were any, on average, since then (business
    time)."""
    rows = execute(raw(session), _USUAL, {"w": workspace_id, "kind": kind, "since": since})
    return rows[0][0] or 0


def calls(session: Session, workspace_id: UUID, *, since: datetime, now: datetime) -> dict[str, Calls]:
    """What came of call tasks since then (business time), by the group they are compared in ("" for none)."""
    rows = execute(raw(session), _CALLS, {"w": workspace_id, "since": since, "now": now, "followed": FOLLOWED})
    return {trial: Calls(*counts) for trial, *counts in rows}


def assign(session: Session, workspace_id: UUID, groups: Mapping[str, Sequence[UUID]], now: datetime) -> None:
    """Notes in which group these call tasks are compared, unless they are in one already."""
    for trial, ids in groups.items():
        if ids:
            execute(
                raw(session),
                "UPDATE tasks SET trial = %(trial)s, trial_at = %(now)s WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) AND trial = ''",
                {"w": workspace_id, "ids": list(ids), "trial": trial, "now": now},
            )


# --- rules that give less -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Volume:
    """A rule that gives half: since when, what of, and what people had done with its tasks."""

    kind: str
    slowed_at: datetime
    usual: int
    closed: int
    dismissed: int

    @property
    def notice(self) -> str:
        """For whoever looks after the workspace."""
        return (
            f"{RULES[self.kind]} now come at half their number: of {self.closed} closed in two weeks, {self.dismissed} were"
            " dismissed. They come in full again when people act on at least half of them. Look at the settings, or at who"
            " gets them."
        )


RULES = {"unanswered": "Tasks about people who wait for an answer", "ready_for_call": "Suggestions to call somebody"}


def slowed(session: Session, workspace_id: UUID) -> list[Volume]:
    """The rules that give half now."""
    rows: list[tuple[Any, ...]] = execute(
        raw(session),
        "SELECT kind, slowed_at, usual, closed, dismissed FROM rule_volumes WHERE workspace_id = %(w)s AND slowed_at IS NOT NULL"
        " ORDER BY kind",
        {"w": workspace_id},
    )
    return [Volume(*row) for row in rows]


def set_volume(
    session: Session,
    workspace_id: UUID,
    kind: str,
    fared: Fared,
    *,
    slowed_at: datetime | None,
    usual: int,
    now: datetime,
) -> None:
    """Stores that a rule gives half since then, or in full again (None)."""
    execute(
        raw(session),
        "INSERT INTO rule_volumes (workspace_id, kind, slowed_at, usual, closed, dismissed, changed_at) VALUES (%(w)s, %(kind)s,"
        " %(at)s, %(usual)s, %(closed)s, %(dismissed)s, %(now)s) ON CONFLICT (workspace_id, kind) DO UPDATE SET"
        " slowed_at = excluded.slowed_at, usual = excluded.usual, closed = excluded.closed, dismissed = excluded.dismissed,"
        " changed_at = excluded.changed_at",
        {
            "w": workspace_id, "kind": kind, "at": slowed_at, "usual": usual, "closed": fared.closed,
            "dismissed": fared.dismissed, "now": now,
        },
    )  # fmt: skip
