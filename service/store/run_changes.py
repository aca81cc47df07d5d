"""What a run alters of each task: remembered as it was before, counted, and shown. See `service.store.runs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.db import raw
from service.models import Run
from service.store.rows import execute, insert, packed
from service.store.tasks import TaskRow

# What is kept of a task that a run alters: all that a decision may change in it.
KEPT = (
    "wanted", "content", "reasons", "urgency", "person", "closed_by", "close_reason", "closed_at", "state",
    "held_reason",
)  # fmt: skip


def kept(row: TaskRow, *, completes: bool = False) -> dict[str, Any]:
    """What is remembered of a task before a run alters it, and whether the run takes it for answered."""
    return {**{name: getattr(row, name) for name in KEPT}, "completes": completes}


_CHANGE = {"task_id": "uuid", "before": "jsonb"}
_REMEMBER = insert(
    "run_changes",
    _CHANGE,
    fixed={"workspace_id": "%(w)s", "run_id": "%(run)s", "kept_at": "now()"},
    conflict="ON CONFLICT DO NOTHING",
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
