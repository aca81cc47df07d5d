"""What a figure means, and how rounds and percentiles are taken."""

from __future__ import annotations

import pytest

from bench.figures import Figure, table
from bench.rounds import in_turns, percentile
from bench.worker import apart, peak_mb


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("a", 6.0, "x/s", "", reference=10.0, at_least=0.5), True),
        (Figure("a", 4.0, "x/s", "", reference=10.0, at_least=0.5), False),
        (Figure("a", 6000.0, "x/s", "", reference=10.0, of="value", at_least=5000), True),
        (Figure("a", 4000.0, "x/s", "", reference=10.0, of="value", at_least=5000), False),
        (Figure("a", 301.0, "MB", "", of="value", at_most=300), False),
        (Figure("a", 1.5, "s", ""), None),
        (Figure("a", 1.5, "s", "", at_least=0.5), None),  # a ratio to nothing
    ],
)
def test_a_goal_is_about_the_ratio_or_about_the_value(figure: Figure, met: bool | None) -> None:
    assert figure.met is met


def test_the_table_shows_each_figure_beside_its_reference_and_goal() -> None:
    lines = table([Figure("pull", 4000.0, "posts/s", "", 10_000.0, at_least=0.5)]).splitlines()
    assert [cell.strip() for cell in lines[-1].split("  ") if cell] == [
        "pull",
        "4,000 posts/s",
        "10,000 posts/s",
        "0.40",
        "≥ 0.5×",
        "NO",
    ]


def test_who_goes_first_changes_every_round() -> None:
    order: list[str] = []

    def side(name: str) -> object:
        return lambda index: order.append(f"{name}{index}") or index

    assert in_turns(3, side("ours"), side("theirs")) == ([0, 1, 2], [0, 1, 2])  # type: ignore[arg-type]
    assert order == ["ours0", "theirs0", "theirs1", "ours1", "ours2", "theirs2"]


@pytest.mark.parametrize(("part", "value"), [(0.5, 10), (0.95, 19), (1.0, 20), (0.0, 1)])
def test_a_percentile_is_a_value_that_was_measured(part: float, value: int) -> None:
    assert percentile([float(each) for each in range(20, 0, -1)], part) == value


def test_a_process_tells_its_own_peak_and_not_its_parents() -> None:
    ballast = bytearray(200 * 2**20)
    assert apart(peak_mb, {}).peak_mb < 150
    assert peak_mb() > len(ballast) / 2**20
