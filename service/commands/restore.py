"""`warmline restore`: a backup in the place of what the database holds."""

from __future__ import annotations

from pathlib import Path

import click

from service import config as configuration
from service import restoring
from service.launcher import database


@click.command()
@click.argument("backup", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Put it in the place of what the database holds now.")
@click.option(
    "--people",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A newer backup, whose list of people to leave out is carried over.",
)
def command(backup: Path, force: bool, people: Path | None) -> None:
    """Restore BACKUP, a subfolder that `warmline backup` made. Stop web, workers and schedulers first.

    It is checked before, while and after it comes back, and what was there goes only when all is well.
    """
    with database(configuration.load()) as config:
        lines = restoring.restore(
            config, backup, force=force, people=people, tell=lambda step: click.echo(step, err=True)
        )
    click.echo("\n".join(lines))
