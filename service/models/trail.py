"""The audit trail: who did what, each row sealed to the one before it."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Created, Identified, Tenant


class Audit(Tenant, Identified, Created, Base):
    """Who did what. Rows hold ids, never names or text, so that erasing somebody leaves the trail whole.

    `number`, `previous`, `hash` and the instant are set by PostgreSQL as the transaction commits (`service.migrations.trail`);
    from then on nobody changes the row, and it goes only with its whole workspace.
    """

    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("workspace_id", "number"),
        # No blanks, dots or @: a name, an address or a sentence has no way in.
        CheckConstraint("actor ~ '^[a-z]+(:[0-9A-Za-z-]{1,36})?$'", name="actor"),
        CheckConstraint("action ~ '^[a-z_]+[.][a-z_]+$'", name="action"),
        CheckConstraint("subject ~ '^[a-z_]+:[0-9A-Za-z_-]{1,36}$'", name="subject"),
    )

    actor: Mapped[str] = mapped_column(Text)  # user:<id>, key:<id>, system, rules
    action: Mapped[str] = mapped_column(Text)  # connection.connected, match.confirmed, ...: see `service.trail`
    subject: Mapped[str] = mapped_column(Text)  # <noun>:<id>
    # PostgreSQL says these three: 1, 2, 3, ... in each workspace without a gap, the hash of the row before, and this row's. The
    # application may not even name them.
    number: Mapped[int | None] = mapped_column(BigInteger, server_default=FetchedValue())
    previous: Mapped[bytes | None] = mapped_column(LargeBinary, server_default=FetchedValue())
    hash: Mapped[bytes | None] = mapped_column(LargeBinary, server_default=FetchedValue())


class AuditHead(Tenant, Base):
    """The newest number and hash of a workspace's trail. Its row is what writers of one workspace wait for."""

    __tablename__ = "audit_heads"

    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
