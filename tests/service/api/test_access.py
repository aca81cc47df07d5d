"""Who may call what: no key, wrong scope, another workspace; and what every error looks like."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service import access, accounts
from service.models import APIKey
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.api.checking import check
from tests.service.api.conftest import Client, World
from tests.service.api.written import documented

ROUTES = sorted((route, operation["security"]) for route, operation in documented().items() if operation["security"])
BY_ID = sorted(route for route in documented() if "{" in route[1])
NOUN_OF = {
    "brand_id": "brand",
    "connection_id": "crm",
    "engagement_id": "engagement",
    "conversation_id": "conversation",
    "contact_id": "contact",
    "match_id": "match",
    "task_id": "task",
    "run_id": "run",
    "calendar_id": "calendar",
    "relationship_id": "relationship",
    "member_id": "member",
    "invitation_id": "invitation",
    "session_id": "session",
    "person_id": "contact",
    "request_id": "person_request",
}
# Routes that speak of one kind of connection only, or need more than an empty body.
SOCIAL = ("/found",)
BODIES = {
    "/handle-fields": {"fields": {}},
    "/ceiling": {"dollars": 1},
    "/members/": {"role": access.VIEWER},
    "/erase": {"confirm": "erase"},
}
QUERIES = {"/persons": "?q=ada"}


def send(client: Client, method: str, path: str, world: World | None = None) -> TestResponse:
    """Calls a documented route, with ids of the world or of nothing, and a body that fits any of them."""
    path = path.removeprefix("/v1")
    if path.endswith(SOCIAL):
        path = path.replace("{connection_id}", str(world.social if world else uuid4()))
    for name, noun in NOUN_OF.items():
        path = path.replace(f"{{{name}}}", str(getattr(world, noun) if world else uuid4()))
    body = next((body for part, body in BODIES.items() if part in path), {})
    path += QUERIES.get(path, "")
    return client.call(method, path, json=body if method != "GET" else None)


def test_without_a_key_every_route_answers_401(nobody: Client) -> None:
    for route, _ in ROUTES:
        response = send(nobody, *route)
        assert "API key" in check(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer wl_nonsense", "Bearer ", "Basic dXNlcjpwYXNz", "wl_nonsense", "Bearer \u00e9\u00e9"]
)
def test_a_header_that_holds_no_key_of_ours_is_401(nobody: Client, header: str) -> None:
    check(nobody.get("/me", headers={"Authorization": header}), 401)


def test_a_revoked_key_is_401(held: Runtime, client: Client) -> None:
    assert client.get("/me").status_code == 200
    with held.db.globally() as session:
        session.query(APIKey).update({"revoked_at": accounts.real_now()})
    assert "revoked" in check(client.get("/me"), 401)


def test_a_key_that_may_only_read_changes_nothing(reader: Client, world: World) -> None:
    for (method, path), security in ROUTES:
        response = send(reader, method, path, world)
        if security == [{"apiKey": [access.READ]}]:
            assert response.status_code in (200, 422 if method == "POST" else 200), (method, path)
        else:
            assert "lacks the scope" in check(response, 403), (method, path)


def test_a_key_that_may_write_does_not_administer(app: Flask, held: Runtime, owner: Member, world: World) -> None:
    secret = accounts.create_api_key(held.db, owner.workspace_id, None, "w", ["read", "write"])
    writer = Client(app.test_client(), secret)
    for (method, path), security in ROUTES:
        refused = send(writer, method, path, world).status_code == 403
        assert refused == (security in ([{"apiKey": [access.ADMIN]}], [{"apiKey": [access.PEOPLE]}])), (method, path)


def test_what_belongs_to_another_workspace_is_not_there(rival: Client, world: World) -> None:
    for method, path in BY_ID:
        assert "no such" in check(send(rival, method, path, world), 404), (method, path)


def test_what_nobody_has_is_not_there(client: Client, world: World) -> None:
    for method, path in BY_ID:
        assert "no such" in check(send(client, method, path), 404), (method, path)


def test_another_workspace_sees_nothing_in_lists(rival: Client, world: World) -> None:
    for noun in ("connections", "engagements", "conversations", "contacts", "matches", "tasks"):
        assert rival.get(f"/{noun}").get_json() == {"items": [], "next_cursor": None}


def test_an_unknown_address_below_v1_is_a_problem_and_elsewhere_a_page(client: Client) -> None:
    check(client.get("/nothing"), 404)
    check(client.get("/tasks/not-an-id"), 404)
    assert client.http.get("/nothing").content_type != "application/problem+json"


def test_a_method_that_an_address_does_not_take_says_which_it_does(client: Client) -> None:
    response = client.delete("/tasks")
    check(response, 405)
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "place", "field"),
    [
        ("/tasks?limit=0", "query", "limit"),
        ("/tasks?limit=1000", "query", "limit"),
        ("/tasks?stat=open", "query", "stat"),
        ("/tasks?state=done", "query", "state"),
        ("/tasks?held=maybe", "query", "held"),
        ("/tasks?brand_id=1", "query", "brand_id"),
        ("/engagements?since=yesterday", "query", "since"),
        ("/engagements?since=2026-05-04T12:00:00", "query", "since"),
        ("/conversations?waiting=1", "query", "waiting"),
        ("/matches?state=maybe", "query", "state"),
        ("/connections?kind=carrier-pigeon", "query", "kind"),
    ],
)
def test_a_query_that_cannot_be_used_names_the_value(client: Client, path: str, place: str, field: str) -> None:
    response = client.get(path)
    check(response, 422)
    assert {(error["in"], error["field"]) for error in response.get_json()["errors"]} == {(place, field)}


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[1", b'{"name": }'])
def test_a_body_that_is_no_json_is_400(client: Client, body: bytes) -> None:
    check(client.call("POST", "/brands", data=body, content_type="application/json"), 400)


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_a_body_that_is_no_object_is_422(client: Client, body: object) -> None:
    check(client.call("POST", "/brands", json=body), 422)


def test_a_body_that_is_too_large_is_413(client: Client) -> None:
    check(client.post("/brands", {"name": "x" * 3_000_000}), 413)


def test_a_failure_of_ours_is_a_problem_that_tells_nothing_of_it(
    app: Flask, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["TESTING"] = False
    monkeypatch.setattr("service.store.listing.tasks", lambda *_, **__: 1 / 0)
    assert "division" not in check(client.get("/tasks"), 500)


def test_a_database_that_is_away_is_503_and_says_when_to_come_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused at /secret/path"))

    monkeypatch.setattr("service.store.listing.tasks", away)
    response = client.get("/tasks")
    assert "secret" not in check(response, 503)
    assert response.headers["Retry-After"] == "60"


def test_answers_are_not_for_shared_caches(client: Client) -> None:
    assert client.get("/me").headers["Cache-Control"] == "private, no-cache"
