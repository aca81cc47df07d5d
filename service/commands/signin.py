"""`warmline signin`: a one-time link."""

from __future__ import annotations

import click

from service import accounts
from service import config as configuration
from service.runtime import Runtime


@click.command()
@click.argument("email")
def command(email: str) -> None:
    """Print a link that signs EMAIL in once, within half an hour."""
    config = configuration.load()
    click.echo(accounts.signin_link(Runtime(config).db, email, config.base_url))
