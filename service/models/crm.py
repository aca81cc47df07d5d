"""What the CRM knows (contacts, owners, activities), matches, and the tasks we keep there."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import KEY, Base, Below, Created, Identified, Tenant


class Contact(Below, Identified, Created, Base):
    """A person or company mirrored from a CRM."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("workspace_id", "connection_id", "native_id"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
        Index("ix_contacts_filed", "workspace_id", "filed_version"),
        Index("ix_contacts_deleted", "workspace_id", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    connection_id: Mapped[UUID]
    native_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, default="")
    company: Mapped[str] = mapped_column(Text, default="")
    owner_id: Mapped[str | None] = mapped_column(Text)  # the CRM's
    fields: Mapped[dict[str, Any]]  # the rest of integrations.records.Contact
    updated_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    objected_at: Mapped[datetime | None]  # they asked never to be judged: see `service.objecting`
    # Every key and counted token that stands for it in contact_keys and key_counts, by the rules of `filed_version`.
    filed: Mapped[list[str]] = mapped_column(ARRAY(KEY), default=list, server_default="{}")
    filed_version: Mapped[int] = mapped_column(default=0, server_default="0")


class Owner(Tenant, Identified, Base):
    """Somebody who can own records in a CRM."""

    __tablename__ = "owners"
    __table_args__ = (
        UniqueConstraint("workspace_id", "connection_id", "native_id"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
    )

    connection_id: Mapped[UUID]
    native_id: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text, default="")
    name: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)


class Activity(Tenant, Identified, Base):
    """A call, meeting, e-mail, text or note that the CRM has logged or planned."""

    __tablename__ = "activities"
    __table_args__ = (
        UniqueConstraint("workspace_id", "connection_id", "kind", "native_id"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
        Index(
            "ix_activities_busy",
            "workspace_id",
            "connection_id",
            "owner_id",
            "ends_at",
            postgresql_where=text("kind = 'meeting'"),
        ),
        Index("ix_activities_deleted", "workspace_id", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    connection_id: Mapped[UUID]
    native_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    direction: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime | None]


class ActivityContact(Below, Base):
    """Whom an activity was with, by the CRM's ids: the contact may arrive after it."""

    __tablename__ = "activity_contacts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "activity_id"], ["activities.workspace_id", "activities.id"], ondelete="CASCADE"
        ),
        Index("ix_activity_contacts_activity", "workspace_id", "activity_id"),
    )

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    contact_native_id: Mapped[str] = mapped_column(Text, primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(primary_key=True)


class Match(Below, Identified, Created, Base):
    """Author to contact. What a person decided (`decided_by` starts with user: or key:) the rules never change. An author is one
    person, and so at most one contact in each CRM."""

    __tablename__ = "matches"
    __table_args__ = (
        UniqueConstraint("workspace_id", "author_id", "contact_id"),
        Index(
            "uq_matches_confirmed",
            "workspace_id",
            "author_id",
            "connection_id",
            unique=True,
            postgresql_where=text("state = 'confirmed'"),
        ),
        Index("ix_matches_contact", "workspace_id", "contact_id"),
        Index("ix_matches_state", "workspace_id", "state", "id"),
        Index(
            "ix_matches_decided",
            "workspace_id",
            "connection_id",
            "pattern",
            postgresql_where=text("decided_by <> 'rules'"),
        ),
        Index(
            "ix_matches_pattern",
            "workspace_id",
            "connection_id",
            "pattern",
            postgresql_where=text("state = 'confirmed'"),
        ),
        Index(
            "ix_matches_handle",
            "workspace_id",
            "connection_id",
            "id",
            postgresql_where=text("state = 'confirmed' AND handle_state = ''"),
        ),
        ForeignKeyConstraint(["workspace_id", "author_id"], ["authors.workspace_id", "authors.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["workspace_id", "contact_id"], ["contacts.workspace_id", "contacts.id"], ondelete="CASCADE"
        ),
    )

    author_id: Mapped[UUID]
    contact_id: Mapped[UUID]
    connection_id: Mapped[
        UUID
    ]  # the contact's CRM, for the index alone: whatever may be shown is read from the contact
    state: Mapped[str] = mapped_column(Text)  # suggested, confirmed, rejected
    score: Mapped[float]
    evidence: Mapped[list[Any]]
    rules_version: Mapped[int]
    decided_by: Mapped[str] = mapped_column(Text, default="rules")  # rules, user:<id>, key:<id>
    decided_at: Mapped[datetime]
    pattern: Mapped[str] = mapped_column(Text, default="", server_default="")  # kinds of evidence that speak for it
    # Whether the handle was written back to the CRM: "" (to be seen to), written, kept (the CRM has one), refused.
    handle_state: Mapped[str] = mapped_column(Text, default="", server_default="")
    handle_detail: Mapped[str] = mapped_column(Text, default="", server_default="")


class Task(Below, Identified, Created, Base):
    """What should exist in the CRM because of a finding, what does, and why they differ.

    `wanted` is what the rules and people want; `state` is what the CRM has, as far as we know. A task with
    `push_at` is to be pushed then; one with `held_reason` is visible here and not in the CRM.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("workspace_id", "key"),
        ForeignKeyConstraint(["workspace_id", "brand_id"], ["brands.workspace_id", "brands.id"], ondelete="CASCADE"),
        Index(
            "ix_tasks_push",
            "workspace_id",
            "crm_connection_id",
            "push_at",
            postgresql_where=text("push_at IS NOT NULL"),
        ),
        Index(
            "ix_tasks_conversation",
            "workspace_id",
            "conversation_id",
            postgresql_where=text("conversation_id IS NOT NULL"),
        ),
        Index(
            "ix_tasks_relationship",
            "workspace_id",
            "relationship_id",
            postgresql_where=text("relationship_id IS NOT NULL"),
        ),
        Index(
            "ix_tasks_external",
            "workspace_id",
            "crm_connection_id",
            "external_id",
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index("ix_tasks_list", "workspace_id", "created_at", "id"),
        Index(
            "ix_tasks_open_person",
            "workspace_id",
            "person",
            postgresql_where=text("wanted = 'open'"),
        ),
        Index("ix_tasks_given", "workspace_id", "admitted_at", postgresql_where=text("admitted_at IS NOT NULL")),
        Index("ix_tasks_parked", "workspace_id", "parked_at", postgresql_where=text("parked_at IS NOT NULL")),
        Index("ix_tasks_run", "workspace_id", "run_id", postgresql_where=text("run_id IS NOT NULL")),
        Index("ix_tasks_closed", "workspace_id", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
        Index(
            "ix_tasks_waiting",
            "workspace_id",
            "held_until",
            postgresql_where=text("wanted = 'open' AND external_id IS NULL AND push_at IS NULL"),
        ),
        # Room on each page: a task that is about to be sent is noted beside itself, and no index has to be told.
        {"postgresql_with": {"fillfactor": 80}},
    )

    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)  # unanswered, ready_for_call
    brand_id: Mapped[UUID]
    person: Mapped[str] = mapped_column(Text)  # contact:<id> or author:<id>
    author_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    conversation_id: Mapped[UUID | None]
    relationship_id: Mapped[UUID | None]
    crm_connection_id: Mapped[UUID | None]  # None: no CRM yet
    wanted: Mapped[str] = mapped_column(Text)  # open, completed, withdrawn
    state: Mapped[str] = mapped_column(Text)  # absent, open, completed, withdrawn, unknown, parked
    content: Mapped[dict[str, Any]]  # subject, body, due_at, owner_id, contact_native_id, high_priority
    written: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the same, as last written to the CRM
    # Contents that a call may have written there, whose answer never came, the oldest first.
    sent: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    edited: Mapped[list[Any]] = mapped_column(
        default=list
    )  # fields that a person changed in the CRM: theirs; "status": it was opened again
    # Whether words were taken out of it at their source that may still stand in the CRM.
    redacted: Mapped[bool] = mapped_column(default=False, server_default="false")
    reasons: Mapped[list[Any]]
    urgency: Mapped[int]
    since: Mapped[datetime]  # when the wait began
    due_at: Mapped[datetime]
    held_reason: Mapped[str] = mapped_column(Text, default="")
    held_until: Mapped[datetime | None]
    run_id: Mapped[UUID | None]  # the run that altered it and has not been let through: nothing of it is pushed
    push_at: Mapped[datetime | None]  # business time
    external_id: Mapped[str | None] = mapped_column(Text)
    external_url: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[str] = mapped_column(Text, default="")  # the CRM's sentence when it refused
    maybe_sent_at: Mapped[datetime | None]
    # When it was last sent that it is to be taken away there, where it is not known yet that it outlived that: if it is gone, it may have been us.
    withdrawing_at: Mapped[datetime | None]
    # When the daily cap lets it through (business time): not before its owner is free.
    admitted_at: Mapped[datetime | None]
    trial: Mapped[str] = mapped_column(Text, default="", server_default="")  # of a call: given or held_back, to compare
    trial_at: Mapped[datetime | None]  # since when (business time)
    written_at: Mapped[datetime | None]  # when we last wrote it to the CRM
    pushed_at: Mapped[datetime | None]  # first stood in the CRM
    parked_at: Mapped[datetime | None]  # since when the CRM refuses it: nothing is tried again by itself
    # When it would have stood in the CRM had everything been read and done at once (business time); None: it was held back
    # on purpose, or nobody can say.
    ripe_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(Text, default="")  # rules, crm, user:<id>, key:<id>
    close_reason: Mapped[str] = mapped_column(Text, default="")
    erased_at: Mapped[
        datetime | None
    ]  # its person or its time is past: nothing of its text is kept, or taken from the CRM
    settings_version: Mapped[int]
    rules_version: Mapped[int]
    decided_at: Mapped[datetime]


class TaskAuthor(Below, Base):
    """An author whose words a call task may hold, here, in the CRM or in what undoing a run brings back. Never fewer while the task
    may say something: the matches by which they came together may be gone when their words have to go."""

    __tablename__ = "task_authors"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "task_id"], ["tasks.workspace_id", "tasks.id"], ondelete="CASCADE"),
        Index("ix_task_authors_author", "workspace_id", "author_id"),
    )

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(primary_key=True)


class IdempotencyKey(Tenant, Created, Base):
    """The answer that was given to a write, so that a repeat gets the same one. Kept a day."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_age", "workspace_id", "created_at"),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None]  # None: still under way
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # the answer: it holds names, texts and consent links
