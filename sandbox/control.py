"""The sandbox's own switches: apps, data, settings, counts, faults. JSON, for programs on this machine."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import load, network
from sandbox.faults import fault_from
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
    return jsonify(error=f"Nothing was loaded: {error}."), 400


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
    given, state = body(), sandbox()
    with state.store.write() as db:
        author = network.find_account(db, str(given.get("as", "")))
        if author is None:
            raise Refused("as must name an account, by handle or id.")
        parent = given.get("in_reply_to")
        id_ = network.add_post(
            db, author["id"], str(given.get("text") or ""), state.post_times.next(),
            in_reply_to=None if parent in (None, "") else network.numeric(parent),
        )  # fmt: skip
    state.hints.send(network.concerned(state.store.read(), [id_]), "tweet_create_events", [str(id_)])
    return jsonify(id=str(id_)), 201


@control.post("/control/messages")
def add_message() -> Answer:
    """{"as": handle or id, "to": handle or id, "text"} -> 201 {"id"}"""
    given, state = body(), sandbox()
    with state.store.write() as db:
        sender, recipient = (network.find_account(db, str(given.get(name, ""))) for name in ("as", "to"))
        if sender is None or recipient is None or sender["id"] == recipient["id"]:
            raise Refused("as and to must name two accounts, by handle or id.")
        id_ = network.add_message(
            db, sender["id"], recipient["id"], str(given.get("text") or ""), state.post_times.next()
        )
    state.hints.send({sender["id"], recipient["id"]}, "direct_message_events", [str(id_)])
    return jsonify(id=str(id_)), 201


@control.delete("/control/posts/<post_id>")
def delete_post(post_id: str) -> Answer:
    state = sandbox()
    id_ = network.numeric(post_id)
    about = network.concerned(state.store.read(), [id_])
    with state.store.write() as db:
        if not network.delete_post(db, id_):
            raise Refused("There is no such post.", 404)
    state.hints.send(about, "tweet_delete_events", [str(id_)])
    return jsonify(deleted=str(id_))


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
