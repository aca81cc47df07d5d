from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from integrations.errors import RateLimitError
from integrations.records import Kind
from integrations.social.x import searching
from tests.integrations.social.x.wire import NOW, US, Wire, snowflake, tweet

SEARCH = "/2/tweets/search/recent"


def _thread(wire: Wire, serial: int, by: str, answers: int, *, age: timedelta = timedelta(days=1)) -> str:
    root = snowflake(NOW - age, serial)
    wire.add(tweet(root, by, "root", NOW - age))
    for index in range(answers):
        at = NOW - age + timedelta(minutes=index + 1)
        wire.add(tweet(snowflake(at, serial), "9", "me too", at, reply_to=(root, by), conversation_id=root))
    return root


def test_others_below_our_post_are_comments_and_below_theirs_context(wire: Wire) -> None:
    ours, theirs = _thread(wire, 1, US.id, 1), _thread(wire, 2, "30", 1)
    talk = {}
    for root, by in ((ours, US.id), (theirs, "30")):
        first = next(row["id"] for row in wire.posts.values() if row["conversation_id"] == root and row["id"] != root)
        talk[by] = snowflake(NOW - timedelta(hours=1), int(by))
        wire.add(tweet(talk[by], "31", "no", NOW - timedelta(hours=1), reply_to=(first, "9"), conversation_id=root))
    items = {item.id: item for page in wire.client().pull("conversations", None, [ours, theirs]) for item in page.items}
    assert (items[talk[US.id]].kind, items[talk["30"]].kind) == (Kind.COMMENT, Kind.CONTEXT)
    assert items[ours].kind is Kind.OWN


def test_the_author_of_a_root_is_looked_up_where_it_decides(wire: Wire) -> None:
    root = _thread(wire, 1, US.id, 0, age=timedelta(days=20))  # older than search goes back
    one, two = snowflake(NOW - timedelta(hours=3)), snowflake(NOW - timedelta(hours=2))
    wire.add(
        tweet(one, "30", "hm", NOW - timedelta(hours=3), reply_to=("5", "31"), conversation_id=root),
        tweet(two, "31", "hm", NOW - timedelta(hours=2), reply_to=(one, "30"), conversation_id=root),
    )
    page = list(wire.client().pull("conversations", None, [root]))[-1]
    assert {item.id: item.kind for item in page.items} == {one: Kind.COMMENT, two: Kind.COMMENT, root: Kind.OWN}
    assert page.reads == {"post": 3}
    assert [query["ids"] for query in wire.queries("/2/tweets")] == [root]


def test_quotes_of_us_are_found_by_one_query_whatever_they_quote(wire: Wire) -> None:
    ours, quote = snowflake(NOW - timedelta(days=2)), snowflake(NOW - timedelta(hours=1))
    wire.add(tweet(ours, US.id, "anvils", NOW - timedelta(days=2)))
    wire.add(tweet(quote, "9", "look at this", NOW - timedelta(hours=1), quotes=ours))
    (page,) = wire.client().pull("conversations", None)
    assert [(item.id, item.kind, item.quotes) for item in page.items] == [(quote, Kind.QUOTE, ours)]
    assert wire.queries(SEARCH)[0]["query"] == '(url:"x.com/acme/status" OR url:"twitter.com/acme/status") -is:retweet'


def test_under_a_new_handle_quotes_are_read_anew_and_nothing_else_is(wire: Wire) -> None:
    root = _thread(wire, 1, US.id, 0)
    (*_, last) = wire.client().pull("conversations", None, [root])
    renamed = wire.client(account=replace(US, handle="acme_new"))
    (*_, last) = renamed.pull("conversations", last.cursor, [root])
    list(renamed.pull("conversations", last.cursor, [root]))
    starts = [(query["query"][:5], query["start_time"][:10]) for query in wire.queries(SEARCH)]
    assert sorted(starts[2:4]) == [("(url:", "2026-03-13"), ("conve", "2026-03-20")]
    assert {start for _, start in starts[4:]} == {"2026-03-20"}


def test_a_search_that_began_under_the_old_handle_is_begun_anew(wire: Wire) -> None:
    wire.page = 1
    ours = snowflake(NOW - timedelta(days=2))
    wire.add(tweet(ours, US.id, "anvils", NOW - timedelta(days=2)))
    for hours in (1, 2):
        at = NOW - timedelta(hours=hours)
        wire.add(tweet(snowflake(at), "9", "look at this", at, quotes=ours))
    half = next(wire.client().pull("conversations", None))
    list(wire.client(account=replace(US, handle="acme_new")).pull("conversations", half.cursor))
    assert "next_token" not in wire.queries(SEARCH)[1]


def test_a_place_that_says_no_handle_stands(wire: Wire) -> None:
    (page,) = wire.client().pull("conversations", None)
    before = {name: value for name, value in json.loads(page.cursor or "").items() if name != "handle"}
    list(wire.client().pull("conversations", json.dumps(before)))
    assert wire.queries(SEARCH)[1]["start_time"].startswith("2026-03-20")


def test_queries_hold_as_many_threads_as_fit_into_512_characters(wire: Wire) -> None:
    threads = [snowflake(NOW - timedelta(hours=1), serial) for serial in range(40)]
    list(wire.client().pull("conversations", None, [*threads, threads[0], "9-7000", "not a number"]))
    asked = [query["query"] for query in wire.queries(SEARCH)][1:]
    assert [len(text) <= 512 for text in asked] == [True] * len(asked)
    assert len(asked) == 4
    assert [term.removeprefix("conversation_id:") for text in asked for term in text.split(" OR ")] == threads


def test_a_new_thread_is_read_from_seven_days_back_and_a_known_one_from_where_it_was_left(wire: Wire) -> None:
    old = _thread(wire, 1, US.id, 3)
    first = list(wire.client().pull("conversations", None, [old]))[-1]
    new = _thread(wire, 2, US.id, 3, age=timedelta(days=3))
    wire.sent.clear()
    wire.now += timedelta(hours=1)
    items = [item for page in wire.client().pull("conversations", first.cursor, [new, old]) for item in page.items]
    starts = {query["query"]: query["start_time"] for query in wire.queries(SEARCH)}
    assert starts[f"conversation_id:{new}"] == "2026-03-13T13:01:00Z"
    assert starts[f"conversation_id:{old}"] == "2026-03-20T11:30:00Z"
    assert {item.thread for item in items} == {new}


@pytest.mark.parametrize(("since", "noted"), [(timedelta(days=30), True), (timedelta(days=3), False)])
def test_a_first_pull_says_what_seven_days_leave_out(wire: Wire, since: timedelta, noted: bool) -> None:
    pages = list(wire.client(since=NOW - since).pull("conversations", None, ["5"]))
    sentence = "X searches only the last 7 days; older answers in your threads and older quotes since 18 February 2026 were not read"
    assert [note for page in pages for note in page.notes] == ([sentence] if noted else [])


def test_a_gap_of_more_than_seven_days_is_said(wire: Wire) -> None:
    last = list(wire.client().pull("conversations", None, ["5"]))[-1]
    wire.now += timedelta(hours=1)
    assert [page.notes for page in wire.client().pull("conversations", last.cursor, ["5"])] == [(), ()]
    wire.now += timedelta(days=9)
    pages = list(wire.client().pull("conversations", last.cursor, ["5"]))
    assert "since 20 March 2026" in pages[0].notes[0]


def test_the_rate_limit_is_raised_between_two_queries_after_the_page(wire: Wire) -> None:
    root = _thread(wire, 1, US.id, 2)
    wire.left = 1
    pull = wire.client().pull("conversations", None, [root])
    page = next(pull)
    with pytest.raises(RateLimitError):
        next(pull)
    wire.left = None
    items = [item for rest in wire.client().pull("conversations", page.cursor, [root]) for item in rest.items]
    assert len({item.id for item in items}) == 3


@settings(deadline=None, max_examples=50)
@given(
    threads=st.lists(st.integers(0, 9), min_size=1, max_size=25),
    page=st.integers(10, 12),
    stops=st.lists(st.integers(1, 3), max_size=8),
    forgotten=st.booleans(),
)
def test_stopping_after_any_page_and_resuming_loses_nothing(
    threads: Sequence[int], page: int, stops: Sequence[int], forgotten: bool
) -> None:
    wire = Wire(page=page)
    roots = [_thread(wire, serial, US.id, answers) for serial, answers in enumerate(threads, 1)]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        wire.serve(mock)
        cursor, seen = None, set()
        for pages in [*stops, None]:
            for number, each in enumerate(wire.client().pull("conversations", cursor, roots), 1):
                seen |= {item.id for item in each.items}
                cursor = each.cursor
                wire.forgotten = False
                if number == pages:
                    break
            wire.forgotten = forgotten
    assert seen == set(wire.posts)


def test_a_pull_that_gets_only_one_page_at_a_time_comes_to_an_end(wire: Wire) -> None:
    wire.page = 10
    roots = [_thread(wire, serial, US.id, 3) for serial in range(1, 21)]
    cursor, seen, rounds = None, set(), 0
    while seen != set(wire.posts):
        page = next(wire.client().pull("conversations", cursor, roots))
        seen |= {item.id for item in page.items}
        cursor, rounds = page.cursor, rounds + 1
        assert rounds <= 15, "it reads the same pages again and again"


def test_a_resumed_pull_goes_on_to_the_other_threads(wire: Wire) -> None:
    wire.page = 10
    roots = [_thread(wire, serial, US.id, 3) for serial in range(1, 21)]
    pull = wire.client().pull("conversations", None, roots)
    first, second = next(pull), next(pull)
    rest = [item for page in wire.client().pull("conversations", second.cursor, roots) for item in page.items]
    assert {item.id for item in (*first.items, *second.items, *rest)} == set(wire.posts)


def test_threads_that_nobody_asks_for_any_more_leave_the_cursor(wire: Wire) -> None:
    first = list(wire.client().pull("conversations", None, ["5", "6"]))[-1]
    last = list(wire.client().pull("conversations", first.cursor, ["6"]))[-1]
    assert '"5"' in (first.cursor or "")
    assert '"5"' not in (last.cursor or "")


def test_a_group_conversation_of_messages_is_not_searched_for() -> None:
    assert searching.terms("acme", ["9-7000", "12"]) == [searching.QUOTES, "12"]
    assert searching.terms("", ["12"]) == ["12"]
