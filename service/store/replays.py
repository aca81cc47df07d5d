"""Answers that are kept for repeated writes (see `service.api.idempotency`): how long, and that they go."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from service.clock import real_now
from service.models import IdempotencyKey

KEPT = timedelta(days=1)


def sweep(session: Session, workspace_id: UUID) -> None:
    """Forgets this workspace's answers that are past their day."""
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.workspace_id == workspace_id, IdempotencyKey.created_at < real_now() - KEPT
        )
    )
