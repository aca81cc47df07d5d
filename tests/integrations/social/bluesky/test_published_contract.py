"""Against Bluesky's own lexicons, which are not part of the repository."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from integrations.social.bluesky import PROVIDER, registration
from tests.integrations.social.bluesky.contract import Lexicons, contract
from tests.integrations.social.bluesky.wire import ADA, NOW, PDS, US, Wire

pytestmark = pytest.mark.shared


@pytest.fixture
def lexicons(shared: Path) -> Lexicons:
    found = contract(shared)
    if found is None:
        pytest.skip("Bluesky's lexicons are not in the shared folder")
    return found


def lively(wire: Wire) -> list[str]:
    """Enough there for every kind of answer. Returns the threads."""
    wire.page = 5
    ours = wire.post(US.id, "new in stock")
    asked = [wire.post(ADA, "size?", reply=(ours, ours), names=[US.id]) for _ in range(12)]
    wire.post(US.id, "large", reply=(ours, asked[0]))
    wire.message("c1", ADA, "hello", NOW - timedelta(minutes=1))
    return [ours]


def test_every_kind_of_request_is_in_the_lexicons(wire: Wire, lexicons: Lexicons) -> None:
    threads = lively(wire)
    client = wire.client()
    client.whoami()
    for stream in PROVIDER.streams:
        list(client.pull(stream.name, None, threads))
    client.recheck(threads)
    for request in wire.sent:
        lexicons.check(request)
    methods = {str(request.path_url).partition("?")[0].removeprefix("/xrpc/") for request in wire.sent}
    permissions = [scope.removeprefix("rpc:").partition("?")[0] for scope in registration.SCOPES if "rpc:" in scope]
    assert methods == set(permissions)  # what is asked for is what is used


def test_the_answers_that_we_are_tested_with_are_in_the_lexicons_too(wire: Wire, lexicons: Lexicons) -> None:
    threads = lively(wire)
    answers: list[tuple[str, Any]] = []
    give = wire._answer

    def keep(request: requests.PreparedRequest) -> Any:
        status, headers, body = give(request)
        answers.append((str(request.path_url).partition("?")[0].removeprefix("/xrpc/"), json.loads(body)))
        return status, headers, body

    wire._answer = keep  # type: ignore[method-assign]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        wire.serve(mock)
        for stream in PROVIDER.streams:
            list(wire.client().pull(stream.name, None, threads))
    for method, body in answers:
        lexicons.answer(method, body)
    assert len({method for method, _ in answers}) == 6
    for row in wire.posts.values():
        lexicons.record("app.bsky.feed.post", row["record"])


@pytest.mark.parametrize(
    "call",
    [
        "app.bsky.feed.getPost?uri=x",
        "app.bsky.feed.getPosts?uris=a&favourites=1",
        "app.bsky.feed.getPostThread?depth=6",
        "app.bsky.notification.listNotifications?limit=101",
        "app.bsky.notification.listNotifications?limit=1&limit=2",
        "app.bsky.feed.getPosts?" + "&".join(f"uris={number}" for number in range(26)),
    ],
)
def test_the_oracle_itself_refuses_what_bluesky_would(lexicons: Lexicons, call: str) -> None:
    with pytest.raises(AssertionError):
        lexicons.check(requests.Request("GET", f"{PDS}/xrpc/{call}").prepare())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"posts": {}},
        {"posts": [{"uri": "x"}]},
        {"posts": [{"uri": 7, "cid": "", "author": {}, "record": {}, "indexedAt": ""}]},
    ],
)
def test_the_oracle_itself_refuses_answers_that_bluesky_would_not_give(lexicons: Lexicons, body: Any) -> None:
    with pytest.raises(AssertionError):
        lexicons.answer("app.bsky.feed.getPosts", body)
