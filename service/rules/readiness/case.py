"""What the checks look at that stand against a call, and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from service.rules.model import History, Policy
from service.rules.readiness.cues import NEED
from service.rules.readiness.talk import Word, is_wish
from service.rules.words import day

WEIGHTY = 0.7  # how surely something of weight must be heard to be news by itself
NEWS = 2  # needs that must be new for a second call within the quiet time


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nobody should call, and until when (None: until something happens)."""

    reason: str
    until: datetime | None = None


class Case(Struct, frozen=True):
    """What the refusals look at: everything up to `now`, and what is planned."""

    history: History
    heard: Sequence[Word]
    since: datetime | None  # the last talk held, or call task dealt with
    held: datetime | None
    asked: Word | None  # the newest wish since then
    enough: bool  # what they have said since then would be enough
    now: datetime
    policy: Policy

    @property
    def theirs(self) -> list[Word]:
        return [word for word in self.heard if not word.ours]

    def date(self, at: datetime) -> str:
        return day(at, self.policy.timezone, self.now)

    @property
    def has_nothing_of_ours(self) -> bool:
        """Whether the CRM knows them, and as no customer: what breaks there is their own."""
        return self.history.known and self.history.deal != "won"

    def news_since(self, at: datetime) -> bool:
        """Whether they have asked to talk, or are in the middle of something new, since then."""
        said = [word for word in self.theirs if word.at > at]
        if any(map(is_wish, said)) or any(word.heard.stake >= WEIGHTY for word in said):
            return True
        return sum(any(word.cues & cue for word in said) for cue in NEED) >= NEWS
