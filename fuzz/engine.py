"""Tries targets: so many inputs each, from a seed; what was found is told with its smallest input."""

from __future__ import annotations

import hashlib
import json
import re
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings

from fuzz.target import Target

ROUND = 200  # inputs of one target before it is the next one's turn
ANSWERABLE = (KeyboardInterrupt, SystemExit)


@dataclass(frozen=True)
class Found:
    """The smallest input under which a target's promise does not hold, and what happened."""

    target: str
    input: Any
    error: str

    def keep(self, folder: Path) -> Path:
        """Writes it as a case; the same find has the same name."""
        text = json.dumps({"target": self.target, "input": self.input, "was": self.error.splitlines()[-1]}, indent=1)
        digest = hashlib.sha256(json.dumps([self.target, self.input]).encode()).hexdigest()[:10]
        path = folder / f"{re.sub(r'[^a-z0-9]+', '-', self.target.lower())}-{digest}.json"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
        path.with_suffix(".txt").write_text(self.error, encoding="utf-8")
        return path


def attempt(target: Target, check: Callable[[Any], None], inputs: int, seed: int | None) -> tuple[int, Found | None]:
    """Tries so many inputs, always the same ones where there is no seed. Returns how many were tried, and the smallest find."""
    tried = 0
    failing: list[Any] = []

    @settings(
        max_examples=inputs, deadline=None, database=None, derandomize=seed is None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink), verbosity=Verbosity.quiet, report_multiple_bugs=False, print_blob=False,
    )  # fmt: skip
    @given(target.inputs)
    def one(value: Any) -> None:
        nonlocal tried
        tried += 1
        try:
            check(value)
        except Exception:
            failing[:] = [value]  # the last one to fail is the smallest: hypothesis ends by trying it again
            raise

    try:
        (one if seed is None else hypothesis.seed(seed)(one))()
    except Exception:
        if not failing:
            raise
        return tried, Found(target.name, failing[0], traceback.format_exc())
    return tried, None


def fuzz(
    targets: Iterable[Target], minutes: float, seed: int, say: Callable[[str], None], keep: Callable[[Found], Any]
) -> dict[str, int]:
    """Goes round the targets until the time is over; each is tried at least once, and no more after its first find. Returns how many inputs
    each was tried with."""
    left, counts, turn = list(targets), {}, 0
    until = time.monotonic() + 60 * minutes
    while left and (turn == 0 or time.monotonic() < until):
        for target in list(left):
            if turn and time.monotonic() >= until:
                break
            with target.open() as check:
                tried, found = attempt(target, check, ROUND, seed + turn)
            counts[target.name] = counts.get(target.name, 0) + tried
            if found is not None:
                left.remove(target)
                say(
                    f"{target.name}: FOUND with seed {seed + turn}, kept as {keep(found)}: {found.error.splitlines()[-1]}"
                )
        turn += 1
        say(f"round {turn}: {sum(counts.values()):,} inputs, {len(left)} of {len(counts)} targets stand")
    return counts
