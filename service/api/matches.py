"""Matches: which author is which contact, and what people decide about that."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, fields, validate

from service.api import people
from service.api.answers import (
    Fraction,
    Id,
    Instant,
    Number,
    PageQuery,
    Text,
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
from service.models import Match
from service.rules.model import MatchState
from service.runtime import runtime
from service.store import acting, listing, paging, pairing
from service.store.paging import Row

matches = Noun(
    "matches",
    "Author to contact: evidence, score, state, who decided. What people decide, rules never change. An author is one contact at most in each"
    " CRM; a brand knows the one that its own CRM has.",
)


class EvidenceSchema(Schema):
    """One piece of evidence, or a remark on it (then it has no kind)."""

    sentence = Text()
    kind = Text(metadata=about("What it is: handle, name, company and so on."))
    source = Text(metadata=about("Where it came from: profile, crm or person."))
    basis = Text(metadata=about("On what basis it may be used."))


class NewMatch(Schema):
    """Who somebody is, whether the rules have suggested it or not."""

    class Meta:
        unknown = RAISE

    author_id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)


class MatchSchema(Schema):
    id = Id()
    author = fields.Nested(people.AuthorSchema, required=True)
    contact = fields.Nested(people.ContactRefSchema, required=True)
    connection_id = Id(metadata=about("The CRM that has the contact."))
    state = choice(*MatchState)
    score = Fraction(metadata=about("How likely it is the same person, 0 to 1."))
    evidence = fields.List(
        fields.Nested(EvidenceSchema),
        required=True,
        metadata=about("What speaks for it and against, most telling first."),
    )
    decided_by = Text(metadata=about("rules, user:<id> or key:<id>."))
    decided_at = Instant()
    rules_version = Number()
    handle_state = choice(
        "", "written", "kept", "refused",
        metadata=about("Whether the handle was written to the CRM. kept: the CRM has one. Empty: it was not, or not yet."),
    )  # fmt: skip
    handle_detail = Text(metadata=about("The CRM's sentence, where it refused."))


class MatchQuery(PageQuery):
    state = fields.String(validate=validate.OneOf(list(MatchState)))
    author_id = fields.UUID()
    contact_id = fields.UUID()
    connection_id = fields.UUID(metadata=about("Of the CRM that has the contact."))


_PLAIN = (
    "id",
    "connection_id",
    "state",
    "score",
    "evidence",
    "decided_by",
    "decided_at",
    "rules_version",
    "handle_state",
    "handle_detail",
)


def dump(row: Row) -> Row:
    """A row of `listing.matches` as the API shows it."""
    return {
        **{name: row[name] for name in _PLAIN},
        "author": people.author(row),
        "contact": people.contact(row),
    }


@matches.get("", query=MatchQuery, returns=page_of(MatchSchema))
def index(query: dict[str, Any]) -> Response:
    """List matches, newest first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = listing.matches(session, who.workspace_id, filters=filters, **page)
    return listed(rows, cursor, dump)


@matches.post("", body=NewMatch, returns=MatchSchema, status=201, also={404: "No such author, or no such contact."})
def create(body: dict[str, Any]) -> Response:
    """Say that this author is this contact; another of the same CRM that was confirmed for the author is rejected"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        made = pairing.pair(session, who.workspace_id, body["author_id"], body["contact_id"], by=who.actor)
        row = paging.one(session, who.workspace_id, listing.MATCHES, made) if made else None
    return answer(dump(row), 201, {"Location": f"/v1/matches/{made}"}) if row else missing("author or contact")


@matches.get("/<uuid:match_id>", returns=MatchSchema, also={404: "No such match."})
def show(match_id: UUID) -> Response:
    """One match"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = paging.one(session, who.workspace_id, listing.MATCHES, match_id)
    return answer(dump(row) if row else missing("match"))


@matches.post("/<uuid:match_id>/confirm", returns=MatchSchema, also={404: "No such match."})
def confirm(match_id: UUID) -> Response:
    """This author is this contact; any other of the same CRM that was confirmed for the author is rejected"""
    return _act(match_id, partial(acting.decide_match, state=MatchState.CONFIRMED))


@matches.post("/<uuid:match_id>/reject", returns=MatchSchema, also={404: "No such match."})
def reject(match_id: UUID) -> Response:
    """This author is not this contact"""
    return _act(match_id, partial(acting.decide_match, state=MatchState.REJECTED))


@matches.post("/<uuid:match_id>/undo", returns=MatchSchema, also={404: "No such match."})
def undo(match_id: UUID) -> Response:
    """Forget what a person decided, and let the rules look again"""
    return _act(match_id, acting.undo_match)


def _act(match_id: UUID, action: Callable[..., Match | None]) -> Response:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if action(session, who.workspace_id, match_id, by=who.actor) is None:
            missing("match")
        row = paging.one(session, who.workspace_id, listing.MATCHES, match_id)
    return answer(dump(row) if row else missing("match"))
