"""What a person (or a key that acts for one) does with a connection: previews, pauses, responders, ceilings.

Everything here takes an open session of the workspace and `by`, the caller's actor ("user:<id>" or "key:<id>"), leaves a
row in the audit trail, and returns None when the workspace has no such row. Repeating a decision changes nothing.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.accounts import normal_email
from service.clock import real_now
from service.models import Connection, Conversation, Task
from service.store import due, freezing
from service.store.acting import audit

# --- connections ----------------------------------------------------------------------------------------------


def approve_crm(
    session: Session, workspace_id: UUID, connection_id: UUID, *, by: str, user_id: UUID | None
) -> Connection | None:
    """Ends a CRM's preview: what was computed is written from now on. None also for a connection that is no CRM."""
    row = _connection(session, workspace_id, connection_id)
    if row is None or row.kind != "crm":
        return None
    if row.preview:
        row.preview, row.approved_by, row.approved_at = False, user_id, real_now()
        session.flush()
        due.push_soon(session, workspace_id, connection_id)
        audit(session, workspace_id, by, "connection.approved", "connection", connection_id)
    return row


def pull_now(session: Session, workspace_id: UUID, connection_id: UUID) -> bool:
    """Every stream of this connection is due now, before those of whom nobody waits for. False when there is no such connection."""
    if _connection(session, workspace_id, connection_id) is None:
        return False
    due.pull_soon(session, workspace_id, connection_id, urgent=True)
    return True


def set_responder(
    session: Session, workspace_id: UUID, connection_id: UUID, email: str, *, by: str
) -> Connection | None:
    """Who gets what waits on this account, by e-mail address; "" is nobody. Raises PlainError for something that is not
    an address. What waits there now is routed again."""
    address = normal_email(email) if email.strip() else ""
    row = _connection(session, workspace_id, connection_id)
    if row is None or row.responder_email == address:
        return row
    row.responder_email = address
    session.flush()
    waiting = session.scalars(
        select(Conversation.id).where(
            Conversation.workspace_id == workspace_id,
            Conversation.connection_id == connection_id,
            Conversation.brand_id == row.brand_id,
            Conversation.waiting_since.is_not(None),
        )
    ).all()
    # People whom no CRM knows are called by the responder.
    unknown = session.scalars(
        select(Task.relationship_id).where(
            Task.workspace_id == workspace_id,
            Task.wanted == "open",
            Task.contact_id.is_(None),
            Task.relationship_id.is_not(None),
        )
    ).all()
    due.decide_conversations(session, workspace_id, conversation_ids=waiting)
    due.decide_relationships(session, workspace_id, ids=[each for each in unknown if each is not None])
    audit(session, workspace_id, by, "connection.responder_set", "connection", connection_id)
    due.decide_soon(session, workspace_id)
    return row


def pause(session: Session, workspace_id: UUID, connection_id: UUID, reason: str, *, by: str) -> Connection | None:
    """Nothing is read from this account or written to it until somebody resumes it. What was read stays; open tasks say why."""
    row = _connection(session, workspace_id, connection_id)
    if row is None or (row.paused_at is not None and row.paused_reason == reason):
        return row
    row.paused_at, row.paused_reason = row.paused_at or real_now(), reason
    session.flush()
    audit(session, workspace_id, by, "connection.paused", "connection", connection_id)
    freezing.decide_again(session, workspace_id, provider=None, connection_id=connection_id)
    return row


def resume(session: Session, workspace_id: UUID, connection_id: UUID, *, by: str) -> Connection | None:
    """What was paused goes on where it stopped, at once."""
    row = _connection(session, workspace_id, connection_id)
    if row is None or row.paused_at is None:
        return row
    row.paused_at, row.paused_reason = None, ""
    session.flush()
    freezing.wake(session, workspace_id, connection_id=connection_id)
    audit(session, workspace_id, by, "connection.resumed", "connection", connection_id)
    freezing.decide_again(session, workspace_id, provider=None, connection_id=connection_id)
    return row


def set_ceiling(
    session: Session, workspace_id: UUID, connection_id: UUID, dollars: int | None, *, by: str
) -> Connection | None:
    """What reading this account may cost in a month, in US dollars; None is the workspace's ceiling alone."""
    row = _connection(session, workspace_id, connection_id)
    if row is None or row.monthly_ceiling == dollars:
        return row
    row.monthly_ceiling = dollars
    session.flush()
    due.pull_those_at_the_ceiling(session, workspace_id)
    audit(session, workspace_id, by, "connection.ceiling_set", "connection", connection_id)
    return row


def _connection(session: Session, workspace_id: UUID, connection_id: UUID) -> Connection | None:
    return session.scalars(
        select(Connection)
        .where(Connection.workspace_id == workspace_id, Connection.id == connection_id)
        .with_for_update()
    ).one_or_none()
