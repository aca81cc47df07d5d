"""What a task's wording and routing need: contacts, whose they are, and which CRM a task goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.records import Contact as ContactRecord
from service.db import raw
from service.models import Brand, Connection, Owner
from service.rules.model import Held, OwnerRef
from service.store.contact_json import contact_record
from service.store.rows import execute

NO_CRM = Held("No CRM is connected yet. Connect one, and this goes there.")
SEVERAL = Held("No CRM knows this person and several are connected. Bind the brand to one of them.")


@dataclass(frozen=True, slots=True)
class Known:
    """A contact, and where it lives."""

    id: UUID
    native_id: str
    connection_id: UUID
    record: ContactRecord


@dataclass(frozen=True)
class Directory:
    """The CRMs of a workspace as decisions see them."""

    bound: Mapping[UUID, UUID | None]  # brand -> the CRM that it is bound to
    serves: Mapping[UUID, UUID | None]  # active CRM -> the only brand that it serves (None: every brand)
    owners: Mapping[UUID, Sequence[OwnerRef]] = field(default_factory=dict)  # CRM -> who can be given tasks there

    def place(self, brand_id: UUID, contact: Known | None) -> UUID | Held:
        """Where a task about this person goes: to the CRM where the contact lives, else to the brand's, else to the only
        one there is."""
        if contact is not None and self.shows(brand_id, contact):
            return contact.connection_id
        bound = self.bound.get(brand_id)
        if bound in self.serves and bound is not None:
            return bound
        open_to = [crm for crm, brand in self.serves.items() if brand in (None, brand_id)]
        if len(open_to) == 1:
            return open_to[0]
        return SEVERAL if open_to else NO_CRM

    def shows(self, brand_id: UUID, contact: Known) -> bool:
        """Whether this brand may know of the contact: a CRM that serves another brand alone is none of its business."""
        return contact.connection_id in self.serves and self.serves[contact.connection_id] in (None, brand_id)


def directory(session: Session, workspace_id: UUID) -> Directory:
    """The workspace's CRMs, brands and owners."""
    bound = {
        row[0]: row[1]
        for row in session.execute(select(Brand.id, Brand.crm_connection_id).where(Brand.workspace_id == workspace_id))
    }
    serves = {
        row[0]: row[1]
        for row in session.execute(
            select(Connection.id, Connection.brand_id)
            .where(
                Connection.workspace_id == workspace_id,
                Connection.kind == "crm",
                Connection.status.not_in(("leaving", "disconnected")),
            )
            .order_by(Connection.id)
        )
    }
    owners: dict[UUID, list[OwnerRef]] = defaultdict(list)
    for row in session.execute(
        select(Owner.connection_id, Owner.native_id, Owner.email, Owner.name, Owner.active)
        .where(Owner.workspace_id == workspace_id)
        .order_by(Owner.native_id)
    ):
        owners[row[0]].append(OwnerRef(row[1], row[2], row[3], row[4]))
    return Directory(bound, serves, owners)


def owners_by_email(session: Session, workspace_id: UUID, emails: Iterable[str]) -> dict[tuple[str, str], str]:
    """The e-mail (lower case) of every owner who has one of these, by CRM connection and their id there."""
    wanted = sorted(set(emails))
    if not wanted:
        return {}
    rows = execute(
        raw(session),
        "SELECT connection_id::text, native_id, email FROM owners WHERE workspace_id = %(w)s AND email = ANY(%(emails)s)",
        {"w": workspace_id, "emails": wanted},
    )
    return {(connection, native): email for connection, native, email in rows}


def contacts(session: Session, workspace_id: UUID, ids: Iterable[UUID]) -> dict[UUID, Known]:
    """These contacts, without those that were deleted."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = execute(
        raw(session),
        "SELECT id, native_id, connection_id, fields, updated_at FROM contacts WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)"
        " AND deleted_at IS NULL",
        {"w": workspace_id, "ids": wanted},
    )
    return {row[0]: Known(row[0], row[1], row[2], contact_record(row[3], row[4])) for row in rows}
