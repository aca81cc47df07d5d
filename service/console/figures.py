"""Figures: how tasks fare, by rule and owner, and what came of suggested calls."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from service import settings
from service.clock import business_now
from service.console.chart import Part, parts
from service.console.guard import caller
from service.console.page import page
from service.faring import Faring, faring
from service.runtime import runtime
from service.sentences import count_of
from service.store.figures import GIVEN, HELD_BACK, Calls, Figures
from service.store.paging import Row
from service.store.rhythm import Rhythm, rhythms

blueprint = Blueprint("figures", __name__)

SPANS = {"14": "two weeks", "30": "30 days", "90": "90 days"}


@blueprint.get("/figures")
def show() -> ResponseReturnValue:
    days = request.args.get("days", "")
    days = days if days in SPANS else next(iter(SPANS))
    workspace_id, now, over = caller().workspace_id, business_now(), timedelta(days=int(days))
    with runtime().db.tenant(workspace_id) as session:
        found = faring(session, workspace_id, over=over)
        zone = settings.policy(settings.current(session, workspace_id)).timezone
        regular = rhythms(session, workspace_id, since=now - over, until=now, timezone=zone)
    return page(
        "figures.html",
        rows=[_row(each, found) for each in found.rules if _has_something(each)],
        calls=found.calls,
        share=_share(found.calls),
        groups=[(name, found.groups[key], _share(found.groups[key])) for key, name in _GROUPS if key in found.groups],
        notices=found.notices,
        accounts=[_account(each) for each in regular],
        weeks=ceil(int(days) / 7),
        spans=SPANS,
        days=days,
    )


_GROUPS = ((GIVEN, "Suggested"), (HELD_BACK, "Held back"))


def _row(each: Figures, found: Faring) -> dict[str, Any]:
    crm = each.crm_connection_id
    owner: Row = (found.owners.get((crm, each.owner_id)) if crm else None) or {}
    return {
        "kind": each.kind,
        "owner": owner.get("name") or owner.get("email") or "Nobody in particular",
        "figures": each,
        "parts": _parts(each),
        "took": _span(each.time_to_act),
    }


def _has_something(each: Figures) -> bool:
    return bool(each.acted_on or each.dismissed or each.lapsed or each.open or each.held)


def _account(each: Rhythm) -> dict[str, Any]:
    share = f"{100 * each.broadcasts / each.posts:.0f} %" if each.posts else "no posts"
    return {"rhythm": each, "share": share, "pause": _span(each.longest_pause)}


def _parts(each: Figures) -> list[Part]:
    return parts({"acted on": each.acted_on, "dismissed": each.dismissed, "lapsed": each.lapsed})


def _span(took: timedelta | None) -> str:
    if took is None:
        return ""
    for size, unit in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute")):
        if took >= 2 * size or unit == "minute":
            return count_of(round(took / size), unit)
    return ""


def _share(calls: Calls) -> str:
    return f"{100 * calls.talks_of_over / calls.over:.0f} %" if calls.over else ""
