"""Matches that wait for a decision, and deciding them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from service.console.guard import caller
from service.console.page import back, done, page
from service.rules.model import MatchState
from service.runtime import runtime
from service.store import acting, listing, pages, paging, pairing

blueprint = Blueprint("matches", __name__)

VIEWS = {"suggested": "To decide", "confirmed": "Confirmed", "rejected": "Rejected"}


@blueprint.get("/matches")
def show() -> ResponseReturnValue:
    view = request.args.get("show", "suggested")
    if view not in VIEWS:
        abort(404)
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        found, more = listing.matches(session, workspace_id, filters={"state": view}, after=request.args.get("after"))
        counts = pages.counts(session, workspace_id)
    return page(
        "matches.html",
        matches=found,
        more=more,
        view=view,
        views=VIEWS,
        counts=counts,
        here=request.full_path.rstrip("?"),
    )


@blueprint.post("/matches/<uuid:match_id>/confirm")
def confirm(match_id: UUID) -> ResponseReturnValue:
    return _decide(match_id, MatchState.CONFIRMED, "confirmed")


@blueprint.post("/matches/<uuid:match_id>/reject")
def reject(match_id: UUID) -> ResponseReturnValue:
    return _decide(match_id, MatchState.REJECTED, "rejected")


@blueprint.post("/matches/<uuid:match_id>/undo")
def undo(match_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if acting.undo_match(session, who.workspace_id, match_id, by=who.actor) is None:
            abort(404)
    return done(back(url_for(".show")), "undone")


@blueprint.get("/matches/<uuid:match_id>/somebody")
def somebody(match_id: UUID) -> ResponseReturnValue:
    """Finding who it is instead."""
    who, text = caller(), request.args.get("q", "").strip()[:200]
    with runtime().db.tenant(who.workspace_id) as session:
        match = paging.one(session, who.workspace_id, listing.MATCHES, match_id)
        if match is None:
            abort(404)
        found = pairing.find(session, who.workspace_id, match["connection_id"], text) if text else []
    return page(
        "somebody.html", match=match, text=text, found=[each for each in found if each["id"] != match["contact_id"]]
    )


@blueprint.post("/matches/<uuid:match_id>/somebody")
def somebody_is(match_id: UUID) -> ResponseReturnValue:
    who = caller()
    try:
        contact_id = UUID(request.form.get("contact", ""))
    except ValueError:
        abort(404)
    with runtime().db.tenant(who.workspace_id) as session:
        if pairing.somebody_else(session, who.workspace_id, match_id, contact_id, by=who.actor) is None:
            abort(404)
    return done(url_for(".show"), "confirmed")


def _decide(
    match_id: UUID, state: Literal[MatchState.CONFIRMED, MatchState.REJECTED], notice: str
) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if acting.decide_match(session, who.workspace_id, match_id, state, by=who.actor) is None:
            abort(404)
    return done(back(url_for(".show")), notice)
