"""Connections: what is connected, how it does, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from integrations.registry import AnyProvider, handed_in, providers
from service import disconnecting, health, spending, unread
from service.clock import business_now, real_now
from service.console.guard import caller
from service.console.page import done, page, zone
from service.errors import PlainError
from service.firstview import first_view, spent
from service.health import Health
from service.runtime import runtime
from service.spending import Spending
from service.store import keeping, listing, pages, tending
from service.watch import caps, doors

blueprint = Blueprint("connections", __name__)

Row = Mapping[str, Any]
PREVIEWED = 50  # tasks shown of what a CRM in preview would get


@dataclass(frozen=True)
class StreamLine:
    """One stream of a connection, for people."""

    label: str
    row: Row
    limits: str
    notes: tuple[str, ...]
    cost: float | None  # US dollars read so far; None where reading costs nothing


@dataclass(frozen=True)
class Card:
    """One connection, for people."""

    row: Row
    health: str
    condition: Health
    spending: Spending | None
    streams: tuple[StreamLine, ...]
    cost: float | None
    handed_in: bool  # nothing is asked of it: its posts come in through the API
    previewed: int = 0


@blueprint.get("/connections")
def show() -> ResponseReturnValue:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        rows, _ = listing.connections(session, workspace_id, limit=1000)
        brands, _ = listing.brands(session, workspace_id, limit=1000)
        previewed = {row["id"]: pages.in_preview(session, workspace_id, row["id"]) for row in rows if row["preview"]}
        spent_by = spending.of(session, workspace_id, rows, now=real_now())
    cards = [_card(row, previewed.get(row["id"], 0), spent_by.get(row["id"])) for row in rows]
    fresh = set(request.args.get("connected", "").split(","))
    return page(
        "connections.html",
        brands=[(brand, [card for card in cards if card.row["brand_id"] == brand["id"]]) for brand in brands],
        everywhere=[card for card in cards if card.row["brand_id"] is None],
        providers=sorted(providers().values(), key=lambda each: (each.kind != "social", each.name)),
        connected=[card for card in cards if str(card.row["id"]) in fresh],
    )


@blueprint.post("/connections/<uuid:connection_id>/pull")
def pull(connection_id: UUID) -> ResponseReturnValue:
    with runtime().db.tenant(caller().workspace_id) as session:
        if not tending.pull_now(session, caller().workspace_id, connection_id):
            abort(404)
    return done(url_for(".show"), "pulling")


@blueprint.post("/connections/<uuid:connection_id>/responder")
def responder(connection_id: UUID) -> ResponseReturnValue:
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            address = request.form.get("email", "")
            if tending.set_responder(session, who.workspace_id, connection_id, address, by=who.actor) is None:
                abort(404)
    except PlainError as error:
        abort(400, str(error))
    return done(url_for(".show"), "responder")


@blueprint.get("/connections/<uuid:connection_id>/disconnect")
def ask_disconnect(connection_id: UUID) -> ResponseReturnValue:
    """Says what disconnecting does before it is done."""
    return page("disconnect.html", row=_row(connection_id), kept=keeping.CONTACTS_KEPT)


@blueprint.post("/connections/<uuid:connection_id>/disconnect")
def disconnect(connection_id: UUID) -> ResponseReturnValue:
    """At once; with `purge`, once nothing of ours stands in the CRM."""
    leave = disconnecting.purge if request.form.get("purge") else disconnecting.disconnect
    try:
        if not leave(runtime(), caller(), connection_id):
            abort(404)
    except PlainError as error:
        abort(409, str(error))
    return done(url_for(".show"), "leaving" if request.form.get("purge") else "disconnected")


@blueprint.get("/connections/<uuid:connection_id>/preview")
def preview(connection_id: UUID) -> ResponseReturnValue:
    """What a CRM in preview would get."""
    row = _row(connection_id)
    if not row["preview"]:
        return redirect(url_for(".show"), 303)
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        found, more = listing.tasks(
            session,
            workspace_id,
            filters={"crm_connection_id": connection_id, "wanted": "open", "state": "absent"},
            after=request.args.get("after"),
            limit=PREVIEWED,
        )
        total = pages.in_preview(session, workspace_id, connection_id)
        details = pages.tasks(session, workspace_id, [task["id"] for task in found])
    return page("preview.html", row=row, tasks=found, details=details, total=total, more=more)


@blueprint.get("/connections/<uuid:connection_id>/found")
def found(connection_id: UUID) -> ResponseReturnValue:
    """What was read from an account so far, and what the rules would make of it."""
    view = first_view(runtime(), caller().workspace_id, connection_id, now=business_now())
    if view is None:
        abort(404)
    return page("found.html", view=view, row=view.connection)


@blueprint.post("/connections/<uuid:connection_id>/approve")
def approve(connection_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if tending.approve_crm(session, who.workspace_id, connection_id, by=who.actor, user_id=who.user_id) is None:
            abort(404)
    return done(url_for(".show"), "approved")


def _row(connection_id: UUID) -> Row:
    with runtime().db.tenant(caller().workspace_id) as session:
        row = listing.connection(session, caller().workspace_id, connection_id)
    if row is None:
        raise NotFound
    return row


def _card(row: Row, previewed: int, spending: Spending | None) -> Card:
    provider = providers().get(row["provider"])
    rank = {stream.name: index for index, stream in enumerate(provider.streams if provider else ())}
    streams = sorted(row["streams"], key=lambda each: rank.get(each["name"], len(rank)))
    lines = tuple(_line(provider, stream) for stream in streams)
    known = [line.cost for line in lines if line.cost is not None]
    condition = health.of(row, real_now().astimezone(ZoneInfo(zone())), caps.in_words(doors.capped(), row["provider"]))
    return Card(
        row,
        condition.line,
        condition,
        spending,
        lines,
        sum(known) if known else None,
        row["provider"] in handed_in(),
        previewed,
    )


def _line(provider: AnyProvider | None, row: Row) -> StreamLine:
    manifest = unread.manifest(provider, row["name"])
    return StreamLine(
        label=unread.label(provider, row["name"]),
        row=row,
        limits=manifest.limits if manifest else "",
        notes=tuple(map(str, row["notes"])),
        cost=spent(provider.key, row["reads"]) if provider else None,
    )
