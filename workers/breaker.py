"""The breaker: which of the tasks that a decision alters it alters only because settings or rules are others now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.records import TaskKind
from service import settings
from service.drafting import Desk, Subject, key_of
from service.judging import Case
from service.models import Run, Settings
from service.rules.model import Verdict
from service.store import run_changes
from service.store.runs import Part
from service.store.tasks import Scope, TaskRow
from service.tryout import content_of, judge, outcome


def hold_back(
    session: Session, part: Part | None, desk: Desk, cases: Sequence[Case], judged: Sequence[tuple[Subject, Verdict]], scope: Scope,
    before: Mapping[str, TaskRow], changed: Iterable[TaskRow],
) -> dict[UUID, Mapping[str, Any]]:  # fmt: skip
    """Holds those of the `changed` tasks that a run alters: nothing of them is pushed until it is let through. `before` are
    the same tasks as they stood, by key. Returns what is to be remembered of each, by id.

    Had the settings stayed, time and what was said since might have altered some of them alike: those are no part of the
    run. Rules of before cannot be asked any more, so after a change of rules all of them are; and so is what was said before the
    last decision and is taken for an answer now."""
    for row in changed:
        _stay_held(row)
    if part is None:
        return {}
    by_old = _by_old_answers(part, judged, scope) if any(row.wanted == "completed" for row in changed) else set()
    mine = [
        row
        for row in changed
        if getattr(row, scope) in part.decided and (row.wanted != "completed" or row.key in by_old)
    ]
    concerned = [case for case in cases if getattr(case.subject, scope) in part.decided]
    otherwise = _under_old_settings(session, part.run, desk, concerned, before.values()) if mine else None
    found: dict[UUID, Mapping[str, Any]] = {}
    for row in mine:
        if otherwise is None or _content(desk, row) != _content(desk, otherwise.get(row.key)):
            row.run_id, row.push_at = part.run.id, None
            found[row.id] = (
                run_changes.kept(before[row.key], completes=row.wanted == "completed") if row.key in before else {}
            )
    return found


def _by_old_answers(part: Part, judged: Sequence[tuple[Subject, Verdict]], scope: Scope) -> set[str]:
    """The keys of waits that ended with something that was said before their conversation was decided last, and was no answer then."""
    found = set()
    for subject, verdict in judged:
        decided_at = part.decided.get(getattr(subject, scope))
        if decided_at is not None:
            ended = [episode for episode, answer in verdict.answers.items() if answer.at < decided_at]
            found |= {key_of(subject, TaskKind.UNANSWERED, episode) for episode in ended}
    return found


def _stay_held(row: TaskRow) -> None:
    """What a run holds stays held whatever else is decided of it, unless it is answered: that is nobody's change of settings."""
    if row.run_id is not None and row.wanted == "completed":
        row.run_id = None
    elif row.run_id is not None:
        row.push_at = None


def _under_old_settings(
    session: Session, run: Run, desk: Desk, cases: Sequence[Case], before: Iterable[TaskRow]
) -> dict[str, TaskRow] | None:
    """The tasks as these cases would leave them had the settings stayed; None where that cannot be told."""
    old = session.scalars(
        select(Settings).where(Settings.workspace_id == run.workspace_id, Settings.version == run.from_settings_version)
    ).one_or_none()
    if old is None or run.from_rules_version != run.rules_version:
        return None
    then = replace(desk, policy=settings.policy(old), text_mode=old.values["text_mode"])
    return outcome(then, judge(cases, then), before)


def _content(desk: Desk, row: TaskRow | None) -> tuple[bool, Mapping[str, Any]]:
    if row is None or row.wanted != "open":
        return False, {}
    return True, content_of(row, desk.config, desk.workspace_id)
