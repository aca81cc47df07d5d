"""A connection's credentials: sealed at rest, refreshed by one process at a time.

A refresh is claimed by a committed lease, called outside any transaction, and stored by compare-and-swap before it is
used, because a refresh token may be good for one use only. What cannot be healed is named: where a process dies between
the provider's answer and the store, a provider that takes each token once refuses the next refresh, and nobody has revoked
anything (ADR 0033).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, case, func, null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from integrations import consents
from integrations.consents import Way
from integrations.deadline import at_most
from integrations.errors import AuthenticationError, InvalidRequestError, RateLimitError, UnreachableError
from integrations.oauth import NothingToRenewWithError
from integrations.provider import Setting
from service.clock import real_now
from service.ids import new_id
from service.models import Connection, Credential, Stream
from service.runtime import Runtime
from service.vault import Vault
from service.watch import meters, tracing

log = structlog.get_logger()

EARLY = timedelta(seconds=60)  # a token that ends sooner than this is refreshed before it is used
# In leases of a job (`Config.lease`). A token shown twice may cost the grant, and a connection that is not read for a while costs little:
# whoever was paused for up to twice the lease of its job finds that nobody has taken its place.
LEASES = 3.0
# In leases of a job, how long a renewal may take, the claim included. A holder that was held up for longer before it sent anything (a
# paused machine, a server that trickles) sends nothing any more.
RENEWED_WITHIN = 0.6
RETRY = 3.0  # seconds: how soon a loser looks again
# Seconds between tries to store an answer, which is the only copy there is, where the database goes away just then: a minute in all.
STORED_AGAIN = (0.1, 0.4, 1.5, 3.0, 5.0, 10.0, 20.0, 20.0)
_AWAY = (OperationalError, InterfaceError, PoolTimeout)
# These say for certain that the provider has not spent what it was shown.
_UNSPENT = (RateLimitError, InvalidRequestError, UnreachableError, NothingToRenewWithError)


class RefusedError(AuthenticationError):
    """The provider refuses the credentials of this `version` for good. Whoever acts on it compares that with what stands now."""

    def __init__(self, message: str, version: int) -> None:
        super().__init__(message)
        self.version = version


class LostAnswerError(RefusedError):
    """The provider refuses to renew, after a renewal whose answer was never stored: most likely that one spent the token."""


class BeingRenewedError(RateLimitError):
    """Somebody else renews these credentials just now."""

    def __init__(self) -> None:
        super().__init__("another process is renewing this consent", retry_after=RETRY)


@dataclass(frozen=True)
class Held:
    """Opened credentials and the version they were stored under. `renewed`: by this very call."""

    values: Mapping[str, Any] = field(repr=False)
    version: int
    renewed: bool = False


@dataclass(frozen=True)
class _Claim:
    """A renewal that is ours for as long as the lease runs. `unanswered` is since when an earlier one, of which nobody has
    stored an answer, may have spent the token."""

    lease: UUID
    version: int
    unanswered: datetime | None


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
        "unanswered_since": None,
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
    stored: Credential | None = None,
) -> Held:
    """Credentials that should work now, refreshed if need be. `refused` is the version that the provider has just turned
    down; `stored` is how they stood a moment ago, which will do while they neither end nor are refused. Raises RefusedError when the grant is gone (LostAnswerError where it most likely went with an answer of the provider's
    that was lost), BeingRenewedError when somebody else is refreshing, AuthenticationError when the account was disconnected."""
    if stored is not None and refused is None and not _ending(stored.expires_at):
        return _open(runtime, stored)
    held, expires_at = _read(runtime, workspace_id, connection_id)
    ending = _ending(expires_at)
    if not way.renews or not (ending or held.version == refused):
        if held.version == refused:
            raise RefusedError(f"{way.provider.name} no longer accepts these credentials", held.version)
        return held
    with ThreadPoolExecutor(
        1
    ) as aside:  # what breaks off this job (its time limit, say) waits until the answer is stored
        return aside.submit(tracing.here(_counted), runtime, way, setting, workspace_id, connection_id, held).result()


def _counted(runtime: Runtime, way: Way, setting: Setting, workspace_id: UUID, connection_id: UUID, held: Held) -> Held:
    """As `_renew`, which it counts by what came of it."""
    provider, outcome = meters.provider_label(way.provider.key), "renewed"
    try:
        with tracing.span("renew", provider=provider):
            found = _renew(runtime, way, setting, workspace_id, connection_id, held)
        outcome = "renewed" if found.renewed else "renewed by another"
        return found
    except Exception as error:
        outcome = type(error).__name__
        raise
    finally:
        meters.count(meters.REFRESHES, provider, outcome)


def _renew(runtime: Runtime, way: Way, setting: Setting, workspace_id: UUID, connection_id: UUID, held: Held) -> Held:
    limit = runtime.config.lease * RENEWED_WITHIN
    with at_most(
        limit.total_seconds(), all_hosts=True
    ):  # from before the claim, so that it is over before the lease is
        claim = _claim(runtime, workspace_id, connection_id, held.version)
        if claim is None:
            raise BeingRenewedError
        try:
            values = consents.refresh(way, setting, held.values)
        except AuthenticationError as refusal:
            return _refused(runtime, way, workspace_id, connection_id, claim, refusal)
        except Exception as error:
            _release(runtime, workspace_id, connection_id, claim, lost=not isinstance(error, _UNSPENT))
            raise
    return _kept(lambda: _swap(runtime, workspace_id, connection_id, claim, values))


def stands(session: Session, workspace_id: UUID, connection_id: UUID, version: int) -> bool:
    """Whether the credentials of this version are the newest; no longer so after a reconnect, say."""
    found = session.scalar(
        select(Credential.version).where(
            Credential.workspace_id == workspace_id, Credential.connection_id == connection_id
        )
    )
    return found == version


def _ending(expires_at: datetime | None) -> bool:
    return expires_at is not None and expires_at - real_now() < EARLY


def _open(runtime: Runtime, row: Credential) -> Held:
    return Held(runtime.vault.open(row.sealed, *_place(row.workspace_id, row.connection_id)), row.version)


def _read(runtime: Runtime, workspace_id: UUID, connection_id: UUID) -> tuple[Held, datetime | None]:
    with runtime.db.tenant(workspace_id) as session:
        row = session.scalars(
            select(Credential)
            .join(
                Connection,
                (Connection.workspace_id == Credential.workspace_id) & (Connection.id == Credential.connection_id),
            )
            .where(*_mine(workspace_id, connection_id), Connection.status != "disconnected")
        ).one_or_none()
    if row is None:
        raise AuthenticationError("this account was disconnected")
    return _open(runtime, row), row.expires_at


def _claim(runtime: Runtime, workspace_id: UUID, connection_id: UUID, version: int) -> _Claim | None:
    """Leases end by PostgreSQL's clock: those of hosts may differ, and a token spent twice costs the grant."""
    lease, now = new_id(), func.now()
    with runtime.db.tenant(workspace_id) as session:
        row = session.execute(
            update(Credential)
            .where(
                *_mine(workspace_id, connection_id),
                Credential.version == version,
                Credential.refresh_lease_until.is_(None) | (Credential.refresh_lease_until < now),
            )
            .values(
                refresh_lease_id=lease,
                refresh_lease_until=now + runtime.config.lease * LEASES,
                unanswered_since=func.coalesce(Credential.unanswered_since, now),
            )
            .returning(case((Credential.unanswered_since < now, Credential.unanswered_since), else_=null()))
        ).one_or_none()
    return _Claim(lease, version, row[0]) if row else None


def _refused(
    runtime: Runtime, way: Way, workspace_id: UUID, connection_id: UUID, claim: _Claim, refusal: AuthenticationError
) -> Held:
    """What somebody else has stored meanwhile, or else what this refusal means."""
    again, _ = _read(runtime, workspace_id, connection_id)
    if again.version != claim.version:
        return again
    # An answer has come, so ours is none that was lost: whoever meets the same refusal next is not told so.
    _release(runtime, workspace_id, connection_id, claim, lost=False)
    if isinstance(refusal, NothingToRenewWithError):
        raise refusal
    if claim.unanswered is None:
        raise RefusedError(str(refusal), claim.version) from refusal
    log.warning("an answer to a renewal was lost", provider=way.provider.key, connection=str(connection_id))
    raise LostAnswerError(_lost(way.provider.name, claim.unanswered, refusal), claim.version) from refusal


def _lost(name: str, since: datetime, refusal: AuthenticationError) -> str:
    at = since.astimezone(UTC)
    return (
        f"Renewing the consent was cut short on {at.day} {at:%B} at {at:%H:%M} UTC, and {name}'s answer with the next token was lost, so most"
        f" likely nobody has revoked anything. Reconnect the account once, and it goes on where it stopped. ({refusal})"
    )


def _release(runtime: Runtime, workspace_id: UUID, connection_id: UUID, claim: _Claim, *, lost: bool) -> None:
    """Ends our lease. `lost`: the provider may have spent the token with an answer that nobody has, and that stays noted. Else it stands as before."""
    known = {} if lost else {"unanswered_since": claim.unanswered}
    with runtime.db.tenant(workspace_id) as session:
        session.execute(
            update(Credential)
            .where(*_mine(workspace_id, connection_id), Credential.refresh_lease_id == claim.lease)
            .values(refresh_lease_id=None, refresh_lease_until=None, **known)
        )


def _kept(store: Callable[[], Held]) -> Held:
    """What `store` returns, tried again while the database is away. Storing twice does no harm: it compares versions."""
    for pause in STORED_AGAIN:
        try:
            return store()
        except _AWAY:
            time.sleep(pause)
    return store()


def _swap(runtime: Runtime, workspace_id: UUID, connection_id: UUID, claim: _Claim, values: Mapping[str, Any]) -> Held:
    """Stores an answer. Where our lease ran out before, somebody else may have shown the same token since, and that it was so
    stays noted; the account, if that has stopped it, is given another try."""
    ours = Credential.refresh_lease_id == claim.lease
    with runtime.db.tenant(workspace_id) as session:
        stored = session.execute(
            update(Credential)
            .where(*_mine(workspace_id, connection_id), Credential.version == claim.version)
            .values(
                sealed=runtime.vault.seal(values, *_place(workspace_id, connection_id)),
                version=claim.version + 1,
                expires_at=_expiry(values),
                updated_at=real_now(),
                refresh_lease_id=None,
                refresh_lease_until=None,
                unanswered_since=case((ours, null()), else_=Credential.unanswered_since),
            )
            .returning(Credential.version, Credential.unanswered_since.is_not(None))
        ).one_or_none()
        if stored is not None and stored[1]:
            _try_again(session, workspace_id, connection_id)
    if stored is None:  # a reconnect came in between: what it stored is newer than ours
        return _read(runtime, workspace_id, connection_id)[0]
    return Held(values, stored[0], renewed=True)


def _try_again(session: Session, workspace_id: UUID, connection_id: UUID) -> None:
    """A connection that was stopped because the token from before this answer was refused reads again."""
    stopped = session.scalar(
        update(Connection)
        .where(
            Connection.workspace_id == workspace_id, Connection.id == connection_id, Connection.status == "needs_reauth"
        )
        .values(
            status="active",
            status_reason="",
            status_at=real_now(),
            next_push_at=case((Connection.kind == "crm", real_now()), else_=null()),
        )
        .returning(Connection.id)
    )
    if stopped is not None:
        session.execute(
            update(Stream)
            .where(
                Stream.workspace_id == workspace_id, Stream.connection_id == connection_id, Stream.status == "active"
            )
            .values(next_pull_at=real_now())
        )


def _mine(workspace_id: UUID, connection_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return Credential.workspace_id == workspace_id, Credential.connection_id == connection_id
