"""What is asked of a run, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chaos import compare
from chaos.compare import Differences
from chaos.plan import Fault, plan

PACE = 1.25, 62.0  # faults and posts a second
SHORTEST = 40.0  # seconds


@dataclass(frozen=True)
class Size:
    """What is asked for. `unique`: whether the CRM keeps our key unique."""

    seed: int
    faults: int
    posts: int
    given_seconds: float | None
    lease: int
    without: tuple[str, ...] = ()
    unique: bool = True
    keep: bool = False

    @property
    def seconds(self) -> float:
        return self.given_seconds or max(SHORTEST, self.faults / PACE[0], self.posts / PACE[1])

    def smaller(self, share: float) -> Size:
        """A share of it, against a CRM that does not keep our key unique."""
        faults, posts = (max(10, round(each * share)) for each in (self.faults, self.posts))
        return replace(self, faults=faults, posts=max(200, posts), given_seconds=None, unique=False)

    def plan(self, without: tuple[str, ...] = ()) -> list[Fault]:
        return plan(self.seed, self.faults, self.seconds, self.lease, (*self.without, *without))


@dataclass
class Episode:
    """What came of it."""

    size: Size
    unavailable: dict[str, str] = field(
        default_factory=dict
    )  # what this machine does not let us do, and what was done instead
    injected: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)  # planned, and there was nothing to strike
    at_once: int = 0  # most faults that went on together
    posts: int = 0
    tasks: int = 0
    starts: dict[str, int] = field(default_factory=dict)
    reconnected: Counter[str] = field(default_factory=Counter)  # consents that really ended with a lost answer
    differences: Differences = field(default_factory=Differences)
    back_to_normal: float | None = None  # seconds after the last fault; None: not in time
    late: float | None = None  # seconds after the last fault, where it was not in time
    rows: list[str] = field(default_factory=list)  # how tasks about which something differs stand with us
    seconds: float = 0.0
    apart: list[float] = field(
        default_factory=list
    )  # seconds between the first and the second of tasks that were made twice
    stopped: str = ""  # why it ended before its end

    @property
    def well(self) -> bool:
        names = [each for each in compare.NAMES if self.size.unique or each != compare.TWICE]
        return self.back_to_normal is not None and not self.differences.total(names) and not self.stopped

    def as_json(self) -> Mapping[str, Any]:
        return {
            "seed": self.size.seed, "faults": self.injected.total(), "missed": dict(self.missed), "by_kind": dict(self.injected), "at_once": self.at_once,
            "posts": self.posts, "tasks": self.tasks, "unique_key": self.size.unique, "seconds": round(self.seconds, 1), "starts": self.starts,
            "differences": dict(self.differences.counts()), "examples": {name: rows[: compare.EXAMPLES] for name, rows in self.differences.found.items() if rows},
            "back_to_normal": self.back_to_normal, "late": self.late, "rows": self.rows, "reconnected": dict(self.reconnected), "apart": self.apart, "unavailable": self.unavailable,
            "well": self.well, "stopped": self.stopped,
        }  # fmt: skip
