"""As much of Prometheus's query language as our alerts use, over two scrapes of a page: comparisons with a number, `increase` from the
first scrape to the second, `and` (with `ignoring`) and `or`. What it does not know it refuses."""

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


def fires(expression: str, before: Page, after: Page) -> Vector:
    """What the alert is raised for: labels and values; nothing where it is not."""
    left, *rest = re.split(r"\s+(and(?:\s+ignoring\([^)]*\))?|or)\s+", expression.strip())
    found = dict(_compared(left, before, after))
    for how, right in zip(rest[::2], rest[1::2], strict=True):
        other = _compared(right, before, after)
        if how == "or":
            found = {**other, **found}
            continue
        ignored = set(re.findall(r"\w+", how.partition("ignoring")[2]))
        there = {_without(labels, ignored) for labels in other}
        found = {labels: value for labels, value in found.items() if _without(labels, ignored) in there}
    return found


def _without(labels: Labels, names: set[str]) -> Labels:
    return frozenset((name, value) for name, value in labels if name not in names)


def _compared(expression: str, before: Page, after: Page) -> Vector:
    found = _COMPARISON.match(expression)
    assert found, f"not a comparison: {expression}"
    limit, holds = float(found["right"]), _HOW[found["how"]]
    vector = _vector(found["left"], before, after)
    return {labels: value for labels, value in vector.items() if holds(value, limit)}


def _vector(expression: str, before: Page, after: Page) -> Vector:
    if grown := _INCREASE.match(expression):
        was = _selected(grown["selector"], before)
        return {labels: value - was.get(labels, 0.0) for labels, value in _selected(grown["selector"], after).items()}
    return _selected(expression, after)


def _selected(selector: str, page: Page) -> Vector:
    found = _SELECTOR.match(selector)
    assert found, f"not a selector: {selector}"
    wanted = dict(_LABEL.findall(found["labels"] or ""))
    return {
        frozenset(labels.items()): value
        for name, labels, value in page.samples
        if name == found["name"] and all(labels.get(key) == chosen for key, chosen in wanted.items())
    }
