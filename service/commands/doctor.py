"""`warmline doctor`: the set-up, step by step, and what is missing."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from service import doctor


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(as_json: bool) -> None:
    """Check the set-up step by step and say what is missing. Exit code 0 only when nothing is."""
    steps = doctor.examine()
    well = all(step.state == "ok" for step in steps)
    if as_json:
        click.echo(json.dumps({"ok": well, "steps": [asdict(step) for step in steps]}))
    else:
        wide = max(len(step.name) for step in steps)
        for step in steps:
            click.echo(f"{step.state:<10}{step.name:<{wide + 2}}{step.says}")
    sys.exit(0 if well else 1)
