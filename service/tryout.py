"""Trying settings out: both rules over what a workspace holds, under the settings that stand and under others, and how the
tasks would differ. Nothing is stored, and nobody outside is called.

Both sides are judged for the same moment, so that what time alone brings about is no difference: with the same settings
on both sides there is none.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service import judging, links, settings
from service.config import Config
from service.drafting import Desk, Subject, changes, keys_of
from service.judging import Case
from service.models import Settings
from service.rules.model import Verdict
from service.runtime import Runtime
from service.store import deciding, people, tasks
from service.store.runs import LIMIT
from service.store.tasks import Scope, TaskRow

BATCH = 500  # conversations or relationships at once: memory stays flat, transactions short
BUDGET = 15.0  # seconds; what is left after that is said to be left
EXAMPLES = 20  # of each step and kind

CREATE, WITHDRAW, CHANGE = "create", "withdraw", "change"
STEPS = (CREATE, WITHDRAW, CHANGE)


@dataclass(frozen=True, slots=True)
class Change:
    """One task that would be there, or be gone, or say something else."""

    step: str  # create, withdraw, change
    kind: str
    subject: str
    reasons: tuple[str, ...]  # why it would be there, or why no more
    fields: tuple[str, ...]  # of a change: what would differ
    task_id: UUID | None  # None: there is none yet
    conversation_id: UUID | None
    relationship_id: UUID | None
    crm_connection_id: UUID | None


@dataclass
class Diff:
    """How tasks would differ. `looked` of `total` conversations and relationships were judged, the newest first."""

    looked: int = 0
    total: int = 0
    before: Counter[str] = field(default_factory=Counter)  # open tasks by kind, under the settings that stand
    after: Counter[str] = field(default_factory=Counter)  # and under those that are tried
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {step: Counter() for step in STEPS})
    in_crm: Counter[UUID] = field(default_factory=Counter)  # changes by CRM
    examples: list[Change] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return self.looked >= self.total

    @property
    def held_back(self) -> list[UUID]:
        """CRMs in which so much would change at once that somebody has to approve it first."""
        return sorted(crm for crm, count in self.in_crm.items() if count > LIMIT)

    @property
    def number(self) -> int:
        return sum(each.total() for each in self.counts.values())

    def add(self, change: Change) -> None:
        """Counts a change, and keeps it as an example while there is room."""
        seen = self.counts[change.step]
        if seen[change.kind] < EXAMPLES:
            self.examples.append(change)
        seen[change.kind] += 1
        if change.crm_connection_id is not None:
            self.in_crm[change.crm_connection_id] += 1


Progress = Callable[[Diff], None]


def tryout(
    runtime: Runtime,
    workspace_id: UUID,
    tried: Settings,
    *,
    now: datetime,
    budget: float = BUDGET,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Diff:
    """What `tried` (see `settings.tried`) would make of the workspace at `now`, as business time has it. Looks at the newest
    conversations and relationships first and stops after `budget` seconds, half of them for each."""
    diff, began = Diff(), clock()
    with runtime.db.tenant(workspace_id) as session:
        diff.total = sum(deciding.how_many(session, workspace_id))
    for number, kind in enumerate((_CONVERSATIONS, _RELATIONSHIPS), 1):
        before: UUID | None = None
        while clock() - began < budget * number / 2:
            with runtime.db.tenant(workspace_id) as session:
                before, looked = _batch(session, runtime.config, workspace_id, tried, now, kind, before, diff)
                # Signals of texts that nobody had read yet were stored on the way: deciding stores them, nothing else does.
                session.rollback()
            diff.looked += looked
            if progress is not None and looked:
                progress(diff)
            if looked < BATCH:
                break
    return diff


@dataclass(frozen=True)
class _Kind:
    scope: Scope
    some: Callable[[Session, UUID, UUID | None, int], Sequence[Any]]
    cases: Callable[[Session, UUID, Any, Mapping[str, str]], list[Case]]


_CONVERSATIONS = _Kind("conversation_id", deciding.conversations_before, judging.conversations)
_RELATIONSHIPS = _Kind("relationship_id", deciding.relationships_before, judging.relationships)


def _batch(
    session: Session, config: Config, workspace_id: UUID, tried: Settings, now: datetime, kind: _Kind, before: UUID | None, diff: Diff
) -> tuple[UUID | None, int]:  # fmt: skip
    """Judges some that are older than `before`. Returns the last one's id and how many there were."""
    found = kind.some(session, workspace_id, before, BATCH)
    if not found:
        return before, 0
    cases = kind.cases(session, workspace_id, found, {key: each.name for key, each in providers().items()})
    directory = people.directory(session, workspace_id)
    desks = [
        Desk(config, workspace_id, directory, settings.policy(row), row.values["text_mode"], now)
        for row in (settings.current(session, workspace_id), tried)
    ]
    judged = [judge(cases, desk) for desk in desks]
    keys = [key for each in judged for key in keys_of(each)]
    existing = tasks.standing(session, workspace_id, kind.scope, [each.id for each in found], keys, lock=False)
    one, other = (outcome(desk, each, existing) for desk, each in zip(desks, judged, strict=True))
    compare(diff, one, other, desks[0], {row.id for row in existing})
    return min(each.id for each in found), len(found)


def judge(cases: Iterable[Case], desk: Desk) -> list[tuple[Subject, Verdict]]:
    """The verdict on each case under this desk's policy."""
    return [(case.subject, case.rule(now=desk.now, policy=desk.policy)) for case in cases]


def outcome(desk: Desk, judged: Sequence[tuple[Subject, Verdict]], existing: Iterable[TaskRow]) -> dict[str, TaskRow]:
    """The tasks as these verdicts would leave them, by key. `existing` are not changed."""
    copies = [replace(row) for row in existing]
    changed, _ = changes(desk, judged, copies)
    return {row.key: row for row in [*copies, *changed]}


def compare(
    diff: Diff, before: Mapping[str, TaskRow], after: Mapping[str, TaskRow], desk: Desk, stored: Collection[UUID]
) -> None:
    """Adds to `diff` how two outcomes of the same cases differ. `stored` are ids of tasks that there are."""
    for key in sorted(before.keys() | after.keys()):
        one, other = _open(before.get(key)), _open(after.get(key))
        if one is not None:
            diff.before[one.kind] += 1
        if other is not None:
            diff.after[other.kind] += 1
        if one is not None and other is not None:
            differing = differences(*(content_of(row, desk.config, desk.workspace_id) for row in (one, other)))
            if differing:
                diff.add(_change(CHANGE, other, other.reasons, stored, differing))
        elif other is not None:
            diff.add(_change(CREATE, other, other.reasons, stored))
        elif one is not None:
            gone = after.get(key)
            diff.add(_change(WITHDRAW, one, [gone.close_reason] if gone and gone.close_reason else [], stored))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the fields of two contents that differ."""
    return tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))


def content_of(row: TaskRow, config: Config, workspace_id: UUID) -> dict[str, Any]:
    """What a task says, without the signed link, which names our row and differs between two that are only thought of."""
    link = links.done_link(config, workspace_id, row.id)
    return {**row.content, "body": str(row.content.get("body") or "").replace(link, "")}


def _open(row: TaskRow | None) -> TaskRow | None:
    return row if row is not None and row.wanted == "open" else None


def _change(
    step: str, row: TaskRow, reasons: Iterable[str], stored: Collection[UUID], differing: tuple[str, ...] = ()
) -> Change:
    return Change(
        step, row.kind, str(row.content.get("subject") or ""), tuple(reasons), differing, row.id if row.id in stored else None,
        row.conversation_id, row.relationship_id, row.crm_connection_id,
    )  # fmt: skip
