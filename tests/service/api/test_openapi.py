"""The document and the routes say the same, and every route says who may call it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from service import access, api
from service.api.noun import Noun, mount
from service.commands import openapi
from service.errors import PlainError
from tests.service.api.conftest import Client
from tests.service.api.written import METHODS, document, documented


def routes(app: Flask) -> dict[tuple[str, str], str]:
    """(method, path as OpenAPI writes it) -> endpoint, of everything below /v1."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)): rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1")
        for method in METHODS & (rule.methods or set())
    }


@pytest.fixture(scope="module")
def bare() -> Flask:
    """The routes alone, without database or queue."""
    app = Flask("service")
    api.register(app)
    return app


def test_the_committed_document_is_the_generated_one() -> None:
    assert CliRunner().invoke(openapi.command, ["--check"], catch_exceptions=False).exit_code == 0


def test_an_outdated_document_is_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "FILE", tmp_path / "openapi.yaml")
    with pytest.raises(PlainError, match=r"warmline openapi > openapi\.yaml"):
        CliRunner().invoke(openapi.command, ["--check"], catch_exceptions=False)


def test_every_route_is_documented_and_every_documented_path_exists(bare: Flask) -> None:
    assert set(routes(bare)) == set(documented())


def test_the_document_names_no_host() -> None:
    text = openapi.FILE.read_text()
    assert "openapi: 3.1.0" in text
    assert not re.search(r"https?://|127\.0\.0\.1|localhost", text)


def test_the_document_says_what_the_table_of_rights_says(bare: Flask) -> None:
    for route, endpoint in routes(bare).items():
        scope = access.needed(endpoint)
        expected = [] if scope == access.ANYBODY else [{"apiKey": [scope]}]
        assert documented()[route]["security"] == expected, route
    asked = {access.needed(endpoint) for endpoint in routes(bare).values()}
    assert asked - {access.ANYBODY} == set(access.SCOPES)


def test_only_the_description_itself_is_public(bare: Flask) -> None:
    public = [route for route, endpoint in routes(bare).items() if access.needed(endpoint) == access.ANYBODY]
    assert public == [("GET", "/v1/openapi.json")]


# What is handed in is judged, and nothing of it is stored: these only read, though their question needs a body.
ASKED_WITH_A_BODY = {("POST", "/v1/judge")}
# Addresses of people outside, and where colleagues sit, are for those who look after people.
# So are the trail, and all that is held about one person in one file.
READ_BY_FEW = {
    ("GET", "/v1/invitations"),
    ("GET", "/v1/sessions"),
    ("GET", "/v1/audit"),
    ("GET", "/v1/audit/head"),
    ("GET", "/v1/persons/{person_id}/export"),
}


def test_what_only_reads_needs_read_and_what_writes_needs_more(bare: Flask) -> None:
    for (method, path), endpoint in routes(bare).items():
        only_reads = method == "GET" or (method, path) in ASKED_WITH_A_BODY
        if access.needed(endpoint) != access.ANYBODY and (method, path) not in READ_BY_FEW:
            assert (access.needed(endpoint) == access.READ) == only_reads, path


def test_a_route_that_is_declared_by_hand_is_closed() -> None:
    noun = Noun("forgotten", "A noun whose route was declared by hand.")
    noun.blueprint.add_url_rule("", "index", lambda: "open", methods=["GET"])
    app = Flask("service")
    mount(app, [noun], title="t", version="1")

    assert app.test_client().get("/v1/forgotten").status_code == 401


def test_every_write_takes_an_idempotency_key_and_no_read_does() -> None:
    key = {"$ref": "#/components/parameters/IdempotencyKey"}
    for (method, path), operation in documented().items():
        assert (key in operation.get("parameters", [])) == (method != "GET"), path


def test_errors_are_documented_as_problems() -> None:
    for route, operation in documented().items():
        for status, response in operation["responses"].items():
            if status >= "400" and "$ref" not in response:
                assert list(response["content"]) == ["application/problem+json"], (route, status)


def test_what_the_names_of_a_mapping_must_be_like_is_documented() -> None:
    schemas = document()["components"]["schemas"]
    fields = schemas["HandleFieldsBody"]["properties"]["fields"]
    assert fields["propertyNames"] == {"type": "string", "minLength": 1, "maxLength": 200}


def _texts() -> list[tuple[str, str]]:
    """(path, name) of each text that may be looked for in a query."""
    return [
        (path.removeprefix("/v1"), parameter["name"])
        for (method, path), operation in documented().items()
        if method == "GET" and "{" not in path
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and parameter["schema"].get("type") == "string"
    ]


@pytest.mark.parametrize("odd", ["a%00b", "%ED%A0%80"])
@pytest.mark.parametrize(("path", "name"), _texts())
def test_what_no_database_can_hold_is_looked_for_without_an_error_of_ours(
    client: Client, path: str, name: str, odd: str
) -> None:
    assert client.get(f"{path}?{name}={odd}").status_code in (200, 400, 404, 422)


def test_what_any_call_may_be_answered_with_is_documented_for_it() -> None:
    for call, operation in documented().items():
        answers = set(operation["responses"])
        assert ("503" in answers) == bool(operation["security"]), call
        assert ("413" in answers) == ("requestBody" in operation), call
