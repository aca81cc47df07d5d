"""`warmline workspace`: a new workspace and its owner."""

from __future__ import annotations

import click

from service import accounts
from service import config as configuration
from service.errors import PlainError
from service.runtime import Runtime

LONGEST = 100  # characters


@click.command()
@click.argument("name")
@click.argument("email")
def command(name: str, email: str) -> None:
    """Make the workspace NAME with EMAIL as its owner, and print a link to sign in. Repeating it changes nothing."""
    name = name.strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        raise PlainError(f"Give the workspace a name of one line, of at most {LONGEST} characters.")
    config = configuration.load()
    db = Runtime(config).db
    accounts.ensure_workspace(db, name, email)
    click.echo(accounts.signin_link(db, email, config.base_url))
