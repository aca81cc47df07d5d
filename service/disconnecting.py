"""Disconnecting an account: at once, or, for a CRM, without leaving a trace there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from integrations import consents
from integrations.errors import IntegrationError
from service import health, registrations
from service.accounts import Caller
from service.errors import PlainError
from service.models import Connection, Workspace
from service.registrations import ConnectError
from service.runtime import Runtime
from service.store import connecting, freezing, leaving

STAYS = "What was read stays in Warmline. Our credentials are deleted here."


def operator(workspace_id: UUID, actor: str = "system") -> Caller:
    """Somebody who acts in this workspace and is not there: whoever runs Warmline, or has asked for it before."""
    return Caller(workspace_id, actor, frozenset())


def disconnect(runtime: Runtime, caller: Caller, connection_id: UUID) -> bool:
    """Stops a connection, forgets its credentials here and revokes them at the provider. What was read stays; its open
    tasks stay too. Returns False when there is no such connection."""
    with runtime.db.tenant(caller.workspace_id) as session:
        found = connecting.forget(session, runtime.vault, caller.workspace_id, connection_id, by=caller.actor)
        if found is not None and found[0].receipt.get("state") == leaving.UNDER_WAY:
            leaving.give_up(session, found[0])  # what could not be withdrawn yet stays after all
    if found is None:
        return False
    _give_back(runtime, *found)
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
        name = health.provider_name(row.provider)
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


def end(runtime: Runtime, row: Connection, lines: Sequence[str], *, by: str = "system") -> None:
    """The last step: the credentials go, here and there, and the receipt is written."""

    def forget(session: Session) -> tuple[Connection, dict[str, Any]] | None:
        found = connecting.forget(session, runtime.vault, row.workspace_id, row.id, by=by)
        if found is not None:
            leaving.end(session, found[0], [*lines, STAYS], by=by)
        return found

    found = runtime.db.retried(row.workspace_id, forget)
    if found is None:
        return
    told = _GOODBYE[_give_back(runtime, *found)].format(name=health.provider_name(row.provider))
    with runtime.db.tenant(row.workspace_id) as session:
        leaving.note(session, row.workspace_id, row.id, told)


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


_GOODBYE = {
    True: "{name} was told that we left.",
    False: "{name} was not told that we left. Remove Warmline there, or the key that you made for it.",
}


def _give_back(runtime: Runtime, row: Connection, credentials: Mapping[str, Any]) -> bool:
    """Whether the provider took notice. Where it does not, here it is gone all the same."""
    if not credentials:
        return False
    try:
        way, setting = registrations.setting_of(runtime, row)
        if way.reuses_token and _held_elsewhere(runtime, row):
            return False
        return consents.revoke(way, setting, credentials)
    except (ConnectError, IntegrationError):
        return False  # a version without the provider, or nothing left to revoke with


def _held_elsewhere(runtime: Runtime, row: Connection) -> bool:
    """Whether another workspace has connected the same account. Each is asked in its own transaction, as nobody sees into all of them;
    there are few, and an account is rarely disconnected."""
    with runtime.db.globally() as session:
        others = session.scalars(select(Workspace.id).where(Workspace.id != row.workspace_id)).all()
    return any(_holds(runtime, each, row) for each in others)


def _holds(runtime: Runtime, workspace_id: UUID, row: Connection) -> bool:
    with runtime.db.tenant(workspace_id) as session:
        same = select(Connection.id).where(
            Connection.workspace_id == workspace_id,
            Connection.provider == row.provider,
            Connection.host == row.host,
            Connection.account_id == row.account_id,
            Connection.status != "disconnected",
        )
        return session.scalar(same) is not None
