"""How likely three readers of a talk would have somebody pick up the phone: a logistic sum of a few things one can see.

The weights (`weights/calls.json`, in log-odds) are learnt by `training/calls.py` from the verdicts of our own histories. Everything that
speaks for a call adds and never takes away, so that one more exchange cannot take away from the case; what speaks against one is a refusal
(`refusals`) or a doubt (`doubts`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from service.rules.readiness.cues import Cue
from service.rules.readiness.talk import Course

_STORED: Final[Mapping[str, Any]] = json.loads(files("service.rules").joinpath("weights/calls.json").read_text("utf-8"))
BASE: Final = float(_STORED["base"])  # somebody about whom nothing is known
PLAINLY_ASKED: Final = "asked plainly"
# A plain wish is enough by itself: this is a promise, and not learnt.
FOR: Final[Mapping[str, float]] = {**_STORED["for"], PLAINLY_ASKED: 2.5 - BASE}
AGAINST: Final[Mapping[str, float]] = _STORED["against"]
REFUSED: Final = -6.0  # what a refusal leaves: hardly ever right, and never above the threshold

# What each need that phrases know is called in the table of weights.
NEEDS: Final[Mapping[int, str]] = {
    Cue.DECISION: "decision",
    Cue.STUCK: "stuck",
    Cue.URGENT: "urgent",
    Cue.AUTHORITY: "authority",
    Cue.DEADLINE: "deadline",
    Cue.SCALE: "scale",
    Cue.PRICE: "price",
}
MOST = 5  # exchanges, occasions, or minutes of theirs: more of them say no more
OFTEN = 3  # occasions


@dataclass(frozen=True, slots=True)
class Standing:
    """What the CRM knows of somebody."""

    known: bool
    deal: str  # open, won, lost or ""
    met: bool  # they have talked or met before


def log_odds(there: Mapping[str, float]) -> float:
    """The case for a call, in log-odds, where this is to be seen (see `shown`)."""
    return BASE + sum([FOR.get(name, 0.0) * much for name, much in there.items()])


def probability(odds: float) -> float:
    """Log-odds as a probability, 0 to 1."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


def shown(course: Course, at: datetime, standing: Standing) -> dict[str, float]:
    """What can be seen that speaks for a call, each by its name in the table of weights, 0 to 1. What is not there is left out, because
    this is asked at every word of every talk."""
    needs, longest = course.needs(at), course.longest(at)
    found: dict[str, float] = {NEEDS[cue]: 1.0 for cue in needs}
    if course.asked is not None:
        found[PLAINLY_ASKED if course.asked_plainly else "asked"] = 1.0
    if course.weighty:
        found["stake"], found["interest"] = course.stake(at), course.interest(at)
    if needs and course.came_back(needs):
        found["came back"] = 1.0
    if longest is not None:
        found["effort"] = course.effort(longest)
    if course.exchanges:
        found["answered"] = 1.0
        found["exchanges"] = min(course.exchanges / MOST, 1.0)
        found["occasions"] = min(course.occasions / MOST, 1.0)
        found["often"] = float(course.occasions >= OFTEN)
        found["minutes"] = min(course.their_minutes / MOST, 1.0)
    if course.direct(longest, needs):
        found["in private"] = 1.0
    if standing.known:
        found["known"] = 1.0
        if standing.deal:
            found[f"deal {standing.deal}"] = 1.0
    if standing.met:
        found["met"] = 1.0
    return found
