"""X's recent search."""

from __future__ import annotations

import pytest

from sandbox.x_search import QueryError, compile_query

SEARCH = "/2/tweets/search/recent"


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("conversation_id:50", ["30", "60", "40", "50"]),
        ("conversation_id:50 OR conversation_id:70", ["70", "30", "60", "40", "50"]),
        ("conversation_id:50 from:maria", ["30"]),
        ("(conversation_id:50 OR conversation_id:20) -from:2", ["20", "30", "40"]),
        ("from:maria OR from:bob is:reply", ["70", "30", "60"]),  # AND binds closer
        ("quotes_of_tweet_id:40", ["70"]),
        ('url:"https://x.com/Acme/status/40"', ["70"]),
        ("in_reply_to_tweet_id:50", ["30", "40"]),
        ("to:acme", ["60"]),
        ("@acme", ["70", "60", "50"]),
        ("is:quote", ["70"]),
        ('"will do"', ["60"]),
        ("DRILL covered", ["50"]),
        ("100% nothing", []),
        ("-(conversation_id:50)", ["20", "70"]),
    ],
)
def test_the_query_language(world, query, ids):
    assert world.x().ids(SEARCH, query=query) == ids


@pytest.mark.parametrize(
    "query", ["", "OR", "a OR", "(a", "a)", 'say "so', "conversation_id:x", "colour:red", "x" * 513]
)
def test_a_query_that_is_none_is_named(world, query):
    answer = world.x().get(SEARCH, query=query)
    assert answer.status_code == 400
    assert "query" in answer.json["errors"][0]["parameters"]


def test_512_characters_are_a_query():
    compile_query("x" * 512)
    with pytest.raises(QueryError, match="513 characters"):
        compile_query("x" * 513)


def test_only_the_last_seven_days_are_searched(world):
    world.load(posts=[
        {"id": "90", "author_id": "2", "text": "seven", "created_at": "2026-06-23T12:00:00Z"},
        {"id": "91", "author_id": "2", "text": "seven", "created_at": "2026-06-23T11:59:59Z"},
    ])  # fmt: skip
    caller = world.x()
    assert caller.ids(SEARCH, query="seven") == ["90"]
    refused = caller.get(SEARCH, query="seven", start_time="2026-06-22T12:00:00Z")
    assert refused.status_code == 400
    assert "must be on or after 2026-06-23T12:00:00.000Z" in refused.json["errors"][0]["message"]


def test_search_pages_hold_everything_once(world):
    world.load(posts=[
        {"id": str(1000 + n), "author_id": "3", "text": "more", "created_at": f"2026-06-29T{n % 24:02d}:00:00Z", "in_reply_to": "50"}
        for n in range(45)
    ])  # fmt: skip
    for token in ("next_token", "pagination_token"):
        found = world.x().all(SEARCH, token, query="conversation_id:50", max_results=10)
        assert len(found) == len(set(found)) == 49


@pytest.mark.parametrize("size", ["9", "101"])
def test_a_page_of_search_has_ten_to_a_hundred(world, size):
    assert world.x().get(SEARCH, query="a", max_results=size).status_code == 400
