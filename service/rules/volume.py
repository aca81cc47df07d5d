"""A rule whose tasks people mostly dismiss gives half of what it could, until that is better."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

SPAN = timedelta(days=14)  # what is looked at
ENOUGH = 10  # closed tasks in that time, before a rule is judged
ENOUGH_SLOWED = 5  # of a rule that gives half: half as many


@dataclass(frozen=True, slots=True)
class Fared:
    """How the tasks of one rule fared that were closed in `SPAN`. What Warmline took back itself tells nothing of what
    people think of it, and is in neither."""

    acted_on: int
    dismissed: int

    @property
    def closed(self) -> int:
        return self.acted_on + self.dismissed

    @property
    def mostly_dismissed(self) -> bool:
        return self.dismissed * 2 > self.closed


def slowed(before: bool, fared: Fared) -> bool:
    """Whether the rule gives half from now on. One that was slowed goes on so until people act on half of it; with nothing
    closed for two weeks it starts anew."""
    if not before:
        return fared.closed >= ENOUGH and fared.mostly_dismissed
    if fared.closed == 0:
        return False
    return fared.closed < ENOUGH_SLOWED or fared.mostly_dismissed


def halved(cap: int | None, usual: int) -> int:
    """How many tasks a day an owner gets of a slowed rule: half of the cap, or without one half of the `usual` number; one
    at least, so that it can be seen to improve."""
    return max(1, (usual if cap is None else min(cap, max(usual, 1))) // 2)
