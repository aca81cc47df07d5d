"""Tasks: open, held (why, and until when) and closed; and "no reply needed"."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from service.clock import real_now
from service.console.chart import Bar, bars
from service.console.guard import caller
from service.console.page import back, done, page, zone
from service.console.words import TASK_KINDS
from service.runtime import runtime
from service.store import acting, listing, pages

blueprint = Blueprint("tasks", __name__)

VIEWS: dict[str, dict[str, object]] = {
    "open": {"wanted": "open", "held": False},
    "held": {"held": True},
    "parked": {"parked": True},
    "done": {"wanted": "completed"},
    "withdrawn": {"wanted": "withdrawn"},
}
CHART_DAYS = 14
LABELS = {"open": "Open", "held": "Held", "parked": "Refused", "done": "Dealt with", "withdrawn": "Withdrawn"}


@blueprint.get("/tasks")
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
        connections, _ = listing.connections(session, workspace_id, limit=1000)
        brands, _ = listing.brands(session, workspace_id, limit=1000)
        counts = pages.counts(session, workspace_id)
        chart = _chart(session, workspace_id) if view == "done" else []
    return page(
        "tasks.html",
        tasks=found,
        details=details,
        more=more,
        view=view,
        kind=kind,
        labels=LABELS,
        counts=counts,
        accounts={row["id"]: row for row in connections},
        chart=chart,
        brands={brand["id"]: brand["name"] for brand in brands},
        here=request.full_path.rstrip("?"),
    )


@blueprint.post("/tasks/<uuid:task_id>/dismiss")
def dismiss(task_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if acting.dismiss_task(session, who.workspace_id, task_id, by=who.actor) is None:
            abort(404)
    return done(back(url_for(".show")), "dismissed")


@blueprint.post("/tasks/<uuid:task_id>/undo")
def undo(task_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if acting.undo_dismissal(session, who.workspace_id, task_id, by=who.actor) is None:
            abort(404)
    return done(back(url_for(".show")), "dismissal_undone")


@blueprint.post("/tasks/<uuid:task_id>/retry")
def retry(task_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if acting.retry_task(session, who.workspace_id, task_id, by=who.actor) is None:
            abort(404)
    return done(back(url_for(".show", show="parked")), "retried")


def _chart(session: Session, workspace_id: UUID) -> list[Bar]:
    """How many tasks were dealt with on each of the last days."""
    today = real_now().astimezone(ZoneInfo(zone()))
    first = (today - timedelta(days=CHART_DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    found: Counter[date] = Counter()
    for row in pages.closed_by_day(session, workspace_id, first, zone()):
        found[row["day"]] += row["number"]
    return bars([(first.date() + timedelta(days=index)) for index in range(CHART_DAYS)], found)
