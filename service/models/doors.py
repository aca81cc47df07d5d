"""How people show who they are besides one-time links: passwords, single sign-on, and the browsers that have done so before.
Global tables: a person may belong to several workspaces."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.ids import new_id
from service.models.base import Base, Created, Identified


class Password(Base):
    """Somebody's password, as Argon2 leaves it."""

    __tablename__ = "passwords"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    # The only workspace that it opens: where it was set by somebody who came by a link from within that workspace, and may be
    # somebody else than the person it names. None: all of the person's.
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]


class KnownDevice(Created, Base):
    """A browser in which a person has signed in with their password. Only the hash of its cookie is kept."""

    __tablename__ = "known_devices"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(default=new_id, unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    browser: Mapped[str] = mapped_column(Text, default="")  # in words
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SigninTry(Base):
    """Tries that failed, under the hash of what they were about: an account, a browser, an address. Kept a day."""

    __tablename__ = "signin_tries"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    tries: Mapped[int]
    closed_until: Mapped[datetime]
    last_at: Mapped[datetime]


class Identity(Identified, Created, Base):
    """Who a person is to the issuer of single sign-on. The pair of issuer and subject is never given to somebody else; an
    e-mail address may be."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("issuer", "user_id"))

    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    last_used_at: Mapped[datetime]


class OpenIDState(Created, Base):
    """A single sign-on under way. Holds hashes alone: the secrets of it are in the browser's cookie. One use, ten minutes."""

    __tablename__ = "openid_states"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    onward: Mapped[str] = mapped_column(Text, default="")  # the page of ours to go to then
    # Where it was begun on an invitation's page: that invitation is used up by it.
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    invitation_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
