"""A task's text with our key in it: what a person writes around it stays, and the key is found again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from integrations import body

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("due", [None, AT, AT.replace(second=7)])
@pytest.mark.parametrize("text", ["", "They asked.\nTwice."])
def test_a_key_and_an_instant_are_read_as_they_were_written(text: str, due: datetime | None) -> None:
    marked = body.mark(text, "u-1a", due)

    assert body.unmark(marked) == (text, "u-1a")
    assert body.marked_due(marked) == due


def test_what_somebody_writes_below_the_marker_stays_and_hides_no_key() -> None:
    marked = body.mark("They asked.", "u-1a", AT) + "\nCalled, no answer.\n"

    assert body.unmark(marked) == ("They asked.\nCalled, no answer.", "u-1a")
    assert body.marked_due(marked) == AT


def test_a_marker_that_a_post_quotes_is_not_ours() -> None:
    assert body.unmark(body.mark("Warmline reference: u-theirs\nThey quoted it.", "u-ours"))[1] == "u-ours"


@pytest.mark.parametrize("text", ["", "Warmline reference: ", "See Warmline reference: u-1a"])
def test_a_text_without_a_marker_has_no_key(text: str) -> None:
    assert body.unmark(text) == (text, None)
    assert body.marked_due(text) is None


def test_an_instant_that_is_none_is_left_alone() -> None:
    assert body.marked_due("Warmline reference: u-1a, due 2026-13-45 09:00 UTC") is None


def test_a_day_has_the_time_of_day_that_the_marker_holds() -> None:
    assert body.due_on(date(2026, 11, 26), AT) == AT
    assert body.due_on(date(2026, 11, 30), AT) == AT.replace(day=30)
    assert body.due_on(date(2026, 11, 26), None) == AT.replace(hour=0)
    assert body.due_on(None, AT) is None


def test_a_day_is_counted_by_the_clocks_of_its_zone() -> None:
    evening = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)  # five in the afternoon of the 26th there
    assert body.due_on(date(2026, 11, 26), evening, ZoneInfo("America/Los_Angeles")) == evening
