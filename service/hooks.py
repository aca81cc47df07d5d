"""What providers call without signing in: webhooks, and public documents that we must serve for them.

A webhook is a hint to pull now. It is verified, marks streams due, and its payload is thrown away.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort, jsonify, request
from sqlalchemy import select

from integrations.provider import Hint
from integrations.registry import AnyProvider, providers
from service import connect
from service.models import WebhookRoute
from service.runtime import Runtime, runtime
from service.store import due
from service.watch import meters

MAX_HINT = 256 * 1024  # bytes
blueprint = Blueprint("hooks", __name__)


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)


# What a webhook's call was, by the status that it was answered with.
_VERDICTS = {204: "accepted", 200: "challenged", 401: "refused", 404: "unknown", 413: "too large"}


@blueprint.after_request
def count(response: Response) -> Response:
    """Counts the call; whoever sends rubbish is seen."""
    if request.endpoint in ("hooks.hint", "hooks.challenge"):
        provider = meters.provider_label((request.view_args or {}).get("provider", ""))
        meters.count(meters.WEBHOOKS, provider, _VERDICTS.get(response.status_code, "malformed"))
    return response


@blueprint.get("/hooks/<provider>")
def challenge(provider: str) -> Response:
    """A provider asks whether this address is ours."""
    found = _with_webhook(provider)
    assert found.webhook is not None
    answer = found.webhook.challenge(connect.app_for(runtime(), found), request.args)
    if answer is None:
        abort(400)
    return Response(answer, content_type="text/plain") if isinstance(answer, str) else jsonify(answer)


@blueprint.post("/hooks/<provider>")
def hint(provider: str) -> tuple[str, int]:
    """Something is new for an account."""
    found = _with_webhook(provider)
    assert found.webhook is not None
    if (request.content_length or 0) > MAX_HINT:
        abort(413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    hints = found.webhook.verify(connect.app_for(runtime(), found), headers, request.get_data())
    if hints is None:
        abort(401)
    for each in hints:
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
    return Response(chosen.render(held.config.base_url, connect.app_for(held, found)), content_type=chosen.content_type)


def _with_webhook(key: str) -> AnyProvider:
    found = providers().get(key)
    if found is None or found.webhook is None:
        abort(404)
    return found


def _follow(held: Runtime, provider: AnyProvider, each: Hint) -> None:
    with held.db.globally() as session:
        routes = session.execute(
            select(WebhookRoute.workspace_id, WebhookRoute.connection_id).where(
                WebhookRoute.provider == provider.key, WebhookRoute.account_id == each.account_id
            )
        ).all()
    for workspace_id, connection_id in routes:
        with held.db.tenant(workspace_id) as session:
            due.pull_soon(session, workspace_id, connection_id, each.streams)
