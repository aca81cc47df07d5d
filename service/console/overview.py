"""The first page: who waits, and how the rest stands."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from service.console.guard import caller
from service.console.page import page
from service.faring import notices
from service.runtime import runtime
from service.store import freezing, listing, pages, runs
from service.watch import parts

blueprint = Blueprint("overview", __name__)

# What stands still without each part; the first that is missing is said.
STILL = {
    "queue": "The queue cannot be reached, so nothing is read or written at the moment.",
    "scheduler": "The scheduler is not running, so nothing new is read or written at the moment.",
    "worker": "No worker is running, so nothing new is read or written at the moment.",
}


@blueprint.get("/")
def show() -> ResponseReturnValue:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        waiting, more = listing.conversations(
            session, workspace_id, filters={"waiting": True}, after=request.args.get("after")
        )
        tasks = pages.tasks(session, workspace_id, [row["task_id"] for row in waiting])
        connections, _ = listing.connections(session, workspace_id, limit=1000)
        brands, _ = listing.brands(session, workspace_id, limit=1000)
        counts = pages.counts(session, workspace_id)
        told = notices(session, workspace_id)
        arrived = pages.last_arrival(session, workspace_id)
        run = runs.latest(session, workspace_id)
        closing = freezing.closing(session, workspace_id)
    return page(
        "overview.html",
        still=_still(),
        notices=told,
        closing=closing,
        held_run=run if run is not None and run.state == "held" else None,
        limit=runs.LIMIT,
        waiting=waiting,
        more=more,
        tasks=tasks,
        counts=counts,
        arrived=arrived,
        accounts={row["id"]: row for row in connections},
        first_pull=[
            row
            for row in connections
            if row["kind"] == "social" and row["status"] == "active" and row["ready_at"] is None
        ],
        social=[row for row in connections if row["kind"] == "social" and row["status"] != "disconnected"],
        broken=[row for row in connections if row["status"] == "needs_reauth"],
        in_preview=[row for row in connections if row["preview"] and row["status"] == "active"],
        brands={brand["id"]: brand["name"] for brand in brands},
    )


def _still() -> str:
    """Which part of the service is missing, as a sentence; "" when all are there."""
    found = parts.look(runtime())
    return next((sentence for part, sentence in STILL.items() if not getattr(found, part)), "")
