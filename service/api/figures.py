"""Figures: how tasks fare."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from integrations.records import TaskKind
from service.api.answers import Id, Instant, Number, Texts, about, answer, choice
from service.api.auth import caller
from service.api.noun import Noun
from service.api.tasks import OwnerSchema
from service.faring import Faring, faring
from service.rules.volume import SPAN
from service.runtime import runtime
from service.store.figures import GIVEN, HELD_BACK, Calls, Figures
from service.store.paging import Row

figures = Noun(
    "figures",
    "How tasks fare: what people do with them, and whether a talk came of a suggested call. What Warmline wrote itself counts"
    " for nothing.",
)


class RuleFiguresSchema(Schema):
    """One rule and one owner."""

    kind = choice(*TaskKind)
    crm_connection_id = Id(allow_none=True)
    owner = fields.Nested(OwnerSchema, required=True, allow_none=True, metadata=about("null: nobody in particular."))
    acted_on = Number(metadata=about("Answered, called, or ticked off in the CRM."))
    dismissed = Number(metadata=about("No reply needed, or deleted in the CRM."))
    lapsed = Number(metadata=about("Given, and taken back because it became too old or lost its reason."))
    never_given = Number(metadata=about("Over before it was handed over."))
    open = Number(metadata=about("In the CRM now."))
    held = Number(metadata=about("Held back now."))
    hours_to_act = fields.Float(
        required=True, allow_none=True, metadata=about("The median, from the task's arrival in the CRM.")
    )


class CallFiguresSchema(Schema):
    """Calls suggested about people whom the CRM knows, and whether it logged a call or meeting with them within 14 days."""

    suggested = Number()
    followed = Number(metadata=about("Those whose 14 days are over."))
    talks = Number(metadata=about("Those with a talk, their 14 days over or not."))
    talks_of_followed = Number()
    share = fields.Float(required=True, allow_none=True, metadata=about("talks_of_followed of followed."))


class ComparisonSchema(Schema):
    """The same for suggestions that were given and for the tenth that was held back."""

    given = fields.Nested(CallFiguresSchema, required=True)
    held_back = fields.Nested(CallFiguresSchema, required=True)


class FiguresSchema(Schema):
    since = Instant(metadata=about("Tasks closed since then are counted."))
    until = Instant()
    rules = fields.List(fields.Nested(RuleFiguresSchema), required=True)
    calls_since = Instant(metadata=about("Calls suggested since then are followed."))
    calls = fields.Nested(CallFiguresSchema, required=True)
    comparison = fields.Nested(
        ComparisonSchema, required=True, allow_none=True, metadata=about("null: nothing was held back to compare.")
    )
    notices = Texts(
        metadata=about("Rules that give less because people mostly dismiss them; calendars that shield nobody.")
    )


class FiguresQuery(Schema):
    days = fields.Integer(
        load_default=SPAN.days, validate=validate.Range(1, 366), metadata=about("How many days are looked at.")
    )


@figures.get("", query=FiguresQuery, returns=FiguresSchema)
def show(query: dict[str, Any]) -> Response:
    """How tasks fared, by rule and owner"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        found = faring(session, who.workspace_id, over=timedelta(days=query["days"]))
    compared = {name: _calls(found.groups.get(name, Calls())) for name in (GIVEN, HELD_BACK)}
    return answer(
        {
            "since": found.since,
            "until": found.until,
            "rules": [_rule(each, found) for each in found.rules],
            "calls_since": found.calls_since,
            "calls": _calls(found.calls),
            "comparison": compared if found.groups else None,
            "notices": found.notices,
        }
    )


_COUNTS = ("acted_on", "dismissed", "lapsed", "never_given", "open", "held")


def _rule(each: Figures, found: Faring) -> Row:
    crm = each.crm_connection_id
    owner = found.owners.get((crm, each.owner_id)) if crm else None
    return {
        "kind": each.kind,
        "crm_connection_id": crm,
        "owner": {"id": owner["native_id"], "email": owner["email"], "name": owner["name"]} if owner else None,
        **{name: getattr(each, name) for name in _COUNTS},
        "hours_to_act": None if each.time_to_act is None else round(each.time_to_act / timedelta(hours=1), 2),
    }


def _calls(calls: Calls) -> Row:
    return {
        "suggested": calls.number,
        "followed": calls.over,
        "talks": calls.talks,
        "talks_of_followed": calls.talks_of_over,
        "share": round(calls.talks_of_over / calls.over, 4) if calls.over else None,
    }
