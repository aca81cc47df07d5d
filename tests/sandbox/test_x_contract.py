"""What the sandbox answers, against the contract that X publishes."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from werkzeug.test import EnvironBuilder

CONTRACT = (
    Path(os.environ.get("WARMLINE_SHARED", Path(__file__).parents[3] / "shared"))
    / "vendor-specs"
    / "x"
    / "openapi-2.166.json"
)
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not CONTRACT.exists(), reason="X's contract is not here; WARMLINE_SHARED names the folder that has it"
    ),
    # Not ours to mend: the contract uses discriminators and formats that the checker warns of.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

TWEET = (
    "id,text,author_id,conversation_id,created_at,in_reply_to_user_id,referenced_tweets,entities,lang,"
    "edit_history_tweet_ids,note_tweet"
)
USER = "id,name,username,description,location,url,entities,public_metrics,verified,verified_type,protected,created_at"
ALL = {"tweet.fields": TWEET, "user.fields": USER, "expansions": "author_id,referenced_tweets.id,in_reply_to_user_id"}
DM = {
    "dm_event.fields": "id,text,created_at,sender_id,dm_conversation_id,event_type", "user.fields": USER,
    "expansions": "sender_id,participant_ids", "event_types": "MessageCreate",
}  # fmt: skip


@cache
def contract() -> OpenAPI:
    # Problems are JSON too, which openapi-core does not guess from their media type.
    more = Config(extra_media_type_deserializers={"application/problem+json": json.loads})
    return OpenAPI.from_dict(json.loads(CONTRACT.read_text()), config=more)


def check(caller, path, query):
    """Validates the answer as an answer of api.x.com."""
    answer = caller.get(path, **query)
    builder = EnvironBuilder(path=path, base_url="https://api.x.com", query_string=query, headers=caller.headers)
    request = WerkzeugOpenAPIRequest(builder.get_request())
    contract().validate_response(request, WerkzeugOpenAPIResponse(answer))
    return answer


@pytest.fixture
def full(world):
    at = "2026-06-30T10:00:00Z"
    world.load(
        posts=[
            {"id": "80", "author_id": "2", "text": "@acme " + "long " * 200, "created_at": at},
            {
                "id": "81",
                "author_id": "3",
                "text": "see https://shop.example/a?b=c @acme & <b>",
                "created_at": at,
                "in_reply_to": "999",
            },
            {"id": "82", "author_id": "3", "text": "", "created_at": at},
            {"id": "word", "author_id": "2", "text": "@acme an id that is a word", "created_at": at},
        ],
        messages=[
            {"id": "5", "sender_id": "2", "recipient_id": "1", "text": "psst https://a.example/b", "created_at": at}
        ],
    )
    return world


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/2/users/me", {"user.fields": USER}),
        ("/2/users/1/mentions", {}),
        ("/2/users/1/mentions", {**ALL, "max_results": "5"}),
        ("/2/users/1/mentions", {"since_id": "9000000000000000000"}),
        ("/2/users/4711/mentions", {}),
        ("/2/users/1/tweets", {**ALL, "exclude": "retweets"}),
        ("/2/tweets/search/recent", {"query": "conversation_id:50 OR conversation_id:999", **ALL}),
        ("/2/tweets", {"ids": "50,80,81,82,999", **ALL}),
        ("/2/tweets", {"ids": "999"}),
        ("/2/users", {"ids": "1,2,4711", "user.fields": USER}),
        ("/2/dm_events", DM),
    ],
)
def test_answers_keep_the_contract(full, path, query):
    assert check(full.x(), path, query).status_code == 200


def test_every_page_keeps_the_contract(full):
    query = {**ALL, "max_results": "5"}
    token = check(full.x(), "/2/users/1/mentions", query).json["meta"]["next_token"]
    assert check(full.x(), "/2/users/1/mentions", {**query, "pagination_token": token}).json["meta"]["result_count"] > 0


@pytest.mark.parametrize("fault", ["429", "500", "502", "503"])
def test_failures_keep_the_contract(full, fault):
    caller = full.x()
    full.fault(provider="x", fault=fault, count=1)
    assert check(caller, "/2/users/1/mentions", {}).status_code == int(fault)


def test_refusals_keep_the_contract(full):
    caller = full.x(scope="tweet.read users.read")
    assert check(caller, "/2/dm_events", {}).status_code == 403
    assert check(caller, "/2/tweets/search/recent", {"query": "colour:red"}).status_code == 400
    caller.headers = {"Authorization": "Bearer nonsense"}
    assert check(caller, "/2/users/me", {}).status_code == 401


def test_the_check_would_notice(full):
    caller = full.x()
    full.fault(provider="x", fault="garbage", count=1)
    with pytest.raises(Exception, match=r"(?i)valid|deseriali|json"):
        check(caller, "/2/users/me", {})
