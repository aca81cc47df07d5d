"""The sandbox's own switches: apps, data, settings, counts, faults. JSON, for programs on this machine."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import actions, load
from sandbox.faults import fault_from
from sandbox.ids import numeric
from sandbox.network import LoadError
from sandbox.oauth import App
from sandbox.state import sandbox

control = Blueprint("control", __name__)

Answer = Response | tuple[Response, int]


class Refused(Exception):
    """What was asked can't be done; the message says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@control.errorhandler(Refused)
def _refused(error: Refused) -> Answer:
    return jsonify(error=str(error)), error.status


@control.errorhandler(LoadError)
def _not_loaded(error: LoadError) -> Answer:
    return jsonify(error=f"Nothing was kept: {error}."), 400


@control.errorhandler(UnicodeEncodeError)
def _not_text(error: UnicodeEncodeError) -> Answer:
    return jsonify(error="Nothing was kept: a text holds half of a character (a lone surrogate). Leave it out."), 400


def body() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise Refused("Send a JSON object.")
    return given


@control.put("/control/apps/<provider>")
def register(provider: str) -> Answer:
    given = body()
    uris = given.get("redirect_uris")
    if provider not in ("x", "hubspot"):
        raise Refused("There are two vendors here: x and hubspot.", 404)
    if not given.get("client_id") or not given.get("client_secret") or not isinstance(uris, list) or not uris:
        raise Refused("An app needs client_id, client_secret and a list of redirect_uris.")
    app = App(provider, str(given["client_id"]), str(given["client_secret"]), tuple(map(str, uris)))
    sandbox().oauth.register(app)
    return jsonify(provider=provider, client_id=app.client_id, redirect_uris=list(app.redirect_uris))


@control.post("/control/load")
def load_all() -> Answer:
    return jsonify(load.load(sandbox(), body()))


@control.get("/control/counts")
def counts() -> Answer:
    return jsonify(load.counts(sandbox().store.read()))


@control.post("/control/posts")
def add_post() -> Answer:
    """{"as": handle or id, "text", "in_reply_to"?} -> 201 {"id"}"""
    given = body()
    id_ = actions.post(sandbox(), str(given.get("as") or ""), str(given.get("text") or ""), given.get("in_reply_to"))
    return jsonify(id=str(id_)), 201


@control.post("/control/messages")
def add_message() -> Answer:
    """{"as": handle or id, "to": handle or id, "text"} -> 201"""
    given = body()
    words = (str(given.get(name) or "") for name in ("as", "to", "text"))
    sender, recipient = actions.message(sandbox(), *words)
    return jsonify(sender_id=str(sender), recipient_id=str(recipient)), 201


@control.delete("/control/posts/<post_id>")
def delete_post(post_id: str) -> Answer:
    if not actions.delete_post(sandbox(), numeric(post_id)):
        raise Refused("There is no such post.", 404)
    return jsonify(deleted=post_id)


@control.get("/control/settings")
def settings() -> Answer:
    return jsonify(sandbox().settings.all())


@control.put("/control/settings")
def change_settings() -> Answer:
    try:
        sandbox().change_settings(body())
    except ValueError as error:
        raise Refused(str(error)) from error
    return settings()


@control.get("/faults")
def faults() -> Answer:
    return jsonify(faults=sandbox().faults.all())


@control.post("/faults")
def add_fault() -> Answer:
    try:
        return jsonify(sandbox().faults.add(fault_from(body()))), 201
    except ValueError as error:
        raise Refused(str(error)) from error


@control.delete("/faults")
def clear_faults() -> Answer:
    sandbox().faults.clear()
    return Response(status=204)
