"""Answers that stand elsewhere than in the talk that they end: a private message, or a talk that the CRM has logged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from integrations.records import ActivityKind, Direction, Kind
from service.rules.model import Answered, LoggedActivity, Post

_TALKS: Final = frozenset({ActivityKind.CALL, ActivityKind.MEETING})
_WRITTEN: Final = frozenset({ActivityKind.EMAIL, ActivityKind.TEXT})
# A talk of the past took place where the CRM says so, or says nothing else: most people never fill that in.
_FELL_THROUGH: Final = frozenset({"no_answer", "cancelled"})


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An answer, and when it counts: a talk when it is over, a message when it was sent."""

    at: datetime
    post: Answered


def endings(elsewhere: Iterable[Answered]) -> Iterator[Elsewhere]:
    """What of these speaks to the person: private messages of ours, calls and meetings that were not called off (whoever
    began them), and e-mails and texts from us."""
    for each in elsewhere:
        if isinstance(each, Post):
            if each.ours and each.kind is Kind.DIRECT and not each.deleted:
                yield Elsewhere(each.at, each)
        elif _speaks(each):
            yield Elsewhere((each.ends_at if each.kind in _TALKS else None) or each.at, each)


def _speaks(activity: LoggedActivity) -> bool:
    if activity.kind in _TALKS:
        return activity.outcome not in _FELL_THROUGH
    return activity.kind in _WRITTEN and activity.direction is Direction.OUT
