"""Handing in: posts from places that Warmline has no provider for. They go the way of every other post."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema
from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.records import Author, Kind
from integrations.registry import handed_in
from service import access, connect
from service.accounts import Caller
from service.api import engagements as listed
from service.api.answers import Id, Text, about, answer, choice, nothing
from service.api.auth import caller
from service.api.judge import LONGEST, instant, line
from service.api.problems import missing, refuse
from service.api.words import EMAIL, LINK, Line, Prose
from service.byhand import AHEAD
from service.clock import business_now
from service.models import Connection, User
from service.runtime import runtime
from service.settings_parts import YesOrNo
from service.store import acting, capturing, listing, paging, tending
from service.store.capturing import Handed, Outcome

engagements = listed.engagements  # the noun, to which this module adds two routes

MOST = 100
LONGEST_PLACE = 60
KINDS = tuple(each.value for each in Kind if each is not Kind.OWN)


class HandedAuthor(Schema):
    """Who wrote it."""

    class Meta:
        unknown = RAISE

    id = line("The place's own id, which never changes; the handle, where that never does.", required=True)
    handle = line("Without the @.")
    name = line("")
    url = line("The profile's page.", 2000)
    bio = Prose(longest=5000, load_default="", metadata=about("What the profile says; the CRM is searched by it."))
    website = line("The link on the profile.", 2000)
    location = line("")
    bot = YesOrNo(load_default=False, metadata=about("The place says that a program writes here."))


class HandedPost(Schema):
    """One post. With an id that was handed in before, it replaces what stands."""

    class Meta:
        unknown = RAISE

    id = line("The place's own id.", required=True)
    deleted = YesOrNo(load_default=False, metadata=about("It is gone at its source: erase it. Only `id` is looked at."))
    at = instant("When it was written, which is never later than now. Required, unless it is deleted.")
    direction = fields.String(
        load_default="in",
        validate=validate.OneOf(["in", "out"]),
        metadata=about("in: somebody wrote it to the brand; out: the brand wrote it, which answers who waits."),
    )
    author = fields.Nested(HandedAuthor, metadata=about("Required, unless it is `out` or deleted."))
    text = Prose(longest=LONGEST, load_default="", metadata=about("Plain text."))
    kind = fields.String(
        validate=validate.OneOf(KINDS),
        metadata=about("Without one: reply where it answers a post of the brand's, else mention."),
    )
    thread = line("The place's id of the thread. Without one: that of the post that it answers, else a new one.")
    in_reply_to = line("The place's id of the post that it answers.", allow_none=True)
    mentions = fields.List(line("An author's id."), validate=validate.Length(max=50))
    url = Line(
        longest=2000,
        pattern=LINK,
        sentence="Give an address that begins with https:// or http://.",
        metadata=about("Where a person can answer it."),
    )
    language = line("BCP 47.", 35, allow_none=True)
    edited_at = instant("When it was last changed.", allow_none=True)
    is_repost = YesOrNo(load_default=False)
    window_closes_at = instant("After this nobody can answer there.", allow_none=True)

    @validates_schema
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["deleted"]:
            return
        if "at" not in data:
            raise ValidationError("Say when it was written.", "at")
        if data["at"] > business_now() + AHEAD:
            raise ValidationError("It says that it was written in the future. Give the time when it was written.", "at")
        if "author" not in data and data["direction"] == "in":
            raise ValidationError("Say who wrote it.", "author")


EXAMPLE = {
    "place": "Rider forum",
    "posts": [
        {"id": "8841", "at": "2026-03-12T09:00:00Z", "author": {"id": "17", "handle": "ana", "name": "Ana Ferrer"},
         "text": "Does the new rack fit older frames?"},
        {"id": "8850", "at": "2026-03-12T10:00:00Z", "direction": "out", "in_reply_to": "8841", "text": "It does, from 2019 on."},
        {"id": "8790", "deleted": True},
    ],
}  # fmt: skip


class HandedSchema(Schema):
    """Posts of one place."""

    class Meta:
        unknown = RAISE

    place = line("What people call the place: Rider forum. Or send `connection_id`.", LONGEST_PLACE)
    connection_id = fields.UUID(metadata=about("The place's connection, instead of its name."))
    brand_id = fields.UUID(allow_none=True, metadata=about("Whose place it is. Without one: the first brand's."))
    responder_email = Line(
        longest=254,
        pattern=EMAIL,
        sentence="Give an e-mail address.",
        metadata=about("For a place that is new: who gets what waits there. Without one: whoever made the key."),
    )
    posts = fields.List(
        fields.Nested(HandedPost),
        required=True,
        validate=validate.Length(1, MOST),
        metadata=about("In any order. An id that comes twice counts once, as it came last."),
    )

    @validates_schema
    def _one_place(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("place" in data) == ("connection_id" in data):
            raise ValidationError("Send either `place` or `connection_id`.", "place")


class HandedResultSchema(Schema):
    """What became of one post."""

    id = Text(metadata=about("The place's own id."))
    engagement_id = Id(allow_none=True, metadata=about("Ours; null for one that never was here."))
    outcome = choice(*Outcome, metadata=about("known: it was here, and what differed was taken over."))


class HandedResultsSchema(Schema):
    connection_id = Id()
    items = fields.List(fields.Nested(HandedResultSchema), required=True)


_DOC = {"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}}
_NOT_ACTIVE = "The place is disconnected; or the post is one that its network tells us about itself."


@engagements.post(
    "",
    body=HandedSchema,
    returns=HandedResultsSchema,
    also={404: "No such place, connection or brand.", 409: _NOT_ACTIVE},
    doc=_DOC,
)
def hand_in(body: dict[str, Any]) -> Response:
    """Hand in posts from a place that Warmline cannot read: a forum, reviews"""
    who = caller()
    connection_id = _place(who, body)
    latest = {each["id"]: each for each in body["posts"]}
    posts = [_handed(each) for each in latest.values() if not each["deleted"]]
    gone = [each["id"] for each in latest.values() if each["deleted"]]
    with runtime().db.tenant(who.workspace_id) as session:
        connection = session.get(Connection, (who.workspace_id, connection_id))
        if connection is None or connection.provider not in handed_in():
            missing("place")
        if connection.status != "active":
            refuse(409, "This place is disconnected. Connect it again in the console first.")
        found = {each.native_id: each for each in capturing.save(session, connection, posts, gone)}
    items = [{"id": id_, "engagement_id": found[id_].engagement_id, "outcome": found[id_].outcome} for id_ in latest]
    return answer({"connection_id": connection_id, "items": items})


@engagements.delete("/<uuid:engagement_id>", status=204, also={404: "No such post.", 409: _NOT_ACTIVE})
def erase(engagement_id: UUID) -> Response:
    """Erase a post that was handed in and is gone at its source; what rests on it is decided again"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        found = capturing.is_handed_in(session, who.workspace_id, engagement_id)
        if found is None:
            missing("post")
        connection, native_id = found
        if connection.provider not in handed_in():
            refuse(409, "This post was read from its network, which says itself when it is gone.")
        capturing.save(session, connection, [], [native_id])
        acting.audit(session, who.workspace_id, who.actor, "engagement.erased", "engagement", engagement_id)
    return nothing()


# --- the place ------------------------------------------------------------------------------------------------


def _place(who: Caller, body: Mapping[str, Any]) -> UUID:
    """The connection that the posts belong to, made if the place is new and the key may connect."""
    if "connection_id" in body:
        return cast(UUID, body["connection_id"])
    brand_id = body.get("brand_id")
    with runtime().db.tenant(who.workspace_id) as session:
        if brand_id is not None and paging.one(session, who.workspace_id, listing.BRANDS, brand_id) is None:
            missing("brand")
        found = capturing.connection_of_place(session, who.workspace_id, body["place"], brand_id)
        if found is not None:
            return found.id
    if access.ADMIN not in who.scopes:
        refuse(
            404, f"No place named {body['place']!r} is connected. Connect it in the console, or with an admin's key."
        )
    [provider] = handed_in()
    [made] = connect.connect_with_secret(runtime(), who, provider, brand_id, {"place": body["place"]})
    with runtime().db.tenant(who.workspace_id) as session:
        email = body.get("responder_email") or _made_by(session, who)
        tending.set_responder(session, who.workspace_id, made, email, by=who.actor)
    return made


def _made_by(session: Session, who: Caller) -> str:
    """The address of whoever made the key."""
    return session.scalar(select(User.email).where(User.id == who.user_id)) or ""


def _handed(each: Mapping[str, Any]) -> Handed:
    author = each.get("author")
    return Handed(
        id=each["id"], at=each["at"], ours=each["direction"] == "out", author=_author(author) if author else None, text=each["text"],
        kind=Kind(each["kind"]) if "kind" in each else None, thread=each.get("thread"), in_reply_to=each.get("in_reply_to"),
        mentions=tuple(each.get("mentions", ())), url=each.get("url", ""), language=each.get("language"), edited_at=each.get("edited_at"),
        is_repost=each["is_repost"], window_closes_at=each.get("window_closes_at"),
    )  # fmt: skip


def _author(each: Mapping[str, Any]) -> Author:
    return Author(
        id=each["id"], handle=each.get("handle") or each.get("name") or each["id"], name=each.get("name", ""), bio=each["bio"],
        url=each.get("url", ""), website=each.get("website", ""), location=each.get("location", ""), bot=each["bot"],
    )  # fmt: skip
