"""A connection as the API shows it: how it is, what it costs, and what came of leaving it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from service import settings as workspace_settings
from service.accounts import Caller
from service.api import condition
from service.api.answers import (
    Flag,
    Free,
    Id,
    Instant,
    Number,
    Text,
    Texts,
    about,
    answer,
    choice,
)
from service.api.condition import ConditionSchema, SpendSchema
from service.api.problems import missing
from service.clock import real_now
from service.store import listing
from service.store.paging import Row

KINDS = ("social", "crm")
STATUSES = ("active", "needs_reauth", "leaving", "disconnected")


class StreamSchema(Schema):
    """One thing that is read from a connection."""

    name = Text()
    status = choice("active", "stopped")
    items = Number(metadata=about("New ones so far."))
    first_done_at = Instant(allow_none=True, metadata=about("When it had been read to its beginning."))
    last_pulled_at = Instant(allow_none=True, metadata=about("When looking last succeeded."))
    last_item_at = Instant(allow_none=True, metadata=about("When something new last arrived."))
    next_pull_at = Instant(allow_none=True, metadata=about("null: being read now, or stopped."))
    failures = Number(metadata=about("In a row."))
    error = Text(metadata=about("What went wrong, in a sentence."))
    error_at = Instant(allow_none=True)
    notes = Texts(metadata=about("What the provider did not serve, in sentences."))
    reads = Free(values=fields.Integer(), metadata=about("Billed reads by the price's name, since it was connected."))
    served_at = Instant(allow_none=True, metadata=about("When something, new or known, was last served."))
    waits_for = choice("", "rate_limit", "ceiling", metadata=about("What has to pass before it is read again."))


class ReceiptSchema(Schema):
    """What came of disconnecting without a trace."""

    state = choice("under way", "done")
    begun_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)
    lines = Texts(metadata=about("What went, what stays and why, in sentences."))


class ConnectionSchema(Schema):
    id = Id()
    brand_id = Id(allow_none=True, metadata=about("null: a CRM that serves every brand."))
    provider = Text()
    kind = choice(*KINDS)
    host = Text()
    account_id = Text(metadata=about("The provider's id of the account."))
    handle = Text()
    name = Text()
    url = Text()
    status = choice(*STATUSES)
    health = Text(metadata=about("How it is, in a sentence or two."))
    condition = fields.Nested(ConditionSchema, required=True)
    spend = fields.Nested(
        SpendSchema, required=True, allow_none=True, metadata=about("null: reading it costs nothing.")
    )
    monthly_ceiling = Number(
        allow_none=True,
        metadata=about("US dollars that reading it may cost in a month; null: the workspace's ceiling alone."),
    )
    missing_steps = Texts(metadata=about("What a person still has to do at the provider, in sentences."))
    receipt = fields.Nested(
        ReceiptSchema, required=True, allow_none=True, metadata=about("null: it was not disconnected in that way.")
    )
    preview = Flag(metadata=about("A CRM that is shown what would be written, until somebody approves."))
    approved_at = Instant(allow_none=True)
    responder_email = Text(metadata=about("Who gets what waits on this account; empty: nobody."))
    ready_at = Instant(allow_none=True, metadata=about("When the first pull was done."))
    created_at = Instant()
    streams = fields.List(fields.Nested(StreamSchema), required=True)


_MADE = ("health", "condition", "spend", "receipt", "streams")  # what no column says as it is shown


def dump(row: Row, zone: ZoneInfo) -> Row:
    """A row of `listing.connections` as the API shows it; dates in words stand in this zone."""
    shown = {name: row[name] for name in ConnectionSchema._declared_fields if name not in _MADE}
    streams = [{name: stream[name] for name in StreamSchema._declared_fields} for stream in row["streams"]]
    return {
        **shown,
        "streams": streams,
        "receipt": _receipt(row["receipt"]),
        **condition.dump(row, real_now().astimezone(zone)),
    }


def _receipt(kept: Mapping[str, Any]) -> Row | None:
    if not kept:
        return None
    at = {name: datetime.fromisoformat(kept[name]) if name in kept else None for name in ("begun_at", "ended_at")}
    return {"state": kept["state"], "lines": kept["lines"], **at}


def zone_of(session: Session, who: Caller) -> ZoneInfo:
    """The workspace's time zone."""
    return ZoneInfo(workspace_settings.current(session, who.workspace_id).values["timezone"])


def one(session: Session, who: Caller, connection_id: UUID) -> Response:
    """The answer that shows this connection."""
    row = listing.connection(session, who.workspace_id, connection_id)
    rows = condition.with_spending(session, who.workspace_id, [row] if row else [])
    return answer(dump(rows[0], zone_of(session, who)) if rows else missing("connection"))
