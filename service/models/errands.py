"""What is done for a whole workspace now and then, and workspaces that are being left."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Created, Identified, Tenant


class Errand(Tenant, Identified, Base):
    """Something that is done for a workspace as a whole. One whose `next_at` is past is due."""

    __tablename__ = "errands"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index("ix_errands_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("ix_errands_leased", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
    )

    name: Mapped[str] = mapped_column(Text)  # compare, depart, farewell, keep
    next_at: Mapped[datetime | None]  # real time
    lease_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    # keep: profiles are being looked through, and this is the last one that was; None: all of them. And when that was.
    looked_to: Mapped[UUID | None]
    looked_at: Mapped[datetime | None]


class Departure(Created, Base):
    """A workspace that is to be deleted, is being deleted, or was. A global table, since its receipt outlives the workspace: ids,
    counts and sentences of ours, nobody's name."""

    __tablename__ = "departures"

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # of the link under which the receipt is read
    asked_by: Mapped[str] = mapped_column(Text)  # user:<id>, operator
    purge: Mapped[bool]  # our tasks in the CRMs go first
    delete_at: Mapped[datetime]  # real time; until then it can be undone
    begun_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # rows deleted so far, by table
    lines: Mapped[list[Any]] = mapped_column(default=list)  # sentences of the receipt
