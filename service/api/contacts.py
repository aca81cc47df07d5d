"""Contacts: people and companies mirrored from the CRM."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from service.api import matches
from service.api.answers import Flag, Id, Instant, PageQuery, Text, Texts, about, answer, listed, page_of, window
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing
from service.runtime import runtime
from service.store import listing, paging
from service.store.paging import Row

contacts = Noun("contacts", "People and companies mirrored from a CRM: the fields that matching and wording need.")


class HandleSchema(Schema):
    """A social handle that the CRM keeps on file."""

    network = Text(allow_none=True, metadata=about("The provider's key, where the field's name tells it."))
    value = Text()


class ContactSchema(Schema):
    id = Id()
    connection_id = Id()
    native_id = Text(metadata=about("The CRM's own id."))
    name = Text()
    company = Text()
    title = Text()
    emails = Texts()
    phones = Texts()
    website = Text()
    city = Text()
    region = Text()
    country = Text()
    owner_id = Text(allow_none=True, metadata=about("The CRM's id of whoever owns the contact."))
    handles = fields.List(fields.Nested(HandleSchema), required=True)
    lifecycle = Text(metadata=about("In the CRM's words."))
    do_not_call = Flag()
    unsubscribed = Flag()
    url = Text(metadata=about("The contact's page in the CRM."))
    updated_at = Instant(allow_none=True)


class ContactDetailSchema(ContactSchema):
    matches = fields.List(
        fields.Nested(matches.MatchSchema),
        required=True,
        metadata=about("Authors who are, may be, or are not this contact; the newest 50."),
    )


class ContactQuery(PageQuery):
    connection_id = fields.UUID()


_COLUMNS = ("id", "connection_id", "native_id", "name", "company", "owner_id", "updated_at")
_FIELDS = tuple(name for name in ContactSchema._declared_fields if name not in _COLUMNS)
# A contact that was mirrored before a field existed has no value for it.
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(_FIELDS, ""),
    **{name: [] for name in ("emails", "phones", "handles")},
    **dict.fromkeys(("do_not_call", "unsubscribed"), False),
}


def dump(row: Row) -> Row:
    """A row of `listing.contacts` as the API shows it."""
    inside = row["fields"]
    return {
        **{name: row[name] for name in _COLUMNS},
        **{name: inside.get(name, _EMPTY[name]) for name in _FIELDS},
    }


@contacts.get("", query=ContactQuery, returns=page_of(ContactSchema))
def index(query: dict[str, Any]) -> Response:
    """List contacts that the CRM still has, newest here first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = listing.contacts(session, who.workspace_id, filters=filters, **page)
    return listed(rows, cursor, dump)


@contacts.get("/<uuid:contact_id>", returns=ContactDetailSchema, also={404: "No such contact."})
def show(contact_id: UUID) -> Response:
    """One contact with its matches"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = paging.one(session, who.workspace_id, listing.CONTACTS, contact_id)
        if row is None:
            missing("contact")
        found, _ = listing.matches(session, who.workspace_id, filters={"contact_id": contact_id})
    return answer({**dump(row), "matches": [matches.dump(each) for each in found]})
