"""Comparisons: how the last look at both sides of each connection went, and what differs."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from service import comparing
from service.console.guard import caller
from service.console.page import page
from service.runtime import runtime
from service.store import comparing as store
from service.store import paging

blueprint = Blueprint("comparisons", __name__)

MOST = 1000  # connections on this page


@blueprint.get("/comparisons")
def show() -> ResponseReturnValue:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        rows, _ = paging.page(session, workspace_id, store.COMPARISONS, filters={}, after=None, limit=MOST)
        found, more = paging.page(
            session, workspace_id, store.DIFFERENCES, filters={}, after=request.args.get("after"), limit=paging.PAGE
        )
    names = {row["connection_id"]: row for row in rows}
    return page(
        "comparisons.html",
        rows=[
            {**row, "sentence": comparing.sentence(row["compared"], row["standing"], row["why_not"])} for row in rows
        ],
        found=[
            {**row, "sentence": comparing.MEANS[row["kind"]], "account": names.get(row["connection_id"])}
            for row in found
        ],
        more=more,
    )
