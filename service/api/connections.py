"""Connections: authorised accounts on networks and CRMs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, fields, validate

from integrations import consents, registry
from integrations.records import TaskKind
from service import connect, disconnecting, health
from service.api import condition
from service.api.answers import (
    Flag,
    Fraction,
    Id,
    Instant,
    Number,
    PageQuery,
    Text,
    Texts,
    about,
    answer,
    choice,
    listed,
    nothing,
    page_of,
    window,
)
from service.api.auth import caller
from service.api.connection_shown import KINDS, STATUSES, ConnectionSchema, dump, one, zone_of
from service.api.noun import Noun
from service.api.problems import missing, refuse
from service.api.tasks import TaskSchema, dump_all
from service.api.words import EMAIL, Line
from service.clock import business_now, real_now
from service.errors import PlainError
from service.firstview import first_view
from service.runtime import runtime
from service.store import listing, paging, tending
from service.store.paging import Row

connections = Noun("connections", "Authorised accounts on networks and CRMs, and how each of them is.")


class ConnectionQuery(PageQuery):
    kind = fields.String(validate=validate.OneOf(KINDS))
    status = fields.String(validate=validate.OneOf(STATUSES))
    brand_id = fields.UUID()


class NewConnection(Schema):
    """An account to be connected."""

    class Meta:
        unknown = RAISE

    provider = Line(
        longest=50,
        pattern="^[a-z][a-z0-9_]*$",
        required=True,
        sentence="Name a provider by its key, as /v1/providers does.",
        metadata={"description": "A provider's key.", "format": "provider-key"},
    )
    brand_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata=about("The brand it belongs to. Without one: the first brand; for a CRM, all of them."),
    )
    form = fields.Dict(
        keys=fields.String(),
        values=Line(longest=2000, pattern=r"^[^\x00-\x1f\x7f]+$", sentence="Give one line of text."),
        load_default=dict,
        metadata=about("Values for the `form` of this way, by name; others are left aside."),
    )
    way = fields.String(
        load_default=consents.MAIN,
        validate=validate.OneOf([consents.MAIN, consents.ALSO]),
        metadata=about("also: the provider's second way in, with credentials that one types; empty: its first."),
    )


class ConnectedSchema(Schema):
    """What to do next."""

    authorize_url = Text(
        allow_none=True,
        metadata=about(
            "Open this within ten minutes, in a browser that is signed in to the console. null: connected already."
        ),
    )
    connection_ids = fields.List(fields.UUID(), required=True, metadata=about("What is connected already."))


class ConnectionChange(Schema):
    """What is left out stays as it is."""

    class Meta:
        unknown = RAISE

    responder_email = Line(
        longest=254,
        pattern=EMAIL,
        allow_none=True,
        sentence="Give an e-mail address, or null for nobody.",
        metadata=about("Who gets what waits on this account; null: nobody."),
    )


class PullSchema(Schema):
    """Reading begins as soon as a worker is free."""

    connection_id = Id()


_NONE = {404: "No such connection."}
_ENDED = "The account is disconnected, or paused."
_NOT_PURGED = "It is disconnected already, or its CRM no longer accepts our consent."


@connections.get("", query=ConnectionQuery, returns=page_of(ConnectionSchema))
def index(query: dict[str, Any]) -> Response:
    """List connections with their health, oldest first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = listing.connections(session, who.workspace_id, filters=filters, **page)
        rows = condition.with_spending(session, who.workspace_id, rows)
        zone = zone_of(session, who)
    return listed(rows, cursor, lambda row: dump(row, zone))


@connections.post(
    "",
    body=NewConnection,
    returns=ConnectedSchema,
    status=201,
    also={404: "No such provider, or no such brand."},
)
def create(body: dict[str, Any]) -> Response:
    """Connect an account: answers with the address of the consent page, or connects at once with a key"""
    who, brand_id = caller(), body["brand_id"]
    if brand_id is not None:
        with runtime().db.tenant(who.workspace_id) as session:
            if paging.one(session, who.workspace_id, listing.BRANDS, brand_id) is None:
                missing("brand")
    found = registry.providers().get(body["provider"])
    if found is None:
        refuse(404, f"There is no provider {body['provider']!r}. /v1/providers lists those that there are.")
    way = next((each for each in consents.ways(found) if each.key == body["way"]), None)
    if way is None:
        refuse(422, f"{found.name} has no second way in. Leave `way` away.")
    if way.on_page:
        url = connect.start(runtime(), who, provider=found.key, brand_id=brand_id, form=body["form"])
        return answer({"authorize_url": url, "connection_ids": []}, 201)
    made = connect.connect_with_secret(runtime(), who, found.key, brand_id, body["form"], way=way.key)
    return answer({"authorize_url": None, "connection_ids": made}, 201)


@connections.get("/<uuid:connection_id>", returns=ConnectionSchema, also=_NONE)
def show(connection_id: UUID) -> Response:
    """One connection with its health"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        return one(session, who, connection_id)


@connections.patch("/<uuid:connection_id>", body=ConnectionChange, returns=ConnectionSchema, also=_NONE)
def change(body: dict[str, Any], connection_id: UUID) -> Response:
    """Change who gets what waits on this account"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if "responder_email" in body:
            email = body["responder_email"] or ""
            if tending.set_responder(session, who.workspace_id, connection_id, email, by=who.actor) is None:
                missing("connection")
        return one(session, who, connection_id)


@connections.delete("/<uuid:connection_id>", status=204, also=_NONE)
def disconnect(connection_id: UUID) -> Response:
    """Disconnect: forget the credentials and revoke them at the provider; what was read stays, of a CRM for 30 days"""
    if not disconnecting.disconnect(runtime(), caller(), connection_id):
        missing("connection")
    return nothing()


@connections.post("/<uuid:connection_id>/purge", returns=ConnectionSchema, status=202, also={**_NONE, 409: _NOT_PURGED})
def purge(connection_id: UUID) -> Response:
    """Disconnect without a trace: withdraw our open tasks in that CRM and remove what connecting made there; `receipt` says what came of it"""
    who = caller()
    try:
        if not disconnecting.purge(runtime(), who, connection_id):
            missing("connection")
    except PlainError as error:
        refuse(409, str(error))
    with runtime().db.tenant(who.workspace_id) as session:
        row = listing.connection(session, who.workspace_id, connection_id)
        return answer(dump(cast(Row, row), zone_of(session, who)), 202)


@connections.post("/<uuid:connection_id>/pull", returns=PullSchema, status=202, also={**_NONE, 409: _ENDED})
def pull(connection_id: UUID) -> Response:
    """Look for new posts or records now"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if not tending.pull_now(session, who.workspace_id, connection_id):
            missing("connection")
        row = cast(Row, paging.one(session, who.workspace_id, listing.CONNECTIONS, connection_id))
    if row["status"] != "active":
        refuse(409, f"{health.line({**row, 'streams': []}, real_now())} Connect it again first.")
    if row["paused_at"] is not None:
        refuse(409, "The account is paused, so nothing of it is read. Resume it first.")
    return answer({"connection_id": connection_id}, 202)


@connections.post("/<uuid:connection_id>/approve", returns=ConnectionSchema, also={404: "No such CRM connection."})
def approve(connection_id: UUID) -> Response:
    """End a CRM's preview: write what was computed, from now on"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if tending.approve_crm(session, who.workspace_id, connection_id, by=who.actor, user_id=who.user_id) is None:
            missing("CRM connection")
        return one(session, who, connection_id)


@connections.get(
    "/<uuid:connection_id>/preview",
    query=PageQuery,
    returns=page_of(TaskSchema),
    also={404: "No such CRM connection."},
)
def preview(query: dict[str, Any], connection_id: UUID) -> Response:
    """Tasks that would be written to this CRM now, held ones among them"""
    _, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = paging.one(session, who.workspace_id, listing.CONNECTIONS, connection_id)
        if row is None or row["kind"] != "crm":
            missing("CRM connection")
        filters = {"crm_connection_id": connection_id, "wanted": "open", "state": "absent"}
        rows, cursor = listing.tasks(session, who.workspace_id, filters=filters, **page)
        return answer({"items": dump_all(session, who, rows), "next_cursor": cursor})


class FoundTaskSchema(Schema):
    """One task that would be made."""

    kind = choice(*TaskKind)
    subject = Text()
    reasons = Texts()
    urgency = Number(metadata=about("0 to 100."))
    conversation_id = Id(allow_none=True)


class FoundCountsSchema(Schema):
    """Tasks by kind."""

    unanswered = Number()
    ready_for_call = Number()


class FoundSchema(Schema):
    """What was read from an account so far, and what the rules would make of it."""

    connection_id = Id()
    first_pull_done = Flag()
    posts = Number(metadata=about("Read so far."))
    theirs = Number(metadata=about("Of these, from others to the brand."))
    ours = Number(metadata=about("Of these, the brand's own."))
    people = Number(metadata=about("Who spoke with the brand."))
    known = Number(metadata=about("Of these, how many are in the CRM."))
    oldest_at = Instant(allow_none=True)
    dollars = Fraction(allow_none=True, metadata=about("What the reading has cost; null: nothing."))
    looked = Number(metadata=about("Conversations that were judged, the newest first."))
    total = Number(metadata=about("How many there are."))
    complete = Flag()
    tasks = fields.Nested(FoundCountsSchema, required=True, metadata=about("That would be made."))
    examples = fields.List(fields.Nested(FoundTaskSchema), required=True, metadata=about("The most urgent."))


@connections.get("/<uuid:connection_id>/found", returns=FoundSchema, also={404: "No such social connection."})
def found(connection_id: UUID) -> Response:
    """What was read from an account so far, what that cost, and the tasks that it would make; nothing is stored"""
    view = first_view(runtime(), caller().workspace_id, connection_id, now=business_now())
    if view is None:
        missing("social connection")
    numbers = {name: getattr(view, name) for name in ("posts", "theirs", "ours", "people", "known", "oldest_at", "dollars", "looked", "total", "complete")}  # fmt: skip
    return answer({
        "connection_id": connection_id, "first_pull_done": view.connection["ready_at"] is not None, **numbers,
        "tasks": {kind.value: view.tasks[kind.value] for kind in TaskKind},
        "examples": [{**asdict(each), "reasons": list(each.reasons)} for each in view.examples],
    })  # fmt: skip
