"""Times that strangers write can be reckoned with, or are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations import instants
from integrations.social.bluesky import parse as bluesky
from integrations.social.bluesky.cursors import FeedCursor
from integrations.social.mastodon import parse as mastodon

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
ODD = ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z")


@pytest.mark.parametrize("text", ["2026-05-06T12:00:00Z", "2026-05-06T14:00:00+02:00", "2026-05-06T12:00:00"])
def test_a_posts_time_is_taken_as_utc(text: str) -> None:
    at = instants.of_post(text)
    assert (at, at.tzinfo) == (NOON, UTC)


@pytest.mark.parametrize("text", ODD)
def test_a_time_that_cannot_be_reckoned_with_is_put_at_the_edge(text: str) -> None:
    at = instants.of_post(text)
    assert at in (instants.EARLIEST, instants.LATEST)
    assert at - timedelta(days=365) < at < at + timedelta(days=365)


@pytest.mark.parametrize("read", [bluesky.instant, mastodon.instant])
@pytest.mark.parametrize("text", ODD)
def test_a_post_that_is_dated_so_does_not_stop_what_is_read_next(read: object, text: str) -> None:
    newest = read(text)  # type: ignore[operator]
    again = FeedCursor.load(FeedCursor(newest_at=newest).dump())
    assert again.newest_at == newest
    assert again.begin(None, NOON).start is not None


@pytest.mark.parametrize("text", [*ODD, "2026-05-06T12:00:00"])
def test_a_cursor_that_holds_such_a_time_is_none_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match="no cursor of ours"):
        instants.of_cursor(text)
    assert FeedCursor.load(f'{{"v": 1, "newest_at": "{text}", "sweep": null}}') == FeedCursor()
