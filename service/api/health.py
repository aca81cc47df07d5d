"""Is it working?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from service import health as facts
from service import unread
from service.api import condition, connection_shown
from service.api.answers import Flag, Number, about, answer, choice
from service.api.auth import caller
from service.api.noun import Noun
from service.clock import real_now
from service.runtime import runtime
from service.store import comparing, listing
from service.store.paging import Row
from service.watch import parts

health = Noun("health", "Whether the parts of the service are alive, and how each connection is.")

CONNECTIONS = 200  # the most that are shown here; /v1/connections pages through all


class HealthSchema(Schema):
    status = choice("well", "degraded", metadata=about("degraded: something below needs a look."))
    database = Flag()
    queue = Flag()
    worker = Flag(metadata=about("A worker takes jobs from the queue."))
    scheduler = Flag(metadata=about("A scheduler was heard of in the last minute and a half."))
    differences = Number(
        metadata=about(
            "What stands otherwise at a network or CRM than here, see /v1/comparisons; two in a row degrade."
        )
    )
    connections = fields.List(
        fields.Nested(connection_shown.ConnectionSchema),
        required=True,
        metadata=about(f"The first {CONNECTIONS} that are not disconnected."),
    )


@health.get("", returns=HealthSchema)
def show() -> Response:
    """The parts of the service and the connections"""
    who, found = caller(), parts.look(runtime())
    rows: list[dict[str, Any]] = []
    with runtime().db.tenant(who.workspace_id) as session:
        for status in ("needs_reauth", "active"):
            more, _ = listing.connections(session, who.workspace_id, filters={"status": status}, limit=CONNECTIONS)
            rows += more
        rows = condition.with_spending(session, who.workspace_id, rows[:CONNECTIONS])
        zone = connection_shown.zone_of(session, who)
        standing, lasting = comparing.standing_now(session, who.workspace_id)
    well = found.well and not lasting and all(row["status"] == "active" and not _failing(row) for row in rows)
    shown = [connection_shown.dump(row, zone) for row in rows]
    return answer(
        {"status": "well" if well else "degraded", **asdict(found), "differences": standing, "connections": shown}
    )


def _failing(row: Row) -> bool:
    if facts.unwritten(row) or any(stream["failures"] or stream["status"] == "stopped" for stream in row["streams"]):
        return True
    return unread.in_trouble(row, real_now())
