"""How people show who they are besides one-time links: passwords, second factors, single sign-on, and the browsers that have done so
before. Global tables: a person may belong to several workspaces."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Text, UniqueConstraint
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
    link_by: Mapped[str] = mapped_column(Text, default="")  # as of the session in which it was set
    hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]


class SecondFactor(Identified, Created, Base):
    """An authenticator app of somebody's, whose codes are asked for after a password or a link."""

    __tablename__ = "second_factors"
    __table_args__ = (UniqueConstraint("user_id", "workspace_id", postgresql_nulls_not_distinct=True),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # The only workspace that it guards: where it was set up by somebody who came by a link from within that workspace, and may be
    # somebody else than the person it names. None: all of the person's that have none of their own.
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    link_by: Mapped[str] = mapped_column(Text, default="")  # as of the session in which it was set up
    sealed: Mapped[bytes] = mapped_column(LargeBinary)  # what the app holds as well
    last_step: Mapped[int] = mapped_column(
        BigInteger
    )  # the half minute of the last code that was good: no code is good twice


class RecoveryCode(Base):
    """A recovery code that was not used yet. Only its hash is kept; the row goes as it is used."""

    __tablename__ = "recovery_codes"

    factor_id: Mapped[UUID] = mapped_column(ForeignKey("second_factors.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class FactorSetup(Created, Base):
    """A second factor that is being set up in a session: it counts once a code of it was given there."""

    __tablename__ = "factor_setups"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    # The one whose place it takes, of which a code was given.
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("second_factors.id", ondelete="CASCADE"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]


class PendingSignin(Created, Base):
    """Somebody has given a password or a link and not yet the code of the second factor that guards the workspace: they are signed in
    nowhere. Only the hash of the browser's cookie is kept. One use, ten minutes."""

    __tablename__ = "pending_signins"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    factor_id: Mapped[UUID] = mapped_column(ForeignKey("second_factors.id", ondelete="CASCADE"))
    # The session that is to look at this workspace; None: one that is to begin, in this way.
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    confined: Mapped[bool]
    began: Mapped[str] = mapped_column(Text)
    link_by: Mapped[str] = mapped_column(Text, default="")  # as of the session that is to begin
    onward: Mapped[str] = mapped_column(Text, default="")  # the page of ours to go to then
    expires_at: Mapped[datetime]


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
