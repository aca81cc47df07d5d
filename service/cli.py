"""The `warmline` command. Each command is a module of `service.commands` with a `command`; there is no list to edit."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules
from typing import NoReturn

import click
import structlog

import service.commands
from service import logs
from service.errors import PlainError
from service.importing import importing

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name for module in iter_modules(service.commands.__path__))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        with importing():
            command: click.Command = import_module(f"service.commands.{name}").command
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="warmline")
def cli() -> None:
    """Warmline turns the people who speak to you on social media into the right tasks in your CRM."""


def main() -> None:
    """Runs a command. What a person can mend is one sentence and exit code 1."""
    logging.captureWarnings(True)
    logs.quiet()
    try:
        with _lines_beside_the_answer():
            cli.main(standalone_mode=False)
    except PlainError as error:
        _refuse(error)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except Exception as error:
        sentence = _plainly(error)
        if sentence is None:
            raise
        _refuse(sentence)


def _plainly(error: Exception) -> PlainError | None:
    """What a person can mend about the disk, the database or the queue. Their libraries are loaded here at the latest, and not by a command that
    has no use for them: `warmline` answers the sooner."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        where = error.filename or "the disk that the answer goes to"
        return PlainError(f"There is no room left on {where}. Make some, and run the command again.")

    from redis.exceptions import RedisError
    from sqlalchemy.exc import SQLAlchemyError

    from service import db, queue

    if isinstance(error, SQLAlchemyError):
        return db.plainly(error)
    return queue.unreachable(error) if isinstance(error, RedisError) else None


@contextmanager
def _lines_beside_the_answer() -> Iterator[None]:
    """What is logged goes to stderr: stdout is the answer's, which a program may read."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        yield
    finally:
        structlog.configure(**before)


def _refuse(error: PlainError) -> NoReturn:
    click.echo(f"warmline: {error}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
