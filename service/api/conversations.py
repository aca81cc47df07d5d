"""Conversations: one author and one thread with one brand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from service.api import engagements, people
from service.api.answers import (
    Id,
    Instant,
    Number,
    PageQuery,
    Text,
    Texts,
    about,
    answer,
    listed,
    page_of,
    window,
    yes_or_no,
)
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing
from service.runtime import runtime
from service.store import listing, paging
from service.store.paging import Row

conversations = Noun("conversations", "One author and one thread with one brand, and what was decided of it.")

POSTS = 500


class ConversationSchema(Schema):
    id = Id()
    brand_id = Id()
    connection_id = Id()
    author = fields.Nested(people.AuthorSchema, required=True)
    contact = fields.Nested(people.ContactRefSchema, required=True, allow_none=True)
    thread = Text(metadata=about("The network's id of the thread."))
    waiting_since = Instant(allow_none=True, metadata=about("Since when they wait for an answer; null: they don't."))
    last_post_at = Instant(metadata=about("When anybody last posted in the thread."))
    dealt_with_until = Instant(allow_none=True, metadata=about("Somebody said that posts up to then need no reply."))
    reasons = Texts(metadata=about("Why they wait or don't, in sentences."))
    last_text = Text(allow_none=True, metadata=about("What they said last."))
    last_url = Text(allow_none=True, metadata=about("Where a person can answer it."))
    last_said_at = Instant(allow_none=True)
    task_id = Id(allow_none=True, metadata=about("The open task that stands for this conversation."))
    settings_version = Number(allow_none=True)
    rules_version = Number(allow_none=True)
    decided_at = Instant(allow_none=True)


class ConversationDetailSchema(ConversationSchema):
    posts = fields.List(
        fields.Nested(engagements.EngagementSchema),
        required=True,
        metadata=about(f"The thread, oldest first; of a longer one the newest {POSTS} posts."),
    )


class ConversationQuery(PageQuery):
    waiting = yes_or_no("Only those where somebody waits, whoever has waited longest first.")
    brand_id = fields.UUID()
    connection_id = fields.UUID()
    author_id = fields.UUID()


_PLAIN = tuple(
    name for name in ConversationSchema._declared_fields if name not in ("author", "contact")
)  # columns that go out as they are


def dump(row: Row) -> Row:
    """A row of `listing.conversations` as the API shows it."""
    return {
        **{name: row[name] for name in _PLAIN},
        "author": people.author(row),
        "contact": people.contact(row),
    }


@conversations.get("", query=ConversationQuery, returns=page_of(ConversationSchema))
def index(query: dict[str, Any]) -> Response:
    """List conversations, the one that moved last first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = listing.conversations(session, who.workspace_id, filters=filters, **page)
    return listed(rows, cursor, dump)


@conversations.get("/<uuid:conversation_id>", returns=ConversationDetailSchema, also={404: "No such conversation."})
def show(conversation_id: UUID) -> Response:
    """One conversation with its posts"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = paging.one(session, who.workspace_id, listing.CONVERSATIONS, conversation_id)
        if row is None:
            missing("conversation")
        posts = listing.posts_of(session, who.workspace_id, row["brand_id"], row["thread"], limit=POSTS)
    return answer({**dump(row), "posts": [engagements.dump(post) for post in posts]})
