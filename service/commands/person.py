"""`warmline person`: what is held about one person; erasing them, or leaving them alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import config as configuration
from service import exporting
from service.api.answers import answer
from service.api.persons import CONFIRM, dump
from service.errors import PlainError
from service.freezes import OPERATOR
from service.models import PersonRequest, Workspace
from service.runtime import Runtime
from service.store import erasing, objecting, persons
from service.store.persons import Person

LOOK = 1.0  # seconds between two looks at how far it has come


@click.group()
def command() -> None:
    """Find, export, erase or leave alone one person. PERSON is the id of any of their profiles or contacts: `find` shows them."""


@command.command()
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="JSON alone on stdout.")
def find(query: str, as_json: bool) -> None:
    """Find people by handle (@ana), e-mail address, network's id or name, spelt in full, in every workspace."""
    runtime = Runtime(configuration.load())
    found = []
    for workspace_id in _workspaces(runtime):
        with runtime.db.tenant(workspace_id) as session:
            found += [(workspace_id, each) for each in persons.find(session, workspace_id, query)]
    if as_json:
        click.echo(json.dumps([{"workspace_id": str(workspace_id), **_plain(each)} for workspace_id, each in found]))
        return
    for workspace_id, each in found:
        click.echo(f"{(each.contact_ids + each.author_ids)[0]}  {each.name}  ({len(each.authors)} on networks, {len(each.contacts)} in CRMs; workspace {workspace_id})")  # fmt: skip
        for maybe in (*each.perhaps, *each.perhaps_authors):
            click.echo(f"  {maybe}  may be the same person; nobody has confirmed it")
    if not found:
        click.echo("Nobody of that spelling is held here.", err=True)


@command.command()
@click.argument("person", type=click.UUID)
def export(person: UUID) -> None:
    """Print everything that is held about PERSON as JSON."""
    runtime = Runtime(configuration.load())
    made = exporting.export(runtime, _workspace_of(runtime, person), person, by=OPERATOR)
    if made is None:
        raise _nobody()
    head, parts = made
    for piece in exporting.as_json(_plain(head), parts):
        click.echo(piece, nl=False)
    click.echo()


@command.command()
@click.argument("person", type=click.UUID)
@click.option("--yes", "sure", is_flag=True, help=f"Do not ask for the word {CONFIRM!r}.")
@click.option("--wait", default=120, show_default=True, help="Seconds to wait for the receipt.")
@click.option("--json", "as_json", is_flag=True, help="JSON alone on stdout.")
def erase(person: UUID, sure: bool, wait: int, as_json: bool) -> None:
    """Erase PERSON for good, and print the receipt. This cannot be undone. It goes on by itself where this stops waiting."""
    runtime = Runtime(configuration.load())
    workspace_id = _workspace_of(runtime, person)
    if not sure and click.prompt(f"This cannot be undone. Type {CONFIRM} to go on", err=True) != CONFIRM:
        raise PlainError("Nothing was erased.")
    row = _ask(runtime, workspace_id, erasing.begin, person)
    _tell(_awaited(runtime, workspace_id, row.id, wait), as_json)


@command.command()
@click.argument("request", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="JSON alone on stdout.")
def receipt(request: UUID, as_json: bool) -> None:
    """Print what came of REQUEST so far: the id that `erase` or the console shows."""
    runtime = Runtime(configuration.load())
    for workspace_id in _workspaces(runtime):
        with runtime.db.tenant(workspace_id) as session:
            row = session.get(PersonRequest, (workspace_id, request))
        if row is not None:
            _tell(row, as_json)
            return
    raise PlainError("There is no such request.")


@command.command("object")
@click.argument("person", type=click.UUID)
@click.option("--lift", is_flag=True, help="They object no more.")
def objects(person: UUID, lift: bool) -> None:
    """Never judge PERSON again: nothing new of theirs is stored, matched or bought, and their open tasks are withdrawn."""
    runtime = Runtime(configuration.load())
    workspace_id = _workspace_of(runtime, person)
    _ask(runtime, workspace_id, objecting.lift if lift else objecting.begin, person)
    click.echo("They are matched and judged like anybody again." if lift else "They are left alone from now on.")


def _ask(
    runtime: Runtime, workspace_id: UUID, begin: Callable[..., PersonRequest | None], person: UUID
) -> PersonRequest:
    def work(session: Session) -> PersonRequest | None:
        return begin(session, workspace_id, person, by=OPERATOR)

    row = runtime.db.retried(workspace_id, work)
    if row is None:
        raise _nobody()
    return row


def _awaited(runtime: Runtime, workspace_id: UUID, request_id: UUID, wait: int) -> PersonRequest:
    ends = time.monotonic() + wait
    while True:
        with runtime.db.tenant(workspace_id) as session:
            row = session.get_one(PersonRequest, (workspace_id, request_id))
        if row.state == erasing.DONE:
            return row
        if time.monotonic() >= ends:
            raise PlainError(
                "It is not done yet. Is a worker running, and can the CRM be reached? See `warmline doctor`. It goes on by itself;"
                f" look with `warmline person receipt {request_id}`."
            )
        time.sleep(LOOK)


def _tell(row: PersonRequest, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"id": str(row.id), "kind": row.kind, "state": row.state, "receipt": row.receipt}))
        return
    click.echo("\n".join([f"Request {row.id}: {row.state.replace('_', ' ')}.", *(f"- {line}" for line in row.receipt)]))


def _plain(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer(dump(person)).get_data())
    return found


def _workspaces(runtime: Runtime) -> list[UUID]:
    with runtime.db.globally() as session:
        return list(session.scalars(select(Workspace.id).order_by(Workspace.id)))


def _workspace_of(runtime: Runtime, person: UUID) -> UUID:
    """One after the other, as row-level security wants it."""
    for workspace_id in _workspaces(runtime):
        with runtime.db.tenant(workspace_id) as session:
            if persons.of(session, workspace_id, person) is not None:
                return workspace_id
    raise _nobody()


def _nobody() -> PlainError:
    return PlainError("There is no such person. `warmline person find` shows who there is.")
