"""Calendars: whose busy times are known, how old that is, and adding one."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from service import calendars as feeding
from service.clock import real_now
from service.console.guard import caller
from service.console.page import done, page, zone
from service.errors import PlainError
from service.runtime import runtime
from service.store import feeds, paging, shield

blueprint = Blueprint("calendars", __name__)

MOST = 200  # feeds on the page


@blueprint.get("/calendars")
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/calendars")
def add() -> ResponseReturnValue:
    """What was typed wrong is shown again, but for the address: it is a secret, and pages are kept by browsers."""
    who, email = caller(), request.form.get("email", "")
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            feeding.add(
                runtime(), session, who.workspace_id, email=email, address=request.form.get("url", ""), by=who.actor
            )
    except PlainError as error:
        return _page(email, str(error)), 400
    return done(url_for(".show"), "calendar")


@blueprint.post("/calendars/<uuid:feed_id>/refresh")
def refresh(feed_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if not feeds.refresh(session, who.workspace_id, feed_id):
            abort(404)
    return done(url_for(".show"), "refreshing")


@blueprint.post("/calendars/<uuid:feed_id>/remove")
def remove(feed_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if not feeds.remove(session, who.workspace_id, feed_id, by=who.actor):
            abort(404)
    return done(url_for(".show"), "calendar_removed")


def _page(email: str = "", sentence: str = "") -> str:
    who = caller()
    now = real_now().astimezone(ZoneInfo(zone()))
    with runtime().db.tenant(who.workspace_id) as session:
        rows, _ = paging.page(session, who.workspace_id, feeds.CALENDARS, filters={}, after=None, limit=MOST)
        known = sorted(filter(None, set(shield.emails(session, who.workspace_id).values())))
    return page(
        "calendars.html",
        calendars=[
            {**row, "line": feeding.line(row, now), "shielded": feeding.not_shielded_since(row, now) is None}
            for row in rows
        ],
        known=known,
        email=email or (who.email if who.email in known else ""),
        sentence=sentence,
    )
