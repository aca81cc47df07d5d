"""The server, put together."""

from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, make_response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response as AnyResponse

from sandbox import crm_pages, hubspot, hubspot_batches, hubspot_errors, hubspot_objects, network_pages, x, x_errors
from sandbox.clock import parse_ms
from sandbox.control import control
from sandbox.faults import DROPS, HANGS, STATUSES, Fault, drop_connection
from sandbox.limits import Room
from sandbox.oauth_pages import pages as oauth_pages
from sandbox.pages import HELPERS, front
from sandbox.state import Sandbox, on_this_machine, sandbox

# Where faults strike: what programs call, never what a person reads.
CALLED = ("/x/2/", "/hubspot/crm/", "/hubspot/oauth/2026", "/hubspot/account-info/")
PEOPLE = ("/network", "/crm")
AGAIN = "sandbox.again"  # in the environment of a request that a fault repeats: no fault meets it


# Endpoints register with the blueprint that they import; naming the modules here is what loads them.
HUBSPOT_ENDPOINTS = (hubspot, hubspot_objects, hubspot_batches)


def create_app(data_dir: str | Path, *, now: str | None = None) -> Flask:
    """The sandbox with its state in `data_dir`. `now` (ISO 8601; else WARMLINE_NOW) makes its business time stand still.

    Raises StoreError when the folder can't be used, ValueError when `now` is no instant.
    """
    standing = now or os.environ.get("WARMLINE_NOW") or None
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["sandbox"] = Sandbox(Path(data_dir), frozen_at=parse_ms(standing) if standing else None)
    for blueprint in (x.api, hubspot.api, oauth_pages, control, front, network_pages.pages, crm_pages.pages):
        app.register_blueprint(blueprint)
    app.jinja_env.globals.update(HELPERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(_only_from_here)
    app.before_request(_fault_before)
    app.after_request(_fault_after)
    app.after_request(_headers)
    app.register_error_handler(HTTPException, _http_error)
    return app


def vendor_of(path: str) -> str | None:
    """The vendor whose ground a path is, or None for the sandbox's own."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first if first in ("x", "hubspot") else None


def _only_from_here() -> AnyResponse | None:
    """Refuses what another page of this browser sends, under its own name or one that leads here: the sandbox has no
    sign-in to protect it."""
    if not on_this_machine(request.host_url):
        return make_response("The sandbox answers to loopback addresses alone.", 403)
    origin = request.headers.get("Origin")
    if request.method in ("GET", "HEAD", "OPTIONS") or not origin:
        return None
    return None if urlsplit(origin).netloc == request.host else make_response("This form came from another site.", 403)


# -- faults


def _fault_before() -> AnyResponse | None:
    provider = vendor_of(request.path)
    if provider is None or not request.path.startswith(CALLED) or AGAIN in request.environ:
        return None
    fault = sandbox().faults.take(provider, request.method, request.path)
    return _start(fault, provider) if fault else None


def _start(fault: Fault, provider: str) -> AnyResponse | None:
    state = sandbox()
    if fault.fault == "expire_tokens":
        state.oauth.expire_all(provider)
    elif fault.fault == "revoke":
        state.oauth.revoke_all(provider)
    elif fault.fault in STATUSES:
        return failure(provider, int(fault.fault), fault.seconds)
    elif fault.fault in ("timeout_before", "drop_before"):
        return _silence(fault)
    elif fault.fault == "slow":
        state.faults.hang(fault.seconds)
    elif fault.fault == "twice":
        _do_it_once_before()
    else:
        g.fault = fault
    return None


def _do_it_once_before() -> None:
    """As a proxy does that sends a request again: the work is done, its answer lost, and what the caller is told is the answer
    to the second."""
    environ = {**request.environ, AGAIN: True, "wsgi.input": BytesIO(request.get_data(cache=True))}
    environ.pop("werkzeug.request", None)  # it would be answered from there
    run_wsgi_app(current_app.wsgi_app, environ, buffered=True)


def failure(provider: str, status: int, seconds: float) -> AnyResponse:
    """The vendor's own answer with this status."""
    if provider == "x":
        room = Room(False, 300, 0, time.time() + seconds)
        return (x_errors.too_many(x.rate_headers(room)) if status == 429 else x_errors.went_wrong(status)).response
    if status == 429:
        return hubspot_errors.too_many("TEN_SECONDLY_ROLLING", hubspot.rate_headers(0)).response
    return hubspot_errors.went_wrong(status).response


def _silence(fault: Fault) -> AnyResponse:
    """Hangs where the fault says so, then cuts the caller off."""
    if fault.fault in HANGS:
        sandbox().faults.hang(fault.seconds)
    drop_connection(request.environ)
    return Response(status=500)


def _fault_after(response: Response) -> Response:
    fault: Fault | None = g.pop("fault", None)
    if fault is None:
        return response
    if fault.fault == "garbage":
        return Response('<!doctype html><title>Hello</title>{"data": [', 200, content_type="application/json")
    if fault.fault in (*HANGS, *DROPS):
        _silence(fault)
    return response


# -- headers and errors


def _headers(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        forms = response.headers.pop("Content-Security-Policy-Form", "'self'")
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
    return response


def _http_error(error: HTTPException) -> AnyResponse:
    """A wrong path or method, in the words of whose ground it is."""
    provider, status = vendor_of(request.path), error.code or 500
    allow = {name: value for name, value in error.get_headers(request.environ) if name == "Allow"}
    if provider == "x" and request.path.startswith(CALLED):
        problem = {"title": error.name, "detail": error.name, "type": "about:blank", "status": status}
        return x_errors.XError(status, problem, allow).response
    if provider == "hubspot" and request.path.startswith(CALLED):
        body = {"message": error.description or error.name, "category": error.name.upper().replace(" ", "_")}
        return hubspot_errors.HubSpotError(status, body, allow).response
    if request.path == "/" or request.path.startswith(PEOPLE) or provider:
        title, sentence = (
            ("There is nothing here", "It may have been deleted.") if status == 404 else (error.name, "Try again.")
        )
        return make_response(render_template("missing.html", title=title, sentence=sentence), status, allow)
    return make_response({"error": error.description or error.name}, status, allow)
