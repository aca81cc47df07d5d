"""`warmline factor`: for somebody who has lost what they sign in with."""

from __future__ import annotations

import click

from service import config as configuration
from service import factors
from service.runtime import Runtime


@click.group()
def command() -> None:
    """Look after second factors of people who have lost theirs."""


@command.command()
@click.argument("email")
def off(email: str) -> None:
    """Turn off EMAIL's second factor, in all of their workspaces. Be sure first that it is really them who asks."""
    db = Runtime(configuration.load()).db
    try:
        found = factors.forget(db, email)
    finally:
        db.engine.dispose()
    if found:
        click.echo(
            f"The second factor of {email} is off. Their password, or a link, signs them in until they set up another."
        )
    else:
        click.echo(f"{email} has no second factor.")
