"""Add by hand: a link and a few lines from a place that Warmline may not read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from integrations.registry import handed_in
from service import byhand
from service.byhand import Pasted
from service.clock import business_now
from service.console.guard import caller
from service.console.page import done, page, zone
from service.errors import PlainError
from service.runtime import runtime
from service.store import listing
from service.store.capturing import Outcome

blueprint = Blueprint("byhand", __name__)

_FIELDS = ("link", "place", "name", "handle", "text", "at", "brand")
_NOTICES = {Outcome.CREATED: "added", Outcome.KNOWN: "known", Outcome.LEFT_OUT: "left_out"}


@blueprint.get("/add")
def ask() -> ResponseReturnValue:
    now = business_now().astimezone(ZoneInfo(zone()))
    return _form(sentence="", values={"at": now.strftime("%Y-%m-%dT%H:%M"), "place": request.args.get("place", "")})


@blueprint.post("/add")
def add() -> ResponseReturnValue:
    values = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        outcome = byhand.add(runtime(), caller(), _pasted(values), _brand(values["brand"]))
    except PlainError as error:
        return _form(sentence=str(error), values=values), 400
    return done(url_for(".ask"), _NOTICES[outcome])


def _pasted(values: Mapping[str, str]) -> Pasted:
    try:
        at = datetime.fromisoformat(values["at"].strip()).replace(tzinfo=ZoneInfo(zone()))
    except ValueError:
        raise PlainError("Give the day and time when it was written.") from None
    return Pasted(values["link"], values["place"], values["name"], values["handle"], values["text"], at)


def _brand(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise PlainError("There is no such brand in this workspace.") from None


def _form(*, sentence: str, values: Mapping[str, str]) -> str:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        brands, _ = listing.brands(session, workspace_id, limit=1000)
        rows, _ = listing.connections(session, workspace_id, filters={"status": "active"}, limit=1000)
    places = sorted({row["host"] for row in rows if row["provider"] in handed_in()})
    return page(
        "byhand.html", sentence=sentence, values=values, places=places, brands=brands, longest=byhand.LONGEST_TEXT
    )
