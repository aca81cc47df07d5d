"""People's rights: what was asked for, how far it has come, and the list that keeps whoever is on it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Below, Created, Identified, Tenant


class PersonRequest(Tenant, Identified, Created, Base):
    """Somebody asked to be erased, or objects to being judged. Rows hold ids of ours, counts and sentences: no name, handle or
    address. One with `next_at` is to be worked on then."""

    __tablename__ = "person_requests"
    __table_args__ = (
        Index("ix_person_requests_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("ix_person_requests_leased", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
    )

    kind: Mapped[str] = mapped_column(Text)  # erase, object
    state: Mapped[str] = mapped_column(Text)  # under_way, done, lifted
    person: Mapped[str] = mapped_column(Text)  # contact:<id> or author:<id>, as it was asked for
    author_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    contact_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    task_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), default=list
    )  # what is said of them to CRMs is waited for
    asked_by: Mapped[str] = mapped_column(Text)  # user:<id>, key:<id>, system
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what went so far, by table
    receipt: Mapped[list[Any]] = mapped_column(default=list)  # sentences: what went, what stays where and why
    next_at: Mapped[datetime | None]  # real time
    lease_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class SuppressionKey(Tenant, Base):
    """The key of a workspace's list, sealed. Made with the first entry; without it nobody can tell who is on the list."""

    __tablename__ = "suppression_keys"

    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Suppression(Below, Base):
    """One thing by which somebody on the list is recognised (a network's id, a handle, an address), as a keyed hash."""

    __tablename__ = "suppressions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "request_id"], ["person_requests.workspace_id", "person_requests.id"], ondelete="CASCADE"
        ),
        Index("ix_suppressions_request", "workspace_id", "request_id"),
    )

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # HMAC-SHA256
    request_id: Mapped[UUID]
