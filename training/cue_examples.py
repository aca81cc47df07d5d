"""The examples of what a seller would hear in a text, as they stand in the folder: nothing is learnt here, and nothing needed but the
standard library."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.rules.readiness.heard import LABELS

EXAMPLES = Path(__file__).parent / "examples" / "cues"
PAGE = 8  # lines that are left out together, of those that are of no trade


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    says: frozenset[str]
    trade: str


def examples() -> Iterator[Example]:
    """Every example, with the labels that it bears. Raises ValueError for one with a label that there is not."""
    for path in sorted(EXAMPLES.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file, dialect="excel-tab", quoting=csv.QUOTE_NONE)):
                says = frozenset(row["says"].split())
                if unknown := says - set(LABELS):
                    raise ValueError(f"{path.name}: there is no label {sorted(unknown)[0]!r}.")
                trade = f"{path.stem} {number // PAGE}" if path.stem.startswith("any") else path.stem
                yield Example(row["text"], says, trade)
