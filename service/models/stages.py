"""Where relationships have come, and when."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Below


class StageChange(Below, Base):
    """A relationship came to a stage. Everybody begins as aware: that is no change."""

    __tablename__ = "stage_changes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "relationship_id"], ["relationships.workspace_id", "relationships.id"], ondelete="CASCADE"
        ),
    )

    relationship_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)  # of what brought it there: a post, a call, a meeting
    stage: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)  # a sentence
