"""As much of Prometheus's query language as our alerts use, over scrapes of a page: comparisons with a number, `increase` from each
scrape to the next, `and` (with `ignoring`) and `or`. What it does not know it refuses.

`increase` is Prometheus's (https://prometheus.io/docs/prometheus/latest/querying/functions/#increase): by samples that are there, so a
series that first stands there at 1 has not grown, and one that has a single sample has no increase at all; a fall is a restart from
nothing. What Prometheus adds for the ends of the window is left out, so what is raised here is raised there.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = Mapping[Labels, float]
_COMPARISON = re.compile(r"^(?P<left>.+?)\s*(?P<how>==|!=|>=|<=|>|<)\s*(?P<right>-?[\d.]+)$")
_INCREASE = re.compile(r"^increase\((?P<selector>.+)\[\d+[smhd]\]\)$")
_SELECTOR = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})?$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_HOW: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """The samples of one scrape."""

    samples: Sequence[tuple[str, Mapping[str, str], float]]


def scraped(text: str, up: bool = True) -> Page:
    """The page, and `up` as Prometheus adds it."""
    found = [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text if up else "")
        for sample in family.samples
    ]
    return Page([*found, ("up", {"job": "warmline"}, float(up))])


def fires(expression: str, *pages: Page) -> Vector:
    """What the alert is raised for at the last of these scrapes, all of which lie in its window: labels and values; nothing where
    it is not."""
    left, *rest = re.split(r"\s+(and(?:\s+ignoring\([^)]*\))?|or)\s+", expression.strip())
    found = dict(_compared(left, pages))
    for how, right in zip(rest[::2], rest[1::2], strict=True):
        other = _compared(right, pages)
        if how == "or":
            found = {**other, **found}
            continue
        ignored = set(re.findall(r"\w+", how.partition("ignoring")[2]))
        there = {_without(labels, ignored) for labels in other}
        found = {labels: value for labels, value in found.items() if _without(labels, ignored) in there}
    return found


def _without(labels: Labels, names: set[str]) -> Labels:
    return frozenset((name, value) for name, value in labels if name not in names)


def _compared(expression: str, pages: Sequence[Page]) -> Vector:
    found = _COMPARISON.match(expression)
    assert found, f"not a comparison: {expression}"
    limit, holds = float(found["right"]), _HOW[found["how"]]
    vector = _vector(found["left"], pages)
    return {labels: value for labels, value in vector.items() if holds(value, limit)}


def _vector(expression: str, pages: Sequence[Page]) -> Vector:
    if grown := _INCREASE.match(expression):
        return _increase([_selected(grown["selector"], page) for page in pages])
    return _selected(expression, pages[-1])


def _increase(scrapes: Sequence[Vector]) -> Vector:
    samples: dict[Labels, list[float]] = {}
    for scrape in scrapes:
        for labels, value in scrape.items():
            samples.setdefault(labels, []).append(value)
    return {labels: sum(map(_rise, values, values[1:])) for labels, values in samples.items() if len(values) > 1}


def _rise(was: float, now: float) -> float:
    return now - was if now >= was else now


def _selected(selector: str, page: Page) -> Vector:
    found = _SELECTOR.match(selector)
    assert found, f"not a selector: {selector}"
    wanted = dict(_LABEL.findall(found["labels"] or ""))
    return {
        frozenset(labels.items()): value
        for name, labels, value in page.samples
        if name == found["name"] and all(labels.get(key) == chosen for key, chosen in wanted.items())
    }
