"""`warmline providers`: which networks and CRMs there are, and our registrations with them."""

from __future__ import annotations

import json

import click

from integrations.registry import providers
from service import config as configuration
from service import connect
from service.runtime import Runtime


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the networks and CRMs that Warmline speaks to."""
    if ctx.invoked_subcommand is not None:
        return
    rows = [
        {
            "key": each.key,
            "kind": each.kind,
            "name": each.name,
            "auth": each.auth.kind,
            "streams": [stream.name for stream in each.streams],
        }
        for each in providers().values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        streams = ", ".join(row["streams"]) or "what others hand in through the API"
        click.echo(f"{row['key']:<12}{row['kind']:<8}{row['name']:<16}{streams}")


@command.command("set")
@click.argument("provider")
@click.option("--client-id", required=True)
@click.option("--client-secret", prompt=True, hide_input=True, help="Asked for when it is not given.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="More that this provider takes; asked for without a value.",
)
def set_app(provider: str, client_id: str, client_secret: str, options: tuple[str, ...]) -> None:
    """Register our app with PROVIDER: its client id and secret, from the provider's developer page."""
    runtime = Runtime(configuration.load())
    named = dict(option.partition("=")[::2] for option in options)
    values = {name: value or click.prompt(name, hide_input=True) for name, value in named.items()}
    connect.set_app(runtime, provider, client_id, client_secret, options=values)
    click.echo(f"Saved. Give {provider} this callback address: {connect.callback_url(runtime.config, provider)}")
