"""What came of comparing networks, our tables and CRMs while everything runs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Identified, Tenant


class Comparison(Tenant, Base):
    """The last comparison of one connection."""

    __tablename__ = "comparisons"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
    )

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]  # real time
    compared: Mapped[int]  # things that were looked at on both sides
    why_not: Mapped[str] = mapped_column(Text, default="")  # a sentence, where nothing could be compared


class Difference(Tenant, Identified, Base):
    """Something that stands otherwise there than here. Ids alone: what it says is told by its kind."""

    __tablename__ = "differences"
    __table_args__ = (
        UniqueConstraint("workspace_id", "connection_id", "kind", "subject"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
        Index("ix_differences_standing", "workspace_id", "connection_id", postgresql_where=text("gone_at IS NULL")),
    )

    connection_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)  # see `service.comparing`
    subject: Mapped[str] = mapped_column(Text)  # post:<id>, task:<id>, or post: and task: with the other side's own id
    found_at: Mapped[datetime]  # real time, as the others
    seen_at: Mapped[datetime]  # when it was seen last
    times: Mapped[int] = mapped_column(default=1, server_default="1")  # how often in a row
    gone_at: Mapped[datetime | None]  # None: it stands
