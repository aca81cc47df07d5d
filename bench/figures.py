"""What a benchmark says, and how it is shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure. `at_least` and `at_most` are goals; without them there is none, and the figure is only told."""

    name: str
    value: float
    unit: str
    size: str  # what it was measured on
    reference: float | None = None
    against: str = ""  # what the reference is
    of: str = "ratio"  # what the goal is about: the ratio to the reference, or the value itself
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.reference if self.reference else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        found = self.ratio if self.of == "ratio" else self.value
        if found is None or (self.at_least is None and self.at_most is None):
            return None
        return (self.at_least is None or found >= self.at_least) and (self.at_most is None or found <= self.at_most)

    @property
    def goal(self) -> str:
        bounds = [f"≥ {_short(self.at_least)}"] if self.at_least is not None else []
        bounds += [f"≤ {_short(self.at_most)}"] if self.at_most is not None else []
        unit = "×" if self.of == "ratio" else f" {self.unit}"
        return " ".join(bounds) + unit if bounds else ""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def described(found: dict[str, Any]) -> str:
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gb']} GB, {found['system']}, Python {found['python']};"
        f" load before the first benchmark: {found['load']}"
    )


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines that align."""
    heads = ("figure", "ours", "reference", "ratio", "goal", "met")
    rows = [heads, *(_row(each) for each in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def _row(each: Figure) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[each.met]
    reference = f"{_short(each.reference)} {each.unit}" if each.reference is not None else ""
    ratio = f"{each.ratio:.2f}" if each.ratio is not None else ""
    return each.name, f"{_short(each.value)} {each.unit}", reference, ratio, each.goal, met


def notes(figures: Sequence[Figure]) -> str:
    """What each figure was measured on and against."""
    return "\n".join(
        f"{each.name}: {each.size}" + (f"; against {each.against}" if each.against else "") for each in figures
    )


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
