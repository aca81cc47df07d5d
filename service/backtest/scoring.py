"""How well predictions agree with the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """Of what was said, the share that is right (precision); of what there is, the share that was said (recall). A share of
    nothing is 0."""

    said: int
    right: int
    there: int

    @property
    def precision(self) -> float:
        return self.right / self.said if self.said else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def as_json(self) -> dict[str, float]:
        return {**asdict(self), "precision": self.precision, "recall": self.recall, "f1": self.f1}


def score(pairs: Iterable[tuple[bool, bool]]) -> Score:
    """The score of (said, true) pairs."""
    said = right = there = 0
    for told, true in pairs:
        said += told
        there += true
        right += told and true
    return Score(said, right, there)


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Cohen's kappa of two yes-or-no judges: agreement beyond what chance would give (Cohen, 1960). 0 for no pairs."""
    if not pairs:
        return 0.0
    total = len(pairs)
    agreed = sum(one == other for one, other in pairs) / total
    first, second = sum(one for one, _ in pairs) / total, sum(other for _, other in pairs) / total
    by_chance = first * second + (1 - first) * (1 - second)
    return 1.0 if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)
