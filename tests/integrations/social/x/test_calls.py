from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from integrations import errors
from integrations.provider import Access
from integrations.social.x import PROVIDER
from integrations.social.x.client import XClient
from tests.integrations.social.x.wire import API, TOKEN, US, Wire

REFUSALS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "fixtures" / "refusals.json").read_text())
DATE = {"Date": "Fri, 20 Mar 2026 12:00:00 GMT"}  # 1774008000


@pytest.mark.parametrize("case", REFUSALS, ids=[case["name"] for case in REFUSALS])
def test_a_refusal_says_what_to_do_next(wire: Wire, case: dict[str, Any]) -> None:
    wire.replies = [(case["status"], {**DATE, **case.get("headers", {})}, json.dumps(case["body"]))]
    with pytest.raises(errors.IntegrationError) as caught:
        next(wire.client().pull("mentions", None))
    assert type(caught.value).__name__ == case["error"]
    assert case["says"] in str(caught.value)
    assert TOKEN not in str(caught.value)
    if "retry_after" in case:
        assert isinstance(caught.value, errors.RateLimitError)
        assert caught.value.retry_after == pytest.approx(case["retry_after"])


def test_a_missing_scope_for_messages_is_named(wire: Wire) -> None:
    wire.replies = [(403, {}, '{"title":"Forbidden","type":"about:blank","status":403,"detail":"Forbidden"}')]
    with pytest.raises(errors.PermissionDeniedError, match="direct messages") as caught:
        next(wire.client().pull("messages", None))
    assert caught.value.scope == "dm.read"


@pytest.mark.parametrize(
    "body",
    ["<html>busy</html>", "[]", '"ok"', "{}", '{"unrelated":1}', '{"data":"text"}', '{"data":[],"errors":"no"}', "[" * 100_000,
     '{"data":[{"nothing":"here"}]}', "\x00\xff"],
)  # fmt: skip
def test_a_200_with_garbage_is_an_unexpected_response(wire: Wire, body: str) -> None:
    wire.replies = [(200, {"Content-Type": "application/json"}, body)]
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        next(wire.client().pull("mentions", None))
    assert "busy" not in str(caught.value) + caught.value.sample


def test_errors_alone_about_the_account_are_raised_and_beside_data_they_are_not(wire: Wire) -> None:
    problem = {
        "type": "https://api.twitter.com/2/problems/resource-not-found",
        "resource_type": "user",
        "detail": "No such user.",
    }
    wire.replies = [(200, {}, json.dumps({"errors": [problem]}))]
    with pytest.raises(errors.PermissionDeniedError, match="No such user"):
        next(wire.client().pull("mentions", None))
    wire.replies = [(200, {}, json.dumps({"errors": [{"type": "about:blank", "title": "Internal"}]}))]
    with pytest.raises(errors.TemporaryError, match="Internal"):
        next(wire.client().pull("mentions", None))
    row = {"id": "5", "author_id": "9", "created_at": "2026-03-20T10:00:00Z", "text": "hello"}
    wire.replies = [(200, {}, json.dumps({"data": [row], "errors": [problem]}))]
    assert [item.id for item in next(wire.client().pull("mentions", None)).items] == ["5"]


@pytest.mark.parametrize("error", [requests.ConnectionError("broken"), requests.ReadTimeout("slow")])
def test_a_lost_answer_is_temporary_and_tells_no_address(error: Exception) -> None:
    with responses.RequestsMock() as mock:
        mock.add(responses.GET, f"{API}/2/users/me", body=error)
        with pytest.raises(errors.TemporaryError, match=r"^X ") as caught:
            Wire().client().whoami()
    assert "/2/" not in str(caught.value)


def test_a_redirect_is_not_followed(wire: Wire) -> None:
    wire.replies = [(302, {"Location": "https://elsewhere.example/"}, "")]
    with pytest.raises(errors.UnexpectedResponseError, match="redirect"):
        wire.client().whoami()
    assert len(wire.sent) == 1


def test_the_token_goes_out_as_a_bearer_token_and_never_into_a_log(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert wire.client().whoami().handle == "acme"
    assert wire.sent[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in caplog.text


def test_calls_go_to_the_host_that_the_app_names() -> None:
    with responses.RequestsMock() as mock:
        mock.add(
            responses.GET,
            "http://127.0.0.1:8790/x/2/users/me",
            json={"data": {"id": "1", "username": "a", "name": "A"}},
        )
        hosts = {"api": "http://127.0.0.1:8790/x", "web": "http://127.0.0.1:8790/x"}
        found = XClient(Access(hosts=hosts, credentials={"access_token": TOKEN})).whoami()
    assert (found.id, found.url) == ("1", "http://127.0.0.1:8790/x/a")


def test_whoami_without_an_account_is_an_unexpected_response(wire: Wire) -> None:
    wire.replies = [(200, {}, '{"data":{"name":"nobody"}}')]
    with pytest.raises(errors.UnexpectedResponseError):
        wire.client().whoami()


def test_a_client_without_an_account_asks_who_it_is_once(wire: Wire) -> None:
    list(wire.client(account=None).pull("mentions", None))
    assert [str(request.url).split("?")[0].removeprefix(API) for request in wire.sent] == [
        "/2/users/me",
        f"/2/users/{US.id}/mentions",
    ]


def test_a_first_pull_before_x_began_starts_where_x_began(wire: Wire) -> None:
    list(wire.client(since=datetime(1970, 1, 1, tzinfo=UTC)).pull("own", None))
    assert wire.queries(f"/2/users/{US.id}/tweets")[0]["start_time"] == "2010-11-06T00:00:00Z"


def test_the_manifest_and_the_client_know_the_same_streams(wire: Wire) -> None:
    for stream in PROVIDER.streams:
        assert stream.every >= timedelta(minutes=2)
        assert stream.limits.endswith(".")
        list(wire.client().pull(stream.name, None, ["5"]))


def test_every_read_has_a_price(wire: Wire) -> None:
    prices = {price.name for price in PROVIDER.prices}
    for stream in PROVIDER.streams:
        for page in wire.client().pull(stream.name, None, ["5"]):
            assert page.reads.keys() <= prices
    assert all(price.source.startswith("https://docs.x.com/") for price in PROVIDER.prices)


def _limits(limit: str, remaining: str, reset: str) -> dict[str, str]:
    return {**DATE, "x-rate-limit-limit": limit, "x-rate-limit-remaining": remaining, "x-rate-limit-reset": reset}


def test_what_x_still_serves_comes_with_the_page(wire: Wire) -> None:
    wire.replies = [(200, _limits("300", "287", "1774008600"), '{"meta":{"result_count":0}}')]
    before = datetime.now(UTC)
    [page, *_] = wire.client().pull("mentions", None)
    assert page.budget is not None
    assert (page.budget.left, page.budget.most, page.budget.what) == (287, 300, "calls for mentions in 15 minutes")
    assert page.budget.resets_at is not None
    assert timedelta(0) < page.budget.resets_at - before < timedelta(minutes=11)


@pytest.mark.parametrize(
    "limits",
    [("300", "-1", "1774008600"), ("", "12", "1774008600"), ("0", "0", "1774008600"), ("300", "287", "9999999999"),
     ("\u0663", "1", "1774008600"), ("9" * 40, "1", "1774008600")],
)  # fmt: skip
def test_of_limits_that_make_no_sense_nothing_is_told(wire: Wire, limits: tuple[str, str, str]) -> None:
    wire.replies = [(200, _limits(*limits), '{"meta":{"result_count":0}}')]
    [page, *_] = wire.client().pull("mentions", None)
    assert page.budget is None
