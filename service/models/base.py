"""What all tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, MetaData, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.ids import new_id

KEY = Text(collation="C")  # compared byte by byte: keys are normalised already, and a locale's rules cost time


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[Any]: JSONB, UUID: Uuid}  # noqa: RUF012


class Tenant:
    """A tenant's table: its key begins with the workspace, and row-level security is forced on it."""

    workspace_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True, sort_order=-3
    )


class Below(Tenant):
    """A table of many rows, each below one of another tenant's table, whose foreign key leads to the workspace already: a
    second one would be looked up for every row, and say nothing more."""

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-3)


class Identified:
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-2)


class Created:
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=90)
