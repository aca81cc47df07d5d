"""Runs: one change of settings or rules, and what it altered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Created, Identified, Tenant


class Run(Tenant, Identified, Created, Base):
    """Everything that was decided before is decided again, because the settings or the rules are others. Verdicts on what
    was said since are no part of it."""

    __tablename__ = "runs"

    kind: Mapped[str] = mapped_column(Text)  # first, settings, rules, undo
    state: Mapped[str] = mapped_column(Text)  # deciding, passed, held, approved, undone, superseded
    settings_version: Mapped[int]
    rules_version: Mapped[int]
    from_settings_version: Mapped[int]
    from_rules_version: Mapped[int]
    started_by: Mapped[str] = mapped_column(Text)  # user:<id>, key:<id>, system
    decided_by: Mapped[str] = mapped_column(Text, default="")  # who approved or undid it
    decided_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # by CRM: how many tasks it creates, withdraws, changes


class RunChange(Tenant, Base):
    """One task that a run altered, as it was before."""

    __tablename__ = "run_changes"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "run_id"], ["runs.workspace_id", "runs.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["workspace_id", "task_id"], ["tasks.workspace_id", "tasks.id"], ondelete="CASCADE"),
        Index("ix_run_changes_task", "workspace_id", "task_id"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    before: Mapped[dict[str, Any]]  # {}: it was not there
    kept_at: Mapped[datetime]  # as `Conversation.news_at`: PostgreSQL's clock, before what was decided by was read
