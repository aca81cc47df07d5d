"""`warmline sandbox`: a social network and a CRM on loopback. The launcher starts processes by command."""

from __future__ import annotations

import os
import sys

import click

from service import config as configuration


@click.command()
@click.option("--port", type=int, help="Where it listens, if not at WARMLINE_SANDBOX_PORT or 8790.")
def command(port: int | None) -> None:
    """Serve the sandbox: a network and a CRM to try things on."""
    config = configuration.load()
    port = config.sandbox_port if port is None else port
    home = config.home / "sandbox"
    os.execve(
        sys.executable,
        [sys.executable, "-m", "sandbox", "--host", "127.0.0.1", "--port", str(port), "--data", str(home)],
        {**os.environ, "WEB_CONCURRENCY": "1"},  # gunicorn reads it as it is loaded, and an empty one breaks it
    )
