"""`warmline web`, `worker` and `scheduler` replace themselves with the process that the Procfile names."""

from __future__ import annotations

import os
import sys

import click

from service import config as configuration
from service.app import check
from service.runtime import Runtime


@click.command()
def command() -> None:
    """Serve the console and the API."""
    config = configuration.load()
    held = Runtime(config)
    check(held)  # before gunicorn, which would wrap the sentence into its traceback
    held.db.engine.dispose()
    gunicorn = [
        "gunicorn",
        "--config",
        "python:service.serving",
        "--bind",
        f"{config.host}:{config.port}",
        "service.app:create_app()",
    ]
    os.execv(sys.executable, [sys.executable, "-m", *gunicorn])
