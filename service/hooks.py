"""What providers call without signing in: webhooks, and public documents that we must serve for them.

A webhook is a hint to pull now. It is verified, marks streams due, and its payload is thrown away. Anybody may call here, so what is not
signed costs next to nothing: no page, no statement, no more than MAX_HINT bytes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy import select

from integrations.provider import App, Hint
from integrations.registry import AnyProvider, providers
from service import registrations
from service.clock import real_now
from service.models import ConnectedAccount
from service.runtime import Runtime, runtime
from service.store import due, rows
from service.watch import meters

log = structlog.get_logger()

MAX_HINT = 256 * 1024  # bytes
JSON = "application/json"  # what every vendor's deliveries are
FRESH = 10.0  # seconds for which a registration is not read again: so long does a new secret take until deliveries are checked by it
OLDEST = timedelta(
    days=2
)  # of a delivery that says when it was sent: Meta tries again for 36 hours, and nobody for longer
AHEAD = timedelta(hours=1)  # how far the vendor's clock may be before ours
REMEMBERED = 10_000  # deliveries, all providers together: a repeated one does nothing. 1 MB of Valkey's memory at most
_SEEN = "warmline:hints"
_KEPT = "warmline.hooks"

# What a call was, by the status that it is answered with.
VERDICTS = {200: "challenged", 204: "accepted", 401: "refused", 404: "unknown", 413: "too large"}

blueprint = Blueprint("hooks", __name__)


def register(app: Flask) -> None:
    begin_anew(app)
    app.register_blueprint(blueprint)


def begin_anew(app: Flask) -> None:
    """Forgets what was found for the runtime that the application had before."""
    app.extensions[_KEPT] = {}


@blueprint.after_request
def count(response: Response) -> Response:
    """Counts the call by its verdict, for whoever runs Warmline: who sends rubbish is seen. It costs no statement."""
    if request.endpoint in ("hooks.hint", "hooks.challenge"):
        provider = meters.provider_label((request.view_args or {}).get("provider", ""))
        meters.count(meters.WEBHOOKS, provider, VERDICTS.get(response.status_code, "malformed"))
    return response


@blueprint.get("/hooks/<provider>")
def challenge(provider: str) -> Response:
    """A provider asks whether this address is ours."""
    found, ours = _with_webhook(provider)
    assert found.webhook is not None
    answer = found.webhook.challenge(ours, request.args)
    if answer is None:
        abort(400)
    return Response(answer, content_type="text/plain") if isinstance(answer, str) else jsonify(answer)


@blueprint.post("/hooks/<provider>")
def hint(provider: str) -> tuple[str, int]:
    """Something is new for an account."""
    found, ours = _with_webhook(provider)
    assert found.webhook is not None
    request.max_content_length = MAX_HINT  # also of a body whose length is not told
    if (request.content_length or 0) > MAX_HINT:
        return "", 413
    if request.mimetype != JSON:
        return "", 415
    body = request.get_data(cache=False)
    headers = {name.lower(): value for name, value in request.headers.items()}
    hints = found.webhook.verify(ours, headers, body)
    if hints is None:
        return "", 401
    with _once(runtime(), f"{found.key}|".encode() + body) as first:
        for each in hints if first else ():
            if names_somebody(each) and _timely(each):
                _follow(runtime(), found, each)
    return "", 204


@blueprint.get("/.well-known/warmline/<provider>/<path:path>")
def document(provider: str, path: str) -> Response:
    """A public document of ours that a provider reads."""
    found = providers().get(provider)
    chosen = next((each for each in (found.documents if found else ()) if each.path == path), None)
    if found is None or chosen is None:
        abort(404)
    held = runtime()
    return Response(
        chosen.render(held.config.base_url, registrations.app_for(held, found)), content_type=chosen.content_type
    )


def _with_webhook(key: str) -> tuple[AnyProvider, App]:
    found = providers().get(key)
    ours = _registration(found) if found is not None and found.webhook is not None else None
    if found is None or ours is None:
        abort(404)
    return found, ours


def _registration(provider: AnyProvider) -> App | None:
    """Ours with this provider, read every FRESH seconds, however many ask; None where there is none."""
    kept: dict[str, tuple[float, App | None]] = current_app.extensions[_KEPT]
    until, ours = kept.get(provider.key, (0.0, None))
    if time.monotonic() >= until:
        try:
            ours = registrations.app_for(runtime(), provider)
        except registrations.ConnectError:
            ours = None
        kept[provider.key] = time.monotonic() + FRESH, ours
    return ours


@contextmanager
def _once(held: Runtime, delivery: bytes) -> Iterator[bool]:
    """Whether this delivery has not been followed yet, by any process. It counts as followed when all of it is done: one that broke off
    is followed when it is sent again. Where Valkey is away all are followed, which does no harm."""
    digest = hashlib.sha256(delivery).hexdigest()
    first = True
    with suppress(RedisError):
        first = held.redis.zscore(_SEEN, digest) is None
    yield first
    with suppress(RedisError):
        pipeline = held.redis.pipeline(transaction=False)
        pipeline.zadd(_SEEN, {digest: time.time()}, nx=True)
        pipeline.zremrangebyrank(_SEEN, 0, -REMEMBERED - 1)
        pipeline.execute()


def names_somebody(each: Hint) -> bool:
    """Whether an account can have this id: whatever a vendor signs, none has one that PostgreSQL cannot hold."""
    return rows.clean(each.account_id) == each.account_id


def _timely(each: Hint) -> bool:
    return each.sent_at is None or -AHEAD <= real_now() - each.sent_at <= OLDEST


def _follow(held: Runtime, provider: AnyProvider, each: Hint) -> None:
    with held.db.globally() as session:
        routes = session.execute(
            select(ConnectedAccount.workspace_id, ConnectedAccount.connection_id).where(
                ConnectedAccount.provider == provider.key, ConnectedAccount.account_id == each.account_id
            )
        ).all()
    if routes:
        woken = [str(connection_id) for _, connection_id in routes]
        log.info("hint", provider=provider.key, streams=list(each.streams), connections=woken[:100])
    for workspace_id, connection_id in routes:
        with held.db.tenant(workspace_id) as session:
            due.pull_soon(session, workspace_id, connection_id, each.streams, obey_limits=True, urgent=True)
