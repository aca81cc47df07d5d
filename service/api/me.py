"""Who the caller is."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy import select

from service import access
from service.access import SCOPES
from service.api.answers import Id, Text, about, answer, choice
from service.api.auth import caller
from service.api.noun import Noun
from service.models import Workspace
from service.runtime import runtime

me = Noun("me", "Who this API key is.")


class MeSchema(Schema):
    workspace_id = Id()
    workspace_name = Text()
    actor = Text(metadata=about("How this key stands in the audit trail: key:<id>."))
    scopes = fields.List(choice(*SCOPES), required=True)


@me.get("", returns=MeSchema)
def show() -> Response:
    """The workspace and the scopes of this key"""
    who = caller()
    with runtime().db.globally() as session:
        name = session.scalar(select(Workspace.name).where(Workspace.id == who.workspace_id))
    return answer(
        {
            "workspace_id": who.workspace_id,
            "workspace_name": name,
            "actor": who.actor,
            "scopes": access.in_order(who.scopes),
        }
    )
