"""The app's webhook and each account's subscriptions: found, mended, or told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from msgspec import structs

from integrations.errors import AuthenticationError, TemporaryError
from integrations.provider import Access, App
from integrations.social.x import PROVIDER
from integrations.social.x.subscribing import EVENTS
from tests.integrations.social.x.contract import NEW_NAMES, contract
from tests.integrations.social.x.wire import API, TOKEN, US

BASE = "https://warmline.example"
CALLBACK = f"{BASE}/hooks/x"
APP_TOKEN = "x-app-bearer-for-tests"


@dataclass
class Hooks:
    """X's webhooks and subscriptions of one app."""

    webhooks: list[dict[str, Any]] = field(default_factory=list)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    page: int = 1000
    refused: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)  # (method, path) -> answer
    sent: list[requests.PreparedRequest] = field(default_factory=list)

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.sent.append(request)
        call, method = urlsplit(str(request.url)), str(request.method)
        status, body = self._route(method, call.path, parse_qs(call.query), json.loads(request.body or "{}"))
        if (method, call.path) in self.refused:
            status, body = (
                self.refused[method, call.path][0],
                {"title": "No", "detail": self.refused[method, call.path][1]},
            )
        return status, {"Content-Type": "application/json"}, json.dumps(body)

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/2/webhooks" and method == "GET":
            return 200, {"data": self.webhooks, "meta": {"result_count": len(self.webhooks)}}
        if path == "/2/webhooks":
            row = {"id": "77", "url": body["url"], "valid": True, "created_at": "2026-03-20T12:00:00.000Z"}
            self.webhooks.append(row)
            return 200, {"data": row}
        if method == "PUT":
            self.webhooks[0]["valid"] = True
            return 200, {"data": {"attempted": True}}
        if method == "DELETE":
            return self._delete(*path.split("/")[-2:])
        if method == "GET":
            start = int(query.get("pagination_token", ["0"])[0])
            rows = self.subscriptions[start : start + self.page]
            more = start + self.page < len(self.subscriptions)
            return 200, {"data": rows, "meta": {"next_token": f"{start + self.page:016d}"} if more else {}}
        self.subscriptions.append({"subscription_id": str(len(self.subscriptions) + 1), **body})
        return 200, {"data": {"subscription": self.subscriptions[-1]}}

    def _delete(self, kind: str, row_id: str) -> tuple[int, Any]:
        rows, name = (self.webhooks, "id") if kind == "webhooks" else (self.subscriptions, "subscription_id")
        found = [each for each in rows if each[name] == row_id]
        if not found:
            return 404, {"title": "Not Found Error", "type": "https://api.x.com/2/problems/resource-not-found"}
        rows.remove(found[0])
        return 200, {"data": {"deleted": True}}

    def writes(self) -> list[tuple[str, str, str]]:
        return [
            (str(each.method), urlsplit(str(each.url)).path, str(each.headers["Authorization"]).removeprefix("Bearer "))
            for each in self.sent
            if each.method != "GET"
        ]


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    found = Hooks()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in (responses.GET, responses.POST, responses.PUT, responses.DELETE):
            mock.add_callback(method, re.compile(re.escape(API) + "/2/"), found.answer)
        yield found


ACCESS = Access(
    {"api": API, "web": "https://x.com"},
    {"access_token": TOKEN},
    US,
    app=App("client", "secret", options={"consumer_secret": "key", "bearer_token": APP_TOKEN}),
    base_url=BASE,
)


def check(access: Access = ACCESS) -> list[str]:
    assert PROVIDER.check is not None
    return list(PROVIDER.check(access))


def take_back(access: Access = ACCESS) -> list[str]:
    assert PROVIDER.take_back is not None
    return list(PROVIDER.take_back(access))


def standing(account_id: str = US.id, webhook: str = "77") -> list[dict[str, Any]]:
    return [{"event_type": each, "filter": {"user_id": account_id}, "webhook_id": webhook} for each in EVENTS]


def test_what_is_missing_is_made_by_the_app_and_by_the_account(hooks: Hooks) -> None:
    assert check() == []
    assert [each["url"] for each in hooks.webhooks] == [CALLBACK]
    assert [each["event_type"] for each in hooks.subscriptions] == list(EVENTS)
    assert {each["filter"]["user_id"] for each in hooks.subscriptions} == {US.id}
    assert {token for _, path, token in hooks.writes() if path == "/2/webhooks"} == {APP_TOKEN}
    assert {token for _, path, token in hooks.writes() if path != "/2/webhooks"} == {TOKEN}


def test_what_stands_is_left_alone(hooks: Hooks) -> None:
    check()
    before = len(hooks.writes())
    assert check() == []
    assert len(hooks.writes()) == before


def test_one_subscription_that_went_is_made_again(hooks: Hooks) -> None:
    hooks.webhooks.append({"id": "77", "url": CALLBACK, "valid": True})
    hooks.subscriptions = standing()[1:]
    check()
    assert [each["event_type"] for each in hooks.subscriptions[-1:]] == [EVENTS[0]]
    assert len(hooks.writes()) == 1


def test_subscriptions_of_others_and_of_other_addresses_are_none_of_ours(hooks: Hooks) -> None:
    hooks.webhooks += [{"id": "5", "url": "https://elsewhere.example/hooks"}, {"id": "77", "url": CALLBACK}]
    hooks.subscriptions = [*standing("8"), *standing(webhook="5")]
    check()
    assert len(hooks.subscriptions) == 3 * len(EVENTS)


def test_subscriptions_are_read_to_their_last_page(hooks: Hooks) -> None:
    hooks.webhooks.append({"id": "77", "url": CALLBACK, "valid": True})
    hooks.page, hooks.subscriptions = 4, [*standing("8"), *standing()]
    assert check() == []
    assert hooks.writes() == []


def test_a_webhook_that_x_gave_up_is_asked_to_prove_itself_again(hooks: Hooks) -> None:
    hooks.webhooks.append({"id": "77", "url": CALLBACK, "valid": False})
    hooks.subscriptions = standing()
    assert check() == []
    assert hooks.writes() == [("PUT", "/2/webhooks/77", APP_TOKEN)]


def test_without_the_apps_token_nothing_is_asked(hooks: Hooks) -> None:
    assert check(replace(ACCESS, app=App("client", "secret"))) == []
    assert hooks.sent == []


def test_without_https_a_person_is_told_and_nothing_is_asked(hooks: Hooks) -> None:
    assert check(replace(ACCESS, base_url="http://127.0.0.1:8000")) == [
        "X sends hints only to an https address, and this Warmline has none. Until then X is polled."
    ]
    assert hooks.sent == []


@pytest.mark.parametrize("status", [401, 403])
def test_an_apps_token_that_is_refused_ends_no_consent(hooks: Hooks, status: int) -> None:
    hooks.refused["GET", "/2/webhooks"] = (status, "Unauthorized")
    (told,) = check()
    assert told == "X does not accept the app's bearer token. Set it anew with `warmline providers set x`."


def test_an_address_that_x_cannot_reach_is_told(hooks: Hooks) -> None:
    hooks.refused["POST", "/2/webhooks"] = (400, "CrcValidationFailed.")
    (told,) = check()
    assert told.startswith(f"X could not set up its hints to {CALLBACK}: ")
    assert "CrcValidationFailed. See that" in told


def test_events_that_x_refuses_are_told_together_and_tried_again_later(hooks: Hooks) -> None:
    hooks.refused["POST", "/2/activity/subscriptions"] = (403, "Too many subscriptions.")
    (told,) = check()
    assert told.startswith(f"X gives no hints about {', '.join(EVENTS)}: ")
    assert told.endswith("Until it does, these are polled.")


def test_x_being_away_is_no_step_for_a_person(hooks: Hooks) -> None:
    hooks.refused["GET", "/2/webhooks"] = (503, "")
    with pytest.raises(TemporaryError):
        check()


def test_a_consent_that_is_gone_is_left_to_whoever_renews_it(hooks: Hooks) -> None:
    hooks.refused["POST", "/2/activity/subscriptions"] = (401, "Unauthorized")
    with pytest.raises(AuthenticationError):
        check()


@pytest.mark.parametrize("rows", [[None, 7, {}], [{"url": CALLBACK}]])
def test_rows_that_cannot_be_read_make_nothing_fall(hooks: Hooks, rows: list[Any]) -> None:
    hooks.webhooks = rows
    assert all(isinstance(each, str) for each in check())


def test_whoever_leaves_takes_their_subscriptions_and_the_last_one_the_webhook(hooks: Hooks) -> None:
    other = replace(ACCESS, account=structs.replace(US, id="8"))
    check()
    check(other)
    assert take_back() == []
    assert {each["filter"]["user_id"] for each in hooks.subscriptions} == {"8"}
    assert len(hooks.webhooks) == 1
    assert take_back(other) == []
    assert (hooks.subscriptions, hooks.webhooks) == ([], [])
    assert {token for *_, token in hooks.writes()[-len(EVENTS) - 1 :]} == {APP_TOKEN}


def test_taking_back_twice_or_where_nothing_was_set_up_does_nothing(hooks: Hooks) -> None:
    hooks.webhooks.append({"id": "5", "url": "https://elsewhere.example/hooks"})
    hooks.subscriptions = [{**each, "subscription_id": "9"} for each in standing(webhook="5")]
    assert take_back() == []
    assert take_back(replace(ACCESS, app=App("client", "secret"))) == []
    assert hooks.writes() == []


@pytest.mark.parametrize("status", [401, 403, 503])
def test_what_x_does_not_let_go_of_is_said(hooks: Hooks, status: int) -> None:
    check()
    hooks.refused["DELETE", "/2/activity/subscriptions/1"] = (status, "Not today")
    (told,) = take_back()
    assert told.startswith("X was to stop its hints about this account and did not: ")
    assert "developer console" in told
    assert APP_TOKEN not in told


@pytest.mark.shared
def test_every_request_is_in_the_contract(hooks: Hooks, shared: Path) -> None:
    oracle = contract(shared, NEW_NAMES)  # events of replies and quotes came with it
    if oracle is None:
        pytest.skip("X's contract is not in the shared folder")
    check()
    hooks.webhooks[0]["valid"] = False
    check()
    take_back()
    assert {(each.method, urlsplit(str(each.url)).path.rstrip("0123456789")) for each in hooks.sent} == {
        ("GET", "/2/webhooks"), ("POST", "/2/webhooks"), ("PUT", "/2/webhooks/"), ("DELETE", "/2/webhooks/"),
        ("GET", "/2/activity/subscriptions"), ("POST", "/2/activity/subscriptions"), ("DELETE", "/2/activity/subscriptions/"),
    }  # fmt: skip
    for request in hooks.sent:
        oracle.check(request)
