"""Say what should exist, then compare: what has to happen to the tasks of one conversation or relationship."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from integrations.records import TaskStatus


class Step(StrEnum):
    CREATE = "create"
    KEEP = "keep"  # it stands and should: its content may have changed
    REOPEN = "reopen"  # Warmline closed it, and the reason for that is gone (the answer was deleted)
    COMPLETE = "complete"  # somebody answered
    WITHDRAW = "withdraw"  # it lost its reason, or lapsed: never "completed", so that nobody's figures are inflated


@dataclass(frozen=True, slots=True)
class Standing:
    """A task that we keep."""

    key: str
    wanted: TaskStatus
    closed_by: str = ""  # rules, crm, user:<id>, key:<id>; "" while it is open
    lingers: bool = False  # it lost its reason and stands there all the same: somebody has made it theirs, say
    reopened: bool = False  # the rules had completed it, and a person opened it again


def plan(
    desired: Collection[str], existing: Iterable[Standing], *, answered: Collection[str] = ()
) -> list[tuple[Step, str]]:
    """What to do, by key, for the tasks that should exist (`desired`) and those that do. `answered` are keys of episodes
    that an answer of ours ended. A task that a person closed stays closed; one that stands there although it lost its reason
    is over once its wait was answered after all (a post had been out of sight, or the wait was too old for a task). One that a
    person opened again after it was answered is theirs to complete."""
    steps: list[tuple[Step, str]] = []
    known = {each.key: each for each in existing}
    for key in desired:
        standing = known.get(key)
        if standing is None:
            steps.append((Step.CREATE, key))
        elif standing.wanted is TaskStatus.OPEN:
            steps.append((Step.KEEP, key))
        elif standing.closed_by == "rules":
            steps.append((Step.REOPEN, key))
    over = [
        key
        for key, each in known.items()
        if key not in desired
        and (each.wanted is TaskStatus.OPEN or (each.lingers and key in answered))
        and not (each.reopened and key in answered)
    ]
    return steps + [(Step.COMPLETE if key in answered else Step.WITHDRAW, key) for key in over]
