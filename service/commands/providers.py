"""`warmline providers`: which networks and CRMs there are, and our registrations with them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from integrations import standing
from integrations.registry import AnyProvider, providers
from service import config as configuration
from service import connect, freezes, registrations
from service.runtime import Runtime


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the networks and CRMs that Warmline speaks to, and how each stands by the rules for all of them."""
    if ctx.invoked_subcommand is not None:
        return
    found = list(providers().values())
    if as_json:
        more = ({"auth": each.auth.kind, "streams": [stream.name for stream in each.streams]} for each in found)
        rows = [{**standing.as_json(each), **rest} for each, rest in zip(found, more, strict=True)]
        click.echo(json.dumps(rows))
        return
    click.echo(_aligned([("provider", "kind", "name", "tier", "done", "to do", "exempt"), *map(_line, found)]))


def _line(provider: AnyProvider) -> tuple[str, ...]:
    found = standing.standing(provider)
    counts = (str(sum(each.state == state for each in found)) for state in standing.STATES)
    return provider.key, provider.kind, provider.name, standing.tier(found), *counts


def _aligned(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


@command.command("rules")
@click.argument("provider")
def rules(provider: str) -> None:
    """List the rules for PROVIDER: whether tests show that it keeps each, and the reason where it need not or does not yet."""
    found = registrations.provider_named(provider)
    lines = [
        (each.rule.tier, each.state, each.rule.key, each.reason or each.rule.sentence)
        for each in standing.standing(found)
    ]
    click.echo(_aligned([("tier", "standing", "rule", "what it asks, or why not"), *lines]))


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


@command.command("freeze")
@click.argument("provider")
@click.option("--reason", required=True, help="One sentence; people read it in the console and in tasks.")
def freeze(provider: str, reason: str) -> None:
    """Stop reading and writing at PROVIDER, for everybody here. What was read stays."""
    concerned = freezes.freeze(Runtime(configuration.load()), provider, reason)
    click.echo(
        f"{provider} is frozen ({_connections(concerned)}). `warmline providers unfreeze {provider}` brings it back."
    )


@command.command("unfreeze")
@click.argument("provider")
def unfreeze(provider: str) -> None:
    """Go on at PROVIDER where it was frozen."""
    concerned = freezes.unfreeze(Runtime(configuration.load()), provider)
    click.echo(
        f"{provider} was not frozen." if concerned is None else f"{provider} goes on ({_connections(concerned)})."
    )


def _connections(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"
