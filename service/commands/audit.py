"""`warmline audit`: whether the trails are whole, and where they stand."""

from __future__ import annotations

import json
import sys
from typing import IO
from uuid import UUID

import click

from service import config as configuration
from service import trail as sentences
from service.errors import PlainError
from service.runtime import Runtime
from service.store import trail

_ONE = click.option("--workspace", type=click.UUID, help="This workspace alone, by its id.")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group()
def command() -> None:
    """The audit trail of each workspace: who did what."""


@command.command()
@_ONE
@_JSON
@click.option("--kept", type=click.File(), help="A file that `warmline audit head --json` wrote before.")
def verify(workspace: UUID | None, as_json: bool, kept: IO[str] | None) -> None:
    """Compute every row's seal again, and name the first that is broken. Ends with 1 if any is.

    A trail that was made anew from some row on agrees with itself. Against a file that was kept elsewhere it does not.
    """
    runtime, known = Runtime(configuration.load()), _kept(kept)
    found = []
    for workspace_id in _chosen(runtime, workspace):
        with runtime.db.tenant(workspace_id) as session:
            found.append(trail.verify(session, workspace_id, kept=known.pop(workspace_id, None)))
    # A whole workspace may have been deleted by its owner. That it is gone is said; whether it should be is for people to know.
    gone = sorted(known) if workspace is None else []
    if as_json:
        click.echo(json.dumps({"trails": [each.as_json() for each in found], "gone": [str(each) for each in gone]}))
    else:
        for each in found:
            click.echo(_line(each))
        for lost in gone:
            click.echo(f"{lost}: a seal was kept, and the workspace is gone.")
    if not all(each.whole for each in found):
        sys.exit(1)


@command.command()
@_ONE
@_JSON
def head(workspace: UUID | None, as_json: bool) -> None:
    """Print the newest number and seal of each trail. Keep them where whoever can change the database cannot."""
    runtime, found = Runtime(configuration.load()), []
    for each in _chosen(runtime, workspace):
        with runtime.db.tenant(each) as session:
            found.append(trail.head(session, each))
    if as_json:
        click.echo(json.dumps([each.as_json() for each in found]))
        return
    for standing in found:
        click.echo(f"{standing.workspace_id} {standing.number} {standing.hash}")


def _chosen(runtime: Runtime, workspace: UUID | None) -> list[UUID]:
    there = sentences.workspaces(runtime.db)
    if workspace is not None and workspace not in there:
        raise PlainError("There is no such workspace.")
    return there if workspace is None else [workspace]


def _kept(file: IO[str] | None) -> dict[UUID, dict[int, str]]:
    """Seals that were written down before: by workspace and number. Raises PlainError for a file that holds something else."""
    if file is None:
        return {}
    try:
        rows = json.load(file)
        return {UUID(row["workspace_id"]): {int(row["number"]): str(row["hash"])} for row in rows if row["number"]}
    except (ValueError, TypeError, KeyError):
        raise PlainError("The file is not one that `warmline audit head --json` wrote.") from None


def _line(verdict: trail.Verdict) -> str:
    if verdict.whole:
        return f"{verdict.workspace_id}: whole, {verdict.rows} rows."
    return f"{verdict.workspace_id}: broken. {verdict.why}"
