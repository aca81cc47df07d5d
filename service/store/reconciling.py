"""What the CRM says of our tasks: done, reopened, reassigned, edited, deleted. A person's decision there is final here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations import edits
from integrations.records import Gone, TaskState, TaskStatus
from service.clock import business_now, real_now
from service.models import Conversation, Task
from service.store import due, tasks
from service.store.pushing import HELD_UP
from service.store.tasks import TaskRow
from service.watch import following

DONE = "completed in the CRM"
INDEXED = timedelta(minutes=10)  # by then a CRM's lists show what was written; HubSpot's search takes seconds, mostly


def open_in_crm(session: Session, workspace_id: UUID, connection_id: UUID) -> list[str]:
    """The CRM's ids of our tasks that are open there, as far as we know."""
    rows = session.execute(
        select(Task.external_id).where(
            Task.workspace_id == workspace_id,
            Task.crm_connection_id == connection_id,
            Task.state == "open",
            Task.external_id.is_not(None),
        )
    )
    return [row[0] for row in rows if row[0]]


def take_in(
    session: Session,
    workspace_id: UUID,
    connection_id: UUID,
    items: Sequence[TaskState | Gone],
    *,
    read_at: datetime,
    current: bool = True,
) -> int:
    """Follows what the CRM says of tasks of ours; tasks of others are nobody's business here. What we have written since
    `read_at`, when the reading began, is newer than the answer and stays. `current`: it is how they stand now, and not what an index
    says of them, which may be behind. Returns how many changed by somebody's hand."""
    if not items:
        return 0
    changed = _too_late(session, workspace_id, connection_id, items)
    known = _known(session, workspace_id, connection_id, items)
    for item in items:
        row = known.get(item.id) or (known.get(item.key or "") if isinstance(item, TaskState) and item.bare else None)
        if row is not None and (row.written_at is None or row.written_at < read_at):
            if isinstance(item, Gone):
                changed += _gone(session, row)
            elif current or not _behind(row, item):
                changed += _follow(session, row, item)
    if changed:
        due.decide_soon(session, workspace_id)
    return changed


def _too_late(session: Session, workspace_id: UUID, connection_id: UUID, items: Iterable[TaskState | Gone]) -> int:
    """Tasks that stand there though theirs had been taken away: whoever was to make them stood still in between, for longer than anybody
    waits, and sent them all the same. They go as theirs went, whatever has become of its words since."""
    late = {
        item.key: item
        for item in items
        if isinstance(item, TaskState) and item.sole and item.key and item.status is TaskStatus.OPEN
    }
    if not late:
        return 0
    rows = session.scalars(
        select(Task)
        .where(
            Task.workspace_id == workspace_id,
            Task.crm_connection_id == connection_id,
            Task.key.in_(late),
            Task.state == "withdrawn",
            Task.wanted == "withdrawn",
            # What an index shows for a while of the one that was taken away is no other one.
            Task.external_id.is_(None) | Task.external_id.not_in([item.id for item in late.values()]),
        )
        .order_by(Task.id)
        .with_for_update()
    ).all()
    for row in rows:
        item = late[row.key]
        row.external_id, row.external_url = item.id, item.url
        row.state, row.push_at, row.edited, row.written, row.sent = "open", business_now(), [], {}, []
    if rows:
        session.flush()
        due.push_soon(session, workspace_id, connection_id)
    return len(rows)


def _known(
    session: Session, workspace_id: UUID, connection_id: UUID, items: Iterable[TaskState | Gone]
) -> dict[str, Task]:
    ids = [item.id for item in items]
    # By our key only where a CRM has nothing else to say of it: whatever else carries it is somebody's copy of the task.
    keys = [item.key for item in items if isinstance(item, TaskState) and item.bare and item.key]
    rows = session.scalars(
        select(Task)
        .where(
            Task.workspace_id == workspace_id,
            Task.crm_connection_id == connection_id,
            Task.external_id.in_(ids) | Task.key.in_(keys),
            Task.erased_at.is_(None),  # its text does not come back from there
        )
        .order_by(Task.id)
        .with_for_update()
    ).all()
    return {**{row.key: row for row in rows}, **{row.external_id: row for row in rows if row.external_id}}


def _gone(session: Session, row: Task) -> int:
    """Somebody deleted it. (What we deleted ourselves is no longer open, or we have not heard what came of it.)"""
    if row.state != "open":
        return 0
    if perhaps_by_us(row):
        _taken_back(session, row)
        return 0
    row.state, row.written = (
        "withdrawn",
        row.content,
    )  # words that were deleted at their source since may have stood there
    _close(session, row, "deleted in the CRM", real_now())
    return 1


def perhaps_by_us(row: Task | TaskRow) -> bool:
    """Whether a task that is gone from the CRM may have been deleted by us: we have tried, and do not know
    yet that it outlived that. Taking it for ours loses nobody. (What somebody had made theirs is left to them.)"""
    return not row.edited and row.withdrawing_at is not None


def _taken_back(session: Session, row: Task) -> None:
    """We deleted it, and no answer told us so. Where it has been asked for again meanwhile, it is made anew."""
    row.sent, row.written, row.withdrawing_at = [], row.content, None
    if row.wanted != "open":
        row.state, row.push_at = "withdrawn", None
        return
    row.state, row.external_id, row.edited = "absent", None, []
    row.push_at = None if row.run_id else business_now()
    session.flush()
    if row.crm_connection_id is not None:
        due.push_soon(session, row.workspace_id, row.crm_connection_id)


def _follow(session: Session, row: Task, item: TaskState) -> int:
    if row.state == "unknown" and row.external_id is None:
        return 0  # a push is under way, or is about to look for it: that is where it is learnt
    if item.status is TaskStatus.COMPLETED:
        return _completed(session, row, item)
    if row.state == "completed" and row.closed_by == "crm":
        return _reopened(session, row) if _newer(item, row.closed_at) else 0
    # (What was sent and not answered may be what stands there: it is said again.)
    if row.state == row.wanted == "completed" and row.closed_by == "rules" and not row.sent:
        return _opened_again(session, row) if _newer(item, row.written_at or row.closed_at) else 0
    if row.withdrawing_at is not None and real_now() - row.withdrawing_at > HELD_UP and row.wanted == "open":
        row.withdrawing_at = None  # it outlived that
    return _edited(row, item) if row.state == "open" and row.wanted == "open" else 0


def _behind(row: Task, item: TaskState) -> bool:
    """Whether this may be how it stood before we last wrote it. What somebody had changed until then was seen when we wrote: nothing
    is missed, and what a wrong clock hides is found when the task is asked for by its id."""
    if item.bare or item.updated_at is None or row.written_at is None:
        return False
    return item.updated_at < row.written_at and real_now() - row.written_at < INDEXED


def _newer(item: TaskState, than: datetime | None) -> bool:
    """A CRM's search may serve an older state than its other calls: only one that is known to be newer undoes anything."""
    return than is None or (item.updated_at is not None and item.updated_at > than)


def _completed(session: Session, row: Task, item: TaskState) -> int:
    if item.bare and row.state == "withdrawn" and row.closed_by == "crm":
        # It was gone, and was taken for deleted; now the CRM tells that it was done.
        row.state = row.wanted = "completed"
        row.close_reason, row.closed_at = DONE, item.completed_at or row.closed_at
        following.changed_in_crm(row, "completed")
        return 1
    if row.state != "open":
        return 0
    theirs = _ends_with_them(row)
    if theirs and not item.bare:
        _edited(row, item)  # what they wrote before they ticked it off is theirs too
    row.state = "completed"
    if theirs:
        _close(session, row, DONE, item.completed_at or real_now(), read_until=item.completed_at)
        return 1
    row.push_at = None  # we wanted that anyway
    _say_what_was_taken_out(session, row)
    if not edits.ticked_off(item, (row.written, *row.sent)):
        return 0
    _also_ended_by_them(session, row, DONE, item.completed_at)
    return 1


def _ends_with_them(row: Task) -> bool:
    """Whether it ends because a person ended it: nobody had before. That the rules had just withdrawn it is no decision of anybody's, and
    they may find a reason for it again."""
    return row.wanted == "open" or (row.wanted == "withdrawn" and row.closed_by == "rules")


def _close(session: Session, row: Task, reason: str, at: datetime, *, read_until: datetime | None = None) -> None:
    """Somebody ended it. `read_until`: until when what was written may have been read by whoever did, where the CRM tells; what
    came after that, and before we heard of it, waits for an answer of its own."""
    row.wanted = "completed" if row.state == "completed" else "withdrawn"
    row.closed_by, row.close_reason, row.closed_at, row.push_at = "crm", reason, at, None
    row.held_reason, row.held_until, row.run_id, row.parked_at, row.sent = "", None, None, None, []
    row.withdrawing_at = None
    _say_what_was_taken_out(session, row)
    _tell(row, reason)
    dealt_with(session, row, max(read_until, row.since) if read_until else max(at, business_now()))
    tasks.release_slots(session, row.workspace_id, [row.person])


def _tell(row: Task, reason: str) -> None:
    following.changed_in_crm(row, "completed" if reason == DONE else "deleted")


def _also_ended_by_them(session: Session, row: Task, reason: str, at: datetime | None) -> None:
    """It was to end, and before that was said a person ended it: why, and, if they ticked it off, at `at` where the CRM tells. What was written until then
    may have been read by them, as it may have been had we heard of the tick first."""
    if at is not None and row.wanted == "completed" and row.closed_by == "rules":
        dealt_with(session, row, max(at, row.since))
    _tell(row, reason)


def _say_what_was_taken_out(session: Session, row: Task) -> None:
    """One that was ticked off stays in the CRM as its history: words of it that were deleted or edited at their source, and that stood there
    yet when it was, are taken out all the same. What somebody made theirs is left to them."""
    taken_out = row.redacted and row.written != row.content
    if row.state != "completed" or row.external_id is None or "body" in row.edited or not taken_out:
        return
    row.push_at = business_now()
    if row.crm_connection_id is not None:
        session.flush()
        due.push_soon(session, row.workspace_id, row.crm_connection_id)


def end(session: Session, workspace_id: UUID, found: Mapping[UUID, tuple[str, datetime | None]]) -> None:
    """A push found that somebody had ended these tasks: by id, why, and when they ticked it off, if they did and the CRM tells."""
    rows = session.scalars(
        select(Task).where(Task.workspace_id == workspace_id, Task.id.in_(found)).order_by(Task.id).with_for_update()
    ).all()
    for row in rows:
        session.refresh(row)
        reason, at = found[row.id]
        if _ends_with_them(row):
            _close(session, row, reason, at or real_now(), read_until=at)
        else:
            _also_ended_by_them(session, row, reason, at)
            _say_what_was_taken_out(session, row)
    due.decide_soon(session, workspace_id)


def _reopened(session: Session, row: Task) -> int:
    row.state = row.wanted = "open"
    row.closed_by, row.close_reason, row.closed_at = "", "", None
    following.changed_in_crm(row, "reopened")
    dealt_with(session, row, None)
    return 1


def _opened_again(session: Session, row: Task) -> int:
    """The rules had completed it, and somebody has opened it all the same: whether it is done is theirs to say from now on."""
    row.edited = sorted({*row.edited, edits.STATUS})
    row.state = row.wanted = "open"
    row.closed_by, row.close_reason, row.closed_at = "", "", None
    following.changed_in_crm(row, "reopened")
    return 1


def _edited(row: Task, item: TaskState) -> int:
    """What differs from all that we may have written was changed by a person, and is theirs from now on."""
    theirs = edits.theirs(item, (row.written, *row.sent))
    if theirs:
        _make_theirs(row, theirs)
    return bool(theirs)


def _make_theirs(row: Task, fields: Mapping[str, Any]) -> None:
    row.edited = sorted({*row.edited, *fields})
    row.written = {**row.written, **fields}
    row.content = {**row.content, **fields}
    following.changed_in_crm(row, "edited", fields)


def take_in_edits(session: Session, workspace_id: UUID, found: Mapping[UUID, Mapping[str, Any]]) -> None:
    """A push came upon what people had changed in these tasks: by id, the fields as they stand there."""
    rows = session.scalars(
        select(Task).where(Task.workspace_id == workspace_id, Task.id.in_(found)).order_by(Task.id).with_for_update()
    ).all()
    for row in rows:
        session.refresh(row)  # it has been settled by a statement of its own
        words = {name: value for name, value in found[row.id].items() if name in edits.FIELDS}
        if words and row.erased_at is None:
            _make_theirs(row, words)


def dealt_with(session: Session, row: Task, until: datetime | None) -> None:
    """The episode of this task is over up to `until` (None: not after all), and is decided again."""
    if row.conversation_id is not None and row.kind == "unanswered":
        conversation = session.get(Conversation, (row.workspace_id, row.conversation_id))
        if conversation is not None:
            before = conversation.dealt_with_until
            # Of two ticks the earlier may be heard of last.
            conversation.dealt_with_until = max(until, before) if until and before else until
            session.flush()
            due.decide_conversations(session, row.workspace_id, conversation_ids=[conversation.id])
    if row.relationship_id is not None:
        session.flush()
        due.decide_relationships(session, row.workspace_id, ids=[row.relationship_id])
