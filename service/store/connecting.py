"""Rows of a new, renewed or ended connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from integrations.provider import HANDED_IN, RECHECK
from integrations.records import Author
from integrations.registry import AnyProvider
from service import credentials as sealed
from service import settings
from service.accounts import Caller
from service.clock import business_now, real_now
from service.errors import PlainError
from service.models import Brand, ConnectedAccount, Connection, Credential, Stream
from service.store import acting, due, errands, handle_fields, leaving, runs
from service.vault import SealBrokenError, Vault


def brand_for(session: Session, workspace_id: UUID, brand_id: UUID | None, kind: str) -> UUID | None:
    """The brand that a new connection belongs to: the one named, else the first. A CRM with none named serves every brand."""
    query = select(Brand.id).where(Brand.workspace_id == workspace_id)
    if brand_id is not None:
        found = session.scalar(query.where(Brand.id == brand_id))
        if found is None:
            raise PlainError("There is no such brand in this workspace.")
        return found
    return None if kind == "crm" else session.scalar(query.order_by(Brand.created_at, Brand.id).limit(1))


def save(
    session: Session,
    vault: Vault,
    caller: Caller,
    provider: AnyProvider,
    author: Author,
    *,
    brand_id: UUID | None,
    credentials: Mapping[str, Any],
    options: Mapping[str, Any],
    host: str = "",
    way: str = "",
) -> UUID:
    """Makes or renews the connection of this account, its credentials and its streams, all due now. Returns its id.
    Raises PlainError when another brand has the account already. First of all in its transaction, since it may wait for whoever decides
    on a run."""
    if provider.kind == "crm":
        runs.beside(session, caller.workspace_id)  # before any row is had: see `leaving.give_up`
    now = real_now()
    handed_in = HANDED_IN in provider.capabilities
    # An account that exists nowhere but here is one per brand, and has nothing to be read first.
    account_id = str(brand_id) if handed_in else author.id
    values = settings.current(session, caller.workspace_id).values
    existing = session.scalars(
        select(Connection).where(
            Connection.workspace_id == caller.workspace_id,
            Connection.provider == provider.key,
            func.lower(Connection.host) == host.lower(),
            Connection.account_id == account_id,
        )
    ).one_or_none()
    if (
        existing is not None
        and provider.kind == "social"
        and existing.brand_id != brand_id
        and existing.status != "disconnected"  # one whose consent is gone is its brand's as before
    ):
        name = session.scalar(
            select(Brand.name).where(Brand.workspace_id == caller.workspace_id, Brand.id == existing.brand_id)
        )
        raise PlainError(
            f"@{author.handle} is connected to the brand {name} already. Reconnect it on its card, or disconnect it there first."
        )
    row = existing or Connection(
        workspace_id=caller.workspace_id,
        provider=provider.key,
        host=host,
        kind=provider.kind,
        account_id=account_id,
        preview=provider.kind == "crm" and values["preview"],
        connected_by=caller.user_id,
        responder_email=caller.email,
        ready_at=now if handed_in else None,
    )
    served, row.brand_id = row.brand_id if existing is not None else brand_id, brand_id
    if provider.kind == "social" and served != brand_id:
        kept = {**row.former_responders, str(served): row.responder_email}
        row.responder_email = kept.pop(str(brand_id), caller.email)
        row.former_responders = kept
    row.handle, row.name, row.url, row.handle_at = author.handle, author.name, author.url, business_now()
    row.options = {**options, **handle_fields.kept_choices(row.options)}
    row.way = way
    row.missing_steps, row.checked_at, row.receipt = [], None, {}
    comes = existing is None or row.status == "disconnected"
    if row.status == "leaving":
        leaving.give_up(session, row)
    row.status, row.status_reason, row.status_at = "active", "", now
    row.push_failures, row.push_error = 0, ""
    if existing is not None and provider.kind == "crm":
        row.next_push_at = now  # what was decided meanwhile has waited long enough
    session.add(row)
    session.flush()
    sealed.store_new(session, vault, caller.workspace_id, row.id, credentials)
    _open_streams(session, caller.workspace_id, row.id, provider, str(credentials.get("scope") or ""), now)
    session.execute(
        insert(ConnectedAccount)
        .values(
            connection_id=row.id,
            workspace_id=caller.workspace_id,
            provider=provider.key,
            host=host.lower(),
            account_id=account_id,
        )
        .on_conflict_do_nothing()
    )
    if provider.kind == "crm" and (comes or served != brand_id):
        # Whoever waited for a CRM has one, and brands know its contacts that did not: its owners and contacts, read again, need not differ.
        due.decide_everything(session, caller.workspace_id)
    action = "connection.renewed" if existing is not None else "connection.connected"
    acting.audit(session, caller.workspace_id, caller.actor, action, "connection", row.id)
    return row.id


def places(session: Session, workspace_id: UUID, connection_id: UUID) -> set[tuple[str, str]]:
    """(host in lower case, account id) of this connection and of those that may be renewed along with it: its provider's, of the
    same brand, that nobody has disconnected."""
    renewed = aliased(Connection)
    rows = session.execute(
        select(func.lower(Connection.host), Connection.account_id)
        .join(
            renewed,
            (renewed.workspace_id == Connection.workspace_id)
            & (renewed.provider == Connection.provider)
            & renewed.brand_id.is_not_distinct_from(Connection.brand_id),
        )
        .where(
            renewed.workspace_id == workspace_id,
            renewed.id == connection_id,
            (Connection.status != "disconnected") | (Connection.id == connection_id),
        )
    )
    return {(row[0], row[1]) for row in rows}


def _open_streams(
    session: Session, workspace_id: UUID, connection_id: UUID, provider: AnyProvider, granted: str, now: datetime
) -> None:
    scopes = set(granted.replace(",", " ").split())  # RFC 6749 has blanks between them, and some have commas
    for name, needs in [*((stream.name, stream.scopes) for stream in provider.streams), (RECHECK, ())]:
        missing = [scope for scope in needs if scopes and scope not in scopes]
        row: dict[str, Any] = {
            "status": "stopped" if missing else "active",
            "next_pull_at": None if missing else now,
            "failures": 0,
            "notes": [],
            "error": f"{provider.name} did not grant {', '.join(missing)}, so this is not read. Connect again and allow it."
            if missing
            else "",
        }
        statement = insert(Stream).values(
            workspace_id=workspace_id, connection_id=connection_id, name=name, reads={}, **row
        )
        session.execute(
            statement.on_conflict_do_update(index_elements=["workspace_id", "connection_id", "name"], set_=row)
        )


def needs_reauth(session: Session, row: Connection, reason: str, *, refused: int | None = None) -> None:
    """The provider no longer accepts the grant: nothing more is read or written until a person reconnects. `refused` is the
    version of the credentials of which that is said: where others have taken their place meanwhile (a reconnect, another
    worker's renewal), it says nothing about those."""
    row = session.get_one(
        Connection, (row.workspace_id, row.id), with_for_update=True, populate_existing=True
    )  # locked as `save` locks: the connection first
    if row.status != "active":
        return
    if refused is not None and not sealed.stands(session, row.workspace_id, row.id, refused):
        return
    row.status, row.status_reason, row.status_at, row.next_push_at = "needs_reauth", reason, real_now(), None
    session.execute(
        update(Stream)
        .where(Stream.workspace_id == row.workspace_id, Stream.connection_id == row.id)
        .values(next_pull_at=None)
    )
    acting.audit(session, row.workspace_id, "system", "connection.needs_reauth", "connection", row.id)


def renamed(session: Session, row: Connection, account: Author, *, at: datetime) -> None:
    """The provider shows this connection's account so, as it was `at`: its handle, name and address are kept up to date. Nothing changes
    where that is another account, or older than what we know."""
    nameless = account.handle in ("", account.id)  # the id stands where nobody says by which handle they go
    if account.id != row.account_id or nameless:
        return
    shown = {"handle": account.handle, "name": account.name, "url": account.url}
    known = session.get_one(Connection, (row.workspace_id, row.id), with_for_update=True, populate_existing=True)
    if (known.handle_at is not None and at <= known.handle_at) or all(getattr(known, n) == v for n, v in shown.items()):
        return
    is_other = known.handle != account.handle
    known.handle, known.name, known.url, known.handle_at = account.handle, account.name, account.url, at
    if is_other:
        acting.audit(session, row.workspace_id, "system", "connection.renamed", "connection", row.id)


def prepared(session: Session, workspace_id: UUID, connection_id: UUID, options: Mapping[str, Any]) -> None:
    """What the CRM's `prepare` has found out once more; what people chose since stays."""
    row = session.get_one(Connection, (workspace_id, connection_id), with_for_update=True, populate_existing=True)
    row.options = {**row.options, **options}


def checked(session: Session, workspace_id: UUID, connection_id: UUID, steps: Sequence[str] | None) -> None:
    """What the provider's `check` found to be done by a person; None: it could not be asked."""
    known = {} if steps is None else {"missing_steps": list(steps)}
    session.execute(
        update(Connection)
        .where(Connection.workspace_id == workspace_id, Connection.id == connection_id)
        .values(checked_at=real_now(), **known)
    )


def is_held_elsewhere(session: Session, row: Connection, *, on_any_host: bool = False) -> bool:
    """Whether another connection, in whatever workspace, stands for the same account: that of this id on the same host, or
    `on_any_host`. `session` is over the global tables. Who leaves lets go first (`forget`, `release`) and asks then, in another
    transaction: of two who leave at once, one at least finds nobody."""
    return bool(session.scalar(select(_others(row, on_any_host=on_any_host).exists())))


def holders(session: Session, row: Connection, *, on_any_host: bool = False) -> int:
    """How many connections, this one among them, stand for its account: see `is_held_elsewhere`."""
    others = _others(row, on_any_host=on_any_host).subquery()
    return 1 + (session.scalar(select(func.count()).select_from(others)) or 0)


def _others(row: Connection, *, on_any_host: bool) -> Select[UUID]:
    others = select(ConnectedAccount.connection_id).where(
        ConnectedAccount.provider == row.provider,
        ConnectedAccount.account_id == row.account_id,
        ConnectedAccount.connection_id != row.id,
    )
    return others if on_any_host else others.where(ConnectedAccount.host == row.host.lower())


def release(session: Session, connection_id: UUID) -> None:
    """This connection needs nothing any more of what was set up for its account. Connecting it again takes that back."""
    session.execute(delete(ConnectedAccount).where(ConnectedAccount.connection_id == connection_id))


# --- ending one -----------------------------------------------------------------------------------------------

UNTOLD_FOR = timedelta(minutes=10)  # longer than any provider takes: then whoever was to tell it is gone


@dataclass(frozen=True)
class Ended:
    """A connection that is ended here, and the credentials with which its provider is still to be told; `version` None: there are none."""

    row: Connection
    credentials: Mapping[str, Any] = field(repr=False)
    version: int | None


def forget(session: Session, vault: Vault, workspace_id: UUID, connection_id: UUID, *, by: str) -> Ended | None:
    """Ends a connection here: nothing is read or written with it any more. Its credentials rest until `told`, so that whoever dies before
    the provider has heard of it is followed by an errand. None when there is no such connection."""
    row = session.scalars(
        select(Connection).where(Connection.workspace_id == workspace_id, Connection.id == connection_id)
    ).one_or_none()
    if row is None:
        return None
    row.status, row.status_reason, row.status_at, row.next_push_at = "disconnected", "", real_now(), None
    if row.kind == "crm":
        due.decide_everything(session, workspace_id)  # whom it knew may be known to another
    session.execute(
        update(Stream)
        .where(Stream.workspace_id == workspace_id, Stream.connection_id == connection_id)
        .values(status="stopped", next_pull_at=None)
    )
    release(session, connection_id)
    acting.audit(session, workspace_id, by, "connection.disconnected", "connection", row.id)
    credential = session.get(Credential, (workspace_id, connection_id), populate_existing=True)
    if credential is None:
        return Ended(row, {}, None)
    errands.run_at(session, workspace_id, errands.FAREWELL, real_now() + UNTOLD_FOR)
    return _ended(vault, row, credential)


def untold(session: Session, vault: Vault, workspace_id: UUID) -> list[Ended]:
    """Connections that are ended here, and of which nobody has noted that the provider was told."""
    found = session.execute(
        select(Connection, Credential)
        .join(
            Credential,
            (Credential.workspace_id == Connection.workspace_id) & (Credential.connection_id == Connection.id),
        )
        .where(Connection.workspace_id == workspace_id, Connection.status == "disconnected")
        .order_by(Connection.id)
    )
    return [_ended(vault, row, credential) for row, credential in found]


def told(session: Session, ended: Ended) -> Connection | None:
    """The provider was told, or nobody tries any more: the credentials go. Returns the connection's row, locked; None where it was
    connected again, or its credentials renewed, meanwhile: with these somebody has still to tell."""
    place = (ended.row.workspace_id, ended.row.id)
    row = session.get(Connection, place, with_for_update=True, populate_existing=True)
    if row is None or row.status != "disconnected":
        return None
    if ended.version is None:
        return row
    gone = delete(Credential).where(
        Credential.workspace_id == row.workspace_id,
        Credential.connection_id == row.id,
        Credential.version == ended.version,
    )
    return row if session.scalar(gone.returning(Credential.version)) is not None else None


def _ended(vault: Vault, row: Connection, credential: Credential) -> Ended:
    try:
        held = vault.open(credential.sealed, "credentials", "sealed", row.workspace_id, row.id)
    except SealBrokenError:
        held = {}
    return Ended(row, held, credential.version)
