"""Relationships: a person and a brand, where they stand, and how they came there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from service.api import people
from service.api.answers import (
    Id,
    Instant,
    Number,
    PageQuery,
    Text,
    Texts,
    about,
    answer,
    choice,
    listed,
    page_of,
    window,
)
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing
from service.rules.readiness.stages import STAGES
from service.runtime import runtime
from service.store import stages
from service.store.paging import Row

relationships = Noun(
    "relationships", "A person (a contact with all its authors, or one author whom no CRM knows) and a brand."
)


class StageChangeSchema(Schema):
    """A relationship came to a stage. Everybody begins as aware: that is no change."""

    at = Instant(metadata=about("When the post was written, or the call or meeting ended, that brought it there."))
    stage = choice(*STAGES)
    reason = Text(metadata=about("A sentence."))


class RelationshipSchema(Schema):
    id = Id()
    brand_id = Id()
    author = fields.Nested(
        people.AuthorSchema, required=True, allow_none=True, metadata=about("Of several, the one that was found last.")
    )
    contact = fields.Nested(people.ContactRefSchema, required=True, allow_none=True)
    stage = choice(*STAGES)
    stage_at = Instant(allow_none=True, metadata=about("Since when; null: it began there."))
    score = fields.Float(
        required=True, allow_none=True,
        metadata=about("How likely people who read the talk would have somebody call, 0 to 1; null: not decided by these rules yet."),
    )  # fmt: skip
    reasons = Texts(metadata=about("Why a call is suggested or is not, in sentences."))
    settings_version = Number(allow_none=True)
    rules_version = Number(allow_none=True)
    decided_at = Instant()


class RelationshipDetailSchema(RelationshipSchema):
    stages = fields.List(
        fields.Nested(StageChangeSchema), required=True, metadata=about("Every change of stage, oldest first.")
    )


class RelationshipQuery(PageQuery):
    brand_id = fields.UUID()
    contact_id = fields.UUID()
    stage = fields.String(validate=validate.OneOf(STAGES))


_PLAIN = tuple(name for name in RelationshipSchema._declared_fields if name not in ("author", "contact"))


def dump(row: Row) -> Row:
    """A row of `stages.relationships` as the API shows it."""
    shown = {name: row[name] for name in _PLAIN}
    return {**shown, "author": people.author(row), "contact": people.contact(row)}


@relationships.get("", query=RelationshipQuery, returns=page_of(RelationshipSchema))
def index(query: dict[str, Any]) -> Response:
    """List relationships, the one that began last first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = stages.relationships(session, who.workspace_id, filters=filters, **page)
    return listed(rows, cursor, dump)


@relationships.get("/<uuid:relationship_id>", returns=RelationshipDetailSchema, also={404: "No such relationship."})
def show(relationship_id: UUID) -> Response:
    """One relationship with every change of its stage"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = stages.relationship(session, who.workspace_id, relationship_id)
        if row is None:
            missing("relationship")
        changes = stages.changes_of(session, who.workspace_id, relationship_id)
    return answer({**dump(row), "stages": changes})
