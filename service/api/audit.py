"""The audit trail: who did what, and that nobody has changed it since."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from service import trail
from service.api.answers import Instant, Number, PageQuery, Text, about, answer, listed, page_of, window
from service.api.auth import caller
from service.api.noun import Noun
from service.runtime import runtime
from service.store import paging
from service.store import trail as store

audit = Noun("audit", "Who did what in the workspace. Rows hold ids alone, and each is sealed to the one before it.")

_REFERENCE = validate.Regexp(r"^[a-z_]{1,40}(:[0-9A-Za-z_-]{1,36})?$", error="This is no reference such as user:<id>.")


class AuditSchema(Schema):
    number = Number(metadata=about("1, 2, 3, ... without a gap."))
    at = Instant()
    actor = Text(
        metadata=about("user:<id>, key:<id>, system, rules, operator (whoever runs Warmline) or link (of a task).")
    )
    action = Text(metadata=about("What was done: connection.connected, match.confirmed and so on."))
    subject = Text(metadata=about("What it was done to: <noun>:<id>."))
    sentence = Text(metadata=about("The same for people, with the names that the ids stand for today."))
    hash = Text(metadata=about("SHA-256, in hex, over this row and the hash of the row before."))


class AuditQuery(PageQuery):
    action = fields.String(
        validate=validate.Regexp(r"^[a-z_]{1,40}[.][a-z_]{1,40}$", error="This is no action such as match.confirmed."),
        metadata={"description": "Only this action.", "format": "reference"},
    )
    actor = fields.String(validate=_REFERENCE, metadata={"description": "Only by this actor.", "format": "reference"})
    subject = fields.String(validate=_REFERENCE, metadata={"description": "Only about this.", "format": "reference"})


class AuditHeadSchema(Schema):
    number = Number(metadata=about("How many rows the trail has."))
    hash = Text(metadata=about("The hash of the newest; empty where there is none."))


@audit.get("", query=AuditQuery, returns=page_of(AuditSchema))
def index(query: dict[str, Any]) -> Response:
    """List what was done, newest first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, store.TRAIL, filters=filters, **page)
        lines = trail.lines(session, who.workspace_id, rows)
    return listed([_dump(each) for each in lines], cursor, dict)


@audit.get("/head", returns=AuditHeadSchema)
def head() -> Response:
    """Where the trail stands: kept elsewhere, it shows later that nothing before it was changed"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        found = store.head(session, who.workspace_id)
    return answer({"number": found.number, "hash": found.hash})


def _dump(line: trail.Line) -> dict[str, Any]:
    kept = {name: line.row[name] for name in ("number", "actor", "action", "subject", "hash")}
    return {**kept, "at": line.at, "sentence": line.sentence}
