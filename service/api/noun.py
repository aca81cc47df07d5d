"""One noun of the API: its routes, each declared with input and output; who may call them stands in `service.access`. The only
module that touches flask-smorest, which has no types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from flask import Flask, Request, Response, abort, request
from flask_smorest import Api, Blueprint
from marshmallow import RAISE, Schema
from marshmallow.fields import Dict
from webargs.flaskparser import FlaskParser, is_json_request

from service import access
from service.api import auth, idempotency, pace, problems
from service.api.answers import no_store

VERSION = "v1"
SCHEME = "apiKey"
View = TypeVar("View", bound=Callable[..., Response])
SchemaType = type[Schema]
_QUERIED: set[str] = set()  # endpoints that declare what may stand in their address


class _Parser(FlaskParser):
    """Reads bodies. One that is sent as something else than JSON is no missing one, and one that is nested too deeply, or holds a number of
    thousands of digits, is no fault of ours."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        if not is_json_request(req) and req.get_data(cache=True):
            abort(415)
        try:
            return super().load_json(req, schema)
        except (RecursionError, ValueError):
            abort(400)


class _Blueprint(Blueprint):  # type: ignore[misc]  # flask-smorest is untyped
    ARGUMENTS_PARSER = _Parser()


class Noun:
    """A resource below /v1. Views return responses made by `answers`; schemas read what comes in and document both."""

    def __init__(self, name: str, about: str, *, path: str = "") -> None:
        self.name, self.about = name, about
        self.blueprint = _Blueprint(name, __name__, url_prefix=path or f"/{name}")
        self.get = partial(self._route, "GET")
        self.post = partial(self._route, "POST")
        self.put = partial(self._route, "PUT")
        self.patch = partial(self._route, "PATCH")
        self.delete = partial(self._route, "DELETE")

    def _route(
        self,
        method: str,
        rule: str,
        *,
        returns: SchemaType | dict[str, Any] | None = None,
        status: int = 200,
        query: SchemaType | None = None,
        body: SchemaType | None = None,
        body_required: bool = True,
        also: dict[int, str] | None = None,
        doc: dict[str, Any] | None = None,
    ) -> Callable[[View], View]:
        """Declares a route. The view gets what `query` read, then what `body` read, then the path's values by name.
        `also` are answers that this route gives besides the usual ones, each with a sentence."""

        def decorate(view: View) -> View:
            handler: Any = self.blueprint.response(status, returns)(view)
            for code, sentence in (also or {}).items():
                schema = None if code < 400 else problems.ProblemSchema
                handler = self.blueprint.alt_response(code, schema=schema, description=sentence)(handler)
            if body is not None:
                handler = self.blueprint.arguments(body, required=body_required)(handler)
            endpoint = f"{VERSION}.{self.name}.{view.__name__}"
            if query is not None:
                _QUERIED.add(endpoint)
                handler = self.blueprint.arguments(query, location="query", unknown=RAISE)(handler)
            scope = access.needed(endpoint)
            security = [] if scope == access.ANYBODY else [{SCHEME: [scope] if scope else []}]
            extra = {"operationId": f"{self.name}.{view.__name__}", "security": security, **(doc or {})}
            handler = self.blueprint.doc(**extra)(handler)
            self.blueprint.route(rule, methods=[method], tags=[self.name])(handler)
            return view

        return decorate


class _Api(Api):  # type: ignore[misc]  # flask-smorest is untyped
    ERROR_SCHEMA = problems.ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None  # every status that a route can answer with is named

    def _register_error_handlers(self) -> None:
        """flask-smorest would answer for the whole application; `problems` answers below /v1 alone."""


def _read_body() -> None:
    """The whole body, bounded as it is, before anybody asks who calls: else whoever sends theirs late acts by rights that they had as it
    began."""
    request.get_data()


def _nothing_twice() -> None:
    """A value that stands in the address more than once is refused: the first would be heeded, and the others seem to have been."""
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice and auth.calling() is not None:
        problems.refuse_in_address(twice, "Give this once.")


def _nothing_unknown() -> None:
    """Where a route takes nothing in its address, what stands there all the same (`?dry_run=true`) is refused: ignored, it would seem to
    have been heeded. Where it takes something, its schema does that."""
    if request.args and auth.calling() is not None and request.endpoint not in _QUERIED:
        problems.refuse_in_address(request.args, "Unknown field.")


def _names(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """What the names of a mapping must be like, which apispec leaves out."""
    if not isinstance(field, Dict) or field.key_field is None or not field.key_field.validators:
        return {}
    return {"propertyNames": converter.field2property(field.key_field)}


def mount(app: Flask, nouns: Sequence[Noun], **spec: Any) -> Any:
    """Mounts the nouns below /v1. Returns what holds the generated document (an apispec.APISpec)."""
    api = _Api(app, spec_kwargs={"openapi_version": "3.1.0", **spec})
    api.ma_plugin.converter.add_attribute_function(_names)
    parent = Blueprint(VERSION, __name__, url_prefix=f"/{VERSION}")
    for noun in nouns:
        parent.register_blueprint(noun.blueprint)
    parent.before_request(pace.hold_refused)
    parent.before_request(_read_body)
    parent.before_request(auth.authenticate)
    parent.before_request(pace.hold)
    parent.before_request(_nothing_unknown)
    parent.before_request(_nothing_twice)
    parent.before_request(idempotency.before)
    parent.after_request(idempotency.after)
    parent.after_request(no_store)
    parent.teardown_request(idempotency.teardown)
    problems.register(app, parent)
    api.register_blueprint(parent)
    return api.spec
