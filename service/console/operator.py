"""The operator's page: how the whole service runs, over every workspace. Numbers, ids and words of ours; no post, no text of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from service.clock import real_now
from service.console.guard import caller
from service.console.page import done, page
from service.errors import PlainError
from service.models import Workspace
from service.runtime import runtime
from service.store import acting
from service.watch import doors, freshness, overall, states
from service.watch.overall import Overall
from service.watch.presence import ROLES, Process
from service.watch.states import Named
from service.when import ago

blueprint = Blueprint("operator", __name__)

SHOWN = 50  # of each sort
LATE = timedelta(minutes=10)  # a step that is behind for longer needs a look; as the alert WarmlineBehind
STEPS = {
    "pull": "Reading",
    "decide": "Deciding",
    "push": "Writing to CRMs",
    "calendar": "Calendars",
    "person": "Requests of people",
    "errand": "Errands",
}
WINDOWS = {"1h": "the last hour", "6h": "six hours", "3d": "three days", "28d": "28 days"}
CONDITIONS = {
    "well": "well", "first_pull": "in their first pull", "limited": "waiting for a limit", "ceiling": "at their ceiling", "failing": "failing",
    "stopped": "with something that is not read", "needs_reauth": "to be reconnected", "paused": "paused", "frozen": "frozen", "leaving": "leaving",
    "disconnected": "disconnected",
}  # fmt: skip
_AWAY = "The database cannot be asked about all workspaces. Set DATABASE_SCHEDULER_URL for the web process as well."


@dataclass(frozen=True)
class Step:
    """One step of the flow: how much is due, and since when the oldest is."""

    name: str
    rows: int
    lag: timedelta

    @property
    def late(self) -> bool:
        return self.lag > LATE


@blueprint.get("/operator")
def show() -> ResponseReturnValue:
    found, now = doors.overall(), real_now()
    named, windows = _named(), found.windows
    return page(
        "operator.html",
        found=found,
        away=_AWAY if named is None or found.states is None else "",
        steps=_steps(found),
        conditions=_conditions(found),
        named=named,
        names=_workspaces(named),
        processes=[(each, each.silent(found.queue_clock), _seen(each, now)) for each in found.processes],
        missing=[role for role in ROLES if not found.alive(role)],
        windows=[(words, windows[name]) for name, words in WINDOWS.items() if name in windows],
        kinds=[(kind, of_kind["28d"]) for kind, of_kind in found.kinds.items()],
        too_fast=freshness.burns_too_fast(windows) if windows else None,
        target=freshness.TARGET,
        within=runtime().config.freshness,
        housekeeping=_housekeeping(found, now),
        skews={host: skew for host, skew in found.skews.items() if abs(skew) >= 1},
        spent=found.states.spent / 1_000_000 if found.states else 0.0,
    )


@blueprint.post("/operator/retry")
def retry() -> ResponseReturnValue:
    """Says a parked task of any workspace once more to its CRM."""
    try:
        workspace_id, task_id = UUID(request.form["workspace"]), UUID(request.form["task"])
    except (KeyError, ValueError):
        abort(404)
    with runtime().db.tenant(workspace_id) as session:
        if acting.retry_task(session, workspace_id, task_id, by=caller().actor) is None:
            abort(404)
    return done(url_for(".show"), "retried")


def _named() -> Named | None:
    try:
        return states.name(overall.engine_of(runtime()), SHOWN)
    except (SQLAlchemyError, PlainError):
        return None


def _workspaces(named: Named | None) -> Mapping[UUID, str]:
    """The names of the workspaces that are named here."""
    if named is None:
        return {}
    ids = {each.workspace_id for sort in (named.due, named.parked, named.troubled, named.unwritten) for each in sort}
    with runtime().db.globally() as session:
        rows = session.execute(select(Workspace.id, Workspace.name).where(Workspace.id.in_(ids)))
        return {row.id: row.name for row in rows}


def _steps(found: Overall) -> Sequence[Step]:
    if found.states is None:
        return []
    rows = {step: [each for each in found.states.backlog if each.step == step] for step in STEPS}
    return [
        Step(name, sum(each.rows for each in rows[step]), timedelta(seconds=max((each.lag for each in rows[step]), default=0)))
        for step, name in STEPS.items()
    ]  # fmt: skip


def _conditions(found: Overall) -> Sequence[tuple[str, int]]:
    if found.states is None:
        return []
    return [(words, number) for key, words in CONDITIONS.items() if (number := found.states.of(key))]


def _seen(process: Process, now: datetime) -> str:
    return ago(process.last_seen, now)


def _housekeeping(found: Overall, now: datetime) -> str:
    age = found.housekeeping_age
    return (
        "Nobody knows when it was last done." if age is None else f"Last done {ago(now - timedelta(seconds=age), now)}."
    )
