"""`warmline backup`: everything that the database holds, as it stands at one instant."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import click

from service import backups
from service import config as configuration
from service.launcher import database
from service.sentences import count_of

DAYS = 35  # that backups are kept


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(0, 3650),
    help="Days after which backups in the folder are removed: WARMLINE_BACKUP_DAYS, or 35.",
)
@click.option(
    "--people-only", is_flag=True, help="Only the list of people to leave out, for `warmline restore --people`."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(folder: Path, keep: int | None, people_only: bool, as_json: bool) -> None:
    """Save the database into a new subfolder of FOLDER, while everything runs.

    The keys are not in it: without WARMLINE_SECRET_KEYS (or the data folder's `secret_keys`) no credential in a backup opens, so keep
    them somewhere else.
    """
    with database(configuration.load(), existing=True) as config:
        made = backups.make(
            folder, config.need("database_backup_url"), config.need("database_url"), people_only=people_only
        )
    days = next(said for said in (keep, config.backup_days, DAYS) if said is not None)  # 0 is a number of days
    gone = backups.prune(folder, timedelta(days=days))
    saved = backups.read(made)
    if as_json:
        click.echo(
            json.dumps({"folder": str(made), "removed": [str(each) for each in gone], **json.loads(saved.written())})
        )
        return
    what = "the list of people to leave out" if people_only else count_of(sum(saved.rows.values()), "row")
    click.echo(f"Saved {what} in {made}. The keys are not in it: keep them somewhere else.")
    if gone:
        click.echo(f"Removed {len(gone)} older than {days} days.")
