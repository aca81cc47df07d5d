"""`warmline keys`: the keys that seal credentials."""

from __future__ import annotations

import base64
import secrets

import click


@click.group()
def command() -> None:
    """Keys that seal credentials at rest."""


@command.command()
def new() -> None:
    """Print a new key, to stand first in WARMLINE_SECRET_KEYS."""
    click.echo(f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}")
