"""What is no longer of use goes: spent links and consents, sign-ins that were not finished, ended sessions,
tries to sign in, answers kept for repeated writes."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import delete

from service import departing, invitations, sessions, throttling
from service.clock import real_now
from service.models import FactorSetup, KnownDevice, OAuthState, OpenIDState, PendingSignin, SigninLink
from service.runtime import Runtime
from service.store import departures, due, filing, ledger, replays
from service.watch import freshness, presence

EVERY = 60.0  # seconds: what is nobody's in particular is not swept for each connection that comes round
KEPT = timedelta(days=1)  # after they have run out: long enough to say "this link is too old" instead of "unknown"


def tidy(runtime: Runtime, workspace_id: UUID) -> None:
    """Forgets what has run out, for everybody and in this workspace. Safe at any time and as often as you like."""
    before = real_now() - KEPT
    if not _swept_lately(runtime):
        _sweep(runtime, before)
    with runtime.db.tenant(workspace_id) as session:
        replays.sweep(session, workspace_id)
        invitations.sweep(session, workspace_id, before)
        ledger.sweep(session, workspace_id, now=real_now())
        if filing.waiting(session, workspace_id):  # after an update: workers file contacts anew before they decide
            due.decide_soon(session, workspace_id)


def _swept_lately(runtime: Runtime) -> bool:
    """Whether anybody has just swept for everybody. Where Valkey is away nobody knows, and it is done once more."""
    with suppress(RedisError):
        age = presence.marked(runtime.redis, presence.HOUSEKEEPING)
        return age is not None and age < EVERY
    return False


def _sweep(runtime: Runtime, before: datetime) -> None:
    with runtime.db.globally() as session:
        for table in (OAuthState, OpenIDState, SigninLink, PendingSignin, FactorSetup, KnownDevice):
            session.execute(delete(table).where(table.expires_at < before))
        sessions.sweep(session, before)
        throttling.sweep(session)
        departures.sweep(session, real_now() - departing.RECEIPT_KEPT)
        freshness.sweep(session, real_now())
    presence.mark(runtime.redis, presence.HOUSEKEEPING)
