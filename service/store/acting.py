"""What a person (or a key that acts for one) decides of matches and tasks. Of connections: `tending`; of settings and runs: `ruling`.

Everything here takes an open session of the workspace and `by`, the caller's actor ("user:<id>" or "key:<id>"), leaves a
row in the audit trail, and returns None when the workspace has no such row. Repeating a decision changes nothing.

Rows are locked in the order in which the workers lock them (runs, by `runs.alone`, then authors, conversations, relationships, tasks,
the workspace's schedule last), so that a person and a worker never wait for each other in a circle.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from integrations.records import TaskKind
from service.clock import business_now, real_now
from service.models import Audit, Author, Conversation, Match, Relationship, Task
from service.rules.model import MatchState
from service.store import due

BY_RULES = "rules"
DISMISSAL_UNDONE = "somebody took it back that nothing is needed, and nobody waits"
NOT_NEEDED = {TaskKind.UNANSWERED.value: "no reply needed", TaskKind.READY_FOR_CALL.value: "no call needed"}


def audit(session: Session, workspace_id: UUID, by: str, action: str, noun: str, row_id: object) -> None:
    """Leaves a row that says who did what. Ids only, never names or text."""
    session.add(Audit(workspace_id=workspace_id, actor=by, action=action, subject=f"{noun}:{row_id}"))


# --- matches --------------------------------------------------------------------------------------------------


def decide_match(
    session: Session,
    workspace_id: UUID,
    match_id: UUID,
    state: Literal[MatchState.CONFIRMED, MatchState.REJECTED],
    *,
    by: str,
) -> Match | None:
    """This author is, or is not, this contact. Final: rules never change it. Confirming one contact rejects, by the same
    person, another of the same CRM that was confirmed, since an author is one person. All that rested on either is decided again."""
    match = _match(session, workspace_id, match_id)
    if match is None or (match.state == state and match.decided_by != BY_RULES):
        return match
    now = real_now()
    contacts = {match.contact_id}
    if state is MatchState.CONFIRMED:
        # First, because only one confirmed match of an author may stand in each CRM at any moment.
        contacts |= set(
            session.scalars(
                update(Match)
                .where(
                    Match.workspace_id == workspace_id,
                    Match.author_id == match.author_id,
                    Match.connection_id == match.connection_id,
                    Match.state == MatchState.CONFIRMED.value,
                    Match.id != match.id,
                )
                .values(state=MatchState.REJECTED.value, decided_by=by, decided_at=now)
                .returning(Match.contact_id)
            )
        )
    match.state, match.decided_by, match.decided_at = state.value, by, now
    session.flush()
    if state is MatchState.REJECTED and match.pattern:
        due.match_alike(session, workspace_id, match.connection_id, match.pattern)
    _match_again(session, workspace_id, match.author_id, contacts)
    audit(session, workspace_id, by, f"match.{state.value}", "match", match.id)
    return match


def undo_match(session: Session, workspace_id: UUID, match_id: UUID, *, by: str) -> Match | None:
    """Forgets what a person decided of this match, and of those that the same act displaced; the rules look at the author
    again."""
    match = _match(session, workspace_id, match_id)
    if match is None or match.decided_by == BY_RULES:
        return match
    contacts = set(
        session.scalars(
            update(Match)
            .where(
                Match.workspace_id == workspace_id,
                Match.author_id == match.author_id,
                # One act writes one instant, so these are the match itself and what it displaced.
                Match.decided_by == match.decided_by,
                Match.decided_at == match.decided_at,
            )
            .values(state=MatchState.SUGGESTED.value, decided_by=BY_RULES, decided_at=real_now())
            .returning(Match.contact_id)
        )
    )
    session.refresh(match)
    if match.pattern:
        due.match_alike(session, workspace_id, match.connection_id, match.pattern)
    _match_again(session, workspace_id, match.author_id, contacts)
    audit(session, workspace_id, by, "match.undone", "match", match.id)
    return match


def _match(session: Session, workspace_id: UUID, match_id: UUID) -> Match | None:
    """The match, with its author locked: one decision about an author at a time."""
    author_id = session.scalar(select(Match.author_id).where(Match.workspace_id == workspace_id, Match.id == match_id))
    if author_id is None:
        return None
    session.execute(
        select(Author.id).where(Author.workspace_id == workspace_id, Author.id == author_id).with_for_update()
    )
    return session.scalars(
        select(Match).where(Match.workspace_id == workspace_id, Match.id == match_id).with_for_update()
    ).one_or_none()


def _match_again(session: Session, workspace_id: UUID, author_id: UUID, contact_ids: set[UUID]) -> None:
    due.match_again(session, workspace_id, [author_id])
    due.decide_relationships(session, workspace_id, contact_ids=contact_ids)


# --- tasks ----------------------------------------------------------------------------------------------------


def retry_task(session: Session, workspace_id: UUID, task_id: UUID, *, by: str) -> Task | None:
    """What the CRM refused is said to it once more, as it stands now. A task that is not parked stays as it is, and so does one that
    a change holds back: it goes out when that is let through."""
    task = session.scalars(
        select(Task).where(Task.workspace_id == workspace_id, Task.id == task_id).with_for_update()
    ).one_or_none()
    if task is None or task.parked_at is None:
        return task
    task.parked_at, task.detail = None, ""
    if task.state == "parked":  # it never stood there
        task.state = "absent"
    if task.run_id is None and task.crm_connection_id is not None:
        task.push_at = business_now()
        session.flush()
        due.push_soon(session, workspace_id, task.crm_connection_id)
    audit(session, workspace_id, by, "task.retried", "task", task_id)
    return task


def dismiss_task(session: Session, workspace_id: UUID, task_id: UUID, *, by: str, reason: str = "") -> Task | None:
    """This is dealt with: the task is completed in the CRM if it stands there, withdrawn here if it never did, and posts
    up to now open no other. Without a `reason` it is that none is needed. A task that is closed already stays as it is."""
    task = _locked(session, workspace_id, task_id)
    if task is None or task.wanted != "open":
        return task
    # One that was sent and never answered may stand in the CRM too.
    stands = task.external_id is not None or task.maybe_sent_at is not None or task.state in ("open", "unknown")
    task.wanted, task.closed_by, task.closed_at = "completed", by, real_now()
    task.close_reason = reason or NOT_NEEDED[task.kind]
    task.held_reason, task.held_until, task.run_id, task.parked_at = "", None, None, None
    task.push_at = business_now() if stands else None
    task.state = task.state if stands else "withdrawn"
    session.flush()
    if task.kind == TaskKind.UNANSWERED:
        until = func.greatest(Conversation.dealt_with_until, Conversation.last_post_at, business_now())
        _deal_with(session, workspace_id, task.conversation_id, until)
    _decide_again(session, task)
    if stands and task.crm_connection_id is not None:
        due.push_soon(session, workspace_id, task.crm_connection_id)
    audit(session, workspace_id, by, "task.dismissed", "task", task.id)
    return task


def is_dismissed(closed_by: str) -> bool:
    """Whether a person closed it here: neither the rules nor somebody in the CRM, where it can be opened again as well."""
    return closed_by not in ("", BY_RULES, "crm")


def undo_dismissal(session: Session, workspace_id: UUID, task_id: UUID, *, by: str) -> Task | None:
    """It was not dealt with after all: the rules look again, and open it as it was where somebody waits still, or is ready still. One
    that nobody dismissed stays as it is."""
    task = _locked(session, workspace_id, task_id)
    if task is None or not is_dismissed(task.closed_by) or task.erased_at is not None:
        return task
    task.closed_by, task.close_reason = BY_RULES, DISMISSAL_UNDONE
    session.flush()
    if task.kind == TaskKind.UNANSWERED:
        # What was dealt with before the wait began stays so.
        _deal_with(session, workspace_id, task.conversation_id, task.since - timedelta(microseconds=1))
    _decide_again(session, task)
    audit(session, workspace_id, by, "task.dismissal_undone", "task", task.id)
    return task


def _locked(session: Session, workspace_id: UUID, task_id: UUID) -> Task | None:
    """The task, behind what it is about: in the order of the workers."""
    found = session.execute(
        select(Task.conversation_id, Task.relationship_id).where(Task.workspace_id == workspace_id, Task.id == task_id)
    ).one_or_none()
    if found is None:
        return None
    _lock(session, workspace_id, *found)
    return session.scalars(
        select(Task).where(Task.workspace_id == workspace_id, Task.id == task_id).with_for_update()
    ).one_or_none()


def _decide_again(session: Session, task: Task) -> None:
    conversations, relationships = ([each] if each else [] for each in (task.conversation_id, task.relationship_id))
    due.decide_conversations(session, task.workspace_id, conversation_ids=conversations)
    due.decide_relationships(session, task.workspace_id, ids=relationships)
    due.decide_soon(session, task.workspace_id)


def _lock(session: Session, workspace_id: UUID, conversation_id: UUID | None, relationship_id: UUID | None) -> None:
    for model, row_id in ((Conversation, conversation_id), (Relationship, relationship_id)):
        if row_id is not None:
            session.execute(
                select(model.id).where(model.workspace_id == workspace_id, model.id == row_id).with_for_update()
            )


def _deal_with(
    session: Session, workspace_id: UUID, conversation_id: UUID | None, until: datetime | ColumnElement[datetime]
) -> None:
    session.execute(
        update(Conversation)
        .where(Conversation.workspace_id == workspace_id, Conversation.id == conversation_id)
        .values(dealt_with_until=until)
    )
