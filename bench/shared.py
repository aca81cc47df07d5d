"""The sets of people and texts that goals are measured on. They are not part of the repository: where they are not there,
the figures that need them are left out, and that is said."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

ROOT = Path(os.environ.get("WARMLINE_SHARED") or Path(__file__).parents[1].parent / "shared") / "data"


def folder(name: str) -> Path | None:
    """The folder of a set, or None where it is not there."""
    found = ROOT / name
    if found.is_dir():
        return found
    print(f"{name} is not there, so nothing is measured on it (WARMLINE_SHARED names the folder).", file=sys.stderr)
    return None


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, restval=""))
