from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.console.chart import bars
from service.console.words import clock, closing, dollars, exact, how_long, relative
from service.demo.figures import Figures
from service.sentences import count_of

NOW = datetime(2026, 5, 6, 15, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("away", "says"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=59), "in a moment"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(minutes=-59, seconds=-59), "59 minutes ago"),
        (timedelta(hours=-1), "1 hour ago"),
        (timedelta(hours=23), "in 23 hours"),
        (timedelta(days=-14), "14 days ago"),
        (timedelta(days=-15), "on 21 April"),
        (timedelta(days=-200), "on 18 October 2025"),
    ],
)
def test_an_instant_is_put_relative_to_now(away: timedelta, says: str) -> None:
    assert relative(NOW + away, NOW, "UTC") == says


def test_a_date_is_the_one_in_the_workspaces_zone() -> None:
    assert relative(datetime(2026, 3, 31, 23, 30, tzinfo=UTC), NOW, "Asia/Tokyo") == "on 1 April"


def test_the_exact_instant_names_its_zone() -> None:
    assert exact(NOW, "Europe/Paris") == "6 May 2026, 17:30 CEST"


@pytest.mark.parametrize(
    ("instant", "says"),
    [
        (NOW + timedelta(hours=2), "today at 17:30"),
        (NOW + timedelta(hours=10), "tomorrow at 01:30"),
        (NOW + timedelta(days=3), "Saturday at 15:30"),
        (NOW + timedelta(days=7), "13 May at 15:30"),
        (NOW - timedelta(days=1), "5 May at 15:30"),
    ],
)
def test_an_instant_on_the_clock(instant: datetime, says: str) -> None:
    assert clock(instant, NOW, "UTC") == says


def test_a_wait_that_a_clock_says_has_not_begun_is_short() -> None:
    assert how_long(NOW + timedelta(seconds=3), NOW) == "less than a minute"
    assert how_long(NOW - timedelta(hours=26), NOW) == "1 day"


def test_counts_and_prices() -> None:
    assert [count_of(1, "post"), count_of(1240, "post"), count_of(2, "person is", "people are")] == [
        "1 post",
        "1,240 posts",
        "2 people are",
    ]
    assert [dollars(18.6), dollars(0.005), dollars(0)] == ["$18.60", "$0.005", "$0.00"]


def test_the_highest_bar_fills_the_chart_and_an_empty_day_is_still_a_day() -> None:
    days = [NOW.date() + timedelta(days=index) for index in range(3)]
    made = bars(days, {days[0]: 4, days[2]: 2})
    assert [bar.height for bar in made] == [80.0, 1.5, 40.0]
    assert [bar.y for bar in made] == [0.0, 78.5, 40.0]
    assert [bar.number for bar in bars(days, {})] == [0, 0, 0]


def test_what_is_shown_while_a_demo_runs_counts_one_as_one() -> None:
    assert Figures(1, 1, 0, 0, 1, 0, 0).line() == "1 post pulled · 1 author, 0 matched · 1 task in the CRM"


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("no reply needed", "No reply needed,"),
        ("Bo Stone is away. Ask Ána in May", "Bo Stone is away. Ask Ána in May,"),
        ("Bo Stone asked on X. There is time until 8 May.", "Bo Stone asked on X. There is time until 8 May. Closed"),
        ("", "Closed"),
    ],
)
def test_why_a_task_was_closed_keeps_its_names_as_they_are_written(reason: str, says: str) -> None:
    assert closing(reason) == says
