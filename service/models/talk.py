"""What was said: authors, engagements, conversations, signals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import REAL, BigInteger, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import KEY, Base, Below, Created, Identified, Tenant

# Something of a profile is kept. (What is forgotten stays as a row: whoever looks through all that is known passes it by.)
KNOWN = "handle || name || bio || url || website || location <> ''"


class Author(Tenant, Identified, Created, Base):
    """An identity on a network, under the network's stable id."""

    __tablename__ = "authors"
    __table_args__ = (
        UniqueConstraint("workspace_id", "provider", "host", "native_id"),
        Index("ix_authors_match_due", "workspace_id", "id", postgresql_where=text("match_due")),
        Index("ix_authors_known", "workspace_id", "id", postgresql_where=text(KNOWN)),
    )

    provider: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text, default="")
    native_id: Mapped[str] = mapped_column(Text)
    handle: Mapped[str] = mapped_column(Text, default="")
    former_handles: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=list, server_default="{}"
    )  # lower case, the newest first
    handle_at: Mapped[
        datetime | None
    ]  # business time, of when they were last seen to take it; what is older does not change it
    name: Mapped[str] = mapped_column(Text, default="")
    bio: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(Text, default="")
    website: Mapped[str] = mapped_column(Text, default="")
    location: Mapped[str] = mapped_column(Text, default="")
    bot: Mapped[bool] = mapped_column(default=False, server_default="false")
    followers: Mapped[int | None]
    match_due: Mapped[bool] = mapped_column(default=True, server_default="true")
    filed: Mapped[list[str]] = mapped_column(ARRAY(KEY), default=list, server_default="{}")  # its keys in author_keys
    likely: Mapped[float | None] = mapped_column(REAL)  # the sum of its matches' scores; None: not matched yet
    profile_at: Mapped[datetime | None]  # when the profile was last asked for, where profiles are paid for
    objected_at: Mapped[datetime | None]  # they asked never to be judged: see `service.objecting`
    updated_at: Mapped[datetime]


class AuthorKey(Below, Base):
    """A normalised key under which an author may be found when a contact changes. Kept as `ContactKey` is."""

    __tablename__ = "author_keys"

    key: Mapped[str] = mapped_column(KEY, primary_key=True)
    author_id: Mapped[UUID] = mapped_column(primary_key=True)


class Engagement(Below, Identified, Base):
    """One post that concerns a connection."""

    __tablename__ = "engagements"
    __table_args__ = (
        UniqueConstraint("workspace_id", "connection_id", "native_id"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
        Index("ix_engagements_thread", "workspace_id", "brand_id", "thread"),
        Index("ix_engagements_author", "workspace_id", "author_id", "brand_id"),
        Index(
            "ix_engagements_private",
            "workspace_id",
            "brand_id",
            "in_reply_to_author",
            postgresql_where=text("ours AND kind = 'direct'"),
        ),
        Index(
            "ix_engagements_quotes",
            "workspace_id",
            "brand_id",
            "quotes",
            postgresql_where=text("ours AND quotes IS NOT NULL"),
        ),
        Index("ix_engagements_posted", "workspace_id", "posted_at", "id"),
        Index(
            "ix_engagements_parent_missing", "workspace_id", "connection_id", postgresql_where=text("parent_missing")
        ),
        Index(
            "ix_engagements_recheck",
            "workspace_id",
            "connection_id",
            "checked_at",
            postgresql_where=text("deleted_at IS NULL AND text_erased_at IS NULL"),
        ),
        Index(
            "ix_engagements_kept",
            "workspace_id",
            "connection_id",
            "posted_at",
            postgresql_where=text("deleted_at IS NULL AND text_erased_at IS NULL"),
        ),
    )

    connection_id: Mapped[UUID]
    brand_id: Mapped[UUID]
    native_id: Mapped[str] = mapped_column(KEY)
    kind: Mapped[str] = mapped_column(Text)
    ours: Mapped[bool]  # by an account of this brand
    author_id: Mapped[UUID]
    thread: Mapped[str] = mapped_column(Text)
    in_reply_to: Mapped[str | None] = mapped_column(Text)
    in_reply_to_author: Mapped[str | None] = mapped_column(Text)
    mentions: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    quotes: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(Text)
    is_repost: Mapped[bool] = mapped_column(default=False, server_default="false")
    posted_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    window_closes_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    checked_at: Mapped[datetime]  # when the network last served it, or said how it stands
    asked_at: Mapped[datetime | None]  # when it was last asked for and said nothing
    deleted_at: Mapped[datetime | None]  # gone at its source: the text is erased here
    text_erased_at: Mapped[datetime | None]  # it was kept as long as it may be: the text is erased, the rest stays
    parent_missing: Mapped[bool] = mapped_column(default=False, server_default="false")


class Signal(Below, Base):
    """What was read from one text, by which version of the rules."""

    __tablename__ = "signals"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "engagement_id"], ["engagements.workspace_id", "engagements.id"], ondelete="CASCADE"
        ),
    )

    engagement_id: Mapped[UUID] = mapped_column(primary_key=True)
    rules_version: Mapped[int]
    mask: Mapped[int] = mapped_column(BigInteger)  # service.rules.signals.from_mask


class Conversation(Below, Identified, Created, Base):
    """One author and one thread with one brand, and what was decided of it."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("workspace_id", "brand_id", "thread", "author_id"),  # by which a thread's are found, too
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connections.workspace_id", "connections.id"], ondelete="CASCADE"
        ),
        Index("ix_conversations_due", "workspace_id", "decide_at", postgresql_where=text("decide_at IS NOT NULL")),
        Index("ix_conversations_author", "workspace_id", "author_id"),
        Index("ix_conversations_last", "workspace_id", "last_post_at", "id"),
        Index(
            "ix_conversations_waiting",
            "workspace_id",
            "waiting_since",
            "id",
            postgresql_where=text("waiting_since IS NOT NULL"),
        ),
    )

    brand_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    author_id: Mapped[UUID]
    thread: Mapped[str] = mapped_column(Text)
    decide_at: Mapped[datetime | None]  # business time; 'infinity' until the first pull of the connection is done
    news_at: Mapped[datetime | None]  # real time: what to decide by came last; no settings, nor time alone
    waiting_since: Mapped[datetime | None]  # set: somebody waits, patience or no patience
    last_post_at: Mapped[datetime]
    dealt_with_until: Mapped[datetime | None]
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    settings_version: Mapped[int | None]
    rules_version: Mapped[int | None]
    decided_at: Mapped[datetime | None]


class Relationship(Tenant, Identified, Created, Base):
    """A person (a contact with all its authors, or one unmatched author) and a brand."""

    __tablename__ = "relationships"
    __table_args__ = (
        UniqueConstraint("workspace_id", "brand_id", "person"),
        Index("ix_relationships_due", "workspace_id", "decide_at", postgresql_where=text("decide_at IS NOT NULL")),
    )

    brand_id: Mapped[UUID]
    person: Mapped[str] = mapped_column(Text)  # contact:<id> or author:<id>
    contact_id: Mapped[UUID | None]
    author_id: Mapped[UUID | None]
    decide_at: Mapped[datetime | None]
    news_at: Mapped[datetime | None]  # as of a conversation; what came to their talks stands there
    stage: Mapped[str] = mapped_column(Text, default="")
    stage_at: Mapped[datetime | None]  # of what brought it there; None: it began there
    score: Mapped[float | None] = mapped_column(REAL)  # how likely people who read the talk would have somebody call
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    settings_version: Mapped[int | None]
    rules_version: Mapped[int | None]
    decided_at: Mapped[datetime | None]
