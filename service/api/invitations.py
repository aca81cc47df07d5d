"""Invitations: links by which somebody may join the workspace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema

from service import invitations as store
from service import members
from service.access import ROLES
from service.api.answers import Id, Instant, PageQuery, Text, about, answer, choice, listed, nothing, page_of, window
from service.api.auth import caller
from service.api.members import ROLE
from service.api.noun import Noun
from service.api.problems import missing, refuse
from service.api.words import EMAIL, Line
from service.runtime import runtime
from service.store import paging

invitations = Noun("invitations", "Links by which somebody may join. Nothing is sent: pass the link on.")


class InvitationSchema(Schema):
    id = Id()
    email = Text()
    role = choice(*ROLES, metadata=ROLE)
    invited_by = Text(metadata=about("user:<id> or key:<id>."))
    created_at = Instant()
    expires_at = Instant()


class InvitationMadeSchema(InvitationSchema):
    """An invitation that was just made."""

    url = Text(metadata=about("The link, good once. It is not kept here and cannot be shown again."))


class NewInvitation(Schema):
    """Whom to invite. Whoever is invited already gets a new link, and the older one opens nothing any more."""

    class Meta:
        unknown = RAISE

    email = Line(longest=254, pattern=EMAIL, required=True, sentence="Give an e-mail address.")
    role = choice(*ROLES, metadata=ROLE)


@invitations.get("", query=PageQuery, returns=page_of(InvitationSchema))
def index(query: dict[str, Any]) -> Response:
    """List invitations that are still good, newest first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, store.INVITATIONS, filters=filters, **page)
    return listed(rows, cursor, dict)


@invitations.post(
    "",
    body=NewInvitation,
    returns=InvitationMadeSchema,
    status=201,
    also={409: "They belong to the workspace already."},
)
def create(body: dict[str, Any]) -> Response:
    """Invite somebody: answers with a link to pass on"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if not members.still_may(session, who):
            refuse(403, "Whoever made this API key may invite nobody any more.")
        try:
            made, token = store.invite(session, who.workspace_id, body["email"], body["role"], by=who.actor)
        except store.BelongsAlreadyError as error:
            refuse(409, str(error))
        row = paging.one(session, who.workspace_id, store.INVITATIONS, made) or missing("invitation")
    return answer({**row, "url": store.address(runtime().config.base_url, token)}, 201)


@invitations.delete("/<uuid:invitation_id>", status=204, also={404: "No such invitation."})
def withdraw(invitation_id: UUID) -> Response:
    """Withdraw an invitation: its link opens nothing any more"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if not store.withdraw(session, who.workspace_id, invitation_id, by=who.actor):
            missing("invitation")
    return nothing()
