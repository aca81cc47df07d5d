"""Leaving for good: an owner has the workspace deleted, may keep it for some days, and holds a link to the receipt."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from service import departing
from service.console.guard import caller, still_may
from service.console.page import done, page
from service.errors import PlainError
from service.runtime import runtime
from service.store import departures

blueprint = Blueprint("departing", __name__)


@blueprint.get("/settings/leave")
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/settings/leave")
def ask() -> ResponseReturnValue:
    """Answers with the page itself and not with a redirect: the receipt's link must not stand in an address."""
    who = caller()
    if request.form.get("name", "").strip() != who.workspace_name:
        return _page(
            sentence=f"Nothing was done. Type the workspace's name, {who.workspace_name}, to say that you mean it."
        ), 400
    try:
        token, _ = departing.ask(
            runtime(), who.workspace_id, by=who.actor, purge="purge" in request.form, first=still_may
        )
    except PlainError as error:
        return _page(sentence=str(error)), 400
    return _page(link=f"{runtime().config.base_url}{url_for('console.departing.receipt', token=token)}")


@blueprint.post("/settings/leave/keep")
def keep() -> ResponseReturnValue:
    who = caller()
    if not departing.keep(runtime(), who.workspace_id, by=who.actor):
        return _page(sentence="It cannot be kept: nobody has asked for it to be deleted, or that has begun."), 400
    return done(url_for(".show"), "kept")


@blueprint.get("/left/<token>")
def receipt(token: str) -> ResponseReturnValue:
    """For whoever holds the link, since the workspace and its people are gone when it is written."""
    found = departing.receipt(runtime(), token)
    if found is None:
        abort(404)
    return page("left.html", receipt=found)


def _page(*, link: str = "", sentence: str = "") -> str:
    who = caller()
    with runtime().db.globally() as session:
        row = departures.of(session, who.workspace_id)
    return page("leave.html", departure=row, link=link, sentence=sentence, days=runtime().config.leave_days)
