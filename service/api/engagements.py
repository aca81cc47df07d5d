"""Engagements: posts that concern a connected account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from integrations.records import Kind
from service.api import people
from service.api.answers import Flag, Id, Instant, PageQuery, Text, about, answer, choice, listed, page_of, window
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing
from service.runtime import runtime
from service.store import listing, paging
from service.store.paging import Row

engagements = Noun("engagements", "Posts that concern a connected account, as its network served them.")


class EngagementSchema(Schema):
    id = Id()
    connection_id = Id()
    brand_id = Id()
    native_id = Text(metadata=about("The network's own id."))
    kind = choice(*Kind)
    ours = Flag(metadata=about("Written by an account of the brand."))
    author = fields.Nested(people.AuthorSchema, required=True)
    thread = Text(metadata=about("The network's id of the thread."))
    in_reply_to = Text(allow_none=True, metadata=about("The network's id of the post that this one answers."))
    quotes = Text(allow_none=True)
    text = Text(metadata=about("Plain text; empty once the post is gone at its source."))
    url = Text(metadata=about("Where a person can answer it."))
    language = Text(allow_none=True, metadata=about("BCP 47, as the network says."))
    is_repost = Flag()
    posted_at = Instant()
    edited_at = Instant(allow_none=True)
    window_closes_at = Instant(allow_none=True, metadata=about("After this the network lets nobody answer."))
    received_at = Instant()
    deleted_at = Instant(allow_none=True)
    text_erased_at = Instant(allow_none=True, metadata=about("It was kept as long as it may be: the text is erased."))


class EngagementQuery(PageQuery):
    connection_id = fields.UUID()
    author_id = fields.UUID()
    since = fields.AwareDateTime(format="iso", metadata=about("Posted then or later."))
    until = fields.AwareDateTime(format="iso", metadata=about("Posted before."))


def dump(row: Row) -> Row:
    """A row of `listing.engagements` as the API shows it."""
    row["author"] = people.author(row)
    for name in ("author_id", "provider", "author_handle", "author_name", "author_url"):
        del row[name]
    return row


@engagements.get("", query=EngagementQuery, returns=page_of(EngagementSchema))
def index(query: dict[str, Any]) -> Response:
    """List posts, newest first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = listing.engagements(session, who.workspace_id, filters=filters, **page)
    return listed(rows, cursor, dump)


@engagements.get("/<uuid:engagement_id>", returns=EngagementSchema, also={404: "No such post."})
def show(engagement_id: UUID) -> Response:
    """One post"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = paging.one(session, who.workspace_id, listing.ENGAGEMENTS, engagement_id)
    return answer(dump(row) if row else missing("post"))
