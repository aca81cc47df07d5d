"""Brands, connections, their credentials and streams, and what is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Created, Identified, Tenant


class Brand(Tenant, Identified, Created, Base):
    """The "us" of a conversation."""

    __tablename__ = "brands"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    name: Mapped[str] = mapped_column(Text)
    crm_connection_id: Mapped[UUID | None]  # bound to this CRM alone; None: whichever CRM the contact lives in
    colleagues: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=list, server_default="{}"
    )  # "x:handle", lower case
    # Their ids, by the same names (see `service.store.us`), as soon as they are known: where profiles are paid for, a post comes with its author's id alone.
    colleague_ids: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class Settings(Tenant, Created, Base):
    """One version of a workspace's settings. Never changed: a change is a new version."""

    __tablename__ = "settings"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    values: Mapped[dict[str, Any]]
    changed_by: Mapped[str] = mapped_column(Text)  # user:<id>, key:<id>, system


class Connection(Tenant, Identified, Created, Base):
    """One authorised account on one provider."""

    __tablename__ = "connections"
    __table_args__ = (
        UniqueConstraint("workspace_id", "provider", "host", "account_id"),
        ForeignKeyConstraint(["workspace_id", "brand_id"], ["brands.workspace_id", "brands.id"], ondelete="CASCADE"),
        Index("ix_connections_due", "next_push_at", postgresql_where=text("next_push_at IS NOT NULL")),
        Index("ix_connections_leased", "push_lease_until", postgresql_where=text("push_lease_until IS NOT NULL")),
    )

    brand_id: Mapped[UUID | None]  # None: a CRM that serves every brand
    provider: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)  # social, crm
    host: Mapped[str] = mapped_column(Text, default="")
    account_id: Mapped[str] = mapped_column(Text)
    handle: Mapped[str] = mapped_column(Text, default="")
    name: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(Text, default="")
    handle_at: Mapped[
        datetime | None
    ]  # business time: when it went by this handle. What is older does not change it back
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what `prepare` returned
    way: Mapped[str] = mapped_column(Text, default="", server_default="")  # it came in by: see `integrations.consents`
    # active, needs_reauth, leaving (its open tasks are being withdrawn), disconnected
    status: Mapped[str] = mapped_column(Text, default="active")
    status_reason: Mapped[str] = mapped_column(Text, default="")
    status_at: Mapped[datetime | None]  # since when; what was frozen is active anew when it goes on
    preview: Mapped[bool] = mapped_column(default=False)  # a CRM: nothing is written until somebody approves
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    connected_by: Mapped[UUID | None]
    responder_email: Mapped[str] = mapped_column(Text, default="")  # gets what waits on this account
    # Who got it while the account was another brand's, by that brand's id: what it brought then still goes to them.
    former_responders: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    ready_at: Mapped[datetime | None]  # every stream has been pulled once
    next_push_at: Mapped[datetime | None]
    push_lease_id: Mapped[UUID | None]
    push_lease_until: Mapped[datetime | None]
    push_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    push_error: Mapped[str] = mapped_column(Text, default="", server_default="")
    # A CRM, after a backup was restored: what came to wait before `restored_at` may have been written there since `restored_from`.
    restored_from: Mapped[datetime | None]
    restored_at: Mapped[datetime | None]
    missing_steps: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # sentences of `Provider.check`
    checked_at: Mapped[datetime | None]
    receipt: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # of leaving without a trace
    paused_at: Mapped[datetime | None]  # a person paused it: nothing is read or written
    paused_reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    monthly_ceiling: Mapped[int | None]  # US dollars that reading may cost in a month; None: the workspace's alone
    allowance: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # what its clients left of it


class Credential(Tenant, Base):
    """A connection's sealed credentials. `version` goes up with every store; a refresh is claimed by a lease."""

    __tablename__ = "credentials"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
    )

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(default=1)
    expires_at: Mapped[datetime | None]  # of the access token; None: does not expire
    refresh_lease_id: Mapped[UUID | None]
    refresh_lease_until: Mapped[datetime | None]
    # Since when a refresh is out of which no answer is stored: if the provider then refuses, that one has most likely spent the token.
    unanswered_since: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class Stream(Tenant, Identified, Base):
    """One thing pulled from a connection, with its cursor and health. A row whose `next_pull_at` is past is due."""

    __tablename__ = "streams"
    __table_args__ = (
        UniqueConstraint("workspace_id", "connection_id", "name"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
        Index("ix_streams_due", "next_pull_at", postgresql_where=text("next_pull_at IS NOT NULL")),
        Index("ix_streams_leased", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
        Index("ix_streams_urgent", "next_pull_at", postgresql_where=text("urgent AND next_pull_at IS NOT NULL")),
        # What is looked at when somebody asks how all of it is: few rows, unless much is wrong.
        Index(
            "ix_streams_troubled",
            "workspace_id",
            "connection_id",
            postgresql_where=text("failures > 0 OR status = 'stopped' OR waits_for <> ''"),
        ),
    )

    connection_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    cursor: Mapped[str | None] = mapped_column(Text)
    next_pull_at: Mapped[datetime | None]
    lease_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(Text, default="active")  # active, stopped
    first_done_at: Mapped[datetime | None]
    last_pulled_at: Mapped[datetime | None]  # the last pull that succeeded
    last_item_at: Mapped[datetime | None]  # when the last new item arrived here
    items: Mapped[int] = mapped_column(default=0, server_default="0")
    reads: Mapped[dict[str, Any]] = mapped_column(default=dict)  # billed reads by price name
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str] = mapped_column(Text, default="")
    error_at: Mapped[datetime | None]
    notes: Mapped[list[Any]] = mapped_column(default=list)
    # `integrations.records.Budget` as the provider told it last, and `at`; empty: it never did.
    budget: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    waits_for: Mapped[str] = mapped_column(Text, default="", server_default="")  # rate_limit, ceiling
    limited_at: Mapped[datetime | None]  # when the provider last asked us to wait
    served_at: Mapped[datetime | None]  # when it last served anything that belongs here, new or known
    urgent: Mapped[bool] = mapped_column(default=False, server_default="false")  # somebody waits: claimed first


class WorkspaceSchedule(Base):
    """When a workspace's next decision is due. One row per workspace; the lease makes one decider at a time."""

    __tablename__ = "workspace_schedule"
    __table_args__ = (
        Index("ix_workspace_schedule_due", "decide_at", postgresql_where=text("decide_at IS NOT NULL")),
        Index("ix_workspace_schedule_leased", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
        ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
    )

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    decide_at: Mapped[datetime | None]  # business time
    lease_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
