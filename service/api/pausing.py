"""Pausing an account, and what reading it may cost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, validate

from service.api.answers import about
from service.api.auth import caller
from service.api.connection_shown import ConnectionSchema, one
from service.api.noun import Noun
from service.api.problems import missing
from service.api.words import Line, Whole
from service.runtime import runtime
from service.store import tending

pausing = Noun("pausing", "Pausing an account, and what reading it may cost.", path="/connections")

_NONE = {404: "No such connection."}


class PauseSchema(Schema):
    class Meta:
        unknown = RAISE

    reason = Line(
        longest=200,
        load_default="",
        sentence="Give a reason of one line, without blanks around it.",
        metadata=about("Why, in a sentence; people read it here and in open tasks."),
    )


class CeilingSchema(Schema):
    class Meta:
        unknown = RAISE

    dollars = Whole(
        required=True,
        allow_none=True,
        validate=validate.Range(0, 1_000_000),
        metadata=about("US dollars in a calendar month (UTC); null: the workspace's ceiling alone."),
    )


@pausing.post(
    "/<uuid:connection_id>/pause",
    body=PauseSchema,
    body_required=False,
    returns=ConnectionSchema,
    also=_NONE,
)
def pause(body: dict[str, Any], connection_id: UUID) -> Response:
    """Stop reading this account and writing to it; what was read stays, and open tasks say why"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if tending.pause(session, who.workspace_id, connection_id, body["reason"], by=who.actor) is None:
            missing("connection")
        return one(session, who, connection_id)


@pausing.post("/<uuid:connection_id>/resume", returns=ConnectionSchema, also=_NONE)
def resume(connection_id: UUID) -> Response:
    """Go on where it was paused"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if tending.resume(session, who.workspace_id, connection_id, by=who.actor) is None:
            missing("connection")
        return one(session, who, connection_id)


@pausing.put("/<uuid:connection_id>/ceiling", body=CeilingSchema, returns=ConnectionSchema, also=_NONE)
def ceiling(body: dict[str, Any], connection_id: UUID) -> Response:
    """Set what reading this account may cost in a month"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if tending.set_ceiling(session, who.workspace_id, connection_id, body["dollars"], by=who.actor) is None:
            missing("connection")
        return one(session, who, connection_id)
