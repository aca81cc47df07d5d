"""Registering with a server that somebody named, and what it is."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from integrations import errors
from integrations.provider import App, Setting
from integrations.social.mastodon import PROVIDER, server
from integrations.social.mastodon.calls import Calls
from tests.integrations.social.mastodon.wire import WEB, Wire

APPS = f"{WEB}/api/v1/apps"
REDIRECT = "https://warmline.example/oauth/mastodon/callback"
MADE = {"id": "1", "name": "Warmline", "client_id": "id-of-app", "client_secret": "secret-of-app", "vapid_key": "x"}


def _setting(web: str = WEB, **more: Any) -> Setting:
    given: dict[str, Any] = {"redirect_uri": REDIRECT, "base_url": "https://warmline.example", **more}
    return Setting(App(), {"web": web}, {"server": "social.example"}, **given)


def test_a_registration_asks_for_reading_alone_and_comes_back_to_us() -> None:
    with responses.RequestsMock() as mock:
        mock.post(APPS, json=MADE)
        app = server.register(_setting())
        sent = parse_qs(str(mock.calls[-1].request.body))
    assert (app.client_id, app.client_secret) == ("id-of-app", "secret-of-app")
    assert sent == {
        "client_name": ["Warmline"],
        "redirect_uris": [REDIRECT],
        "scopes": ["read:accounts read:statuses read:notifications"],
        "website": ["https://warmline.example"],
    }


KNOWS = f"{WEB}/.well-known/oauth-authorization-server"
INSTANCE = f"{WEB}/api/v1/instance"
ALL = "read:accounts read:statuses read:notifications"


@pytest.mark.parametrize(
    ("metadata", "instance", "scopes"),
    [
        ({"json": {"scopes_supported": ["read", "write", *ALL.split()]}}, {"status": 404}, ALL),
        ({"json": {"scopes_supported": ["read", "write"]}}, {"status": 404}, "read"),
        ({"json": {"scopes_supported": "read"}}, {"json": {"version": "4.2.0"}}, ALL),
        ({"json": {}}, {"json": {"version": "4.2.0"}}, ALL),
        ({"status": 404}, {"json": {"version": "takahe/0.11.0"}}, "read"),
        ({"body": "<html>"}, {"body": "<html>"}, ALL),
        ({"status": 500}, {"status": 500}, ALL),
        ({"status": 302, "headers": {"Location": "https://other.example/"}}, {"status": 401}, ALL),
    ],
)
def test_the_least_that_works_there_is_registered(metadata: Any, instance: Any, scopes: str) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(KNOWS, **metadata)
        mock.get(INSTANCE, **instance)
        mock.post(APPS, json=MADE)
        app = server.register(_setting())
        assert parse_qs(str(mock.calls[-1].request.body))["scopes"] == [scopes]
    assert app.options == {"scopes": scopes}


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            {"status": 404, "body": "<html>"},
            errors.InvalidRequestError,
            "social.example does not answer as a Mastodon server",
        ),
        ({"status": 200, "body": "<html>"}, errors.InvalidRequestError, "does not answer as a Mastodon server"),
        ({"status": 200, "body": "[]"}, errors.InvalidRequestError, "does not answer as a Mastodon server"),
        ({"status": 200, "json": {"client_id": 7}}, errors.InvalidRequestError, "does not answer as a Mastodon server"),
        (
            {"status": 301, "headers": {"Location": "https://chat.brand.example/api/v1/apps"}},
            errors.InvalidRequestError,
            "social.example leads to chat.brand.example",
        ),
        (
            {"status": 302, "headers": {"Location": "/login"}},
            errors.InvalidRequestError,
            "does not answer as a Mastodon server",
        ),
        (
            {"status": 422, "json": {"error": "Redirect URI must be https"}},
            errors.InvalidRequestError,
            "Redirect URI must be https",
        ),
        ({"status": 503, "body": "<html>"}, errors.TemporaryError, "503"),
        (
            {"status": 200, "body": "x" * (server.MOST + 1)},
            errors.InvalidRequestError,
            "does not answer as a Mastodon server",
        ),
    ],
)
def test_what_is_no_server_of_this_kind_is_told_in_a_sentence(
    answer: dict[str, Any], error: type[Exception], says: str
) -> None:
    with responses.RequestsMock() as mock:
        mock.post(APPS, **answer)
        with pytest.raises(error, match=says):
            server.register(_setting())


FINGER, NODEINFO, META = (f"{WEB}/.well-known/{name}" for name in ("webfinger", "nodeinfo", "host-meta"))
HOME = "https://home.social.example"
ON = {"status": 301, "headers": {"Location": f"{HOME}/.well-known/x"}}


def _links(href: Any) -> dict[str, Any]:
    return {"json": {"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": href}]}}


@pytest.mark.parametrize("page", [{"status": 404}, {"status": 405}, {"status": 200, "body": "<html>"}])
@pytest.mark.parametrize(
    "told",
    [
        {FINGER: ON},
        {FINGER: {"status": 404}, NODEINFO: ON},
        {FINGER: {"body": "<html>"}, NODEINFO: _links(f"{HOME}/nodeinfo/2.0")},
        {FINGER: _links(7), NODEINFO: {"status": 503}, META: ON},
    ],
    ids=["webfinger", "nodeinfo", "nodeinfo passed through", "host-meta"],
)
def test_a_domain_that_only_handles_end_in_says_which_server_to_type(
    told: dict[str, dict[str, Any]], page: dict[str, Any]
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(APPS, **page)
        for address, answer in told.items():
            mock.get(address, **answer)
        with pytest.raises(
            errors.InvalidRequestError, match=r"are on home\.social\.example\. If the account is there, type"
        ):
            server.register(_setting())
        assert not [call for call in mock.calls if str(call.request.url).startswith(HOME)]


@pytest.mark.parametrize(
    "answer",
    [{"status": 404}, {"json": []}, {"json": {"links": [7, {}]}}, _links(f"{WEB}/nodeinfo"), _links("http://[")],
)
def test_a_domain_that_says_nothing_of_its_accounts_has_whoever_typed_it_look_at_the_address_bar(
    answer: dict[str, Any],
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(APPS, status=404)
        for address in (FINGER, NODEINFO, META):
            mock.get(address, **answer)
        with pytest.raises(errors.InvalidRequestError, match="the name that stands in the browser's address bar"):
            server.register(_setting())


@pytest.mark.parametrize(
    ("version", "source", "software"),
    [
        ("4.6.0", "https://github.com/mastodon/mastodon", "mastodon"),
        ("4.3.1+glitch", "", "mastodon"),
        ("4.2.10+hometown-1.1.1", "", "mastodon"),
        ("2.7.2 (compatible; Pleroma 2.6.0)", "", "pleroma"),
        ("2.7.2 (compatible; Akkoma 3.13.2-0-gabc)", "", "akkoma"),
        ("takahe/0.11.0", "", "takahe"),
        ("4.2.1 (compatible; Iceshrimp 2023.12)", "", "iceshrimp"),
        ("0.19.1+git-1234", "https://codeberg.org/superseriousbusiness/gotosocial", "gotosocial"),
        (None, None, "mastodon"),
    ],
)
def test_the_software_is_told_by_what_the_server_says_of_itself(
    wire: Wire, version: Any, source: Any, software: str
) -> None:
    wire.replies.append((200, {}, json.dumps({"domain": "x.example", "version": version, "source_url": source})))
    assert server.look(Calls(wire.access())).software == software


@pytest.mark.parametrize(
    ("body", "domain"),
    [
        ({"domain": "social.example"}, "social.example"),
        ({"domain": "social.example", "account_domain": "Brand.example"}, "brand.example"),
        ({"uri": "social.example"}, "social.example"),
        ({"uri": "https://social.example/"}, "social.example"),
        ({"domain": 7}, ""),
        ({}, ""),
        ([], ""),
    ],
)
def test_the_domain_of_handles_is_told_in_several_ways(wire: Wire, body: Any, domain: str) -> None:
    wire.replies += [(404, {}, ""), (200, {}, json.dumps(body))]
    assert server.look(Calls(wire.access())).domain == domain
    assert wire.paths() == ["/api/v2/instance", "/api/v1/instance"]


@pytest.mark.parametrize(
    ("shown", "handle"),
    [
        ({"id": "7", "acct": "acme"}, "acme@brand.example"),
        ({"id": "7", "acct": "acme@other.example"}, "acme@other.example"),
        ({"id": "8", "acct": "somebody@else.example"}, "acme@brand.example"),
        ("<html>", "acme@brand.example"),
        (None, "acme@brand.example"),
    ],
)
def test_connecting_keeps_what_the_server_is_and_the_whole_handle(wire: Wire, shown: Any, handle: str) -> None:
    assert PROVIDER.accounts is not None
    wire.replies += [
        (200, {}, json.dumps({"id": "7", "acct": "acme", "username": "acme"})),
        (200, {}, json.dumps(shown)) if shown else (404, {}, ""),
        (200, {}, json.dumps({"domain": "brand.example", "version": "2.7.2 (compatible; Akkoma 3.13)"})),
    ]
    (account,) = PROVIDER.accounts(wire.access(account=None))
    assert (account.author.id, account.author.handle) == ("7", handle)
    assert account.options == {"software": "akkoma"}
    assert len(wire.sent) == 3


def test_a_server_that_breaks_at_the_newer_question_is_asked_the_older_one(wire: Wire) -> None:
    wire.replies += [(500, {}, "<html>"), (200, {}, json.dumps({"uri": "x.example", "version": "takahe/0.11.0"}))]
    assert server.look(Calls(wire.access())) == server.Server("x.example", "takahe")


def test_a_server_that_answers_neither_question_for_now_is_not_taken_for_another(wire: Wire) -> None:
    wire.replies += [(500, {}, "<html>")] * 2
    with pytest.raises(errors.TemporaryError):
        server.look(Calls(wire.access()))


@pytest.mark.parametrize("body", ["[]", "{}", '{"acct": "acme"}', "17"])
def test_an_account_that_cannot_be_read_says_so(wire: Wire, body: str) -> None:
    wire.replies.append((200, {}, body))
    with pytest.raises(errors.UnexpectedResponseError):
        wire.client().whoami()


# --- over a real socket ------------------------------------------------------------------------------------------


@contextmanager
def _served(answer: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{found.server_port}"
        finally:
            found.shutdown()
            thread.join()


def test_a_server_inside_our_network_is_not_called_unless_whoever_runs_warmline_allows_it() -> None:
    with _served(json.dumps(MADE).encode()) as web:
        with pytest.raises(errors.InvalidRequestError, match="not public"):
            server.register(_setting(web, guarded=True))
        assert server.register(_setting(web, guarded=True, allow_hosts=("127.0.0.1",))).client_id == "id-of-app"


def test_a_name_behind_which_nobody_answers_is_a_failure_in_passing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        web = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(errors.TemporaryError):
            server.register(_setting(web, guarded=True, allow_hosts=("127.0.0.1",)))


# --- a registration that is known, or not any more ------------------------------------------------------------------

OURS = App("id-of-app", "secret-of-app-nobody-sees", options={"scopes": "read"})


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({"json": {"access_token": "x", "token_type": "Bearer"}}, True),
        (
            {"status": 401, "json": {"error": "invalid_client", "error_description": "Client authentication failed"}},
            False,
        ),
        ({"status": 400, "json": {"error": "invalid_client"}}, False),
        ({"status": 400, "json": {"error": "func5: no application found with client id id-of-app"}}, False),
        ({"status": 403, "json": {"error": "invalid redirect uri"}}, True),
        ({"status": 403, "json": {"error": "invalid_scope"}}, True),
        ({"status": 400, "json": {"error": "unsupported_grant_type"}}, True),
        ({"status": 401, "body": "<html>Sign in</html>"}, True),
        ({"status": 400, "json": ["invalid_client"]}, True),
        ({"status": 500, "body": "invalid_client"}, True),
        ({"status": 302, "headers": {"Location": "https://other.example/"}}, True),
        ({"body": requests.ConnectionError("gone")}, True),
    ],
)
def test_only_its_own_word_says_that_a_server_has_forgotten_us(answer: Any, known: bool) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{WEB}/oauth/token", **answer)
        assert server.knows(replace(_setting(), app=OURS)) is known
        sent = parse_qs(str(mock.calls[0].request.body))
    assert sent == {
        "grant_type": ["client_credentials"],
        "client_id": ["id-of-app"],
        "client_secret": ["secret-of-app-nobody-sees"],
        "scope": ["read"],
        "redirect_uri": [REDIRECT],
    }


@pytest.mark.parametrize("granted", ["read", "read write", ALL, "read:accounts", ""])
def test_a_server_that_grants_the_whole_has_granted_its_parts(granted: str) -> None:
    kept = PROVIDER.auth.exchange(_setting(), {"access_token": "t", "scope": granted})  # type: ignore[union-attr,misc]
    missing = {name for stream in PROVIDER.streams for name in stream.scopes} - set(kept["scope"].split())
    assert missing == (
        set() if "read" in granted.split() or granted == ALL else {"read:statuses", "read:notifications"}
    )
    assert kept["access_token"] == "t"
