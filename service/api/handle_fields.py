"""Handle fields: which of a CRM's fields hold social handles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, fields, validate

from service.api.answers import Flag, Text, about, answer
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing, refuse
from service.errors import PlainError
from service.runtime import runtime
from service.store import handle_fields as stored
from service.store.handle_fields import Field

handle_fields = Noun(
    "handle_fields",
    "Fields of a CRM's contacts that hold social handles: found by their names, or chosen.",
    path="/connections",
)


class HandleFieldSchema(Schema):
    name = Text(metadata=about("As the CRM's API calls it."))
    label = Text(metadata=about("As the CRM shows it."))
    network = Text(metadata=about("Whose handles it holds; * is any network's; empty: it holds none."))
    chosen = Flag(metadata=about("Somebody chose this; otherwise it was told from the name."))


class HandleFieldsSchema(Schema):
    items = fields.List(fields.Nested(HandleFieldSchema), required=True)


class HandleFieldsBody(Schema):
    """What fields hold, by name; fields that are not named stay as they are."""

    class Meta:
        unknown = RAISE

    fields_ = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 200)),
        values=fields.String(validate=validate.Length(0, 60)),
        required=True,
        data_key="fields",
    )


_NONE = {404: "No such CRM connection."}


@handle_fields.get("/<uuid:connection_id>/handle-fields", returns=HandleFieldsSchema, also=_NONE)
def index(connection_id: UUID) -> Response:
    """List the fields of a CRM that can hold handles"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        return _answer(stored.of_connection(session, who.workspace_id, connection_id))


@handle_fields.patch(
    "/<uuid:connection_id>/handle-fields", body=HandleFieldsBody, returns=HandleFieldsSchema, also=_NONE
)
def change(body: dict[str, Any], connection_id: UUID) -> Response:
    """Choose what fields hold; contacts are read anew"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        try:
            found = stored.choose(session, who.workspace_id, connection_id, body["fields_"], by=who.actor)
        except PlainError as error:
            refuse(422, str(error))
        return _answer(found)


def _answer(found: Sequence[Field] | None) -> Response:
    if found is None:
        missing("CRM connection")
    names = ("name", "label", "network", "chosen")
    return answer({"items": [{name: getattr(each, name) for name in names} for each in found]})
