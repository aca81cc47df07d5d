"""How likely three readers of a talk would have somebody pick up the phone: a logistic sum of a few things one can see.

The weights were set by hand, in log-odds, by asking what a seller, a head of sales and the person themselves would each need
to see, and held against a fit on our own histories, one file left out at a time; no reader's verdicts were learnt from. BASE alone is somebody about whom nothing is known: about 1 in 50.
Everything that is added is never negative, so that one more exchange cannot take away from the case; what speaks against a
call is a refusal (`refusals`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.rules.readiness.cues import Cue
from service.rules.readiness.talk import Course

BASE: Final = -4.4
ASKED: Final = 6.5  # enough by itself
STAKE: Final = 1.8  # something of weight is heard
INTEREST: Final = 0.7  # a need of theirs, or a question after terms, whatever its weight
# What phrases say beside it: they are sure of what they know.
NEEDS: Final[Mapping[int, float]] = {
    Cue.DECISION: 1.0,
    Cue.STUCK: 1.0,
    Cue.URGENT: 0.9,
    Cue.AUTHORITY: 0.9,
    Cue.DEADLINE: 0.8,
    Cue.SCALE: 0.6,
    Cue.PRICE: 0.3,
}
ACQUAINTED: Final = 0.4  # the need came up days after the first exchange: they came back with it
EXCHANGE, MOST_EXCHANGES = 0.1, 5  # each, up to so many
OCCASION, MOST_OCCASIONS = 0.05, 5
QUICK, MOST_QUICK = 0.05, 4
MINUTE, MOST_MINUTES = 0.05, 5.0  # of theirs; with as many of ours the call would have been the shorter way
EFFORT: Final = 1.2  # for the longest that they wrote lately: what takes long to write is long to answer
DIRECT: Final = 0.8  # said in private, where people say what they mean
KNOWN: Final = 0.9
MET: Final = 0.7
DEALS: Final[Mapping[str, float]] = {"open": 0.4, "won": 0.2, "lost": 0.1}
REFUSED: Final = -6.0  # what a refusal leaves: hardly ever right, and never above the threshold


@dataclass(frozen=True, slots=True)
class Standing:
    """What the CRM knows of somebody."""

    known: bool
    deal: str  # open, won, lost or ""
    met: bool  # they have talked or met before


def log_odds(course: Course, at: datetime, standing: Standing) -> float:
    """The case for a call as things stand at `at`, in log-odds."""
    return BASE + sum(_parts(course, at, standing))


def probability(odds: float) -> float:
    """Log-odds as a probability, 0 to 1."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


def _parts(course: Course, at: datetime, standing: Standing) -> list[float]:
    """What each thing adds. What is not there is left out, because this is asked at every word of every talk."""
    needs, longest = course.needs(at), course.longest(at)
    parts = [] if course.asked is None else [ASKED]
    if course.weighty:
        parts += STAKE * course.stake(at), INTEREST * course.interest(at)
    if needs:
        parts += [NEEDS[cue] for cue in needs]
        if course.came_back(needs):
            parts.append(ACQUAINTED)
    if longest is not None:
        parts.append(EFFORT * course.effort(longest))
    if course.exchanges:
        parts += (
            EXCHANGE * min(course.exchanges, MOST_EXCHANGES),
            OCCASION * min(course.occasions, MOST_OCCASIONS),
            QUICK * min(course.quick, MOST_QUICK),
            MINUTE * min(course.their_minutes, MOST_MINUTES),
        )
    if course.direct(longest, needs):
        parts.append(DIRECT)
    if standing.known:
        parts.append(KNOWN + DEALS.get(standing.deal, 0.0))
    if standing.met:
        parts.append(MET)
    return parts
