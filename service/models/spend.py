"""What reading costs: the ledger, what is set aside for calls under way, and providers that are frozen.

Money is whole millionths of a US dollar, so that sums are exact. Days and months are UTC's, as vendors bill.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Below, Created, Tenant


def _of_connection() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
    )


class Spend(Below, Base):
    """What one connection bought on one day, under one price."""

    __tablename__ = "spend"
    __table_args__ = (_of_connection(), Index("ix_spend_day", "workspace_id", "day"), Index("ix_spend_month", "day"))

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)  # of the price
    reads: Mapped[int] = mapped_column(default=0, server_default="0")  # distinct things that were charged
    micros: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class SpendMonth(Tenant, Base):
    """What a whole workspace bought in one month. Its row is what two workers wait for at the ceiling."""

    __tablename__ = "spend_months"

    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    micros: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class SpendHold(Below, Base):
    """What one stream's call under way may cost at most. A stream has one call under way, so the next one takes its place."""

    __tablename__ = "spend_holds"
    __table_args__ = (_of_connection(),)

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)  # of the price
    day: Mapped[date]
    reads: Mapped[int]
    micros: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]


class Bought(Tenant, Base):
    """A thing that was bought on a day: what is read again on it is not charged again. Kept for a few days."""

    __tablename__ = "bought"

    place: Mapped[str] = mapped_column(Text, primary_key=True)  # provider, and its server where it has many
    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)  # of the price
    resource: Mapped[str] = mapped_column(Text, primary_key=True)


class ProviderFreeze(Created, Base):
    """A provider that is frozen, for everybody here: nothing is read from it or written to it."""

    __tablename__ = "provider_freezes"

    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
