"""`warmline openapi`: the description of the REST API."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import Flask

from service import api
from service.api import document
from service.errors import PlainError

FILE = Path(__file__).parents[2] / "openapi.yaml"


@click.command()
@click.option("--check", is_flag=True, help="Print nothing; fail when openapi.yaml is out of date.")
def command(check: bool) -> None:
    """Print the OpenAPI 3.1 document of the REST API, generated from its routes."""
    app = Flask("service")  # routes alone: neither a database nor a key is needed to describe them
    api.register(app)
    generated = document.text(app)
    if not check:
        sys.stdout.write(generated)
    elif not FILE.is_file() or FILE.read_text() != generated:
        raise PlainError("openapi.yaml is out of date. Write it again: warmline openapi > openapi.yaml")
