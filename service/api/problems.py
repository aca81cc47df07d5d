"""Errors as RFC 9457 problems. They hold for /v1 alone: the console has pages of its own for what goes wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Blueprint, Flask, Response, abort, json, request
from marshmallow import Schema, ValidationError, fields
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, default_exceptions

from service.db import unreachable
from service.errors import PlainError
from service.sentences import plainly
from service.store.paging import BadCursorError

CONTENT_TYPE = "application/problem+json"
PREFIX = "/v1/"

# What happened, where the exception's own words are not for whoever calls an API.
_SENTENCES = {
    400: "The request cannot be read. Send JSON in UTF-8.",
    404: "There is nothing at this address in your workspace.",
    405: "This address does not take that method.",
    413: "The request is too large. Send at most 2 MB.",
    415: "Send JSON, with Content-Type: application/json.",
    422: "Some values cannot be used; `errors` says which.",
    500: "Something went wrong here, and it was logged. Try again; if it stays, tell whoever runs Warmline.",
}


class FieldErrorSchema(Schema):
    """One value that cannot be used."""

    place = fields.String(required=True, data_key="in", metadata={"description": "body, query or header."})
    field = fields.String(required=True, metadata={"description": "The value's name; dots lead into nested ones."})
    detail = fields.String(required=True, metadata={"description": "One sentence."})


class ProblemSchema(Schema):
    """What went wrong (RFC 9457)."""

    type = fields.String(required=True, metadata={"description": "Always about:blank: the status says the kind."})
    title = fields.String(required=True, metadata={"description": "The status in words."})
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "One or two sentences that say what to do."})
    errors = fields.List(fields.Nested(FieldErrorSchema), metadata={"description": "Values that cannot be used."})


def problem(
    status: int, detail: str, *, errors: list[dict[str, str]] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem as a response."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return Response(json.dumps(body), status=status, headers=dict(headers or {}), content_type=CONTENT_TYPE)


def refuse(status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> NoReturn:
    """Ends the request with a problem."""
    abort(problem(status, detail, headers=headers))


def refuse_in_address(names: Iterable[str], why: str) -> NoReturn:
    """Ends the request: what it says under these names in its address cannot be used, for this reason."""
    errors = list(_placed({"query": {each: [why] for each in names}}))
    abort(problem(422, _SENTENCES[422], errors=errors))


def missing(noun: str) -> NoReturn:
    """Ends the request: this workspace has no such thing."""
    refuse(404, f"There is no such {noun} in your workspace.")


def register(app: Flask, blueprint: Blueprint) -> None:
    """Turns whatever goes wrong in this blueprint, or below /v1 where no route is, into problems."""
    # A handler for a status beats one for a class, wherever either stands, so each status is named: the application's own
    # pages for errors never answer here.
    for code in default_exceptions:
        blueprint.register_error_handler(code, _of_http)
    blueprint.register_error_handler(HTTPException, _of_http)
    blueprint.register_error_handler(PlainError, _of_sentence)
    blueprint.register_error_handler(BadCursorError, _of_cursor)
    blueprint.register_error_handler(ValidationError, _of_values)
    blueprint.register_error_handler(OperationalError, _of_database)
    app.before_request(_no_such_route)


def _no_such_route() -> Response | None:
    error = request.routing_exception
    if f"{request.path}/".startswith(PREFIX) and isinstance(error, (NotFound, MethodNotAllowed)):
        return _of_http(error)
    return None


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    data: Mapping[str, Any] = getattr(error, "data", None) or {}  # what webargs found wrong
    kept = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    found = data.get("messages") if status == 422 else None
    detail = _SENTENCES.get(status) or (error.description or HTTPStatus(status).phrase)
    return problem(status, detail, errors=list(_placed(found)) if isinstance(found, dict) else None, headers=kept)


def _of_sentence(error: PlainError) -> Response:
    return problem(422, str(error))


def _of_cursor(error: BadCursorError) -> Response:
    return problem(400, str(error), errors=[{"in": "query", "field": "cursor", "detail": str(error)}])


def _of_values(error: ValidationError) -> Response:
    return problem(422, _SENTENCES[422], errors=list(_flat("body", "", error.messages)))


def _of_database(error: OperationalError) -> Response:
    return problem(
        503, str(unreachable(error)).split(":")[0] + ". Try again in a minute.", headers={"Retry-After": "60"}
    )


_PLACES = {"json": "body", "query": "query", "headers": "header"}


def _placed(messages: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for place, found in messages.items():
        yield from _flat(_PLACES.get(place, place), "", found)


def _flat(place: str, name: str, found: Any) -> Iterator[dict[str, str]]:
    """marshmallow's nested messages as a flat list."""
    if isinstance(found, Mapping):
        for key, inner in found.items():
            part = "" if key == "_schema" else str(key)
            yield from _flat(place, ".".join(filter(None, (name, part))), inner)
    else:
        for detail in found if isinstance(found, list) else [found]:
            yield {"in": place, "field": name, "detail": plainly(str(detail))}
