"""Against Mastodon's own documents and recordings, which are not part of the repository."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from integrations.provider import App, Setting
from integrations.records import Author
from integrations.social.mastodon import PROVIDER, calls, parse, people, server
from tests.integrations.social.mastodon.contract import Contract, contract
from tests.integrations.social.mastodon.wire import ADA, US, WEB, Wire

pytestmark = pytest.mark.shared
VIEW = parse.View(Author("0", "nobody@localhost"), "http://localhost:3000", "localhost")


@pytest.fixture
def oracle(shared: Path) -> Contract:
    found = contract(shared)
    if found is None:
        pytest.skip("Mastodon's contract is not in the shared folder")
    return found


@pytest.mark.rule("contract")
def test_every_kind_of_request_is_in_the_contract_and_within_our_scopes(wire: Wire, oracle: Contract) -> None:
    wire.page = 5
    parent = wire.say(US.id, "ours")
    posts = [wire.say(ADA, f"number {number}", to=parent, names=[US.id]) for number in range(12)]
    wire.say(ADA, "psst", names=[US.id], visibility="direct")
    client = wire.client()
    client.whoami()
    for stream in PROVIDER.streams:
        cursor = list(client.pull(stream.name, None, [parent]))[-1].cursor
        list(client.pull(stream.name, cursor, [parent]))
    client.recheck([*posts, "gone"])
    for request in wire.sent:
        oracle.check(request)
    paths = set(wire.paths()) - {"/api/v2/instance"}
    assert len(paths) >= 8
    for path in paths:
        assert not oracle.scopes(path) or oracle.scopes(path) & set(server.SCOPES), path


@pytest.mark.parametrize(
    "query",
    [
        "notifications?limit=81",
        "notifications?limit=many",
        "notifications?exclude_types=follow",
        "notifications?exclude_types[]=likes",
        "notifications?include_filtered=yes",
        "notifications?favourites=1",
        "notifications?limit=4&limit=5",
        "nowhere",
    ],
)
def test_the_oracle_itself_refuses_what_mastodon_would(oracle: Contract, query: str) -> None:
    request = requests.Request("GET", f"{WEB}/api/v1/{query}", headers={"Authorization": "Bearer t"}).prepare()
    with pytest.raises((AssertionError, KeyError, ValueError)):
        oracle.check(request)


def test_a_registration_has_the_fields_of_the_contract(oracle: Contract) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{WEB}/api/v1/apps", json={"client_id": "a", "client_secret": "b"})
        server.register(
            Setting(App(), {"web": WEB}, base_url="https://w.example", redirect_uri="https://w.example/back")
        )
        sent = dict(each.split("=", 1) for each in str(mock.calls[-1].request.body).split("&"))
    assert sent.keys() == oracle.fields("/api/v1/apps")


# --- recordings ---------------------------------------------------------------------------------------------------


@cache
def _exchanges(folder: Path) -> tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]:
    return tuple(
        (path.name, exchange["request"], exchange["response"])
        for path in sorted(folder.glob("*.json"))
        for exchange in json.loads(path.read_text())["interactions"]
    )


@pytest.fixture
def recorded(shared: Path) -> tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]:
    folder = shared / "recorded" / "mastodon"
    if not folder.is_dir():
        pytest.skip("the recordings are not in the shared folder")
    return _exchanges(folder)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in an answer, however deep."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(each)


def _response(answer: dict[str, Any]) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = answer["status"]["code"], "http://localhost:3000/api/v1/x"
    response._content = json.dumps(answer.get("json")).encode()
    response.headers.update(answer["headers"])
    return response


class _Letters(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = ""

    def handle_data(self, data: str) -> None:
        self.found += data


def _letters(markup: str) -> list[str]:
    """The words of some HTML, by the standard library."""
    parser = _Letters()
    parser.feed(markup.replace("<br", " <br").replace("</p>", "</p> "))
    parser.close()
    return parser.found.split()


def test_all_recordings_are_there(recorded: Any) -> None:
    assert len({name for name, _, _ in recorded}) == 53


@pytest.mark.rule("contract")
def test_every_recorded_post_is_read_with_its_words(recorded: Any) -> None:
    seen: Counter[str] = Counter()
    for name, _, answer in recorded:
        for row in _objects(answer.get("json")):
            if not {"content", "visibility", "account", "in_reply_to_id"} <= row.keys():
                continue
            item = parse.status(row, VIEW)
            assert item.id == row["id"], name
            assert item.created_at.tzinfo is UTC, name
            assert (item.in_reply_to, item.in_reply_to_author) == (
                row["in_reply_to_id"],
                row["in_reply_to_account_id"],
            ) or (row["visibility"] == "direct"), name
            acct = row["account"]["acct"]
            assert item.author.handle == (acct if "@" in acct else f"{acct}@localhost"), name
            if (
                not row["mentions"]
                and not row["poll"]
                and not row["spoiler_text"]
                and not row["reblog"]
                and not row["quote"]
            ):
                assert item.text.split() == _letters(row["content"]), name
                seen["words"] += 1
            seen["posts"] += 1
            seen["edited"] += item.edited_at is not None
            seen["warned"] += bool(row["spoiler_text"]) and item.text.startswith(row["spoiler_text"])
            seen["quotes"] += item.quotes is not None
            seen["boosts"] += item.is_repost
    assert seen["posts"] > 150
    assert seen["words"] > 100
    assert all(seen[each] for each in ("edited", "warned", "quotes", "boosts")), seen


def test_every_recorded_account_is_read(recorded: Any) -> None:
    handles = [
        people.author(row, "localhost", "http://localhost:3000").handle
        for _, _, answer in recorded
        for row in _objects(answer.get("json"))
        if {"acct", "display_name", "note"} <= row.keys()
    ]
    assert len(handles) > 100
    assert all("@" in handle for handle in handles)


def test_every_recorded_notification_that_speaks_to_somebody_is_read(recorded: Any) -> None:
    rows = [
        row
        for _, _, answer in recorded
        for row in _objects(answer.get("json"))
        if {"type", "status", "account", "group_key"} <= row.keys() and parse.brings_post(row)
    ]
    assert len(rows) >= 5
    assert len(parse.notifications(rows, VIEW).items) == len(rows)


def test_recorded_talks_have_a_newest_post(recorded: Any) -> None:
    rows = [
        row
        for _, _, answer in recorded
        for row in _objects(answer.get("json"))
        if {"last_status", "unread"} <= row.keys()
    ]
    assert rows
    assert [
        item.in_reply_to_author is not None for item in parse.statuses([row["last_status"] for row in rows], VIEW).items
    ]


def test_recorded_limits_and_links_are_understood(recorded: Any) -> None:
    waits, links = 0, 0
    for name, _, answer in recorded:
        response = _response(answer)
        if "x-ratelimit-reset" in answer["headers"]:
            seconds = calls.retry_after(response)
            assert seconds is not None, name
            waits += 1
        if 'rel="next"' in answer["headers"].get("link", ""):
            assert calls.next_position(response, [])
            links += 1
    assert waits > 150
    assert links >= 3


def test_recorded_refusals_are_told_in_the_servers_words(recorded: Any) -> None:
    refused = [(answer, calls.says(_response(answer))) for _, _, answer in recorded if answer["status"]["code"] >= 400]
    assert refused
    assert all(said for answer, said in refused if answer.get("json"))


def test_recorded_servers_say_what_they_are_and_offer_what_we_ask_for(recorded: Any, wire: Wire) -> None:
    found = offered = 0
    for _, request, answer in recorded:
        if request["uri"].endswith("/instance/"):
            wire.replies.append((200, {}, json.dumps(answer["json"])))
            told = answer["json"].get("domain") or answer["json"]["uri"]
            assert server.look(calls.Calls(wire.access())) == server.Server(told, "mastodon")
            found += 1
        if request["uri"].endswith("/oauth-authorization-server"):
            assert set(server.SCOPES) <= set(answer["json"]["scopes_supported"])
            assert "S256" in answer["json"]["code_challenge_methods_supported"]
            assert PROVIDER.auth.kind == "oauth2"
            assert PROVIDER.auth.client_auth in answer["json"]["token_endpoint_auth_methods_supported"]
            offered += 1
    assert found >= 5
    assert offered == 2
