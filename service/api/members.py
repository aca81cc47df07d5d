"""Members: who belongs to the workspace, and what their role lets them do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema
from sqlalchemy.orm import Session

from service import members as store
from service.access import ABOUT_ROLES, ROLES
from service.accounts import Caller
from service.api.answers import Id, Instant, PageQuery, Text, about, answer, choice, listed, nothing, page_of, window
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing, refuse
from service.runtime import runtime
from service.store import paging

members = Noun("members", "Who belongs to the workspace.")

ROLE = about("; ".join(f"{role}: {sentence[0].lower()}{sentence[1:]}" for role, sentence in ABOUT_ROLES.items()) + ".")


class MemberSchema(Schema):
    id = Id(metadata=about("The person's id, as `user:<id>` in the audit trail."))
    email = Text()
    name = Text()
    role = choice(*ROLES, metadata=ROLE)
    created_at = Instant(metadata=about("When they joined."))
    last_seen_at = Instant(
        allow_none=True, metadata=about("When a browser of theirs was last seen here; null: none is.")
    )


class MemberChange(Schema):
    """What the member may do from now on."""

    class Meta:
        unknown = RAISE

    role = choice(*ROLES, metadata=ROLE)


_NONE = {404: "No such member."}
_LAST = {**_NONE, 409: "The workspace would be without an owner."}


@members.get("", query=PageQuery, returns=page_of(MemberSchema))
def index(query: dict[str, Any]) -> Response:
    """List members"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, store.MEMBERS, filters=filters, **page)
    return listed(rows, cursor, dict)


@members.get("/<uuid:member_id>", returns=MemberSchema, also=_NONE)
def show(member_id: UUID) -> Response:
    """One member"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        return _one(session, who, member_id)


@members.patch("/<uuid:member_id>", body=MemberChange, returns=MemberSchema, also=_LAST)
def change(body: dict[str, Any], member_id: UUID) -> Response:
    """Give a member another role; their keys do no more than it allows, and a former owner's invitations and sign-in links end"""
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            _still_may(session, who)
            if store.change_role(session, who.workspace_id, member_id, body["role"], by=who.actor) is None:
                missing("member")
            return _one(session, who, member_id)
    except store.LastOwnerError as error:
        refuse(409, str(error))


@members.delete("/<uuid:member_id>", status=204, also=_LAST)
def remove(member_id: UUID) -> Response:
    """Remove a member: their sessions here end, and keys, invitations and sign-in links that they made open nothing any more"""
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            _still_may(session, who)
            if store.remove(session, who.workspace_id, member_id, by=who.actor) is None:
                missing("member")
    except store.LastOwnerError as error:
        refuse(409, str(error))
    return nothing()


def _still_may(session: Session, who: Caller) -> None:
    if not store.still_may(session, who):
        refuse(403, "Whoever made this API key sees to nobody here any more.")


def _one(session: Session, who: Caller, member_id: UUID) -> Response:
    return answer(paging.one(session, who.workspace_id, store.MEMBERS, member_id) or missing("member"))
