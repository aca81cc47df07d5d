"""What has become of stored posts."""

from __future__ import annotations

import pytest

from integrations import errors
from integrations.records import Engagement, Gone, Unasked
from integrations.social.mastodon.client import SPARE
from tests.integrations.social.mastodon.wire import ADA, NOW, US, Wire, html, iso

MANY = "/api/v1/statuses"


@pytest.mark.parametrize("many", [True, False])
def test_each_post_has_one_answer_whichever_calls_the_server_knows(wire: Wire, many: bool) -> None:
    wire.many = many
    posts = [wire.say(ADA, f"number {number}", names=[US.id]) for number in range(45)]
    gone, changed = posts[7], posts[30]
    wire.delete(gone)
    wire.posts[changed] |= {"content": html("changed"), "edited_at": iso(NOW)}
    answers = wire.client().recheck(posts)
    assert sorted(each.id for each in answers) == sorted(posts)
    assert [each.id for each in answers if isinstance(each, Gone)] == [gone]
    assert [each.text for each in answers if isinstance(each, Engagement) and each.edited_at] == ["changed"]
    assert len(wire.queries(MANY)) == (3 if many else 1)
    assert len(wire.sent) == (4 if many else 46)


@pytest.mark.parametrize("body", ["<html>", "{}", "17"])
def test_an_answer_for_many_that_is_none_makes_it_ask_for_each(wire: Wire, body: str) -> None:
    posts = [wire.say(ADA, text, names=[US.id]) for text in ("one", "two")]
    wire.replies.append((200, {}, body))
    assert sorted(each.id for each in wire.client().recheck(posts)) == sorted(posts)


def test_a_server_that_may_not_be_asked_for_many_is_asked_for_each(wire: Wire) -> None:
    """As GoToSocial says it, which takes posts at that address and serves none."""
    asked = [wire.say(ADA, text) for text in ("one", "two")]
    wire.replies.append((405, {"Content-Type": "text/plain"}, "405 method not allowed"))
    assert [each.id for each in wire.client().recheck(asked)] == asked
    assert len(wire.sent) == 3


def test_a_post_left_out_of_many_is_gone_only_if_it_is_gone_alone(wire: Wire) -> None:
    shown, left_out = (wire.say(ADA, text, names=[US.id]) for text in ("one", "two"))
    wire.replies.append((200, {}, "[]"))
    answers = wire.client().recheck([shown, left_out])
    assert not [each for each in answers if isinstance(each, Gone)]
    assert len(answers) == 2


def test_where_no_call_is_left_the_others_were_not_asked_about(wire: Wire) -> None:
    wire.many, wire.left = False, SPARE + 4
    posts = [wire.say(ADA, f"number {number}", names=[US.id]) for number in range(9)]
    answers = wire.client().recheck(posts)
    assert [each.id for each in answers if isinstance(each, Engagement)] == posts[:3]
    assert list(answers[3:]) == [Unasked(each) for each in posts[3:]]


def test_where_no_call_is_left_at_all_that_is_said(wire: Wire) -> None:
    wire.left = 0
    with pytest.raises(errors.RateLimitError):
        wire.client().recheck([wire.say(ADA)])


def test_where_no_call_is_left_for_threads_those_that_are_known_are_answered(wire: Wire) -> None:
    parent = wire.say(US.id, "ours")
    first, answer = wire.say(ADA, "a first post"), wire.say(ADA, "an answer", to=parent, names=[US.id])
    wire.left = SPARE + 1
    found, *left = wire.client().recheck([first, answer])
    assert isinstance(found, Engagement)
    assert (found.id, left) == (first, [Unasked(answer)])
    assert len(wire.sent) == 1


def test_where_no_call_is_left_what_is_gone_is_told_all_the_same(wire: Wire) -> None:
    parent = wire.say(US.id, "ours")
    gone, answer = wire.say(ADA), wire.say(ADA, "an answer", to=parent, names=[US.id])
    wire.delete(gone)
    wire.many, wire.left = False, SPARE + 3
    assert wire.client().recheck([gone, answer]) == [Gone(gone), Unasked(answer)]


def test_many_answers_in_many_talks_take_few_calls(wire: Wire) -> None:
    parents = [wire.say(US.id, f"ours {number}") for number in range(40)]
    answers = [wire.say(ADA, "an answer", to=parent, names=[US.id]) for parent in parents]
    found = wire.client().recheck(answers)
    assert {each.id: each.thread for each in found if isinstance(each, Engagement)} == dict(
        zip(answers, parents, strict=True)
    )
    assert len(wire.sent) == 4


def test_the_posts_above_are_not_what_was_asked_about(wire: Wire) -> None:
    parent = wire.say(US.id, "ours")
    answer = wire.say(ADA, "an answer", to=parent, names=[US.id])
    (found,) = wire.client().recheck([answer])
    assert isinstance(found, Engagement)
    assert (found.id, found.thread) == (answer, parent)


def test_ids_are_nothing_but_ids(wire: Wire) -> None:
    assert wire.client().recheck(["a/../b?c"]) == [Gone("a/../b?c")]
    assert wire.paths()[:1] == ["/api/v1/statuses/a%2F..%2Fb%3Fc"]


def test_a_failure_in_passing_is_not_a_deletion(wire: Wire) -> None:
    post = wire.say(ADA)
    wire.replies.append((502, {"Content-Type": "text/html"}, "<html>"))
    with pytest.raises(errors.TemporaryError):
        wire.client().recheck([post])


def test_an_answer_that_is_no_post_says_so(wire: Wire) -> None:
    wire.replies.append((200, {}, "[]"))
    with pytest.raises(errors.UnexpectedResponseError):
        wire.client().recheck([wire.say(ADA)])


def test_a_server_that_knows_nothing_at_all_any_more_has_deleted_nothing(wire: Wire) -> None:
    posts = [wire.say(ADA, f"number {number}", names=[US.id]) for number in range(3)]
    wire.missing = ("/api/v1/accounts/verify_credentials", MANY, *(f"{MANY}/{each}" for each in posts))
    with pytest.raises(errors.UnexpectedResponseError, match="nor the account"):
        wire.client().recheck(posts)


def test_all_that_was_asked_for_may_be_gone(wire: Wire) -> None:
    posts = [wire.say(ADA, f"number {number}", names=[US.id]) for number in range(3)]
    for each in posts:
        wire.delete(each)
    assert wire.client().recheck(posts) == [Gone(each) for each in posts]
