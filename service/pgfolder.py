"""The data folder of the embedded PostgreSQL: whose it is, how it is made, which version wrote it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from service.binaries import PostgresPrograms
from service.errors import PlainError
from service.processes import User

SUPERUSER = "postgres"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}  # without PGDATA, PGPORT and friends
_INSIDE = "/proc/self/cwd"  # how a process names the folder that it stands in, whoever may walk there
_ACCOUNTS = ("postgres", "nobody")
# Sorts the same on every machine and needs none of the system's locales; older versions do not have it.
_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
_OLD_LOCALE = ("--locale=C.UTF-8",)
_FAULT = re.compile(r"(?:FATAL|PANIC|error): +(.+)")
_ADVICE = re.compile(r"HINT: +(.+)")


def server_user(folder: Path) -> User | None:
    """Who runs the server: ourselves, or for root the owner of the data, or an account that has no other rights.
    Raises PlainError."""
    if os.geteuid() != 0:
        return None
    if sys.platform != "linux":
        raise PlainError(
            "As root, PostgreSQL can be embedded on Linux only. Run this as an ordinary user, or set DATABASE_URL."
        )
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    for name in _ACCOUNTS:
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return User(account.pw_uid, account.pw_gid)
    raise PlainError(
        "PostgreSQL refuses to run as root and there is no account `nobody`. Run this as an ordinary user, or set"
        " DATABASE_URL."
    )


def seen_by(user: User | None, folder: Path) -> str:
    """How a server that starts inside `folder` names it. Another user's server may not be able to walk there."""
    return _INSIDE if user else str(folder)


def initialise(programs: PostgresPrograms, folder: Path, user: User | None, *, sync: bool) -> None:
    """Makes the folder aside and moves it into place, so that one that was interrupted is never taken for a whole one.
    Raises PlainError."""
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if user:
        os.chown(fresh, user.uid, user.gid)
    told = subprocess.run(
        [
            programs.bin / "initdb",
            "-D",
            seen_by(user, fresh),
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--no-instructions",
            *(_LOCALE if programs.major >= 17 else _OLD_LOCALE),
            *(() if sync else ("--no-sync",)),
        ],
        cwd=fresh,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    if told.returncode:
        raise PlainError(f"PostgreSQL could not set up its folder {folder}: {_reason(told.stderr)}")
    fresh.rename(folder)


def _reason(said: str) -> str:
    """What went wrong first, and PostgreSQL's advice on it: the last that `initdb` says is that it tidies up."""
    told = [found[1] for each in (_FAULT, _ADVICE) if (found := each.search(said))]
    return ". ".join(told) or (said.strip().splitlines() or ["no reason given"])[-1]


def check_version(programs: PostgresPrograms, folder: Path) -> None:
    """Raises PlainError unless these programs can read this folder."""
    try:
        wrote = (folder / "PG_VERSION").read_text().strip()
    except PermissionError:
        raise PlainError(
            f"The data in {folder} belongs to another user. Run this as that user, or set WARMLINE_HOME to another"
            " folder."
        ) from None
    except OSError:
        raise PlainError(
            f"{folder} is not PostgreSQL's. Move it away, or set WARMLINE_HOME to another folder."
        ) from None
    if wrote != str(programs.major):
        raise PlainError(
            f"The data in {folder} was written by PostgreSQL {wrote}, and this is PostgreSQL {programs.major}. Set"
            f" WARMLINE_PG_BIN to the programs of PostgreSQL {wrote}, or WARMLINE_HOME to another folder."
        )


def settle(folder: Path) -> None:
    """After a sudden end, lets servers that still stop in this folder finish, and removes the note of those that are
    gone. (PostgreSQL does the latter itself, unless something else has been given the same process id: after a restart
    of a container that is the rule.) Call it only while holding the folder's lock."""
    if sys.platform != "linux":
        return
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + 10
        for pid in _servers(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
        while _servers(folder) and time.monotonic() < deadline:
            time.sleep(0.05)
    for note in (folder / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        note.unlink(missing_ok=True)


def _servers(folder: Path) -> list[int]:
    """PostgreSQL's processes that work on this folder: all of them stand in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.path.samefile(process / "cwd", folder) and "postgres" in (process / "comm").read_text():
                found.append(int(process.name))
    return found
