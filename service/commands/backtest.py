"""`warmline backtest`: what the rules would have done, and why. Each kind is a module of `service.backtest` with a
`command`; there is no list to edit."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import click

import service.backtest


class Kinds(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        found = (import_module(f"service.backtest.{module.name}") for module in iter_modules(service.backtest.__path__))
        return sorted(module.__name__.rpartition(".")[2] for module in found if hasattr(module, "command"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        found: click.Command = import_module(f"service.backtest.{name}").command
        return found


@click.command(cls=Kinds)
def command() -> None:
    """Run the rules over files, or over what a workspace holds, and say what they would have done. Nothing is written to a
    network or a CRM."""
