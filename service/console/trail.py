"""The trail: who did what here, in sentences, and the whole of it as a file."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from service import trail
from service.console.guard import caller
from service.console.page import page
from service.runtime import runtime
from service.store import acting, paging
from service.store import trail as store

blueprint = Blueprint("trail", __name__)


@blueprint.get("/trail")
def show() -> ResponseReturnValue:
    who = caller()
    after = request.args.get("after")
    with runtime().db.tenant(who.workspace_id) as session:
        rows, more = paging.page(session, who.workspace_id, store.TRAIL, filters={}, after=after, limit=paging.PAGE)
        lines = trail.lines(session, who.workspace_id, rows)
        head = store.head(session, who.workspace_id)
    return page("trail.html", lines=lines, more=more, head=head)


@blueprint.post("/trail/file")
def download() -> ResponseReturnValue:
    """A POST, since that somebody took it away stands in the trail."""
    who, held = caller(), runtime()
    with held.db.tenant(who.workspace_id) as session:
        acting.audit(session, who.workspace_id, who.actor, "trail.downloaded", "workspace", who.workspace_id)
    name = f"warmline-trail-{who.workspace_id}.csv"
    return Response(
        trail.as_csv(held, who.workspace_id),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
