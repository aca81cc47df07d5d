"""What cannot be read or used is refused, and the sentence says what to send instead."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.service.api.checking import check
from tests.service.api.conftest import Client, World


def raw(client: Client, path: str, body: bytes, content_type: str | None = "application/json") -> TestResponse:
    return client.call("POST", path, data=body, headers={"Content-Type": content_type} if content_type else {})


def errors(response: TestResponse) -> dict[str, str]:
    return {each["field"]: each["detail"] for each in response.get_json()["errors"]}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"name": %s}' % (b"9" * 10_000)])
@pytest.mark.parametrize("path", ["/judge", "/brands"])
def test_a_body_that_is_nested_or_counts_without_end_is_unreadable_and_no_fault_of_ours(
    client: Client, path: str, body: bytes
) -> None:
    check(raw(client, path, body), 400)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_is_not_sent_as_json_is_not_taken_for_an_empty_one(
    client: Client, content_type: str | None
) -> None:
    assert "Content-Type: application/json" in check(raw(client, "/brands", b'{"name": "Labs"}', content_type), 415)


@pytest.mark.parametrize("path", ["/me?limit=1", "/settings?version=1", "/providers?q=x", "/sources?limit=5"])
def test_what_a_route_does_not_know_in_its_address_is_refused_and_not_ignored(client: Client, path: str) -> None:
    refused = client.get(path)
    check(refused, 422)
    assert errors(refused) == {path.partition("?")[2].partition("=")[0]: "There is nothing of this name here."}


@pytest.mark.parametrize(
    "path", ["/tasks?state=open&state=done", "/engagements?limit=1&limit=2", "/tasks?limit=1&limit=1"]
)
def test_what_stands_in_an_address_twice_is_refused_and_not_heeded_by_half(client: Client, path: str) -> None:
    refused = client.get(path)
    check(refused, 422)
    assert errors(refused) == {path.partition("?")[2].partition("=")[0]: "Give this once."}


def test_nothing_is_done_where_a_dry_run_is_asked_for_that_there_is_not(client: Client) -> None:
    check(client.post("/brands?dry_run=true", {"name": "Labs"}), 422)
    assert "Labs" not in [each["name"] for each in client.get("/brands").get_json()["items"]]


@pytest.mark.parametrize(
    ("path", "field", "sentence"),
    [
        ("/engagements?since=2026-01-01T00:00:00", "since", "Say which time zone"),
        ("/engagements?since=2026-01-01T00:00:00+01:00", "since", "+ is written %2B"),
        ("/engagements?connection_id=7", "connection_id", "Give an id"),
        ("/conversations?waiting=maybe", "waiting", "Give true or false."),
        ("/persons", "q", "This is required."),
        ("/persons?q=a%00b", "q", "a character that nobody can type"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_in_words_that_say_what_to_send(
    client: Client, path: str, field: str, sentence: str
) -> None:
    refused = client.get(path)
    check(refused, 422)
    assert sentence in errors(refused)[field]


@pytest.mark.parametrize("source", ["a\0b", "\ud800"])
@pytest.mark.parametrize("change", ["attest", "withdraw"])
def test_a_source_that_no_database_can_hold_is_refused(client: Client, change: str, source: str) -> None:
    refused = client.post(f"/sources/{change}", {"source": source})
    check(refused, 422)
    assert "source" in errors(refused)


@pytest.mark.parametrize(
    ("settings", "field", "sentence"),
    [
        ({"hours": {"monday": ["9-5"]}}, "settings.hours.monday.0", "such as 09:00-17:00"),
        ({"retention_by_network": ["x"]}, "settings.retention_by_network.0", "such as x:30"),
        ({"preview": "yes"}, "settings.preview", "Give true or false."),
    ],
)
def test_a_setting_that_cannot_be_tried_says_how_it_is_written(
    client: Client, settings: Any, field: str, sentence: str
) -> None:
    refused = client.post("/settings/tryout", {"settings": settings})
    check(refused, 422)
    assert sentence in errors(refused)[field]


def test_the_root_of_the_api_is_a_problem_and_no_page(client: Client) -> None:
    assert "nothing at this address" in check(client.get(""), 404)


def test_a_paused_account_is_not_said_to_be_pulled(client: Client, world: World, providers: Any) -> None:
    assert client.post(f"/connections/{world.social}/pause").status_code == 200
    assert "Resume it first" in check(client.post(f"/connections/{world.social}/pull"), 409)
    assert client.post(f"/connections/{world.social}/resume").status_code == 200
    assert client.post(f"/connections/{world.social}/pull").status_code == 202
