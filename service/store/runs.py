"""Runs and the breaker: what one change of settings or rules alters is held back while it is counted, and stays held where
it is more than a person would want to happen unseen.

Only what had been decided before belongs to a run; what was said since goes its usual way. A change that comes while
another one is undecided joins it: the count is always against what stands in the CRM.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import business_now, real_now
from service.db import raw
from service.ids import new_id
from service.models import Connection, Run
from service.rules.model import RULES_VERSION
from service.store import due
from service.store.rows import execute, insert, packed
from service.store.tasks import TaskRow

LIMIT = 50  # tasks in one CRM that one change may alter without being asked (the design's number)
HELD = "A change of settings or rules would alter many tasks at once. It waits until somebody approves it."
UNDONE = "The change of the rules that made it was undone."
UNDECIDED = ("deciding", "held")
Table = Literal["conversations", "relationships"]
# What is kept of a task that a run alters: all that a decision may change in it.
KEPT = (
    "wanted", "content", "reasons", "urgency", "person", "closed_by", "close_reason", "state", "held_reason",
)  # fmt: skip


def begin(session: Session, workspace_id: UUID, kind: str, *, settings_version: int, by: str) -> Run:
    """A run from now on. What an undecided one holds joins it."""
    newest = latest(session, workspace_id)
    open_ = newest if newest is not None and newest.state in UNDECIDED else None
    came_from = open_.from_settings_version if open_ else newest.settings_version if newest else settings_version - 1
    rules_from = open_.from_rules_version if open_ else newest.rules_version if newest else RULES_VERSION
    run = Run(
        workspace_id=workspace_id, id=new_id(), kind=kind, state="deciding", settings_version=settings_version, rules_version=RULES_VERSION,
        from_settings_version=came_from, from_rules_version=rules_from, started_by=by, counts={},
    )  # fmt: skip
    session.add(run)
    session.flush()
    if open_ is not None:
        open_.state = "superseded"
        session.flush()
        params = {"w": workspace_id, "old": open_.id, "new": run.id}
        for table in ("run_changes", "tasks"):
            execute(
                raw(session),
                f"UPDATE {table} SET run_id = %(new)s WHERE workspace_id = %(w)s AND run_id = %(old)s",  # noqa: S608 - names of our own tables
                params,
            )
    # Only the newest run can be undone: what was kept for older ones, texts among it, has served its time.
    execute(
        raw(session), "DELETE FROM run_changes WHERE workspace_id = %(w)s AND run_id <> %(new)s", {"w": workspace_id, "new": run.id}
    )  # fmt: skip
    return run


def latest(session: Session, workspace_id: UUID) -> Run | None:
    """The newest run."""
    return session.scalars(
        select(Run).where(Run.workspace_id == workspace_id).order_by(Run.id.desc()).limit(1)
    ).one_or_none()


def notice_rules(session: Session, workspace_id: UUID, settings_version: int) -> bool:
    """Begins a run where this program's rules are newer than those of the last one, and makes every decision due again. Whether it did."""
    newest = latest(session, workspace_id)
    if newest is None:
        first = begin(session, workspace_id, "first", settings_version=settings_version, by="system")
        first.state, first.from_settings_version = "passed", settings_version
        session.flush()
    elif newest.rules_version < RULES_VERSION:
        begin(session, workspace_id, "rules", settings_version=settings_version, by="system")
        due.decide_everything(session, workspace_id)
    else:
        return False
    return True


@dataclass(frozen=True)
class Part:
    """Which of the conversations or relationships that are being decided belong to a run."""

    run: Run
    ids: frozenset[UUID]


def part_of(
    session: Session, workspace_id: UUID, table: Table, ids: Sequence[UUID], settings_version: int
) -> Part | None:
    """Those of `ids` that were decided before under other settings or rules, where a run is being decided under
    `settings_version`. Asked before the new verdicts are stored."""
    run = latest(session, workspace_id)
    if run is None or run.state not in UNDECIDED or run.settings_version != settings_version:
        return None
    rows = execute(
        raw(session),
        f"SELECT id FROM {table} WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) AND (settings_version < %(settings)s"  # noqa: S608
        " OR rules_version < %(rules)s)",
        {"w": workspace_id, "ids": list(ids), "settings": run.settings_version, "rules": run.rules_version},
    )
    return Part(run, frozenset(row[0] for row in rows)) if rows else None


def kept(row: TaskRow) -> dict[str, Any]:
    """What is remembered of a task before a run alters it."""
    return {name: getattr(row, name) for name in KEPT}


_CHANGE = {"task_id": "uuid", "before": "jsonb"}
_REMEMBER = insert(
    "run_changes", _CHANGE, fixed={"workspace_id": "%(w)s", "run_id": "%(run)s"}, conflict="ON CONFLICT DO NOTHING"
)


def remember(session: Session, run: Run, before: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Keeps what these tasks were, by id ({}: not there), unless it is kept already."""
    params = {"w": run.workspace_id, "run": run.id, **packed(_CHANGE, sorted(before.items()))}
    execute(raw(session), _REMEMBER, params)


# --- counting -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Altered:
    """One task of a run: as it was, as it is."""

    task_id: UUID
    crm: UUID | None
    preview: bool
    before: Mapping[str, Any]
    wanted: str
    content: Mapping[str, Any]
    external: bool  # it stands in the CRM, or may

    @property
    def step(self) -> str | None:
        """create, withdraw or change; None where the run has altered nothing after all."""
        was, is_ = self.before.get("wanted") == "open", self.wanted == "open"
        if was and is_:
            return "change" if self.before["content"] != self.content else None
        return "create" if is_ else "withdraw" if was else None

    @property
    def counts(self) -> bool:
        """Whether the CRM would see it: a task that never got there can be withdrawn without anybody noticing."""
        return self.crm is not None and not self.preview and (self.external or self.step == "create")


def altered(session: Session, workspace_id: UUID, run_id: UUID) -> list[Altered]:
    """Every task that a run has altered, as it was and as it is."""
    rows = execute(
        raw(session),
        "SELECT t.id, t.crm_connection_id, coalesce(n.preview, false), c.before, t.wanted, t.content,"
        " t.external_id IS NOT NULL OR t.state = 'unknown' FROM run_changes c"
        " JOIN tasks t ON t.workspace_id = c.workspace_id AND t.id = c.task_id"
        " LEFT JOIN connections n ON n.workspace_id = t.workspace_id AND n.id = t.crm_connection_id"
        " WHERE c.workspace_id = %(w)s AND c.run_id = %(run)s ORDER BY t.id",
        {"w": workspace_id, "run": run_id},
    )
    return [Altered(*row) for row in rows]


def settle(session: Session, workspace_id: UUID) -> bool:
    """All that a run has to decide is decided: lets go of what it altered, CRM by CRM, unless that is too much at once. Whether there was
    such a run."""
    run = latest(session, workspace_id)
    if run is None or run.state != "deciding":
        return False
    counts: dict[UUID, Counter[str]] = {}
    for each in altered(session, workspace_id, run.id):
        if each.step is not None and each.counts and each.crm is not None:
            counts.setdefault(each.crm, Counter())[each.step] += 1
    by_hand = run.kind == "undo" and run.from_rules_version == run.rules_version  # a person has asked for just that
    held = [] if by_hand else [crm for crm, each in counts.items() if each.total() > LIMIT]
    run.counts = {str(crm): dict(each) for crm, each in counts.items()}
    run.state = "held" if held else "passed"
    session.flush()
    release(session, workspace_id, run.id, but=held)
    execute(
        raw(session),
        "UPDATE tasks SET held_reason = %(why)s, held_until = NULL WHERE workspace_id = %(w)s AND run_id = %(run)s AND wanted = 'open'",
        {"w": workspace_id, "run": run.id, "why": HELD},
    )
    return True


def release(session: Session, workspace_id: UUID, run_id: UUID, *, but: Iterable[UUID] = ()) -> None:
    """Lets go of what a run holds, but for these CRMs: what stands in a CRM is pushed, the rest may be given out."""
    rows = execute(
        raw(session),
        "UPDATE tasks SET run_id = NULL, ripe_at = NULL, held_reason = CASE WHEN held_reason = %(why)s THEN '' ELSE held_reason END,"
        " push_at = CASE WHEN state IN ('open', 'unknown') THEN %(now)s WHEN state = 'completed' AND wanted = 'open' THEN %(now)s ELSE push_at END"
        " WHERE workspace_id = %(w)s AND run_id = %(run)s AND coalesce(crm_connection_id <> ALL(%(but)s), true) RETURNING crm_connection_id",
        {"w": workspace_id, "run": run_id, "but": list(but), "why": HELD, "now": business_now()},
    )
    for crm in sorted({row[0] for row in rows if row[0] is not None}):
        due.push_soon(session, workspace_id, crm)
    if rows:
        due.decide_soon(session, workspace_id)


def examples(session: Session, workspace_id: UUID, run_id: UUID, limit: int = 50) -> list[dict[str, Any]]:
    """The first tasks that a run has altered: task_id, step, kind, crm_connection_id, subject, reasons."""
    steps = {each.task_id: each.step for each in altered(session, workspace_id, run_id) if each.step is not None}
    shown = dict(list(steps.items())[:limit])
    rows = execute(
        raw(session),
        "SELECT id, kind, crm_connection_id, coalesce(content->>'subject', ''), CASE WHEN wanted = 'open' THEN reasons"
        " ELSE jsonb_build_array(close_reason) END FROM tasks WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) ORDER BY id",
        {"w": workspace_id, "ids": list(shown)},
    )
    names = ("task_id", "kind", "crm_connection_id", "subject", "reasons")
    return [{**dict(zip(names, row, strict=True)), "step": shown[row[0]]} for row in rows]


# --- what a person decides ------------------------------------------------------------------------------------


def get(session: Session, workspace_id: UUID, run_id: UUID) -> Run | None:
    """A run, locked until the end of the transaction."""
    return session.scalars(
        select(Run).where(Run.workspace_id == workspace_id, Run.id == run_id).with_for_update()
    ).one_or_none()


def close(session: Session, run: Run, state: str, by: str, at: datetime | None = None) -> None:
    """Notes who approved or undid a run."""
    run.state, run.decided_by, run.decided_at = state, by, at or real_now()
    session.flush()


def put_back(session: Session, workspace_id: UUID, run_id: UUID) -> None:
    """Tasks as they were before a run of new rules. What people edited in the CRM since stays theirs, what they closed stays
    closed. Their conversations and relationships are left alone until something new is said there."""
    params = {"w": workspace_id, "run": run_id, "why": UNDONE, "now": business_now(), "real": real_now()}
    # `edited` names fields of the content: theirs are laid over what was before.
    execute(
        raw(session),
        "UPDATE tasks t SET wanted = c.before->>'wanted', reasons = c.before->'reasons', urgency = (c.before->>'urgency')::integer,"
        " closed_by = c.before->>'closed_by', close_reason = c.before->>'close_reason',"
        " closed_at = CASE WHEN c.before->>'closed_by' = '' THEN NULL ELSE t.closed_at END,"
        " content = (c.before->'content') || coalesce((SELECT jsonb_object_agg(name, t.content->name) FROM jsonb_array_elements_text(t.edited) AS name"
        " WHERE t.content ? name), '{}'),"
        " external_id = CASE WHEN t.state = 'withdrawn' AND c.before->>'wanted' = 'open' THEN NULL ELSE t.external_id END,"
        " state = CASE WHEN t.state = 'withdrawn' AND c.before->>'wanted' = 'open' THEN 'absent' ELSE t.state END,"
        " held_reason = '', held_until = NULL, push_at = CASE WHEN t.state IN ('open', 'unknown', 'completed') THEN %(now)s END, run_id = NULL"
        " FROM run_changes c WHERE c.workspace_id = %(w)s AND c.run_id = %(run)s AND t.workspace_id = %(w)s AND t.id = c.task_id"
        " AND c.before <> '{}' AND t.closed_by IN ('', 'rules')",
        params,
    )
    execute(
        raw(session),
        "UPDATE tasks t SET wanted = 'withdrawn', closed_by = 'rules', close_reason = %(why)s, closed_at = %(real)s, run_id = NULL, parked_at = NULL,"
        " held_reason = '', held_until = NULL, state = CASE WHEN t.state IN ('open', 'unknown') THEN t.state ELSE 'withdrawn' END,"
        " push_at = CASE WHEN t.state IN ('open', 'unknown') THEN %(now)s END"
        " FROM run_changes c WHERE c.workspace_id = %(w)s AND c.run_id = %(run)s AND t.workspace_id = %(w)s AND t.id = c.task_id"
        " AND c.before = '{}' AND t.wanted = 'open'",
        params,
    )
    for table, column in (("conversations", "conversation_id"), ("relationships", "relationship_id")):
        execute(
            raw(session),
            f"UPDATE {table} d SET decide_at = NULL FROM run_changes c JOIN tasks t ON t.workspace_id = c.workspace_id AND t.id = c.task_id"  # noqa: S608
            f" WHERE c.workspace_id = %(w)s AND c.run_id = %(run)s AND d.workspace_id = %(w)s AND d.id = t.{column}",
            params,
        )
    crms = session.scalars(
        select(Connection.id).where(Connection.workspace_id == workspace_id, Connection.kind == "crm")
    )
    for crm in sorted(crms):
        due.push_soon(session, workspace_id, crm)
    due.decide_soon(session, workspace_id)
