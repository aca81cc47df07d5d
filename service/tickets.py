"""Tokens of a consent under way: random, kept as hashes with what belongs to them sealed, used once, good for ten minutes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update

from service.accounts import Caller
from service.clock import real_now
from service.models import OAuthState
from service.registrations import ConnectError
from service.runtime import Runtime
from service.sealed import CONSENTS
from service.sessions import digest

LIFETIME = timedelta(minutes=10)


def new() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(32)


def issue(
    runtime: Runtime,
    caller: Caller,
    stage: str,
    token: str,
    provider: str,
    *,
    sealed: Mapping[str, Any],
    brand_id: UUID | None,
    connection_id: UUID | None = None,
) -> None:
    """Makes `token` good for one use at `stage`, by this caller's browser. `sealed` is what to remember until then."""
    with runtime.db.globally() as session:
        session.add(
            OAuthState(
                token_hash=digest(token),
                stage=stage,
                workspace_id=caller.workspace_id,
                session_hash=caller.session_hash,
                brand_id=brand_id,
                connection_id=connection_id,
                provider=provider,
                sealed=runtime.vault.seal(sealed, *CONSENTS.place(digest(token))),
                expires_at=real_now() + LIFETIME,
                used_at=None,
            )
        )


def unseal(runtime: Runtime, token: str, row: OAuthState) -> dict[str, Any]:
    """What was remembered with this token."""
    return runtime.vault.open(row.sealed, *CONSENTS.place(digest(token))) if row.sealed else {}


def spend(runtime: Runtime, stage: str, token: str) -> OAuthState:
    """Uses the token up; what was remembered is forgotten but for what this returns. Raises ConnectError for one that is not good (any more)."""
    with runtime.db.globally() as session:
        found = _good(session.scalars(_unused(stage, token).with_for_update()).one_or_none())
        session.expunge(found)
        session.execute(
            update(OAuthState).where(OAuthState.token_hash == digest(token)).values(used_at=real_now(), sealed=None)
        )
    return found


def peek(runtime: Runtime, stage: str, token: str) -> OAuthState:
    """What `spend` would return, left as it is. Raises ConnectError."""
    with runtime.db.globally() as session:
        found = _good(session.scalars(_unused(stage, token)).one_or_none())
        session.expunge(found)
    return found


def _unused(stage: str, token: str) -> Select[OAuthState]:
    return select(OAuthState).where(
        OAuthState.token_hash == digest(token), OAuthState.stage == stage, OAuthState.used_at.is_(None)
    )


def _good(row: OAuthState | None) -> OAuthState:
    if row is None:
        raise ConnectError("This consent was not started here, or was used already. Start again from Connections.")
    if row.expires_at < real_now():
        raise ConnectError("This consent took longer than ten minutes. Start again from Connections.", row.provider)
    return row
