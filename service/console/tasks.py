"""Tasks: open, held (why, and until when) and closed; and "no reply needed"."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from service.console.guard import caller, needs
from service.console.page import back, done, page
from service.console.words import TASK_KINDS
from service.runtime import runtime
from service.store import acting, listing, pages

blueprint = Blueprint("tasks", __name__)

VIEWS: dict[str, dict[str, object]] = {
    "open": {"wanted": "open", "held": False},
    "held": {"held": True},
    "done": {"wanted": "completed"},
    "withdrawn": {"wanted": "withdrawn"},
}
LABELS = {"open": "Open", "held": "Held", "done": "Dealt with", "withdrawn": "Withdrawn"}


@blueprint.get("/tasks")
@needs("read")
def show() -> ResponseReturnValue:
    view = request.args.get("show", "open")
    kind = request.args.get("kind") or None
    if view not in VIEWS or kind not in (None, *TASK_KINDS):
        abort(404)
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        found, more = listing.tasks(
            session, workspace_id, filters={**VIEWS[view], "kind": kind}, after=request.args.get("after")
        )
        details = pages.tasks(session, workspace_id, [row["id"] for row in found])
        brands, _ = listing.brands(session, workspace_id, limit=1000)
        counts = pages.counts(session, workspace_id)
    return page(
        "tasks.html",
        tasks=found,
        details=details,
        more=more,
        view=view,
        kind=kind,
        labels=LABELS,
        counts=counts,
        brands={brand["id"]: brand["name"] for brand in brands},
        here=request.full_path.rstrip("?"),
    )


@blueprint.post("/tasks/<uuid:task_id>/dismiss")
@needs("write")
def dismiss(task_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if acting.dismiss_task(session, who.workspace_id, task_id, by=who.actor) is None:
            abort(404)
    return done(back(url_for(".show")), "dismissed")
