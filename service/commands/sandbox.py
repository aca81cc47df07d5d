"""`warmline sandbox`: a social network and a CRM on loopback. The launcher starts processes by command."""

from __future__ import annotations

import os
import sys

import click

from service import config as configuration


@click.command()
@click.option("--port", envvar="WARMLINE_SANDBOX_PORT", default=8790, show_default=True)
def command(port: int) -> None:
    """Serve the sandbox: a network and a CRM to try things on."""
    home = configuration.load().home / "sandbox"
    os.execv(
        sys.executable,
        [sys.executable, "-m", "sandbox", "--host", "127.0.0.1", "--port", str(port), "--data", str(home)],
    )
