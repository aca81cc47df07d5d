"""Contacts as they are stored: JSON in `contacts.fields`, and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import to_builtins
from msgspec.json import Decoder

from integrations.records import Contact, Handle

_CONTACT = Decoder(Contact)


def contact_fields(contact: Contact) -> dict[str, Any]:
    """A contact as the JSON of `contacts.fields`. When it changed (`updated_at`) is a column of its own."""
    fields: dict[str, Any] = to_builtins(contact)
    del fields["updated_at"]
    return fields


def contact_record(fields: dict[str, Any], updated_at: datetime | None = None) -> Contact:
    """The contact that this JSON holds."""
    return Contact(
        **{
            **fields,
            "emails": tuple(fields["emails"]),
            "phones": tuple(fields["phones"]),
            "updated_at": updated_at,
            "handles": tuple(Handle(**handle) for handle in fields["handles"]),
        }
    )


def contact_of_text(fields: str) -> Contact:
    """The contact that this JSON holds, straight from its text: for many at once."""
    return _CONTACT.decode(fields)
