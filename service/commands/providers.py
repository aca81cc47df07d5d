"""`warmline providers`: which networks and CRMs there are, and our registrations with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from integrations import consents, hosts, standing
from integrations.consents import Way
from integrations.errors import InvalidRequestError
from integrations.provider import App
from integrations.registry import AnyProvider, providers
from service import config as configuration
from service import freezes, registrations
from service.errors import PlainError
from service.runtime import Runtime
from service.sentences import count_of


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
@click.option("--client-id", help="Asked for where the provider has one and it is not given.")
@click.option("--client-secret", help="Asked for where the provider has one and it is not given.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME[=VALUE|=@FILE]",
    help="More that this provider takes; asked for without a value, read from a file after an @.",
)
@click.option("--server", default="", help="For a registration with one server of many, its name.")
@click.option(
    "--host",
    "addresses",
    multiple=True,
    metavar="NAME=ADDRESS",
    help="Where the provider is, instead of its own address: a network of your own, say.",
)
def set_app(
    provider: str,
    client_id: str | None,
    client_secret: str | None,
    options: tuple[str, ...],
    server: str,
    addresses: tuple[str, ...],
) -> None:
    """Register our app with PROVIDER: its client id and secret, from the provider's developer page."""
    found = registrations.provider_named(provider)
    runtime = Runtime(configuration.load())
    way = consents.way(found)
    asks = way.has_app  # else the provider knows us by something other than an id
    if client_id is None:
        client_id = click.prompt("Client id") if asks else ""
    if client_secret is None:
        client_secret = click.prompt("Client secret", hide_input=True) if asks else ""
    values = dict(_option(each) for each in options)
    at = dict(_address(found, each) for each in addresses)
    place = _server(runtime, server) if server else ""
    _check_for_one(way, App(hosts=at), place)
    registrations.set_app(runtime, provider, client_id, client_secret, at, host=place, options=values)
    click.echo(
        f"Saved. Give {provider} this callback address: {registrations.callback_url(runtime.config, provider, place)}"
    )


def _check_for_one(way: Way, app: App, server: str) -> None:
    """A registration for all servers that people may name is for nobody, where not all of them are the provider's own."""
    anywhere = {field.name: "any.example" for field in way.form if field.type == "host"}
    if way.has_app and not server and not way.domains and hosts.named(way.provider, way.form, app, anywhere):
        raise PlainError(
            f"{way.provider.name} has many servers, and a registration is with one of them. Name it: --server"
        )


@command.command("forget")
@click.argument("provider")
@click.option("--server", default="", help="The one with this server, of a provider that has many.")
def forget(provider: str, server: str) -> None:
    """Forget our registration with PROVIDER, so that another can be made. Where Warmline registers itself, the next consent does that."""
    registrations.provider_named(provider)
    runtime = Runtime(configuration.load())
    place = _server(runtime, server) if server else ""
    gone = registrations.forget_app(runtime, provider, place, by_a_person=True)
    click.echo("Forgotten." if gone else "There was none.")


def _server(runtime: Runtime, typed: str) -> str:
    try:
        return hosts.place(hosts.server(typed, runtime.config.allow_hosts))
    except InvalidRequestError as error:
        raise PlainError(f"{error}.") from None


def _address(provider: AnyProvider, given: str) -> tuple[str, str]:
    name, _, address = given.partition("=")
    if name not in provider.hosts:
        raise PlainError(
            f"{provider.name} has no address named {name!r}. It has {', '.join(provider.hosts) or 'none'}."
        )
    if not address.startswith(("https://", "http://")):
        raise PlainError(f"{address or 'That'} is not an address. It begins with https://")
    return name, address.rstrip("/")


def _option(given: str) -> tuple[str, str]:
    """Name and value: as written, from a file (a key on the command line could be read by others here), or asked for."""
    name, _, value = given.partition("=")
    if value.startswith("@"):
        try:
            return name, Path(value[1:]).read_text()
        except (OSError, UnicodeDecodeError):
            raise PlainError(f"{value[1:]} cannot be read.") from None
    return name, value or click.prompt(name, hide_input=True)


@command.command("freeze")
@click.argument("provider")
@click.option("--reason", required=True, help="One sentence; people read it in the console and in tasks.")
def freeze(provider: str, reason: str) -> None:
    """Stop reading and writing at PROVIDER, for everybody here. What was read stays."""
    concerned = freezes.freeze(Runtime(configuration.load()), provider, reason)
    click.echo(
        f"{provider} is frozen ({count_of(concerned, 'connection')}). `warmline providers unfreeze {provider}` brings it back."
    )


@command.command("unfreeze")
@click.argument("provider")
def unfreeze(provider: str) -> None:
    """Go on at PROVIDER where it was frozen."""
    concerned = freezes.unfreeze(Runtime(configuration.load()), provider)
    click.echo(
        f"{provider} was not frozen."
        if concerned is None
        else f"{provider} goes on ({count_of(concerned, 'connection')})."
    )
