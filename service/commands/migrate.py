"""`warmline migrate`: brings the schema up to date."""

from __future__ import annotations

import click

from service import config as configuration
from service.db import migrate


@click.command()
def command() -> None:
    """Bring the database schema up to date (run before a new version starts)."""
    config = configuration.load()
    migrate(config.need("database_admin_url"), config.database_url, config.database_scheduler_url)
    click.echo("The schema is up to date.")
