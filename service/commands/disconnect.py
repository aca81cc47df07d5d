"""`warmline disconnect`: an account goes, and, where asked, everything of ours in its CRM with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select

from service import config as configuration
from service import disconnecting
from service.accounts import Caller
from service.errors import PlainError
from service.models import Connection, Workspace
from service.runtime import Runtime
from service.store import keeping

LOOK = 1.0  # seconds between two looks at how far it has come


@click.command()
@click.argument("connection", type=click.UUID)
@click.option("--purge", is_flag=True, help="Withdraw our open tasks first, and remove what connecting made there.")
@click.option("--wait", default=120, show_default=True, help="Seconds to wait for a purge to be done.")
def command(connection: UUID, purge: bool, wait: int) -> None:
    """Disconnect the account CONNECTION (its id, as the console's addresses and the API show it). What was read stays, of a CRM for
    30 days.

    With --purge the open tasks in that CRM are withdrawn, what connecting made there is removed, and a receipt says what went, what
    stays and why. It may be repeated until it is done.
    """
    runtime = Runtime(configuration.load())
    caller, kind = _found(runtime, connection)
    if not purge:
        disconnecting.disconnect(runtime, caller, connection)
        kept = f" for {keeping.CONTACTS_KEPT.days} days" if kind == "crm" else ""
        click.echo(f"Disconnected. What was read stays here{kept}; the credentials are gone.")
        return
    status, receipt, _ = disconnecting.receipt(runtime, caller.workspace_id, connection)
    if status != "disconnected" or not receipt:
        disconnecting.purge(runtime, caller, connection)
    click.echo("\n".join(_lines(_awaited(runtime, caller.workspace_id, connection, wait))))


def _awaited(runtime: Runtime, workspace_id: UUID, connection_id: UUID, wait: int) -> Mapping[str, Any]:
    """The receipt, once it is written. Raises PlainError with what is in the way."""
    ends = time.monotonic() + wait
    while True:
        status, receipt, trouble = disconnecting.receipt(runtime, workspace_id, connection_id)
        if status == "disconnected":
            return receipt
        if time.monotonic() >= ends:
            why = f"{trouble} " if trouble else "Is a worker running? See `warmline doctor`. "
            raise PlainError(
                f"It is not done yet. {why}Nothing is lost: it goes on by itself, and this command may be repeated."
            )
        time.sleep(LOOK)


def _lines(receipt: Mapping[str, Any]) -> list[str]:
    return [f"Left on {receipt['ended_at'][:10]}.", *(f"- {line}" for line in receipt["lines"])]


def _found(runtime: Runtime, connection_id: UUID) -> tuple[Caller, str]:
    """Whoever runs Warmline, in the workspace that has this connection, and its kind."""
    with runtime.db.globally() as session:
        workspaces = session.scalars(select(Workspace.id)).all()
    for workspace_id in workspaces:  # one after the other, as row-level security wants it
        with runtime.db.tenant(workspace_id) as session:
            kind = session.scalar(select(Connection.kind).where(Connection.id == connection_id))
        if kind:
            return disconnecting.operator(workspace_id), kind
    raise PlainError("There is no such connection. Its id stands in the API's answers and in the console's addresses.")
