"""`warmline leave`: a workspace and all that belongs to it is deleted."""

from __future__ import annotations

import json
import time
from uuid import UUID

import click

from service import config as configuration
from service import departing
from service.departing import Receipt
from service.errors import PlainError
from service.freezes import OPERATOR
from service.runtime import Runtime
from service.store import departures

LOOK = 1.0  # seconds between two looks at how far it has come


@click.command()
@click.argument("workspace", type=click.UUID)
@click.option(
    "--purge", is_flag=True, help="Withdraw our open tasks from its CRMs first, and remove what connecting made there."
)
@click.option("--now", is_flag=True, help="Begin at once: nothing undoes that.")
@click.option("--keep", is_flag=True, help="Undo it, while that is possible.")
@click.option("--receipt", is_flag=True, help="Say how far it has come, and change nothing.")
@click.option("--wait", default=300, show_default=True, help="With --now, seconds to wait for the receipt.")
@click.option("--json", "as_json", is_flag=True, help="The receipt as JSON on standard output.")
def command(workspace: UUID, purge: bool, now: bool, keep: bool, receipt: bool, wait: int, as_json: bool) -> None:
    """Have WORKSPACE (its id) deleted, with everything that is kept in it.

    Some days pass first (WARMLINE_LEAVE_DAYS), in which nothing is read or written and an owner can keep it. Then workers give back the
    consents, delete all rows, and write a receipt that says what went and what stays. Keep the receipt: it is forgotten after 90 days.
    """
    runtime = Runtime(configuration.load())
    if keep:
        if not departing.keep(runtime, workspace, by=OPERATOR):
            raise PlainError(departing.why_not_kept(runtime, workspace))
        click.echo("Kept. Everything goes on where it stopped.")
    elif receipt:
        _say(_standing(runtime, workspace), as_json)
    else:
        token, at = departing.ask(runtime, workspace, by=OPERATOR, purge=purge, days=0 if now else None)
        if now:
            _say(_awaited(runtime, workspace, wait), as_json)
            return
        click.echo(f"It is deleted on {at:%d %B %Y}. Until then --keep undoes it.")
        click.echo(f"The receipt will stand at {runtime.config.base_url}/left/{token}")


def _standing(runtime: Runtime, workspace: UUID) -> Receipt:
    with runtime.db.globally() as session:
        row = departures.of(session, workspace)
        if row is None:
            raise PlainError("Nobody has asked for a workspace of this id to be deleted.")
        return departing.as_receipt(row)


def _awaited(runtime: Runtime, workspace: UUID, wait: int) -> Receipt:
    ends = time.monotonic() + wait
    while (found := _standing(runtime, workspace)).done_at is None:
        if time.monotonic() >= ends:
            raise PlainError(
                "It is not done yet. Is a worker running? See `warmline doctor`. Nothing is lost: it goes on by itself, and"
                f" `warmline leave {workspace} --receipt` says how far it has come."
            )
        time.sleep(LOOK)
    return found


def _say(found: Receipt, as_json: bool) -> None:
    if as_json:
        done = found.done_at.isoformat() if found.done_at else None
        click.echo(json.dumps({"workspace_id": str(found.workspace_id), "delete_at": found.delete_at.isoformat(), "begun": found.begun, "done_at": done, "rows": found.rows, "lines": list(found.lines)}))  # fmt: skip
        return
    if found.done_at is not None:
        click.echo(f"Deleted on {found.done_at:%d %B %Y}: {found.rows} rows.")
    else:
        click.echo(
            f"Being deleted: {found.rows} rows so far."
            if found.begun
            else f"To be deleted on {found.delete_at:%d %B %Y}."
        )
    for line in found.lines:
        click.echo(f"- {line}")
