"""Pausing an account, and what reading it may cost: forms on its card."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from service.console.guard import caller
from service.console.page import done
from service.runtime import runtime
from service.store import tending

blueprint = Blueprint("pausing", __name__)

HIGHEST = 1_000_000  # dollars, as in the API


@blueprint.post("/connections/<uuid:connection_id>/pause")
def pause(connection_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if tending.pause(session, who.workspace_id, connection_id, "", by=who.actor) is None:
            abort(404)
    return done(url_for("console.connections.show"), "paused")


@blueprint.post("/connections/<uuid:connection_id>/resume")
def resume(connection_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if tending.resume(session, who.workspace_id, connection_id, by=who.actor) is None:
            abort(404)
    return done(url_for("console.connections.show"), "resumed")


@blueprint.post("/connections/<uuid:connection_id>/ceiling")
def ceiling(connection_id: UUID) -> ResponseReturnValue:
    who, typed = caller(), request.form.get("dollars", "").strip()
    whole = typed.isascii() and typed.isdigit() and len(typed) <= 7 and int(typed) <= HIGHEST
    if typed and not whole:
        abort(400, f"Write whole US dollars, from 0 to {HIGHEST:,}, or nothing for no ceiling of its own.")
    with runtime().db.tenant(who.workspace_id) as session:
        dollars = int(typed) if typed else None
        if tending.set_ceiling(session, who.workspace_id, connection_id, dollars, by=who.actor) is None:
            abort(404)
    return done(url_for("console.connections.show"), "ceiling")
