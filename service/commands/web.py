"""`warmline web`: gunicorn, in this process, as `service.serving` says."""

from __future__ import annotations

import os

import click

from service import config as configuration


@click.command()
def command() -> None:
    """Serve the console and the API."""
    config = configuration.load()
    # Gunicorn reads this as it is loaded, and breaks off where it is no number: so not before it is known to be one.
    os.environ["WEB_CONCURRENCY"] = str(config.web_processes)
    from service.serving import Server

    Server(config).run()
