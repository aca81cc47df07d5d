"""What is no longer of use goes: spent links and consents, ended sessions, answers kept for repeated writes."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete

from service import members
from service.api import idempotency
from service.clock import real_now
from service.models import OAuthState, SigninLink, SigninSession
from service.runtime import Runtime
from service.store import due, filing, ledger

KEPT = timedelta(days=1)  # after they have run out: long enough to say "this link is too old" instead of "unknown"


def tidy(runtime: Runtime, workspace_id: UUID) -> None:
    """Forgets what has run out, for everybody and in this workspace. Safe at any time and as often as you like."""
    before = real_now() - KEPT
    with runtime.db.globally() as session:
        for table in (OAuthState, SigninLink, SigninSession):
            session.execute(delete(table).where(table.expires_at < before))
    with runtime.db.tenant(workspace_id) as session:
        idempotency.sweep(session, workspace_id)
        members.sweep(session, workspace_id, before)
        ledger.sweep(session, workspace_id, now=real_now())
        if filing.waiting(session, workspace_id):  # after an update: workers file contacts anew before they decide
            due.decide_soon(session, workspace_id)
