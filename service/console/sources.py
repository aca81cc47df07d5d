"""How contacts came into the CRM: which of them take part in matching everywhere, and vouching for the others."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from service.console.guard import caller
from service.console.page import done, page
from service.runtime import runtime
from service.store import filing, sources

blueprint = Blueprint("sources", __name__)

_CHANGES = {"attest": (sources.attest, "attested"), "withdraw": (sources.withdraw, "withdrawn")}


@blueprint.get("/sources")
def show() -> ResponseReturnValue:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        found = sources.listed(session, workspace_id)
        waiting = filing.waiting(session, workspace_id)
    return page(
        "sources.html",
        sources=found,
        networks=sources.networks(),
        left_out=sum(each.contacts for each in found if each.left_out),
        waiting=waiting,
    )


@blueprint.post("/sources/<any(attest, withdraw):change>")
def change(change: str) -> ResponseReturnValue:
    who, source = caller(), request.form.get("source", "")
    if not source or len(source) > 500:
        abort(404)
    act, notice = _CHANGES[change]
    with runtime().db.tenant(who.workspace_id) as session:
        act(session, who.workspace_id, source, by=who.actor)
    return done(url_for(".show"), notice)
