"""Writing confirmed handles into contacts and leads (`integrations.handle_writing`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations import handle_writing
from integrations.crm.espocrm import fields
from integrations.crm.espocrm.api import API
from integrations.crm.espocrm.fields import CONTACT, LEAD, Site
from integrations.records import HandleWrite, WriteResult


def write_handles(api: API, site: Site, writes: Sequence[HandleWrite]) -> list[WriteResult]:
    """See `integrations.clients.HandleWriter`."""

    def names(contact_id: str) -> Sequence[tuple[str, str | None]]:
        return site.handle_fields(fields.person(contact_id)[0])

    def read(contact_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for kind in (CONTACT, LEAD):
            ids = [record_id for each, record_id in map(fields.person, contact_ids) if each == kind]
            asked = ("id", *(name for name, _ in site.handle_fields(kind)))
            found |= {fields.person_id(kind, str(row["id"])): row for row in api.read(kind, ids, asked)}
        return found

    def put(contact_id: str, values: Mapping[str, str]) -> None:
        api.update(*fields.person(contact_id), values)

    return handle_writing.write_handles("EspoCRM", writes, names, read, put)
