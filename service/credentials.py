"""A connection's credentials: sealed at rest, refreshed by one process at a time.

A refresh is claimed by a committed lease, called outside any transaction, and stored by compare-and-swap before it is
used, because a refresh token may be good for one use only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from integrations import consents
from integrations.consents import Way
from integrations.deadline import at_most
from integrations.errors import AuthenticationError, RateLimitError
from integrations.provider import Setting
from service.clock import real_now
from service.ids import new_id
from service.models import Credential
from service.runtime import Runtime
from service.vault import Vault

EARLY = timedelta(seconds=60)  # a token that ends sooner than this is refreshed before it is used
LEASE = timedelta(minutes=4)
# How long renewing may take in all, where a server that somebody named trickles: were the lease to end first, somebody else would spend the same token.
RENEWED_WITHIN = LEASE * 0.75
RETRY = 3.0  # seconds: how soon a loser looks again


@dataclass(frozen=True)
class Held:
    """Opened credentials and the version they were stored under."""

    values: Mapping[str, Any]
    version: int


def _place(workspace_id: UUID, connection_id: UUID) -> tuple[object, ...]:
    return "credentials", "sealed", workspace_id, connection_id


def _expiry(values: Mapping[str, Any]) -> datetime | None:
    stated = values.get("expires_at")
    return datetime.fromisoformat(stated).astimezone(UTC) if isinstance(stated, str) else None


def store_new(
    session: Session, vault: Vault, workspace_id: UUID, connection_id: UUID, values: Mapping[str, Any]
) -> None:
    """Stores what a consent has just given, whatever stood there before."""
    row = {
        "sealed": vault.seal(values, *_place(workspace_id, connection_id)),
        "expires_at": _expiry(values),
        "updated_at": real_now(),
        "refresh_lease_id": None,
        "refresh_lease_until": None,
    }
    statement = insert(Credential).values(workspace_id=workspace_id, connection_id=connection_id, version=1, **row)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "connection_id"],
            set_={**row, "version": Credential.version + 1},
        )
    )


def fresh(
    runtime: Runtime,
    way: Way,
    setting: Setting,
    workspace_id: UUID,
    connection_id: UUID,
    *,
    refused: int | None = None,
) -> Held:
    """Credentials that should work now, refreshed if need be. `refused` is the version that the provider has just turned
    down. Raises AuthenticationError when the grant is gone, RateLimitError when somebody else is refreshing."""
    held, expires_at = _read(runtime, workspace_id, connection_id)
    ending = expires_at is not None and expires_at - real_now() < EARLY
    if not way.renews or not (ending or held.version == refused):
        if held.version == refused:
            raise AuthenticationError(f"{way.provider.name} no longer accepts these credentials")
        return held
    lease = _claim(runtime, workspace_id, connection_id, held.version)
    if lease is None:
        raise RateLimitError("another process is renewing this consent", retry_after=RETRY)
    try:
        with at_most(RENEWED_WITHIN.total_seconds()):
            values = consents.refresh(way, setting, held.values)
    except AuthenticationError:
        again, _ = _read(runtime, workspace_id, connection_id)
        if again.version != held.version:
            return again
        _release(runtime, workspace_id, connection_id, lease)
        raise
    except Exception:
        _release(runtime, workspace_id, connection_id, lease)
        raise
    return _swap(runtime, workspace_id, connection_id, held.version, values)


def _read(runtime: Runtime, workspace_id: UUID, connection_id: UUID) -> tuple[Held, datetime | None]:
    with runtime.db.tenant(workspace_id) as session:
        row = session.scalars(
            select(Credential).where(Credential.workspace_id == workspace_id, Credential.connection_id == connection_id)
        ).one_or_none()
    if row is None:
        raise AuthenticationError("this account was disconnected")
    return Held(runtime.vault.open(row.sealed, *_place(workspace_id, connection_id)), row.version), row.expires_at


def _claim(runtime: Runtime, workspace_id: UUID, connection_id: UUID, version: int) -> UUID | None:
    lease, now = new_id(), real_now()
    with runtime.db.tenant(workspace_id) as session:
        return session.scalar(
            update(Credential)
            .where(
                Credential.workspace_id == workspace_id,
                Credential.connection_id == connection_id,
                Credential.version == version,
                Credential.refresh_lease_until.is_(None) | (Credential.refresh_lease_until < now),
            )
            .values(refresh_lease_id=lease, refresh_lease_until=now + LEASE)
            .returning(Credential.refresh_lease_id)
        )


def _release(runtime: Runtime, workspace_id: UUID, connection_id: UUID, lease: UUID) -> None:
    with runtime.db.tenant(workspace_id) as session:
        session.execute(
            update(Credential)
            .where(
                Credential.workspace_id == workspace_id,
                Credential.connection_id == connection_id,
                Credential.refresh_lease_id == lease,
            )
            .values(refresh_lease_id=None, refresh_lease_until=None)
        )


def _swap(runtime: Runtime, workspace_id: UUID, connection_id: UUID, version: int, values: Mapping[str, Any]) -> Held:
    with runtime.db.tenant(workspace_id) as session:
        stored = session.scalar(
            update(Credential)
            .where(
                Credential.workspace_id == workspace_id,
                Credential.connection_id == connection_id,
                Credential.version == version,
            )
            .values(
                sealed=runtime.vault.seal(values, *_place(workspace_id, connection_id)),
                version=version + 1,
                expires_at=_expiry(values),
                updated_at=real_now(),
                refresh_lease_id=None,
                refresh_lease_until=None,
            )
            .returning(Credential.version)
        )
    if stored is None:  # a reconnect came in between: what it stored is newer than ours
        return _read(runtime, workspace_id, connection_id)[0]
    return Held(values, stored)
