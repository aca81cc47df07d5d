"""Where a relationship stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from integrations.records import ActivityKind
from service.rules.model import LoggedActivity, Milestone, Verdict
from service.rules.readiness.refusals import HELD
from service.rules.readiness.talk import LIVE, Course
from service.rules.words import times

AWARE, IN_CONTACT, CONVERSING, READY, TALKED, MET = STAGES = (
    "aware", "in contact", "conversing", "ready to talk", "talked", "met",
)  # fmt: skip
# A talk, and no single question with its answer: so many exchanges, or fewer on more than one day.
TALK: Final = 3
TALK_OVER_DAYS: Final = 2


@dataclass(slots=True)
class Reached:
    """When a talk came to its stages. Filled while it is read."""

    answered: datetime | None = None
    talk: tuple[datetime, int] | None = None  # and after how many exchanges

    def take(self, course: Course, at: datetime) -> None:
        """The course of the talk as it stands at `at`."""
        if self.answered is None and course.exchanges:
            self.answered = at
        if self.talk is None and _is_talk(course):
            self.talk = at, course.exchanges


def stage_of(activities: Iterable[LoggedActivity], whole: Course, ready: bool, now: datetime) -> str:
    """The stage at `now`. `whole` is the talk over all time. A call and a meeting that took place are the furthest that a
    relationship has come, whether or not another call would now do good."""
    done = _done(activities, now)
    if ActivityKind.MEETING in done:
        return MET
    if ActivityKind.CALL in done:
        return TALKED
    if ready:
        return READY
    if whole.exchanges == 0:
        return AWARE
    return CONVERSING if _is_talk(whole) else IN_CONTACT


def milestones(
    activities: Iterable[LoggedActivity], reached: Reached, ready: tuple[datetime, str] | None, now: datetime
) -> tuple[Milestone, ...]:
    """The stages that a relationship has come to, in the order of time, each further than the one before. `ready` is since
    when they are, and why. Everybody begins as aware: that is no milestone."""
    done = _done(activities, now)
    found: list[Milestone] = []
    if reached.answered:
        found.append(Milestone(IN_CONTACT, reached.answered, "You answered them for the first time."))
    if reached.talk:
        at, exchanges = reached.talk
        found.append(Milestone(CONVERSING, at, f"You had gone back and forth {times(exchanges)}."))
    if ready:
        found.append(Milestone(READY, *ready))
    if ActivityKind.CALL in done:
        found.append(Milestone(TALKED, done[ActivityKind.CALL], "The CRM logged a call with them."))
    if ActivityKind.MEETING in done:
        found.append(Milestone(MET, done[ActivityKind.MEETING], "The CRM logged a meeting with them."))
    return tuple(_rising(sorted(found, key=lambda each: (each.at, STAGES.index(each.stage)))))


def moved(before: str, since: datetime | None, verdict: Verdict, now: datetime) -> list[Milestone]:
    """The changes since a relationship was last decided, when it stood at `before` since `since`: those that the verdict
    knows the instant of, and where it has gone back, that it has, at `now`. The last one is the stage at which it stands."""
    steps, stage = list[Milestone](), before or AWARE
    for each in verdict.milestones:
        if (since is None or each.at > since) and each.stage != stage:
            steps.append(each)
            stage = each.stage
    if verdict.stage and verdict.stage != stage:
        steps.append(Milestone(verdict.stage, now, verdict.reasons[0]))
    return steps


def _done(activities: Iterable[LoggedActivity], now: datetime) -> dict[ActivityKind, datetime]:
    """When the first call and the first meeting that took place had ended."""
    found: dict[ActivityKind, datetime] = {}
    for each in activities:
        ended = each.ends_at or each.at
        if each.kind in LIVE and each.outcome in HELD and ended <= now:
            found[each.kind] = min(ended, found.get(each.kind, ended))
    return found


def _is_talk(course: Course) -> bool:
    return course.exchanges >= TALK or min(course.exchanges, course.occasions) >= TALK_OVER_DAYS


def _rising(found: Iterable[Milestone]) -> Iterator[Milestone]:
    furthest = 0
    for each in found:
        if STAGES.index(each.stage) > furthest:
            furthest = STAGES.index(each.stage)
            yield each
