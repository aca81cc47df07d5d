"""Calendars: feeds that say when owners are busy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, fields
from sqlalchemy.orm import Session

from service import calendars as feeding
from service.accounts import Caller
from service.api.answers import (
    Flag,
    Id,
    Instant,
    Number,
    PageQuery,
    Text,
    about,
    answer,
    listed,
    nothing,
    page_of,
    window,
)
from service.api.auth import caller
from service.api.connection_shown import zone_of
from service.api.noun import Noun
from service.api.problems import missing, refuse
from service.api.words import EMAIL, KEPT, Line
from service.clock import real_now
from service.runtime import runtime
from service.store import feeds, paging
from service.store.paging import Row

calendars = Noun(
    "calendars",
    "Calendar feeds in iCalendar form. Only busy times are kept of them, and an address is never shown again.",
)


class CalendarSchema(Schema):
    id = Id()
    email = Text(metadata=about("Whose it is: the e-mail address of an owner in the CRM."))
    host = Text(metadata=about("Where it is; the rest of the address is a secret."))
    shielded = Flag(
        metadata=about("Its owner gets no task during the meetings in it: it was read within the last hour.")
    )
    not_shielded_since = Instant(allow_none=True, metadata=about("null: shielded."))
    health = Text(metadata=about("How it is, in a sentence or two."))
    busy_times = Number(metadata=about("Spans in which the owner is busy, a month ahead."))
    left_out = Number(metadata=about("Events that could not be read."))
    fetched_at = Instant(allow_none=True, metadata=about("When it was last read whole."))
    tried_at = Instant(allow_none=True)
    next_fetch_at = Instant(allow_none=True, metadata=about("null: being read now."))
    created_at = Instant()


class CalendarQuery(PageQuery):
    email = fields.String(validate=KEPT, metadata=about("Only the calendars of this owner."))


class NewCalendar(Schema):
    """A calendar to be read."""

    class Meta:
        unknown = RAISE

    email = Line(
        longest=254, pattern=EMAIL, required=True, sentence="Give the owner's e-mail address.",
        metadata=about("The owner's e-mail address, as the CRM has it."),
    )  # fmt: skip
    url = Line(
        longest=2000, pattern=r"^[^\x00-\x20\x7f]+$", required=True, sentence="Give the address of a calendar.",
        metadata=about("The calendar's secret address in iCal format, over https (or webcal). Kept sealed."),
    )  # fmt: skip


class RefreshSchema(Schema):
    """Reading begins as soon as a worker is free."""

    calendar_id = Id()


_NONE = {404: "No such calendar."}


@calendars.get("", query=CalendarQuery, returns=page_of(CalendarSchema))
def index(query: dict[str, Any]) -> Response:
    """List calendars and how old what they said is, oldest first"""
    filters, page = window(query)
    if filters.get("email"):
        filters["email"] = filters["email"].lower()
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, feeds.CALENDARS, filters=filters, **page)
        now = real_now().astimezone(zone_of(session, who))
    return listed(rows, cursor, lambda row: _dump(row, now))


@calendars.post(
    "",
    body=NewCalendar,
    returns=CalendarSchema,
    status=201,
    also={409: "This calendar is there already."},
)
def create(body: dict[str, Any]) -> Response:
    """Add somebody's calendar; it is read within seconds"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        try:
            made = feeding.add(
                runtime(), session, who.workspace_id, email=body["email"], address=body["url"], by=who.actor
            )
        except feeding.AddedBeforeError as error:
            refuse(409, str(error))
        return _one(session, who, made, 201, {"Location": f"/v1/calendars/{made}"})


@calendars.get("/<uuid:calendar_id>", returns=CalendarSchema, also=_NONE)
def show(calendar_id: UUID) -> Response:
    """One calendar"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        return _one(session, who, calendar_id)


@calendars.post("/<uuid:calendar_id>/refresh", returns=RefreshSchema, status=202, also=_NONE)
def refresh(calendar_id: UUID) -> Response:
    """Read it now"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if not feeds.refresh(session, who.workspace_id, calendar_id):
            missing("calendar")
    return answer({"calendar_id": calendar_id}, 202)


@calendars.delete("/<uuid:calendar_id>", status=204, also=_NONE)
def remove(calendar_id: UUID) -> Response:
    """Forget it, its address and its busy times"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if not feeds.remove(session, who.workspace_id, calendar_id, by=who.actor):
            missing("calendar")
    return nothing()


_PLAIN = (
    "id", "email", "host", "busy_times", "left_out", "fetched_at", "tried_at", "next_fetch_at", "created_at",
)  # fmt: skip


def _dump(row: Row, now: Any) -> Row:
    since = feeding.not_shielded_since(row, now)
    return {
        **{name: row[name] for name in _PLAIN},
        "shielded": since is None,
        "not_shielded_since": since,
        "health": feeding.line(row, now),
    }


def _one(
    session: Session, who: Caller, feed_id: UUID, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    row = paging.one(session, who.workspace_id, feeds.CALENDARS, feed_id) or missing("calendar")
    return answer(_dump(row, real_now().astimezone(zone_of(session, who))), status, headers)
