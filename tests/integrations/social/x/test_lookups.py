from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.errors import PermissionDeniedError, RateLimitError
from integrations.records import Engagement, Gone, Kind
from integrations.social.x.calls import CREDITS
from tests.integrations.social.x.wire import NOW, US, Wire, dm, snowflake, tweet


def test_ancestors_come_with_what_they_answer_and_every_id_counts_as_answered(wire: Wire) -> None:
    wire.add(tweet("100", "9", "root"), tweet("101", "30", "hm", reply_to=("100", "9"), conversation_id="100"))
    (page,) = wire.client().pull("ancestors", None, ["101", "404", "not-an-id", "101"])
    assert [(item.id, item.kind) for item in page.items] == [("101", Kind.CONTEXT), ("100", Kind.CONTEXT)]
    assert page.answered == ("101", "404", "not-an-id")
    assert page.reads == {"post": 1}


def test_ancestors_are_asked_for_by_the_hundred(wire: Wire) -> None:
    ids = [str(1000 + index) for index in range(250)]
    wire.add(*(tweet(each, "9") for each in ids))
    pages = list(wire.client().pull("ancestors", None, ids))
    assert [len(query["ids"].split(",")) for query in wire.queries("/2/tweets")] == [100, 100, 50]
    assert [len(page.answered) for page in pages] == [100, 100, 50]
    assert [item.id for page in pages for item in page.items] == ids


def test_no_ids_no_call(wire: Wire) -> None:
    assert list(wire.client().pull("ancestors", None, [])) == []
    assert [page.answered for page in wire.client().pull("ancestors", None, ["abc"])] == [("abc",)]
    assert wire.sent == []


def test_ancestors_yield_what_came_before_the_rate_limit_is_raised(wire: Wire) -> None:
    wire.left = 1
    pull = wire.client().pull("ancestors", None, [str(1000 + index) for index in range(150)])
    assert len(next(pull).answered) == 100
    with pytest.raises(RateLimitError):
        next(pull)


def test_a_recheck_answers_for_posts_that_are_there_and_posts_that_are_gone(wire: Wire) -> None:
    ids = [str(1000 + index) for index in range(150)]
    wire.add(*(tweet(each, "9") for each in ids))
    answers = wire.client().recheck([*ids, "404", "not-an-id", ids[0]])
    assert {each.id for each in answers if isinstance(each, Engagement)} == set(ids)
    assert {each for each in answers if isinstance(each, Gone)} == {Gone("404"), Gone("not-an-id")}
    assert len(answers) == 152


def test_a_post_that_x_hides_from_us_is_gone_too(wire: Wire) -> None:
    body = '{"errors":[{"type":"https://api.twitter.com/2/problems/not-authorized-for-resource","resource_type":"tweet","resource_id":"5","parameter":"ids","value":"5"}]}'
    wire.replies = [(200, {}, body)]
    assert wire.client().recheck(["5"]) == [Gone("5")]


def test_a_post_that_x_leaves_out_in_silence_is_not_declared_gone(wire: Wire) -> None:
    wire.replies = [(200, {}, '{"meta":{"result_count":0}}')]
    assert wire.client().recheck(["5"]) == []


def test_an_edit_is_followed_to_its_newest_version_under_the_first_id(wire: Wire) -> None:
    first, second = snowflake(NOW - timedelta(minutes=9)), snowflake(NOW - timedelta(minutes=5))
    versions = {"edit_history_tweet_ids": [first, second]}
    wire.add(tweet(first, "9", "@acme helo", NOW - timedelta(minutes=9), **versions))
    wire.add(tweet(second, "9", "@acme hello", NOW - timedelta(minutes=5), **versions))
    (item,) = wire.client().recheck([first])
    assert isinstance(item, Engagement)
    assert (item.id, item.text, item.edited_at) == (first, "@acme hello", NOW - timedelta(minutes=5))
    assert item.created_at == NOW - timedelta(minutes=9)


def test_messages_are_rechecked_in_the_list_that_x_serves(wire: Wire) -> None:
    kept, deleted, older = (snowflake(NOW - timedelta(days=age)) for age in (2, 3, 40))
    wire.write(
        dm(kept, "9", NOW - timedelta(days=2)), dm(snowflake(NOW - timedelta(days=5)), US.id, NOW - timedelta(days=5))
    )
    answers = wire.client().recheck([f"dm:{each}" for each in (kept, deleted, older, "oops")])
    assert {each.id: type(each) for each in answers} == {
        f"dm:{kept}": Engagement,
        f"dm:{deleted}": Gone,
        "dm:oops": Gone,
    }  # what is older than X's list has no answer


def test_the_list_of_messages_is_read_no_further_than_need_be(wire: Wire) -> None:
    for hours in range(250):
        at = NOW - timedelta(hours=hours)
        wire.write(dm(snowflake(at), "9", at))
    asked = snowflake(NOW - timedelta(hours=3))
    assert len(wire.client().recheck([f"dm:{asked}"])) == 1
    assert [query["max_results"] for query in wire.queries("/2/dm_events")] == ["1"] * 4


def test_an_id_that_holds_no_time_is_never_declared_gone(wire: Wire) -> None:
    wire.write(dm("17", "9", NOW - timedelta(days=1)))
    answers = wire.client().recheck(["dm:17", "dm:18"])
    assert [each.id for each in answers] == ["dm:17"]


def test_messages_that_may_not_be_read_keep_no_post_from_being_followed(wire: Wire) -> None:
    wire.add(tweet("100", "9", "@acme hello"))
    wire.refused["/2/dm_events"] = (403, {}, '{"title":"Forbidden","detail":"Forbidden","status":403}')
    answers = wire.client().recheck([f"dm:{snowflake(NOW)}", "100", "404"])
    assert [(type(each), each.id) for each in answers] == [(Engagement, "100"), (Gone, "404")]


def test_a_plan_that_has_ended_is_said_of_messages_too(wire: Wire) -> None:
    wire.refused["/2/dm_events"] = (402, {}, '{"title":"CreditsDepleted","status":402}')
    with pytest.raises(PermissionDeniedError, match=CREDITS[:20]):
        wire.client().recheck([f"dm:{snowflake(NOW)}"])
