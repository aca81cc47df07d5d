"""Changes of settings or rules that altered tasks: what each did, and whether it may."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue

from service.console.guard import caller
from service.console.page import done, page
from service.errors import PlainError
from service.runtime import runtime
from service.store import listing, paging, ruling, run_changes, runs

blueprint = Blueprint("runs", __name__)


@blueprint.get("/changes/<uuid:run_id>")
def one(run_id: UUID) -> ResponseReturnValue:
    """What one change altered."""
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        row = paging.one(session, workspace_id, listing.RUNS, run_id)
        if row is None:
            abort(404)
        found = run_changes.examples(session, workspace_id, run_id)
        newest = runs.latest(session, workspace_id)
        crms, _ = listing.connections(session, workspace_id, filters={"kind": "crm"}, limit=1000)
    return page(
        "run.html",
        run=row,
        changes=found,
        undoable=newest is not None and newest.id == run_id and row["kind"] != "first",
        crms={str(each["id"]): each for each in crms},
        limit=runs.LIMIT,
    )


@blueprint.post("/changes/<uuid:run_id>/approve")
def approve(run_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if ruling.approve_run(session, who.workspace_id, run_id, by=who.actor) is None:
            abort(404)
    return done(url_for(".one", run_id=run_id), "run_approved")


@blueprint.post("/changes/<uuid:run_id>/undo")
def undo(run_id: UUID) -> ResponseReturnValue:
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            if ruling.undo_run(session, who.workspace_id, run_id, by=who.actor) is None:
                abort(404)
    except PlainError as error:
        abort(409, str(error))
    return done(url_for(".one", run_id=run_id), "run_undone")
