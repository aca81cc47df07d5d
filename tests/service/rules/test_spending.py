"""A month of reading in figures and in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from service.rules.spending import Entry, Month, dollars, month, next_month, this_month

LABELS = {"post": "post", "dm_event": "direct message"}


def entry(day: int, cents: float, reads: int = 1, name: str = "post", month: int = 11) -> Entry:
    return Entry(date(2026, month, day), name, reads, round(cents * 10_000))


@pytest.mark.parametrize(
    ("micros", "words"),
    [
        (0, "$0"),
        (1_000, "less than $0.01"),
        (5_000, "$0.01"),
        (3_400_000, "$3.40"),
        (3_404_999, "$3.40"),
        (3_405_000, "$3.41"),
        (20_000_000, "$20"),
        (1_234_500_000, "$1,234.50"),
    ],
)
def test_dollars_in_words(micros: int, words: str) -> None:
    assert dollars(micros) == words


@pytest.mark.parametrize(
    ("reads", "words"),
    [
        ({}, "This month: nothing was bought yet."),
        ({"post": 0}, "This month: nothing was bought yet."),
        ({"post": 1}, "This month: $3.40 for 1 post."),
        ({"post": 1214, "dm_event": 2}, "This month: $3.40 for 1,214 posts and 2 direct messages."),
        ({"post": 2, "dm_event": 1, "user": 3}, "This month: $3.40 for 2 posts, 1 direct message and 3 users."),
    ],
)
def test_a_month_in_a_sentence(reads: dict[str, int], words: str) -> None:
    assert this_month(Month(date(2026, 11, 1), 3_400_000, reads), LABELS) == words


@pytest.mark.parametrize(
    ("day", "begins"),
    [(date(2026, 12, 31), datetime(2027, 1, 1, tzinfo=UTC)), (date(2028, 2, 29), datetime(2028, 3, 1, tzinfo=UTC))],
)
def test_the_next_month_begins_at_midnight_utc(day: date, begins: datetime) -> None:
    assert next_month(day) == begins


def test_the_forecast_goes_on_as_the_last_week_went() -> None:
    entries = [entry(day, 10) for day in range(1, 16)]  # 10 cents a day
    found = month(entries, now=datetime(2026, 11, 16, tzinfo=UTC))
    assert (found.micros, found.reads, found.forecast) == (1_500_000, {"post": 15}, 3_000_000)


def test_what_a_first_pull_cost_says_nothing_about_the_rest_of_the_month() -> None:
    entries = [entry(10, 2000), entry(11, 10), entry(12, 10)]
    found = month(entries, now=datetime(2026, 11, 13, tzinfo=UTC), settled=date(2026, 11, 10))
    assert found.forecast == 20_200_000 + 18 * 100_000


def test_on_its_first_day_a_connection_has_no_forecast() -> None:
    found = month([entry(10, 2000)], now=datetime(2026, 11, 10, 12, tzinfo=UTC), settled=date(2026, 11, 10))
    assert found.forecast is None


def test_a_month_begins_with_nothing_spent_and_a_forecast_from_the_last_one() -> None:
    entries = [entry(day, 10, month=10) for day in range(25, 32)]
    found = month(entries, now=datetime(2026, 11, 1, tzinfo=UTC))
    assert (found.micros, dict(found.reads), found.forecast) == (0, {}, 3_000_000)
