"""Relationships: whom the team is in touch with, how far each has come, since when and why."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from service.console.guard import caller
from service.console.page import page
from service.rules.readiness.stages import AWARE, CONVERSING, IN_CONTACT, MET, READY, STAGES, TALKED
from service.runtime import runtime
from service.store import listing, pages, paging, stages

blueprint = Blueprint("relationships", __name__)

ABOUT = {
    AWARE: "Nothing has gone back and forth yet.",
    IN_CONTACT: "You have answered them.",
    CONVERSING: "You have gone back and forth.",
    READY: "A call would be welcome now.",
    TALKED: "The CRM has logged a call with them.",
    MET: "The CRM has logged a meeting with them.",
}


@blueprint.get("/relationships")
def show() -> ResponseReturnValue:
    """Relationships at one stage or all, the one that began last first; those alone whose name holds what is looked for."""
    stage, name = request.args.get("stage", ""), request.args.get("q", "").strip()[:200]
    if stage and stage not in STAGES:
        abort(404)
    workspace_id = caller().workspace_id
    filters = {"stage": stage or None, "name": name or None}
    with runtime().db.tenant(workspace_id) as session:
        found, more = stages.relationships(session, workspace_id, filters=filters, after=request.args.get("after"))
        why = stages.why(session, workspace_id, [row["id"] for row in found])
        brands, _ = listing.brands(session, workspace_id, limit=1000)
    return page(
        "relationships.html",
        relationships=found,
        more=more,
        why=why,
        stage=stage,
        query=name,
        about=ABOUT,
        brands={row["id"]: row["name"] for row in brands},
    )


@blueprint.get("/relationships/<uuid:relationship_id>")
def one(relationship_id: UUID) -> ResponseReturnValue:
    """One relationship, with every change of its stage, why a call is suggested or is not, and its tasks."""
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        row = stages.relationship(session, workspace_id, relationship_id)
        if row is None:
            abort(404)
        changes = stages.changes_of(session, workspace_id, relationship_id)
        tasks, _ = listing.tasks(session, workspace_id, filters={"relationship_id": relationship_id})
        details = pages.tasks(session, workspace_id, [task["id"] for task in tasks])
        brand = paging.one(session, workspace_id, listing.BRANDS, row["brand_id"])
    return page(
        "relationship.html",
        row=row,
        changes=changes[::-1],
        tasks=tasks,
        details=details,
        brand=brand,
        about=ABOUT,
        here=request.path,
    )
