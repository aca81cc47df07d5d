"""The signed link in a CRM task: "no reply needed". No sign-in; the link itself is the permission, for that one task."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from service import links
from service.runtime import runtime
from service.store import acting, listing, pages, paging

blueprint = Blueprint("answered", __name__)

BY_LINK = "link"  # who: whoever holds the link


@blueprint.get("/t/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Says which task it is. Opening the link does nothing, because mail scanners and previews open links too."""
    workspace_id, task_id = _read(token)
    with runtime().db.tenant(workspace_id) as session:
        row = paging.one(session, workspace_id, listing.TASKS, task_id)
        if row is None:
            abort(404)
        detail = pages.tasks(session, workspace_id, [task_id])[task_id]
    return render_template("answered.html", row=row, detail=detail, token=token)


@blueprint.post("/t/<token>")
def dismiss(token: str) -> ResponseReturnValue:
    """Repeating it changes nothing."""
    workspace_id, task_id = _read(token)
    with runtime().db.tenant(workspace_id) as session:
        if acting.dismiss_task(session, workspace_id, task_id, by=BY_LINK) is None:
            abort(404)
        row = paging.one(session, workspace_id, listing.TASKS, task_id)
    return render_template("answered.html", row=row, detail={}, token=token)


def _read(token: str) -> tuple[UUID, UUID]:
    found = links.read(runtime().config, token)
    if found is None:
        abort(404, "This link is not one of ours, or is incomplete. Open it again from the task in the CRM.")
    return found
