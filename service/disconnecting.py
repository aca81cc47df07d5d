"""Disconnecting an account: at once, or, for a CRM, without leaving a trace there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from integrations import consents
from integrations.errors import IntegrationError
from integrations.provider import IDS_ANYWHERE, Setting
from integrations.records import Author
from integrations.registry import AnyProvider, providers
from service import naming, registrations
from service.accounts import Caller
from service.clock import real_now
from service.errors import PlainError
from service.freezes import OPERATOR
from service.models import Connection
from service.registrations import ConnectError
from service.runtime import Runtime
from service.store import connecting, freezing, keeping, leaving, runs
from service.store.connecting import Ended

PATIENCE = timedelta(days=1)  # with a provider that somebody was to tell, and died
STAYS = "What was read stays in Warmline. Our credentials are deleted here."
STAYS_OF_A_CRM = (
    f"Contacts, and what was logged with them, stay in Warmline for {keeping.CONTACTS_KEPT.days} days, in case you connect it again."
    " Our credentials are deleted here."
)


def operator(workspace_id: UUID, actor: str = OPERATOR) -> Caller:
    """Somebody who acts in this workspace and is not there: whoever runs Warmline, or has asked for it before."""
    return Caller(workspace_id, actor, frozenset())


def disconnect(runtime: Runtime, caller: Caller, connection_id: UUID) -> bool:
    """Stops a connection, forgets its credentials here, takes back what connecting set up for it and revokes the credentials at the
    provider; what the provider keeps all the same is said on the connection. What was read stays, of a CRM for a while
    (`store.dropping`); its open tasks stay too. Returns False when there is no such connection."""
    with runtime.db.tenant(caller.workspace_id) as session:
        runs.beside(session, caller.workspace_id)  # before any row is had: see `leaving.give_up`
        found = connecting.forget(session, runtime.vault, caller.workspace_id, connection_id, by=caller.actor)
        if found is not None:
            if found.row.receipt.get("state") == leaving.UNDER_WAY:
                leaving.give_up(session, found.row)  # what could not be withdrawn yet stays after all
            if found.version is not None:
                found.row.status_reason = _untold(found.row)
    if found is None:
        return False
    _tell(runtime, found)
    return True


def purge(runtime: Runtime, caller: Caller, connection_id: UUID) -> bool:
    """Disconnects without leaving a trace: the open tasks of a CRM are withdrawn, what connecting made there is removed, the consent
    is given back, and the connection keeps a receipt. A CRM takes a worker a while; safe to ask again. Returns False when
    there is no such connection; raises PlainError where the CRM cannot be asked any more."""
    with runtime.db.tenant(caller.workspace_id) as session:
        row = session.scalars(_row(caller.workspace_id, connection_id)).one_or_none()
        frozen = freezing.of(session, row) if row is not None else ""
    if row is None:
        return False
    if row.status == "disconnected":
        raise PlainError("It is disconnected already, so nothing can be withdrawn there. Connect it again first.")
    if row.kind != "crm":
        end(runtime, row, ["Nothing was ever written there."], by=caller.actor)
        return True
    if row.status == "needs_reauth":
        name = naming.provider_name(row.provider)
        raise PlainError(
            f"{name} no longer accepts our consent, so nothing can be withdrawn there. Reconnect it first, or disconnect it as it is."
        )
    if frozen:
        raise PlainError(f"{frozen} So nothing can be withdrawn there. Bring it back first, or disconnect it as it is.")
    runtime.db.retried(
        caller.workspace_id,
        lambda session: leaving.begin(
            session, session.scalars(_row(caller.workspace_id, connection_id).with_for_update()).one(), by=caller.actor
        ),
    )
    return True


def end(
    runtime: Runtime,
    row: Connection,
    lines: Sequence[str],
    *,
    by: str = "system",
    still: Callable[[Session], bool] = lambda session: True,
) -> None:
    """The last step: the provider is told, the credentials go, and the receipt is written; nothing of it where `still`, which is asked in
    the same transaction, says that it is not to end any more."""

    def forget(session: Session) -> Ended | None:
        if not still(session):
            return None
        found = connecting.forget(session, runtime.vault, row.workspace_id, row.id, by=by)
        if found is not None:
            leaving.end(session, found.row, [*lines, _untold(row)], by=by)
        return found

    found = runtime.db.retried(row.workspace_id, forget)
    if found is not None:
        _tell(runtime, found)


def tell_all(runtime: Runtime, workspace_id: UUID) -> bool:
    """Tells the providers of which somebody died who was to tell them. Whether none is left. Raises what the last of those raised that
    cannot be told, once all were tried."""
    failed: Exception | None = None
    with runtime.db.tenant(workspace_id) as session:
        found = connecting.untold(session, runtime.vault, workspace_id)
    for each in found:
        try:
            _tell(runtime, each)
        except Exception as error:
            failed = error
    if failed is not None:
        raise failed
    with runtime.db.tenant(workspace_id) as session:
        return not connecting.untold(session, runtime.vault, workspace_id)


def _tell(runtime: Runtime, ended: Ended) -> None:
    """Tells the provider that we left, deletes the credentials and writes down what came of it. May be broken off at any line, and done
    twice. After `PATIENCE` the provider is not told any more: whoever tries it dies."""
    now = real_now()
    late = now - (ended.row.status_at or now) > PATIENCE
    goodbye = _Goodbye() if late else _give_back(runtime, ended.row, ended.credentials)
    told = _GOODBYE[goodbye.told].format(name=naming.provider_name(ended.row.provider))

    def note(session: Session) -> None:
        row = connecting.told(session, ended)
        if row is not None:
            written = leaving.replace_line(row, _untold(row), [_stays(row), *goodbye.left, told])
            row.status_reason = "" if written else " ".join([*goodbye.left, *([told] if late else [])])

    runtime.db.retried(ended.row.workspace_id, note)


def _stays(row: Connection) -> str:
    return STAYS_OF_A_CRM if row.kind == "crm" else STAYS


def _untold(row: Connection) -> str:
    return _UNTOLD.format(name=naming.provider_name(row.provider))


def receipt(runtime: Runtime, workspace_id: UUID, connection_id: UUID) -> tuple[str, Mapping[str, Any], str]:
    """(status, receipt, what is in the way just now) of a connection that is being left, or was. Raises PlainError when there
    is no such connection."""
    with runtime.db.tenant(workspace_id) as session:
        row = session.scalars(_row(workspace_id, connection_id)).one_or_none()
    if row is None:
        raise PlainError("There is no such connection in this workspace.")
    return row.status, row.receipt, row.push_error


def _row(workspace_id: UUID, connection_id: UUID) -> Select[Connection]:
    return select(Connection).where(Connection.workspace_id == workspace_id, Connection.id == connection_id)


_UNTOLD = "{name} is still to be told that we left. Until then our credentials rest here, sealed, and nothing is read with them."
_GOODBYE = {
    True: "{name} was told that we left.",
    False: "{name} was not told that we left. Remove Warmline there, or the key that you made for it.",
}


@dataclass(frozen=True)
class _Goodbye:
    """Whether the provider took notice that we left, and a sentence for each thing of ours that stays there."""

    told: bool = False
    left: Sequence[str] = ()


def _give_back(runtime: Runtime, row: Connection, credentials: Mapping[str, Any]) -> _Goodbye:
    """Where the provider does not let us, here it is gone all the same. What other workspaces use of the same account stays."""
    try:
        way, setting = registrations.setting_of(runtime, row)
        shared = (way.reuses_token or way.provider.take_back is not None) and held_elsewhere(runtime, row)
        left = () if shared else _take_back(way.provider, row, setting, credentials)
        if not credentials or (shared and way.reuses_token):
            return _Goodbye(left=left)
    except ConnectError:
        return _Goodbye()  # a version without the provider, or without our registration
    try:
        return _Goodbye(consents.revoke(way, setting, credentials), left)
    except IntegrationError:
        return _Goodbye(left=left)  # nothing left to revoke with


def _take_back(
    provider: AnyProvider, row: Connection, setting: Setting, credentials: Mapping[str, Any]
) -> Sequence[str]:
    if provider.take_back is None:
        return ()
    account = Author(row.account_id, row.handle, row.name, url=row.url)
    try:
        return provider.take_back(registrations.access(setting, credentials, account=account, options=row.options))
    except IntegrationError as error:
        return (f"{provider.name} could not be asked to stop what was set up there for this account: {error}.",)


def held_elsewhere(runtime: Runtime, row: Connection) -> bool:
    """Whether anybody else here holds the account of a connection that has let go of it (`connecting.is_held_elsewhere`)."""
    provider = providers().get(row.provider)
    on_any_host = provider is not None and IDS_ANYWHERE in provider.capabilities
    with runtime.db.globally() as session:
        return connecting.is_held_elsewhere(session, row, on_any_host=on_any_host)


def held_by_other_names(runtime: Runtime, row: Connection) -> bool:
    """Whether those who hold the account as well (`held_elsewhere`) all do so by other names of its server."""
    with runtime.db.globally() as session:
        return not connecting.is_held_elsewhere(session, row)
