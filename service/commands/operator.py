"""`warmline operator`: who runs Warmline, and so sees how the whole service does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from service import config as configuration
from service import operators
from service.db import Database
from service.runtime import Runtime


@click.group()
def command() -> None:
    """Say who may open the operator's page, which spans all workspaces."""


@command.command()
@click.argument("email")
def add(email: str) -> None:
    """Let EMAIL, who has an account here, see how the whole service does."""
    with _db() as db:
        operators.mark(db, email, True)
    click.echo(f"{email} is an operator now. The page is at {configuration.load().base_url}/operator.")


@command.command()
@click.argument("email")
def remove(email: str) -> None:
    """EMAIL is an operator no more, from their next click on."""
    with _db() as db:
        operators.mark(db, email, False)
    click.echo(f"{email} is an operator no more.")


@command.command("list")
def list_() -> None:
    """Name the operators."""
    with _db() as db:
        found = operators.every(db)
    click.echo(
        "\n".join(found) if found else "Nobody is an operator. `warmline operator add EMAIL` makes somebody one."
    )


@contextmanager
def _db() -> Iterator[Database]:
    db = Runtime(configuration.load()).db
    try:
        yield db
    finally:
        db.engine.dispose()
