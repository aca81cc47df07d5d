"""What is counted for whoever runs Warmline: global, and without anything of a workspace's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base


class Freshness(Base):
    """How many tasks of one kind came to stand in a CRM in five minutes, and how many of them later than the objective says."""

    __tablename__ = "freshness"

    slot: Mapped[datetime] = mapped_column(primary_key=True)  # when the five minutes began, in real time
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    tasks: Mapped[int]
    late: Mapped[int]
