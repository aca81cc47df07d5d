"""The OpenAPI document: generated from the routes, committed as openapi.yaml. It names no host: addresses are relative."""

from __future__ import annotations

from typing import Any

import yaml
from flask import Flask, Response

from service.api import following, problems
from service.api.answers import answer
from service.api.idempotency import HEADER, SHAPE
from service.api.noun import SCHEME, Noun

EXTENSION = "warmline-openapi"
TITLE = "Warmline"
ABOUT = " ".join(
    (
        "Warmline reads the social accounts that a team has connected, works out who each author is in the CRM, and keeps two",
        "kinds of task there: somebody is waiting for an answer, and somebody is ready for a call. It never posts.",
        "Lists answer with `items` and `next_cursor`; send the latter back as `cursor`. Errors are problems (RFC 9457). Instants",
        "are in UTC. Writes take an `Idempotency-Key`: the same key with the same request is done once and answered alike, for a",
        "day.",
    )
)
_IDEMPOTENT = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "A new value, such as a UUID, for each new request.",
    "schema": {"type": "string", "pattern": f"^{SHAPE}$"},
}
# Answers that many routes give: (status, its name among the components, its sentence).
_UNREADABLE = ("400", "Unreadable", "The request cannot be read.")
_UNKNOWN = ("401", "Unknown", "No API key, or one that is unknown.")
_FORBIDDEN = ("403", "Forbidden", "The key lacks the scope.")
_UNDER_WAY = ("409", "UnderWay", "The first request with this key is still under way.")
_UNUSABLE = ("422", "Unusable", "Values that cannot be used, or a key that was used for another request.")
_NOT_JSON = ("415", "NotJson", "The body is not sent as JSON.")
_TOO_LARGE = ("413", "TooLarge", "The body is larger than 2 MB.")
_AWAY = ("503", "Away", "The database cannot be reached; Retry-After says in how many seconds to come back.")
_TOO_FAST = ("429", "TooFast", "The workspace calls too fast; Retry-After says in how many seconds to come back.")
_PROBLEM = {"content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_USUAL = (_UNREADABLE, _UNKNOWN, _FORBIDDEN, _UNDER_WAY, _NOT_JSON, _UNUSABLE, _TOO_FAST, _TOO_LARGE, _AWAY)

openapi = Noun("openapi", "This description.", path="/openapi.json")


@openapi.get("", returns={"type": "object"})
def document() -> Response:
    """This description of the API"""
    from flask import current_app

    return answer(of(current_app))


def of(app: Flask) -> dict[str, Any]:
    """The document of this application."""
    found: dict[str, Any] = app.extensions[EXTENSION]
    return found


def text(app: Flask) -> str:
    """What stands in openapi.yaml."""
    return yaml.safe_dump(of(app), sort_keys=False, allow_unicode=True, width=120)


def finish(spec: Any) -> dict[str, Any]:
    """What apispec made, with what it does not know: who may call, the keys of writes, and errors as problems."""
    made: dict[str, Any] = _plain(spec.to_dict())
    made["components"]["responses"] = {name: {"description": sentence, **_PROBLEM} for _, name, sentence in _USUAL}
    made["components"]["parameters"] = {"IdempotencyKey": _IDEMPOTENT}
    made["components"]["securitySchemes"] = {
        SCHEME: {"type": "http", "scheme": "bearer", "description": "An API key, made in the console: wl_..."}
    }
    for path in made["paths"].values():
        for method, operation in path.items():
            if method != "parameters":
                _complete(method, operation)
    _as_problems(made["paths"])
    following.add(made)
    return {name: made[name] for name in ("openapi", "info", "servers", "tags", "paths", "components")}


def _complete(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    usual = [_UNKNOWN, _FORBIDDEN, _UNUSABLE, _TOO_FAST, _AWAY] if operation["security"] else []
    if method != "get":
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
        usual += [_UNDER_WAY]
    if operation.get("parameters") or "requestBody" in operation:
        usual += [_UNREADABLE]
    if "requestBody" in operation:
        usual += [_NOT_JSON, _TOO_LARGE]
    responses.pop("422", None)  # flask-smorest's own
    for status, name, _ in usual:
        responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})
    operation["responses"] = dict(sorted(responses.items()))


def _as_problems(node: Any) -> None:
    """Errors are application/problem+json, wherever apispec wrote application/json."""
    if isinstance(node, list):
        for each in node:
            _as_problems(each)
    if not isinstance(node, dict):
        return
    content = node.get("content")
    if isinstance(content, dict) and content.get("application/json", {}).get("schema") == {
        "$ref": "#/components/schemas/Problem"
    }:
        content[problems.CONTENT_TYPE] = content.pop("application/json")
    for each in node.values():
        _as_problems(each)


def _plain(node: Any) -> Any:
    """Plain dictionaries with string keys, lists and scalars, for YAML."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(each) for each in node]
    return str(node) if isinstance(node, str) else node
