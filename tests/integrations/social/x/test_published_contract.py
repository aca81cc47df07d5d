"""Against X's own documents and recordings, which are not part of the repository."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations.social.x import PROVIDER, calls, parse
from integrations.social.x.calls import answer
from tests.integrations.social.x.contract import contract
from tests.integrations.social.x.wire import US, Wire, tweet

pytestmark = pytest.mark.shared
VIEW = parse.View(US, "https://x.com")


def test_every_kind_of_request_is_in_the_contract(wire: Wire, shared: Path) -> None:
    oracle = contract(shared)
    if oracle is None:
        pytest.skip("X's contract is not in the shared folder")
    wire.page = 5
    wire.add(*(tweet(str(1000 + index)) for index in range(12)))
    client = wire.client()
    client.whoami()
    for stream in PROVIDER.streams:
        list(client.pull(stream.name, None, ["1000", "1001"]))
    client.recheck(["1000", "dm:5"])
    for request in wire.sent:
        oracle.check(request)
    assert len(wire.sent) >= 9


def test_the_oracle_itself_refuses_what_x_would(shared: Path) -> None:
    oracle = contract(shared)
    if oracle is None:
        pytest.skip("X's contract is not in the shared folder")
    for query in ("max_results=4", "max_results=100&favourites=1", "tweet.fields=id,favourites"):
        headers = {"Authorization": "Bearer t"}
        request = requests.Request("GET", f"https://api.x.com/2/users/1/mentions?{query}", headers=headers).prepare()
        with pytest.raises(AssertionError):
            oracle.check(request)


def _recorded(shared: Path) -> list[tuple[str, Any]]:
    folder = shared / "recorded" / "x-tweepy"
    if not folder.is_dir():
        pytest.skip("the recordings are not in the shared folder")
    found = []
    for path in sorted(folder.glob("*.json")):
        for exchange in json.loads(path.read_text())["interactions"]:
            body = exchange["response"].get("json")
            if exchange["request"]["method"] == "GET" and isinstance(body, dict):
                found.append((path.name, exchange["response"]))
    return found


def _response(recorded: dict[str, Any]) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = recorded["status"]["code"], "https://api.x.com/2/"
    response._content = json.dumps(recorded["json"]).encode()
    response.headers.update(recorded["headers"])
    return response


def test_every_recorded_answer_is_an_envelope_that_we_read(shared: Path) -> None:
    recorded = _recorded(shared)
    assert len(recorded) >= 20
    for name, exchange in recorded:
        found = answer(_response(exchange))
        body = exchange["json"]
        rows = body.get("data") or []
        assert len(found.rows) == (1 if isinstance(rows, dict) else len(rows)), name
        assert found.next_token == body.get("meta", {}).get("next_token"), name


def test_recorded_posts_keep_their_ids_times_and_words(shared: Path) -> None:
    seen = 0
    for name, exchange in _recorded(shared):
        rows = [row for row in answer(_response(exchange)).rows if "edit_history_tweet_ids" in row]
        # These were asked for without fields: the author is the one thing that we need and they lack.
        for row, item in zip(rows, parse.posts([{**row, "author_id": "9"} for row in rows], VIEW).items, strict=True):
            assert item.id == row["edit_history_tweet_ids"][0], name
            assert item.text == html.unescape(row["text"]), name
            assert 2010 < item.created_at.year < 2023, name
            seen += 1
    assert seen > 300


def test_recorded_users_and_messages_are_read(shared: Path) -> None:
    users = messages = 0
    for _, exchange in _recorded(shared):
        for row in answer(_response(exchange)).rows:
            if "username" in row:
                assert re.fullmatch(r"https://x\.com/\w+", parse.author(row, "https://x.com").url)
                users += 1
            elif row.get("event_type") == "MessageCreate":
                whole = {**row, "sender_id": "9", "dm_conversation_id": "9-7000"}
                assert parse.message(whole, VIEW).text == row["text"]
                messages += 1
    assert users > 100
    assert messages == 4


def test_recorded_rate_limits_are_understood(shared: Path) -> None:
    waits = [calls.seconds_until_reset(_response(exchange)) for _, exchange in _recorded(shared)]
    assert all(wait is not None and 0 < wait <= 901 for wait in waits)
