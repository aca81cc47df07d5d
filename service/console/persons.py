"""Persons: finding somebody, reading all that is held about them, taking it along, leaving them alone, erasing them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from service import access, exporting
from service.api.answers import answer
from service.api.persons import CONFIRM, dump
from service.console.guard import caller
from service.console.page import done, page
from service.errors import PlainError
from service.runtime import runtime
from service.store import erasing, listing, objecting, paging, personal, persons
from service.store.persons import Person

blueprint = Blueprint("persons", __name__)

SHOWN = 25  # rows of each section on the page; the file holds all of them
UNSURE = f"Type {CONFIRM} to go on: this cannot be undone. Nothing was erased."


@blueprint.get("/persons")
def find() -> ResponseReturnValue:
    """Whoever is looked for, and what was asked for people so far."""
    workspace_id, query = caller().workspace_id, request.args.get("q", "").strip()[:320]
    with runtime().db.tenant(workspace_id) as session:
        found = persons.find(session, workspace_id, query) if query else []
        requests, more = paging.page(
            session, workspace_id, listing.PERSON_REQUESTS, filters={}, after=request.args.get("after"), limit=25
        )
    return page("persons.html", query=query, found=found, requests=requests, more=more)


@blueprint.get("/persons/<uuid:person_id>")
def one(person_id: UUID) -> ResponseReturnValue:
    """One person; for whoever may take it along, with all that is held about them."""
    person, who = _person(person_id), caller()
    shown = personal.SECTIONS if access.needed("console.persons.download") in who.scopes else ()
    with runtime().db.tenant(who.workspace_id) as session:
        sections = [(each, *personal.first(session, who.workspace_id, person, each, SHOWN)) for each in shown]
    return page("person.html", person=person, person_id=person_id, sections=sections)


@blueprint.get("/persons/<uuid:person_id>/export")
def download(person_id: UUID) -> ResponseReturnValue:
    """The same, whole, as a file that programs read."""
    who = caller()
    made = exporting.export(runtime(), who.workspace_id, person_id, by=who.actor)
    if made is None:
        raise NotFound
    person, parts = made
    head = answer(dump(person)).get_json()
    return Response(
        exporting.as_json(head, parts),
        content_type="application/json",
        headers={"Content-Disposition": "attachment; filename=person.json", "Cache-Control": "no-store"},
    )


@blueprint.get("/persons/<uuid:person_id>/erase")
def ask_erase(person_id: UUID) -> ResponseReturnValue:
    """Says what erasing does before it is done."""
    return page("erase.html", person=_person(person_id), person_id=person_id, word=CONFIRM)


@blueprint.post("/persons/<uuid:person_id>/erase")
def erase(person_id: UUID) -> ResponseReturnValue:
    person = _person(person_id)
    if request.form.get("confirm", "").strip().lower() != CONFIRM:
        return page("erase.html", person=person, person_id=person_id, word=CONFIRM, sentence=UNSURE), 400
    row = _asked(erasing.begin, person_id)
    return redirect(url_for(".request_of", request_id=row.id), 303)


@blueprint.get("/person-requests/<uuid:request_id>")
def request_of(request_id: UUID) -> ResponseReturnValue:
    """What was asked for somebody, and its receipt."""
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        row = paging.one(session, workspace_id, listing.PERSON_REQUESTS, request_id)
    if row is None:
        raise NotFound
    return page("person_request.html", row=row)


@blueprint.post("/persons/<uuid:person_id>/objection")
def objects(person_id: UUID) -> ResponseReturnValue:
    _asked(objecting.begin, person_id)
    return done(url_for(".one", person_id=person_id), "objection")


@blueprint.post("/persons/<uuid:person_id>/objection/lift")
def lift(person_id: UUID) -> ResponseReturnValue:
    _asked(objecting.lift, person_id)
    return done(url_for(".one", person_id=person_id), "objection_lifted")


def _person(person_id: UUID) -> Person:
    with runtime().db.tenant(caller().workspace_id) as session:
        found = persons.of(session, caller().workspace_id, person_id)
    if found is None:
        raise NotFound
    return found


def _asked(begin: Any, person_id: UUID) -> Any:
    who = caller()
    try:
        row = runtime().db.retried(
            who.workspace_id, lambda session: begin(session, who.workspace_id, person_id, by=who.actor)
        )
    except PlainError as error:
        abort(409, str(error))
    if row is None:
        raise NotFound
    return row
