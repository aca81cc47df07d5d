"""What decisions about the contacts of one CRM say about matches of one kind.

The rule's probability is taken for as much as `WORTH` decisions; what people decided about matches that rested on the same kinds
of evidence is added to it (the mean of a Beta distribution). A kind that people keep rejecting is soon no longer confirmed by
itself. Nothing is confirmed because of it: whether a namesake could be meant is for the rule to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from service.rules.matching.decision import CONFIRM
from service.rules.model import MatchResult, MatchState

WORTH = 20


@dataclass(frozen=True, slots=True)
class Decided:
    """Of matches on the same kinds of evidence: how many people confirmed, how many they rejected, and how many that were
    confirmed by the rule they let stand."""

    confirmed: int = 0
    rejected: int = 0
    standing: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """Decisions about the contacts of one CRM by pattern."""

    decided: Mapping[str, Decided] = field(default_factory=dict)


NOTHING = Record()


def pattern(result: MatchResult) -> str:
    """The kinds of evidence that speak for a match, in one order: "company+name"."""
    return "+".join(sorted({item.signal.value for item in result.items if item.ratio > 1}))


def learnt(results: Sequence[MatchResult], record: Record) -> list[MatchResult]:
    """The same matches in the same order, with what was decided of such matches in their CRM."""
    return [_learnt(each, record.decided.get(pattern(each))) for each in results] if record.decided else list(results)


def _learnt(result: MatchResult, decided: Decided | None) -> MatchResult:
    if decided is None or not (decided.confirmed or decided.rejected):
        return result
    by_rule = result.state is MatchState.CONFIRMED
    right = decided.confirmed + (decided.standing if by_rule else 0)
    score = (WORTH * result.score + right) / (WORTH + right + decided.rejected)
    state = MatchState.CONFIRMED if by_rule and score >= CONFIRM else MatchState.SUGGESTED
    if not decided.rejected:
        # What people only ever confirmed makes nothing less certain than it was.
        return replace(result, score=round(max(score, result.score), 4))
    said = f"People here rejected {decided.rejected} of {decided.rejected + decided.confirmed} such matches that they decided."
    return replace(result, score=round(score, 4), state=state, evidence=(*result.evidence, said))
