"""What shields people: calendar feeds with the busy times read from them, and rules that give less because they tire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Below, Created, Identified, Tenant


class CalendarFeed(Tenant, Identified, Created, Base):
    """The calendar of one owner. Its address is a secret: sealed, and shown by its host alone."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        UniqueConstraint("workspace_id", "email", "address_hash"),
        Index("ix_calendar_feeds_due", "next_fetch_at", postgresql_where=text("next_fetch_at IS NOT NULL")),
        Index("ix_calendar_feeds_leased", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
    )

    email: Mapped[str] = mapped_column(Text)  # the owner's, lower case: whoever has it in any CRM
    host: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)  # the address
    address_hash: Mapped[bytes] = mapped_column(LargeBinary)  # so that it is not added twice
    added_by: Mapped[str] = mapped_column(Text)  # user:<id>, key:<id>
    next_fetch_at: Mapped[datetime | None]
    lease_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]  # real time, as is the next
    fetched_at: Mapped[datetime | None]  # when it was last read whole; what it said then stands until it is read again
    covers_until: Mapped[datetime | None]  # business time: busy times are known up to here
    left_out: Mapped[int] = mapped_column(default=0, server_default="0")  # events that could not be read
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str] = mapped_column(Text, default="", server_default="")


class BusyTime(Below, Base):
    """When the owner of a calendar is busy. Nothing else of an event is kept."""

    __tablename__ = "busy_times"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "feed_id"], ["calendar_feeds.workspace_id", "calendar_feeds.id"], ondelete="CASCADE"
        ),
    )

    feed_id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]


class RuleVolume(Tenant, Base):
    """Whether a rule gives half of what it could, because people mostly dismiss what comes of it."""

    __tablename__ = "rule_volumes"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)  # unanswered, ready_for_call
    slowed_at: Mapped[datetime | None]  # None: it gives in full
    usual: Mapped[int]  # what it gave an owner a day before, of which half is given now
    closed: Mapped[int]  # of the two weeks on which that was decided
    dismissed: Mapped[int]
    changed_at: Mapped[datetime]
