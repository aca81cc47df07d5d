"""Where a relationship stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from integrations.records import ActivityKind
from service.rules.model import LoggedActivity
from service.rules.readiness.refusals import HELD
from service.rules.readiness.talk import Course

AWARE, IN_CONTACT, CONVERSING, READY, TALKED, MET = STAGES = (
    "aware", "in contact", "conversing", "ready to talk", "talked", "met",
)  # fmt: skip
# A talk, and no single question with its answer: so many exchanges, or fewer on more than one day.
TALK: Final = 3
TALK_OVER_DAYS: Final = 2


def stage_of(activities: Iterable[LoggedActivity], whole: Course, ready: bool, now: datetime) -> str:
    """The stage at `now`. `whole` is the talk over all time. A call and a meeting that took place are the furthest that a
    relationship has come, whether or not another call would now do good."""
    done = {each.kind for each in activities if each.outcome in HELD and (each.ends_at or each.at) <= now}
    if ActivityKind.MEETING in done:
        return MET
    if ActivityKind.CALL in done:
        return TALKED
    if ready:
        return READY
    if whole.exchanges == 0:
        return AWARE
    spread = min(whole.exchanges, whole.occasions) >= TALK_OVER_DAYS
    return CONVERSING if whole.exchanges >= TALK or spread else IN_CONTACT
