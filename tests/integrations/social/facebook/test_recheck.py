"""What became of posts, comments and messages; and who we are."""

from __future__ import annotations

from typing import Any

import pytest

from integrations import errors
from integrations.records import Engagement, Gone, Kind, Unasked
from tests.integrations.graph.wire import NOW, error
from tests.integrations.social.facebook.reading import DAY, comment_id
from tests.integrations.social.facebook.wire import ADA, PAGE, US, Facebook


def _again(page: Facebook, *ids: str) -> dict[str, Any]:
    return {each.id: each for each in page.client().recheck(ids)}


def test_a_recheck_follows_edits_and_deletions_on_the_page(page: Facebook) -> None:
    wall, gone = page.post(ADA, "before"), page.post(ADA)
    comment, deleted = page.comment(wall, text="before"), page.comment(wall)
    page.wire.nodes[wall]["message"] = page.wire.nodes[comment]["message"] = "after"
    page.wire.drop(gone)
    page.wire.drop(deleted)
    found = _again(page, wall, gone, comment_id(wall, comment), comment_id(wall, deleted))
    assert found[gone] == Gone(gone)
    assert found[comment_id(wall, deleted)] == Gone(comment_id(wall, deleted))
    assert (found[wall].text, found[comment_id(wall, comment)].text) == ("after", "after")
    assert found[comment_id(wall, comment)].thread == wall
    assert len(page.wire.sent) == 1


def test_where_everything_is_missing_the_page_is_asked_whether_it_can_be_read(page: Facebook) -> None:
    gone = page.post(ADA)
    page.wire.drop(gone)
    assert _again(page, gone) == {gone: Gone(gone)}
    page.wire.refused[f"{US.id}/feed"] = error(10, "(#10) requires pages_read_user_content", status=403)
    with pytest.raises(errors.PermissionDeniedError):
        _again(page, gone)


def test_what_is_refused_is_not_gone(page: Facebook) -> None:
    kept, refused = page.post(ADA), page.post(ADA)
    page.wire.refused[refused] = error(10, "(#10) Not for you")
    assert set(_again(page, kept, refused)) == {kept}


def test_posts_elsewhere_are_sought_in_the_list_of_mentions(page: Facebook) -> None:
    page.wire.page = 2
    posts = [page.tag(at=NOW - number * DAY) for number in range(7)]
    kept, deleted = page.comment(posts[5], PAGE), page.comment(posts[5], PAGE)
    page.wire.foreign |= {kept, deleted}
    page.wire.drop(posts[3])
    page.wire.drop(deleted)
    found = _again(page, posts[1], posts[3], comment_id(posts[5], kept), comment_id(posts[5], deleted))
    assert isinstance(found[posts[1]], Engagement)
    assert found[posts[3]] == Gone(posts[3])
    assert found[comment_id(posts[5], kept)].kind is Kind.OWN
    assert found[comment_id(posts[5], deleted)] == Gone(comment_id(posts[5], deleted))


def test_a_list_of_mentions_that_goes_on_tells_nothing_of_what_it_lacks(
    page: Facebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.graph.rechecks.PAGES", 2)
    page.wire.page = 2
    posts = [page.tag(at=NOW - number * DAY) for number in range(7)]
    page.wire.drop(posts[6])
    assert set(_again(page, posts[0], posts[6])) == {posts[0]}


def test_messages_are_sought_in_their_talk(page: Facebook) -> None:
    talk = page.talk()
    kept, unsent = page.message(talk, text="before"), page.message(talk)
    page.wire.nodes[kept]["message"] = "after"
    page.wire.drop(unsent)
    found = _again(page, f"dm:{talk}:{kept}", f"dm:{talk}:{unsent}", "dm:t_unknown:m_1")
    assert found[f"dm:{talk}:{kept}"].text == "after"
    assert found[f"dm:{talk}:{kept}"].window_closes_at is not None
    assert found[f"dm:{talk}:{unsent}"] == Gone(f"dm:{talk}:{unsent}")
    assert len(found) == 2


def test_of_a_message_in_a_talk_that_goes_on_nothing_is_told(page: Facebook) -> None:
    page.wire.page = 3
    talk = page.talk()
    old = page.message(talk, at=NOW - DAY)
    for _ in range(5):
        page.message(talk)
    assert _again(page, f"dm:{talk}:{old}") == {}


def test_a_limit_in_the_middle_keeps_what_was_answered_and_says_who_was_not_asked_about(page: Facebook) -> None:
    one, two = page.talk("t_1"), page.talk("t_2")
    first, second = page.message(one), page.message(two)
    page.wire.refused[f"{two}/messages"] = error(613, "(#613) Calls to this api have exceeded the rate limit.")
    kept, left = f"dm:{one}:{first}", f"dm:{two}:{second}"
    found = _again(page, kept, "dm:t_unknown:m_1", left)
    assert isinstance(found.pop(kept), Engagement)
    assert found == {left: Unasked(left)}
    with pytest.raises(errors.RateLimitError):
        _again(page, f"dm:{two}:{second}")


def test_what_is_no_id_of_ours_is_not_asked_for(page: Facebook) -> None:
    assert _again(page, "", "like:1:2", "comment:1", "1/feed?x=y") == {}
    assert page.wire.sent == []


def test_whoami_names_the_page(page: Facebook) -> None:
    who = page.client(account=None).whoami()
    assert (who.id, who.handle, who.name, who.followers) == (US.id, "acme", "Acme", 12)
    page.wire.nodes[US.id].pop("username")
    assert page.client(account=None).whoami().handle == US.id
    page.wire.replies.append((200, {}, "{}"))
    with pytest.raises(errors.UnexpectedResponseError):
        page.client().whoami()
