"""PostgreSQL's own programs for saving and restoring, called on the address of a database."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, make_url

from service import binaries
from service.errors import PlainError


def dump(url: str, major: int, snapshot: str, to: Path) -> None:
    """Saves the whole database as it stands in `snapshot` (one that `pg_export_snapshot` gave, still open), compressed. `url`'s role
    is above row-level security. Raises PlainError."""
    arguments = ["--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={to}"]
    _run("pg_dump", url, major, arguments, doing=f" while it wrote to {to.parent}")
    to.chmod(0o600)


def restore(url: str, major: int, source: Path, *sections: str) -> None:
    """Makes these sections of a saved database (pre-data, data, post-data), as `url`'s role and in one transaction: all of it or
    nothing. Raises PlainError."""
    options = [
        "--no-owner",
        "--exit-on-error",
        "--single-transaction",
        "--schema=public",
        *(f"--section={each}" for each in sections),
    ]
    _run("pg_restore", url, major, [*options, str(source)])


def _run(name: str, url: str, major: int, arguments: Sequence[str], doing: str = "") -> None:
    address = make_url(url)
    # Everybody on the machine may read a command line; the environment is our own.
    where = URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database, address.query
    )
    plain = where.render_as_string(hide_password=False)
    secret = {"PGPASSWORD": str(address.password)} if address.password else {}
    argv: list[str | Path] = [binaries.tool(name, major), "--no-password", f"--dbname={plain}", *arguments]
    done = subprocess.run(argv, env={**os.environ, **secret}, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise PlainError(f"{name} failed{doing}: {(said or ['no reason given'])[0].removeprefix(f'{name}: error: ')}")
