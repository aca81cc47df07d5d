"""`warmline keys`: the keys that seal credentials, what rests under each, and sealing it anew."""

from __future__ import annotations

import base64
import json
import secrets

import click

from service import config as configuration
from service import rekeying, trail
from service.errors import PlainError
from service.freezes import OPERATOR
from service.rekeying import Resting
from service.runtime import Runtime
from service.sentences import count_of


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Say what rests sealed under which key, and which key may go."""
    if ctx.invoked_subcommand is None:
        found = rekeying.resting(Runtime(configuration.load()))
        click.echo(json.dumps(_values(found)) if as_json else "\n".join([*_counts(found), "", *_advice(found)]))


@command.command()
def new() -> None:
    """Print a new key, to stand first in WARMLINE_SECRET_KEYS."""
    click.echo(f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, when it is done.")
def rotate(as_json: bool) -> None:
    """Seal anew, with the first key, what rests under others. Everything may go on meanwhile; broken off, run it again."""
    runtime = Runtime(configuration.load())
    found = rekeying.rotate(runtime, _told)
    after = rekeying.resting(runtime)
    if found.anew.total():
        trail.everywhere(runtime.db, OPERATOR, "keys.rotated", "keys", after.seals)
    if as_json:
        click.echo(json.dumps({**_values(after), "sealed_anew": dict(found.anew), "broken": dict(found.broken)}))
    else:
        click.echo("\n".join([_done(found.anew.total()), *_advice(after)]))
    if found.broken.total():
        raise PlainError(
            f"{count_of(found.broken.total(), 'row')} could not be opened and stay as they are: {_by_table(found.broken)}."
        )


def _told(done: int, of: int) -> None:
    if done and (done % 100 == 0 or done == of):
        click.echo(f"{done} of {of} workspaces", err=True)


def _values(found: Resting) -> dict[str, object]:
    rows = {table: dict(counts) for table, counts in found.rows.items()}
    return {"seals": found.seals, "held": found.held, "rows": rows, "may_go": found.may_go, "lost": found.lost}


def _counts(found: Resting) -> list[str]:
    keys = [*found.held, *sorted(found.lost)]
    lines = [("", *keys), *((table, *(str(counts[key]) for key in keys)) for table, counts in found.rows.items())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(keys) + 1)]
    return ["  ".join((line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:]))).rstrip() for line in lines]


def _advice(found: Resting) -> list[str]:
    said = [f"The key {found.seals} seals."]
    for key in found.held[1:]:
        links, rows = found.rows[rekeying.LINKS][key], found.under(key) - found.rows[rekeying.LINKS][key]
        if rows:
            said.append(f"{key} must stay: {count_of(rows, 'row')} under it. `warmline keys rotate` seals them anew.")
        elif links:
            said.append(
                f"{key} should stay: {links} open tasks have a link that it signed. Without it those links open nothing."
            )
        else:
            said.append(f"{key} may go: nothing rests under it. Take it out of WARMLINE_SECRET_KEYS and restart.")
    for key, number in found.lost.items():
        said.append(
            f"{count_of(number, 'row')} under {key}, which is not in WARMLINE_SECRET_KEYS, so they do not open. Put that key back behind the"
            " others, or connect those accounts again."
        )
    return said


def _done(number: int) -> str:
    return f"{count_of(number, 'row')} sealed anew." if number else "Nothing was left to seal anew."


def _by_table(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} of {table}" for table, number in counts.items() if number)
