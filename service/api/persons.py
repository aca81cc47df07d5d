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
from service.api.answers import Flag, Fraction, Free, Id, Instant, Number, Text, Texts, about, answer, choice, nothing
from service.api.auth import caller
from service.api.noun import Noun
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


class OnePersonSchema(Schema):
    """One person. Each of the ids names all of them."""

    id = Text(metadata=about("contact:<id>, or author:<id> of somebody whom no CRM knows."))
    name = Text()
    author_ids = fields.List(fields.UUID(), required=True)
    contact_ids = fields.List(fields.UUID(), required=True)
    perhaps = fields.List(
        fields.UUID(),
        required=True,
        metadata=about(
            "Contacts that may be the same person, by a match or by a shared address and a like name, and were never confirmed."
        ),
    )
    perhaps_authors = fields.List(
        fields.UUID(),
        required=True,
        metadata=about("Profiles on networks that may be the same person, likewise."),
    )
    objects = Flag(metadata=about("They asked never to be judged."))
    ours = Flag(metadata=about("An account of the team's own: it can be neither erased nor left alone."))


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


# --- an export ------------------------------------------------------------------------------------------------


class ExportedProfileSchema(Schema):
    id = Id()
    provider = Text()
    place = Text(metadata=about("The server or place, for a network that has many."))
    native_id = Text()
    handle = Text()
    former_handles = fields.List(
        fields.String(),
        required=True,
        metadata=about("Handles that they went by before, in lower case, the newest first."),
    )
    name = Text()
    bio = Text()
    url = Text()
    website = Text()
    location = Text()
    bot = Flag()
    followers = Number(allow_none=True)
    objected_at = Instant(allow_none=True)
    created_at = Instant()
    updated_at = Instant()


class ExportedContactSchema(Schema):
    id = Id()
    crm = Text()
    native_id = Text()
    fields_ = Free(data_key="fields", metadata=about("As `contacts` shows them, by the same names."))
    updated_at = Instant(allow_none=True)
    deleted_at = Instant(allow_none=True)
    objected_at = Instant(allow_none=True)
    created_at = Instant()


class ExportedMatchSchema(Schema):
    id = Id()
    author_id = Id()
    contact_id = Id()
    state = choice("suggested", "confirmed", "rejected")
    score = Fraction()
    evidence = fields.List(fields.Dict(), required=True)
    decided_by = Text()
    decided_at = Instant()
    handle_state = Text(metadata=about("Whether the handle was written into the CRM contact."))


class ExportedPostSchema(Schema):
    id = Id()
    provider = Text()
    place = Text()
    native_id = Text()
    kind = Text()
    thread = Text()
    in_reply_to = Text(allow_none=True)
    text = Text()
    url = Text()
    language = Text(allow_none=True)
    posted_at = Instant()
    edited_at = Instant(allow_none=True)
    received_at = Instant()
    deleted_at = Instant(allow_none=True, metadata=about("Gone at its source: the text is erased here too."))
    text_erased_at = Instant(allow_none=True, metadata=about("Kept as long as it may be: the text is erased."))


class ExportedTheirPostSchema(ExportedPostSchema):
    signals = Texts(metadata=about("What was read from it: asks, requests, problem, wants_talk, ..."))


class ExportedConversationSchema(Schema):
    id = Id()
    author_id = Id()
    thread = Text()
    waiting_since = Instant(allow_none=True)
    last_post_at = Instant()
    dealt_with_until = Instant(allow_none=True)
    reasons = Texts()
    decided_at = Instant(allow_none=True)


class ExportedStageSchema(Schema):
    at = Instant()
    stage = Text()
    reason = Text()


class ExportedRelationshipSchema(Schema):
    id = Id()
    brand_id = Id()
    stage = Text()
    stage_at = Instant(allow_none=True)
    score = Fraction(allow_none=True)
    reasons = Texts()
    decided_at = Instant(allow_none=True)
    stages = fields.List(fields.Nested(ExportedStageSchema), required=True)


class ExportedTaskSchema(Schema):
    id = Id()
    kind = Text()
    crm = Text(allow_none=True)
    external_id = Text(allow_none=True)
    external_url = Text()
    wanted = Text()
    state = Text()
    subject = Text(allow_none=True)
    body = Text(allow_none=True)
    reasons = Texts()
    urgency = Number()
    since = Instant()
    due_at = Instant()
    held_reason = Text()
    trial = Text(metadata=about("given or held_back, where calls are compared."))
    created_at = Instant()
    pushed_at = Instant(allow_none=True)
    closed_at = Instant(allow_none=True)
    closed_by = Text()
    close_reason = Text()


class ExportedActivitySchema(Schema):
    id = Id()
    native_id = Text()
    kind = Text()
    at = Instant()
    ends_at = Instant(allow_none=True)
    direction = Text()
    outcome = Text()
    owner_id = Text(allow_none=True)
    deleted_at = Instant(allow_none=True)


class ExportedRequestSchema(Schema):
    id = Id()
    kind = Text()
    state = Text()
    created_at = Instant()
    done_at = Instant(allow_none=True)


def _rows(schema: type[Schema]) -> Any:
    return fields.List(fields.Nested(schema), required=True)


class PersonExportSchema(Schema):
    """Everything that is held about one person. It is written while it is read, so that it may be long; `complete` comes last, and an
    answer without it was cut off."""

    person = fields.Nested(OnePersonSchema, required=True)
    exported_at = Instant()
    profiles = _rows(ExportedProfileSchema)
    contacts = _rows(ExportedContactSchema)
    matches = _rows(ExportedMatchSchema)
    posts = _rows(ExportedTheirPostSchema)
    answers = _rows(ExportedPostSchema)
    conversations = _rows(ExportedConversationSchema)
    relationships = _rows(ExportedRelationshipSchema)
    tasks = _rows(ExportedTaskSchema)
    activities = _rows(ExportedActivitySchema)
    requests = _rows(ExportedRequestSchema)
    complete = Flag()


# --- the routes -----------------------------------------------------------------------------------------------

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
