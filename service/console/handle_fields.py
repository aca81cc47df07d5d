"""Which fields of a CRM hold social handles, and choosing them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from service.console.guard import caller
from service.console.page import done, page
from service.errors import PlainError
from service.runtime import runtime
from service.store import handle_fields

blueprint = Blueprint("handle_fields", __name__)


@blueprint.get("/connections/<uuid:connection_id>/handles")
def show(connection_id: UUID) -> ResponseReturnValue:
    return _page(connection_id)


@blueprint.post("/connections/<uuid:connection_id>/handles")
def save(connection_id: UUID) -> ResponseReturnValue:
    who = caller()
    choices = {name.removeprefix("field."): value for name, value in request.form.items() if name.startswith("field.")}
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            if handle_fields.choose(session, who.workspace_id, connection_id, choices, by=who.actor) is None:
                abort(404)
    except PlainError as error:
        return _page(connection_id, str(error)), 400
    return done(url_for(".show", connection_id=connection_id), "handle_fields")


def _page(connection_id: UUID, sentence: str = "") -> str:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        found = handle_fields.of_connection(session, workspace_id, connection_id)
    if found is None:
        abort(404)
    choices = {handle_fields.NONE: "No handle", **handle_fields.networks(), handle_fields.ANY: "Any network"}
    return page("handles.html", connection_id=connection_id, fields=found, choices=choices, sentence=sentence)
