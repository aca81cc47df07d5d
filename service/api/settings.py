"""A workspace's settings: versioned, changed only by whoever has seen the version that stands."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import Schema, fields

from service import settings as workspace_settings
from service.api.answers import Instant, Number, Text, about, answer, nothing
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import refuse
from service.models import Settings
from service.runtime import runtime
from service.settings import SettingsSchema
from service.store import ruling

settings = Noun("settings", "Hours, patience, caps and the like. Every verdict keeps the version it was made under.")


class VersionSchema(Schema):
    """One version of the settings."""

    version = Number()
    values = fields.Nested(SettingsSchema, required=True)
    changed_by = Text(metadata=about("user:<id>, key:<id> or system."))
    created_at = Instant()


_ETAG = {"ETag": {"description": "The version that stands, for If-Match.", "schema": {"type": "string"}}}
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "An ETag; 304 while it still holds.",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "description": "The ETag of the version that you have seen.",
    "schema": {"type": "string"},
    "required": True,
}


@settings.get(
    "",
    returns=VersionSchema,
    also={304: "The version that you have still stands."},
    doc={"parameters": [_IF_NONE_MATCH], "responses": {200: {"headers": _ETAG}}},
)
def show() -> Response:
    """The version that stands"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = workspace_settings.current(session, who.workspace_id)
    response = _answer(row)
    if request.if_none_match.contains_weak(str(row.version)):
        unchanged = nothing(304)
        unchanged.headers["ETag"] = response.headers["ETag"]
        return unchanged
    return response


@settings.put(
    "",
    body=SettingsSchema,
    returns=VersionSchema,
    also={412: "Another version stands by now.", 428: "If-Match is missing."},
    doc={"parameters": [_IF_MATCH], "responses": {200: {"headers": _ETAG}}},
)
def replace(_: dict[str, Any]) -> Response:
    """Store a new version; what is left out takes its default"""
    if "If-Match" not in request.headers:
        refuse(428, "Send If-Match with the ETag of the settings that you have seen, so that nobody's change is lost.")
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        standing = workspace_settings.current(session, who.workspace_id).version
        if not request.if_match.contains(str(standing)):
            _stale(standing)
        try:
            row = ruling.change_settings(session, who.workspace_id, request.get_json(), by=who.actor, expected=standing)
        except ruling.StaleVersionError as error:
            _stale(error.current)
    return _answer(row)


def _stale(standing: int) -> None:
    refuse(412, f"Version {standing} of the settings stands now. Read it again, and then change it.")


def _answer(row: Settings) -> Response:
    body = {"version": row.version, "values": row.values, "changed_by": row.changed_by, "created_at": row.created_at}
    return answer(body, headers={"ETag": f'"{row.version}"'})
