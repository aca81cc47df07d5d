"""What a task's wording and routing need: contacts, whose they are, and which CRM a task goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from msgspec import Struct
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
AWAY = Held(
    "The CRM that this brand is bound to is not connected for it. Connect it again, or bind the brand to another."
)


class Known(Struct, frozen=True):
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
    left: Collection[UUID] = ()  # CRMs that were left without a trace: what stands there is history

    def place(self, brand_id: UUID, contact: Known | None) -> UUID | Held:
        """Where a task about this person goes: to the CRM that the brand is bound to, else to the one where the contact lives, else to
        the only one there is. Never to one that serves another brand alone."""
        if contact is not None and self.shows(brand_id, contact):
            return contact.connection_id
        open_to = [crm for crm in self.serves if self._open(brand_id, crm)]
        if len(open_to) == 1:
            return open_to[0]
        return AWAY if self.bound.get(brand_id) else SEVERAL if open_to else NO_CRM

    def shows(self, brand_id: UUID, contact: Known) -> bool:
        """Whether this brand may know of the contact, and its CRM can be written to (see `service.store.knowing`)."""
        return self._open(brand_id, contact.connection_id)

    def is_anothers(self, brand_id: UUID, crm: UUID | None) -> bool:
        """Whether this CRM serves another brand alone by now: it is told nothing more of this one's talks."""
        return self.serves.get(crm) not in (None, brand_id) if crm else False

    def _open(self, brand_id: UUID, crm: UUID) -> bool:
        return crm in self.serves and not self.is_anothers(brand_id, crm) and self.bound.get(brand_id) in (None, crm)


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
    was_left = select(Connection.id).where(
        Connection.workspace_id == workspace_id, Connection.status == "disconnected", Connection.receipt != {}
    )
    owners: dict[UUID, list[OwnerRef]] = defaultdict(list)
    for row in session.execute(
        select(Owner.connection_id, Owner.native_id, Owner.email, Owner.name, Owner.active)
        .where(Owner.workspace_id == workspace_id)
        .order_by(Owner.native_id)
    ):
        owners[row[0]].append(OwnerRef(row[1], row[2], row[3], row[4]))
    return Directory(bound, serves, owners, frozenset(session.scalars(was_left)))


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
