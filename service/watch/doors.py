"""How programs ask whether Warmline is well: `/livez`, `/readyz`, `/metrics`; and what is noted of every request."""

from __future__ import annotations

import hmac
import re
import time
from contextlib import ExitStack
from threading import Lock
from uuid import uuid4

import structlog
from flask import Flask, Response, abort, current_app, g, jsonify, request

from service.runtime import runtime
from service.watch import caps, exposition, meters, presence, readiness, tracing, zeros
from service.watch.caps import Used
from service.watch.overall import Kept, Overall
from service.watch.readiness import Readiness
from service.watch.telling import Teller

log = structlog.get_logger()

PATHS = ("/livez", "/readyz", "/metrics")
REQUEST_ID = "X-Request-Id"
UNMATCHED = "unmatched"  # the route of what has none
PROBED = 1.0  # seconds for which the answer of /readyz stands, however often it is asked
_FIT = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEPT, _CAPS, _TELLER, _PROBE = "warmline_overall", "warmline_caps", "warmline_teller", "warmline_probe"


def register(app: Flask) -> None:
    """Adds the three addresses, and notes every request. Before any other hook: it is the outermost."""
    begin_anew(app)
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_over)
    app.add_url_rule("/livez", view_func=_alive)
    app.add_url_rule("/readyz", view_func=_ready)
    app.add_url_rule("/metrics", view_func=_metrics)


def begin_anew(app: Flask) -> None:
    """Forgets what was found for the runtime that the application had before."""
    app.extensions |= {
        _KEPT: Kept(), _CAPS: caps.Kept(), _TELLER: Teller(app.extensions["warmline"], presence.WEB), _PROBE: _Probe()
    }  # fmt: skip


def overall() -> Overall:
    """How the whole service is, as it was a few seconds ago at most."""
    kept: Kept = current_app.extensions[_KEPT]
    return kept.look(runtime())


def capped() -> tuple[Used, ...]:
    """How much is used of what providers cap, as it was a few minutes ago at most."""
    kept: caps.Kept = current_app.extensions[_CAPS]
    return kept.look(runtime())


def teller(app: Flask) -> Teller:
    """What speaks for this process."""
    found: Teller = app.extensions[_TELLER]
    return found


# --- the three addresses --------------------------------------------------------------------------------------


def _alive() -> Response:
    return jsonify(status="ok")


def _ready() -> tuple[Response, int]:
    probe: _Probe = current_app.extensions[_PROBE]
    found = probe.look()
    status = "ready" if found.ready else "not ready"
    return jsonify(status=status, failing=found.failing, **found.parts), 200 if found.ready else 503


def _metrics() -> Response:
    token = runtime().config.metrics_token
    if not token:
        abort(404)  # nobody has said who may read it
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), token.encode()):
        return Response("Send the token: Authorization: Bearer ...\n", 401, {"WWW-Authenticate": 'Bearer realm="metrics"'}, mimetype="text/plain")  # fmt: skip
    meters.flush(runtime().redis)
    expected = zeros.expected(_failing())
    page, content_type = exposition.render(
        overall(), capped(), expected, runtime().config, request.headers.get("Accept", "")
    )
    return Response(page, content_type=content_type, headers={"Cache-Control": "no-store"})


def _failing() -> list[tuple[str, str, str]]:
    """The labels under which requests are counted that end by an error of ours: of every route each of its methods, and of what has no
    route any (its page says who is signed in, so that it may fail as well)."""
    rules = [each for each in current_app.url_map.iter_rules() if each.rule not in PATHS]
    known = {(rule.rule, method) for rule in rules for method in _METHODS & (rule.methods or set())}
    known |= {(UNMATCHED, method) for method in (*_METHODS, meters.OTHER)}
    return [(route, method, "5xx") for route, method in sorted(known)]


class _Probe:
    """Readiness, asked once a second at most: whoever may ask it without a key may not wear the database out."""

    def __init__(self) -> None:
        self._lock, self._until = Lock(), 0.0
        self._found: Readiness | None = None

    def look(self) -> Readiness:
        with self._lock:
            if self._found is None or time.monotonic() >= self._until:
                self._found = readiness.look(runtime().config)
                self._until = time.monotonic() + PROBED
            return self._found


# --- every request --------------------------------------------------------------------------------------------


def _begin() -> None:
    if not current_app.testing:
        teller(current_app).keep_saying()
    given = request.headers.get(REQUEST_ID, "")
    g.request_id = given if _FIT.fullmatch(given) else uuid4().hex
    g.began = time.perf_counter()
    g.traced = ExitStack()
    g.traced.enter_context(tracing.traced("request", tracing.trace_of(g.request_id), request=g.request_id))


def _end(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers[REQUEST_ID] = g.request_id
    if request.path in PATHS:
        return response
    seconds = time.perf_counter() - g.began
    route = request.url_rule.rule if request.url_rule else UNMATCHED
    method = request.method if request.method in _METHODS else meters.OTHER
    status = f"{response.status_code // 100}xx"
    meters.count(meters.REQUESTS, route, method, status)
    meters.observe(meters.REQUEST_SECONDS, seconds, route)
    if (method in _CHANGING and response.status_code < 400) or response.status_code >= 500:
        # Reading leaves no line, nor does what was refused: the proxy has one of everything. A change can be followed by its id.
        log.info(
            "request", route=route, method=method, status=response.status_code, ms=round(seconds * 1000), by=_who()
        )
    return response


def _who() -> str:
    caller = g.get("caller")
    return caller.actor if caller else ""


def _over(error: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("traced", None)
    if stack is not None:
        stack.close()
