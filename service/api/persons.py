"""Persons: what is held about one of them, erasing them, and leaving them alone. One person is a contact with all their profiles, or a
profile that no CRM knows; any id of theirs names them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, fields, validate

from service import exporting
from service.api.answers import Free, Id, Instant, Text, Texts, about, answer, choice, nothing
from service.api.auth import caller
from service.api.noun import Noun
from service.api.person_shown import OnePersonSchema, PersonExportSchema
from service.api.problems import missing, refuse
from service.api.words import KEPT
from service.errors import PlainError
from service.runtime import runtime
from service.store import erasing, objecting
from service.store import persons as stored
from service.store.paging import Row
from service.store.persons import Person

CONFIRM = "erase"

persons = Noun("persons", "What is held about one person over all networks and CRMs, and what they may ask for.")


class PersonRequestSchema(Schema):
    """What was asked for, and what came of it."""

    id = Id()
    kind = choice("erase", "object")
    state = choice("under_way", "done", "lifted")
    person = Text(metadata=about("The id as it was. After an erasure nobody has it any more."))
    asked_by = Text(metadata=about("user:<id>, key:<id>, or operator: whoever runs Warmline."))
    created_at = Instant()
    done_at = Instant(allow_none=True)
    counts = Free(values=fields.Integer(), metadata=about("What went, by table."))
    receipt = Texts(metadata=about("What went, what stays where and why, in sentences."))


class FindQuery(Schema):
    """Whom to look for."""

    q = fields.String(
        required=True,
        validate=[validate.Length(1, 320), KEPT],
        metadata=about("A handle (@ana), e-mail address, network's id or name, in full."),
    )


class EraseBody(Schema):
    """What says that somebody means it."""

    class Meta:
        unknown = RAISE

    confirm = fields.String(
        required=True,
        validate=validate.Equal(CONFIRM, error=f"Send {CONFIRM!r}: this cannot be undone."),
        metadata={"description": f"The word {CONFIRM}. It cannot be undone.", "enum": [CONFIRM]},
    )


class FoundPersonsSchema(Schema):
    items = fields.List(fields.Nested(OnePersonSchema), required=True, metadata=about("25 at most."))


_NONE = {404: "No such person."}
_OURS = {**_NONE, 409: "It is an account of the team's own."}


def dump(person: Person) -> Row:
    """A person as the API shows them."""
    return {
        "id": person.key, "name": person.name, "author_ids": person.author_ids, "contact_ids": person.contact_ids,
        "perhaps": list(person.perhaps), "perhaps_authors": list(person.perhaps_authors), "objects": person.objected, "ours": person.ours,
    }  # fmt: skip


def dump_request(row: Any) -> Row:
    """A request as the API shows it."""
    names = ("id", "kind", "state", "person", "asked_by", "created_at", "done_at", "receipt")
    counts = {noun: number for noun, number in row.counts.items() if isinstance(number, int)}
    return {**{name: getattr(row, name) for name in names}, "counts": counts}


@persons.get("", query=FindQuery, returns=FoundPersonsSchema)
def find(query: dict[str, Any]) -> Response:
    """Find people by handle, e-mail address, network's id or name"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        found = stored.find(session, who.workspace_id, query["q"])
    return answer({"items": [dump(each) for each in found]})


@persons.get("/<uuid:person_id>", returns=OnePersonSchema, also=_NONE)
def show(person_id: UUID) -> Response:
    """One person: all their profiles and contacts, found by the id of any one"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        person = stored.of(session, who.workspace_id, person_id)
    return answer(dump(person) if person else missing("person"))


@persons.get("/<uuid:person_id>/export", returns=PersonExportSchema, also=_NONE)
def export(person_id: UUID) -> Response:
    """Everything that is held about one person, streamed"""
    who = caller()
    made = exporting.export(runtime(), who.workspace_id, person_id, by=who.actor)
    if made is None:
        missing("person")
    person, parts = made
    return Response(_text(dump(person), parts), content_type="application/json")


def _text(head: Row, parts: exporting.Parts) -> Iterator[str]:
    return exporting.as_json(json.loads(answer(head).get_data()), parts)


@persons.post("/<uuid:person_id>/erase", body=EraseBody, returns=PersonRequestSchema, status=202, also=_OURS)
def erase(_: dict[str, Any], person_id: UUID) -> Response:
    """Erase one person, for good. It goes on by itself; the answer's id names the receipt"""
    return _asked(erasing.begin, person_id, 202)


@persons.post("/<uuid:person_id>/objection", returns=PersonRequestSchema, also=_OURS)
def objects(person_id: UUID) -> Response:
    """Never judge this person again: nothing new of theirs is stored, matched or bought, and their open tasks are withdrawn"""
    return _asked(objecting.begin, person_id, 200)


def _asked(begin: Any, person_id: UUID, status: int) -> Response:
    who = caller()
    try:
        row = runtime().db.retried(
            who.workspace_id, lambda session: begin(session, who.workspace_id, person_id, by=who.actor)
        )
    except PlainError as error:
        refuse(409, str(error))
    return answer(dump_request(row) if row else missing("person"), status)


@persons.delete("/<uuid:person_id>/objection", status=204, also={404: "No such person, or they don't object."})
def lift(person_id: UUID) -> Response:
    """They object no more"""
    who = caller()
    row = runtime().db.retried(
        who.workspace_id, lambda session: objecting.lift(session, who.workspace_id, person_id, by=who.actor)
    )
    return nothing() if row else missing("objection")
