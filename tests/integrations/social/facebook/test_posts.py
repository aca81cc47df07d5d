"""Posts of the page and elsewhere, and the comments below them: sweeps, branches and cursors."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.graph import talks
from integrations.graph.cursors import OVERLAP
from integrations.records import Kind
from integrations.social.facebook.client import BELOW, REACH
from tests.integrations.graph.wire import NOW, TOKEN, error
from tests.integrations.social.facebook.reading import DAY, comment_id, pages, pull
from tests.integrations.social.facebook.wire import ADA, BEN, PAGE, US, Facebook


def test_a_talk_on_the_page_is_read_whole(page: Facebook) -> None:
    wall = page.post(ADA, "Do you ship to Norway?")
    ours = page.comment(wall, PAGE, "We do.")
    theirs = page.comment(wall, ADA, "How long does it take?", parent=ours)
    stranger = page.comment(wall, BEN, "Mine took a week.", parent=theirs)
    found, _ = pull(page)
    assert {each: item.kind for each, item in found.items()} == {
        wall: Kind.MENTION,
        comment_id(wall, ours): Kind.OWN,
        comment_id(wall, theirs): Kind.REPLY,
        comment_id(wall, stranger): Kind.COMMENT,
    }
    assert {item.thread for item in found.values()} == {wall}
    assert found[comment_id(wall, ours)].in_reply_to_author == ADA["id"]
    assert found[comment_id(wall, stranger)].in_reply_to == comment_id(wall, theirs)
    assert found[wall].author.name == "Ada Example"
    assert found[comment_id(wall, theirs)].url.endswith(f"comment_id={theirs}")


def test_a_new_comment_below_an_old_post_is_found(page: Facebook) -> None:
    post = page.post(at=NOW - 20 * DAY)
    _, cursor = pull(page)
    page.now = NOW + DAY
    comment = page.comment(post, at=NOW + DAY - timedelta(minutes=5))
    found, _ = pull(page, cursor=cursor)
    assert comment_id(post, comment) in found


def test_what_was_read_long_ago_is_not_brought_again(page: Facebook) -> None:
    post = page.post(at=NOW - 20 * DAY)
    page.comment(post, at=NOW - 19 * DAY)
    _, cursor = pull(page)
    page.post(at=NOW)
    _, cursor = pull(page, cursor=cursor)
    again, _ = pull(page, cursor=cursor)
    assert post not in again


def test_all_new_comments_are_read_however_many(page: Facebook) -> None:
    page.wire.page = BELOW
    post = page.post(at=NOW - DAY)
    comments = {comment_id(post, page.comment(post)) for _ in range(3 * BELOW + 1)}
    found, _ = pull(page)
    assert set(found) == {post} | comments
    assert len(page.wire.calls("GET", f"{post}/comments")) == 3


def test_a_branch_ends_where_comments_are_old(page: Facebook) -> None:
    post = page.post(at=NOW - 20 * DAY)
    for number in range(2 * BELOW):
        page.comment(post, at=NOW - 10 * DAY + timedelta(hours=number))
    _, cursor = pull(page)
    calls = len(page.wire.calls("GET", f"{post}/comments"))
    page.comment(post, at=NOW)
    pull(page, cursor=cursor)
    assert len(page.wire.calls("GET", f"{post}/comments")) == calls


def test_stopping_in_the_middle_of_a_branch_loses_nothing(page: Facebook) -> None:
    page.wire.page = 4
    posts = [page.post(at=NOW - DAY + timedelta(minutes=number)) for number in range(6)]
    expected = {comment_id(post, page.comment(post)) for post in posts for _ in range(11)} | set(posts)
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(60):
        first = next(iter(page.client().pull("posts", cursor)))
        seen |= {item.id for item in first.items}
        cursor = first.cursor
    assert seen == expected


def test_the_list_is_read_back_as_far_as_posts_are_looked_at(page: Facebook) -> None:
    page.wire.page = 1
    for days in (1, 10, 29, 31, 40, 50):
        page.post(at=NOW - days * DAY)
    _, cursor = pull(page)
    page.wire.sent.clear()
    page.post(at=NOW)
    pull(page, cursor=cursor)
    assert len(page.wire.calls("GET", f"{US.id}/feed")) == 5  # today, 1, 10, 29, and the 31 that shows the end
    assert timedelta(days=30) == REACH


def test_a_first_pull_goes_back_as_far_as_it_is_told(page: Facebook) -> None:
    old, young = page.post(ADA, at=NOW - 40 * DAY), page.post(ADA, at=NOW - 20 * DAY)
    assert set(pull(page)[0]) == {young}
    everything = {item.id for each in page.client(since=None).pull("posts", None) for item in each.items}
    assert everything == {old, young}


def test_a_post_that_shows_late_is_found_by_the_overlap(page: Facebook) -> None:
    late = page.post(ADA, at=NOW - timedelta(minutes=50))
    page.wire.hidden.add(late)
    page.post(ADA, at=NOW)
    _, cursor = pull(page)
    page.wire.hidden.clear()
    assert late in pull(page, cursor=cursor)[0]
    assert timedelta(hours=1) == OVERLAP


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_wrong_loses_nothing(page: Facebook, hours: int) -> None:
    page.now = NOW + timedelta(hours=hours)
    page.post(ADA, at=NOW - timedelta(minutes=30))
    _, cursor = pull(page)
    later = page.post(ADA, at=NOW)
    assert later in pull(page, cursor=cursor)[0]


def test_a_sweep_that_was_left_lying_does_not_pass_over_what_came_meanwhile(page: Facebook) -> None:
    page.wire.page = 1
    first, second = page.post(at=NOW - 2 * DAY), page.post(at=NOW - DAY)
    begun = next(iter(page.client().pull("posts", None)))
    assert [item.id for item in begun.items] == [second]
    page.now = NOW + 2 * DAY  # the worker was away for two days, and both posts were spoken below
    missed = page.comment(second, at=NOW + timedelta(hours=2))
    seen = page.comment(first, at=NOW + 2 * DAY - timedelta(minutes=1))
    _, cursor = pull(page, cursor=begun.cursor)
    found, _ = pull(page, cursor=cursor)
    assert {comment_id(second, missed), comment_id(first, seen)} <= set(found)


def test_a_cursor_that_facebook_has_forgotten_starts_its_list_again(page: Facebook) -> None:
    page.wire.page = 2
    posts = {page.post(at=NOW - DAY + timedelta(minutes=number)) for number in range(5)}
    begun = next(iter(page.client().pull("posts", None)))
    page.wire.forgotten = True
    with pytest.raises(errors.InvalidRequestError):
        page.client()._graph.page(f"/{US.id}/feed", after="x")
    found = {item.id for item in next(iter(page.client().pull("posts", begun.cursor))).items}
    page.wire.forgotten = False
    assert found <= posts
    assert set(pull(page, cursor=begun.cursor)[0]) | found | {item.id for item in begun.items} == posts


def test_a_page_that_is_too_much_for_facebook_is_asked_for_in_small_pieces(page: Facebook) -> None:
    posts = {page.post(ADA) for _ in range(8)}
    page.wire.replies.append((500, {}, json.dumps(error(1, "Please reduce the amount of data you're asking for")[1])))
    assert set(pull(page)[0]) == posts
    assert page.wire.calls("GET", f"{US.id}/feed")[1]["limit"] == talks.FEW


def test_one_post_whose_comments_are_refused_hides_no_other(page: Facebook) -> None:
    page.wire.page = 2
    closed, open_ = page.post(at=NOW - DAY), page.post(at=NOW - 2 * DAY)
    for post in (closed, open_):
        for _ in range(5):
            page.comment(post)
    page.wire.refused[f"{closed}/comments"] = error(10, "(#10) Not for you", status=403)
    brought = pages(page)
    found = {item.id for each in brought for item in each.items}
    assert len([each for each in found if each.startswith(f"comment:{open_}:")]) == 5
    assert len([each for each in found if each.startswith(f"comment:{closed}:")]) == 2
    assert any("does not show us" in note for each in brought for note in each.notes)


def test_a_post_that_is_deleted_while_we_read_is_passed_over(page: Facebook) -> None:
    page.wire.page = 2
    post = page.post(at=NOW - DAY)
    for _ in range(5):
        page.comment(post)
    page.wire.refused[f"{post}/comments"] = error(100, "gone", 33)
    assert post in pull(page)[0]


def test_a_row_that_cannot_be_read_is_noted_and_the_rest_kept(page: Facebook) -> None:
    good = page.post(ADA)
    page.wire.put("700_broken", f"{US.id}/feed", message="no time")
    (only,) = pages(page)
    assert [item.id for item in only.items] == [good]
    assert "1 posts or parts of them" in only.notes[0]


def test_a_page_of_which_nothing_can_be_read_says_so(page: Facebook) -> None:
    page.wire.put("700_broken", f"{US.id}/feed", message="no time")
    with pytest.raises(errors.UnexpectedResponseError):
        pull(page)


def test_a_limit_that_is_nearly_used_up_ends_a_pull_after_its_page(page: Facebook) -> None:
    page.wire.page = 2
    for _ in range(5):
        page.post(ADA)
    page.wire.headers["X-Business-Use-Case-Usage"] = (
        '{"700":[{"type":"pages","call_count":97,"estimated_time_to_regain_access":0}]}'
    )
    stopped = page.client().pull("posts", None)
    first = next(stopped)
    assert len(first.items) == 2
    with pytest.raises(errors.RateLimitError) as limited:
        next(stopped)
    assert limited.value.retry_after >= 60
    page.wire.headers.clear()
    assert len(pull(page, cursor=first.cursor)[0]) == 3


def test_no_cursor_holds_a_token(page: Facebook) -> None:
    page.wire.page = 2
    post = page.post(at=NOW - DAY)
    for _ in range(5):
        page.comment(post)
        page.post(ADA)
    assert all(TOKEN not in str(each.cursor) and "access_token" not in str(each.cursor) for each in pages(page))


@pytest.mark.parametrize("name", ["sweep", "read"])
def test_a_cursor_that_was_tampered_with_starts_over(page: Facebook, name: str) -> None:
    post = page.post(ADA)
    values: list[Any] = ["x", {"start": None}, [], 10**30]
    for value in values:
        assert set(pull(page, cursor=json.dumps({"v": 1, "read": None, "sweep": None, name: value}))[0]) == {post}


def test_a_cursor_leads_nowhere_but_to_an_edge(page: Facebook) -> None:
    post = page.post(ADA)
    sweep = {"start": None, "begun": 1, "after": None, "newest": None, "ended": False, "branches": [["@evil.example/", "t", None, None, "", "", "", False]]}  # fmt: skip
    assert set(pull(page, cursor=json.dumps({"v": 1, "read": None, "sweep": sweep}))[0]) == {post}
    assert all(str(request.url).startswith("https://graph.facebook.com/") for request in page.wire.sent)


def test_posts_elsewhere_that_tag_the_page_come_with_what_is_said_below(page: Facebook) -> None:
    post = page.tag(ADA, "Look what @Acme made", message_tags=[{"id": US.id}])
    ours, stranger = page.comment(post, PAGE, "Thank you"), page.comment(post, BEN, "Nice")
    found, _ = pull(page, "mentions")
    assert found[post].kind is Kind.MENTION
    assert found[comment_id(post, ours)].kind is Kind.OWN
    assert found[comment_id(post, ours)].in_reply_to_author == ADA["id"]
    assert found[comment_id(post, stranger)].kind is Kind.CONTEXT
    assert pull(page)[0] == {}


def test_a_list_that_repeats_its_place_ends(page: Facebook) -> None:
    again = json.dumps({"data": [], "paging": {"cursors": {"after": "same"}, "next": "https://x/"}})
    page.wire.replies += [(200, {}, again)] * 5
    assert len(list(page.client().pull("posts", None))) == 2


def test_comments_that_repeat_their_place_end(page: Facebook) -> None:
    page.wire.page = 2
    post = page.post()
    for _ in range(5):
        page.comment(post)
    pages = page.client().pull("posts", None)
    next(pages)
    again = json.dumps({"data": [], "paging": {"cursors": {"after": "same"}, "next": "https://x/"}})
    page.wire.replies += [(200, {}, again)] * 5
    assert len(list(pages)) == 2
