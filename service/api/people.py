"""How authors, contacts and owners stand in other resources."""

from __future__ import annotations

from marshmallow import Schema

from service.api.answers import Id, Text, about
from service.store.paging import Row


class AuthorSchema(Schema):
    """The network identity that wrote something."""

    id = Id()
    provider = Text()
    handle = Text()
    name = Text()
    url = Text(metadata=about("The profile's page on the network."))


class ContactRefSchema(Schema):
    """A contact in the CRM."""

    id = Id()
    name = Text()
    company = Text()
    url = Text(allow_none=True, metadata=about("The contact's page in the CRM."))


def author(row: Row) -> Row | None:
    """The author that the columns author_* of a row hold."""
    if row["author_id"] is None:
        return None
    return {
        "id": row["author_id"],
        "provider": row["provider"],
        "handle": row["author_handle"],
        "name": row["author_name"],
        "url": row["author_url"],
    }


def contact(row: Row) -> Row | None:
    """The contact that the columns contact_* of a row hold."""
    if row["contact_id"] is None:
        return None
    return {
        "id": row["contact_id"],
        "name": row["contact_name"] or "",
        "company": row["contact_company"] or "",
        "url": row["contact_url"] or None,
    }
