"""The evaluator that tries our alerts counts as Prometheus does."""

from __future__ import annotations

import pytest

from tests.service.watch.promql import Page, fires

GONE = None  # the series is not on this page


@pytest.mark.parametrize(
    ("counted", "increase"),
    [
        ((0, 1), 1),
        ((GONE, 1), GONE),  # one sample says nothing of growing
        ((GONE, 1, 1), 0),  # what it was before it stood there nobody knows
        ((GONE, 1, 3), 2),
        ((3, GONE, 4), 1),
        ((3, GONE), GONE),
        ((5, 1), 1),  # a fall is a restart from nothing
        ((5, 0), 0),
        ((5, 0, 2, 1), 3),
        ((GONE, GONE), GONE),
    ],
)
def test_a_counter_grows_by_samples_that_are_there(counted: tuple[int | None, ...], increase: int | None) -> None:
    pages = [Page([] if value is None else [("lost_total", {"provider": "x"}, value)]) for value in counted]
    found = fires('increase(lost_total{provider="x"}[1h]) >= 0', *pages)
    assert list(found.values()) == ([] if increase is None else [increase])


def test_each_series_grows_by_itself() -> None:
    first = Page([("lost_total", {"provider": "x"}, 1.0)])
    then = Page([("lost_total", {"provider": "x"}, 1.0), ("lost_total", {"provider": "y"}, 1.0)])
    last = Page([("lost_total", {"provider": "x"}, 1.0), ("lost_total", {"provider": "y"}, 2.0)])
    assert fires("increase(lost_total[1h]) > 0", first, then, last) == {frozenset({("provider", "y")}): 1.0}


def test_what_is_no_increase_is_asked_of_the_last_scrape() -> None:
    low, high = Page([("lag", {}, 1.0)]), Page([("lag", {}, 9.0)])
    assert fires("lag > 5", high, low) == {}
    assert fires("lag > 5", low, high) == {frozenset(): 9.0}
