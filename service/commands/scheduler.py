"""`warmline scheduler`: the launcher starts processes by command; the workers' package is never imported here."""

from __future__ import annotations

import os
import sys

import click


@click.command()
def command() -> None:
    """Find what is due and put it on the queue. Any number may run."""
    os.execv(sys.executable, [sys.executable, "-m", "workers", "scheduler"])
