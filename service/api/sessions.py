"""Sessions: browsers in which somebody is signed in to the workspace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema

from service import sessions as store
from service.api.answers import Id, Instant, PageQuery, Text, about, listed, nothing, page_of, window
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing
from service.runtime import runtime
from service.store import paging

sessions = Noun("sessions", "Browsers in which somebody is signed in to the workspace.")


class SessionSchema(Schema):
    id = Id()
    member_id = Id()
    email = Text()
    browser = Text(metadata=about("What it called itself, in words; empty where that is not known."))
    created_at = Instant(metadata=about("When it was signed in."))
    last_seen_at = Instant(allow_none=True, metadata=about("To within five minutes."))
    expires_at = Instant()


@sessions.get("", query=PageQuery, returns=page_of(SessionSchema))
def index(query: dict[str, Any]) -> Response:
    """List sessions that look at this workspace, newest first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, store.SESSIONS, filters=filters, **page)
    return listed(rows, cursor, dict)


@sessions.delete("/<uuid:session_id>", status=204, also={404: "No such session."})
def end(session_id: UUID) -> Response:
    """End a session: that browser is signed out at once"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if not store.end(session, who.workspace_id, session_id, by=who.actor):
            missing("session")
    return nothing()
