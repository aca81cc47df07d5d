"""Who may sign in where, with what, and our registrations with providers: global tables, but for invitations, which are a
tenant's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.ids import new_id
from service.models.base import Base, Created, Identified, Tenant


class User(Identified, Created, Base):
    __tablename__ = "users"

    email: Mapped[str] = mapped_column(Text, unique=True)  # lower case
    name: Mapped[str] = mapped_column(Text, default="")
    operator: Mapped[bool] = mapped_column(default=False, server_default="false")  # runs Warmline: `warmline operator`


class Workspace(Identified, Created, Base):
    __tablename__ = "workspaces"

    name: Mapped[str] = mapped_column(Text)
    # Whoever signs in with a password or a link sets up a second factor before anything opens.
    requires_factor: Mapped[bool] = mapped_column(default=False, server_default="false")


class Membership(Created, Base):
    __tablename__ = "memberships"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(Text)  # owner, member, viewer


class SigninLink(Created, Base):
    """A one-time link. Only the hash of its token is kept."""

    __tablename__ = "signin_links"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # Whose owner made it: it opens this workspace and none besides. None: made by whoever runs Warmline.
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    made_by: Mapped[str] = mapped_column(Text, default="")  # user:<id>; "" for whoever runs Warmline
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SigninSession(Created, Base):
    """A browser that is signed in. Only the hash of its cookie is kept; `id` is what people name it by."""

    __tablename__ = "sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(default=new_id, unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # The workspace that it looks at; a confined session may look at no other.
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    confined: Mapped[bool] = mapped_column(default=False)
    csrf_token: Mapped[str] = mapped_column(Text)
    began: Mapped[str] = mapped_column(Text)  # a key of `service.sessions.BEGINNINGS`
    # The owner by whose link it began, or the password did that it began by: user:<id>; "" where there is none. It ends with what
    # they may do, and so does what was set in it.
    link_by: Mapped[str] = mapped_column(Text, default="")
    browser: Mapped[str] = mapped_column(Text, default="")  # in words: "Firefox on Linux"
    # The second factor of which a code was given as it began, or since.
    factor_id: Mapped[UUID | None] = mapped_column(ForeignKey("second_factors.id", ondelete="SET NULL"))
    proven_at: Mapped[datetime]  # when somebody last showed in it who they are: as it began, or by their password since
    last_seen_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class Invitation(Tenant, Identified, Created, Base):
    """Somebody may join. Only the hash of the link's token is kept; the row goes once it is used, withdrawn or past."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("workspace_id", "email"),)

    email: Mapped[str] = mapped_column(Text)  # lower case
    role: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    invited_by: Mapped[str] = mapped_column(Text)  # user:<id> or key:<id>
    expires_at: Mapped[datetime]


class APIKey(Identified, Created, Base):
    """A key for the REST API. Only its hash is kept; `prefix` is what people recognise it by."""

    __tablename__ = "api_keys"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # Who made it; None once they are nobody any more, or where Warmline's operator did.
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    of_operator: Mapped[bool] = mapped_column(
        default=False, server_default="false"
    )  # belongs to nobody, keeps its scopes
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class OAuthState(Created, Base):
    """A consent under way. First a ticket (from the API or the console), then, once a signed-in browser has opened it,
    a state bound to that session. One use, ten minutes."""

    __tablename__ = "oauth_states"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    stage: Mapped[str] = mapped_column(Text)  # ticket, state
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    session_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    brand_id: Mapped[UUID | None]
    connection_id: Mapped[UUID | None]  # the one to reconnect
    provider: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text, default="")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # PKCE verifier, form fields
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ProviderApp(Created, Base):
    """Our registration with a provider (per server, where there are many)."""

    __tablename__ = "provider_apps"

    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    host: Mapped[str] = mapped_column(Text, primary_key=True, default="")
    client_id: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)  # the client secret
    hosts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # overrides of the provider's addresses


class ConnectedAccount(Created, Base):
    """Which connections stand for an account, in whatever workspace: whom a provider's hint about it is for, and who else still
    needs what was set up for it."""

    __tablename__ = "connected_accounts"
    __table_args__ = (Index("ix_connected_accounts_account", "provider", "account_id"),)

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text, default="")  # in lower case
    account_id: Mapped[str] = mapped_column(Text)
