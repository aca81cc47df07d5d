"""`warmline worker`: the launcher starts processes by command; the workers' package is never imported here."""

from __future__ import annotations

import os
import sys

import click


@click.command()
def command() -> None:
    """Pull, decide and push, as jobs come."""
    os.execv(sys.executable, [sys.executable, "-m", "workers", "worker"])
