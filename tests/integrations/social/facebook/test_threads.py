"""Posts that are older than the list reaches."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integrations.graph.wire import NOW, error
from tests.integrations.social.facebook.reading import DAY, comment_id, pull
from tests.integrations.social.facebook.wire import PAGE, US, Facebook


def test_older_posts_are_looked_at_where_somebody_has_spoken(page: Facebook) -> None:
    old, young = page.post(at=NOW - 90 * DAY), page.post(at=NOW - DAY)
    first = page.comment(old, at=NOW - 3 * DAY)
    page.comment(young)
    found, cursor = pull(page, "threads", None, [old, young])
    assert comment_id(old, first) in found
    later = page.comment(old, PAGE, at=NOW - timedelta(minutes=1))
    page.wire.asked.clear()
    found, cursor = pull(page, "threads", cursor, [old, young])
    assert comment_id(old, later) in found
    assert [path for path, _ in page.wire.asked] == [old]  # the young one is the feed's
    page.wire.asked.clear()
    assert pull(page, "threads", cursor, [young])[0] == {}
    assert page.wire.asked == []


def test_threads_that_are_not_posts_of_the_page_are_not_asked_for(page: Facebook) -> None:
    assert pull(page, "threads", None, ["t_1", "9009_1", "comment:1:2", "garbage\n", f"{US.id}_gone"])[0] == {}
    assert [path for path, _ in page.wire.asked] == [f"{US.id}_gone"]
    _, cursor = pull(page, "threads", None, [f"{US.id}_gone"])
    page.wire.asked.clear()
    pull(page, "threads", cursor, [f"{US.id}_gone"])
    assert page.wire.asked == []


def test_a_thread_that_we_were_not_allowed_to_read_is_read_once_we_are(page: Facebook) -> None:
    old = page.post(at=NOW - 90 * DAY)
    page.wire.refused[old] = error(10, "Requires pages_read_engagement permission")
    found, cursor = pull(page, "threads", None, [old])
    assert found == {}
    page.wire.refused.clear()
    comment = page.comment(old)
    assert comment_id(old, comment) in pull(page, "threads", cursor, [old])[0]


def test_a_long_talk_below_an_older_post_is_read_to_where_it_was(page: Facebook) -> None:
    page.wire.page = 4
    old = page.post(at=NOW - 90 * DAY)
    expected = {comment_id(old, page.comment(old, at=NOW - DAY + timedelta(seconds=number))) for number in range(15)}
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(12):
        first = next(iter(page.client().pull("threads", cursor, [old])))
        seen |= {item.id for item in first.items}
        cursor = first.cursor
    assert seen == expected | {old}


@pytest.mark.parametrize(
    "cursor", ["", "x", "{}", '{"v":1,"known":[],"branches":[]}', '{"v":1,"known":{"a":[1]},"branches":[]}']
)
def test_a_cursor_of_threads_that_cannot_be_read_starts_over(page: Facebook, cursor: str) -> None:
    old = page.post(at=NOW - 90 * DAY)
    comment = page.comment(old)
    assert comment_id(old, comment) in pull(page, "threads", cursor, [old])[0]
