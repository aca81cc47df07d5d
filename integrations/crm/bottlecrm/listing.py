"""Reading a list that is asked for by number, while people change it.

A list comes in a fixed order, and a page says nothing but "from the n-th on". A row that goes moves all that follow one place up, so that a page
would miss one. So each page begins with the last row of the one before: if it does not, something has moved, and we step back.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from integrations.crm.bottlecrm.api import Row


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reading has come: the number of the next row, and the sort key of the last row that was read."""

    offset: int = 0
    last: Any = None

    def dump(self) -> list[Any]:
        """JSON-able, for a cursor."""
        return [self.offset, self.last]


def place(value: object, kind: type[float] | type[str]) -> Place:
    """The place that `dump` wrote for a list whose sort keys are of this kind; anything else is the beginning."""
    if isinstance(value, list) and len(value) == 2:
        offset, last = value
        if isinstance(offset, int) and not isinstance(offset, bool) and offset >= 0 and isinstance(last, kind):
            return Place(offset, last)
    return Place()


def read(
    ask: Callable[[int], Sequence[Row]], key: Callable[[Row], Any], size: int, start: Place
) -> Iterator[tuple[Sequence[Row], Place | None]]:
    """Pages of a list whose keys fall, each with the place to go on from, or None after the last one. `ask` gives the rows from a number on,
    `size` at most. Rows may come twice."""
    here: Place | None = start
    back = step = max(1, size // 2)
    while here is not None:
        rows = ask(here.offset)
        moved = here.last is not None and here.offset > 0 and (not rows or key(rows[0]) < here.last)
        if (
            moved
        ):  # by twice as much each time: a list that has lost very many, or a cursor of garbage, costs a few calls
            here, back = Place(max(0, here.offset - back), here.last), 2 * back
            continue
        back = step
        # A page may lack rows that could not be read: one that is half full may have others behind it.
        here = Place(here.offset + len(rows) - 1, key(rows[-1])) if len(rows) > size // 2 else None
        yield rows, here


# --- ids in little room -----------------------------------------------------------------------------------------


def pack(ids: Iterable[str]) -> str:
    """Ids (UUIDs, as BottleCRM writes them) as a text of 22 letters each."""
    return b64encode(bytes.fromhex("".join(sorted(ids)).replace("-", ""))).decode()


def unpack(text: object) -> set[str]:
    """The ids that `pack` wrote; none for anything else."""
    try:
        raw = b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return set()
    return {str(UUID(bytes=raw[start : start + 16])) for start in range(0, len(raw) - 15, 16)}
