"""What matching looks contacts up by, and what it knows of a workspace."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import KEY, Base, Below, Tenant


class ContactKey(Below, Base):
    """A normalised key under which a contact is found: the only way in which candidates are looked up.

    No foreign key and no second index: with them, storing the ten keys of a contact costs twice as much. `contacts.filed` says
    which rows are a contact's, and a trigger takes them away with it."""

    __tablename__ = "contact_keys"

    key: Mapped[str] = mapped_column(KEY, primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)  # the contact's CRM: each is looked through by itself
    contact_id: Mapped[UUID] = mapped_column(primary_key=True)


class KeyCount(Below, Base):
    """How many contacts of a CRM have a key or token: what rarity is told from. The token * is all of them. Each CRM counts for
    itself: one person in two of them is no namesake. No foreign key, as above: a trigger takes them away with the CRM's connection."""

    __tablename__ = "key_counts"
    # Room on each page: counts of common tokens change with every page of contacts, and no index has to be told.
    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)

    key: Mapped[str] = mapped_column(KEY, primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    contacts: Mapped[int]


class MatchTotal(Tenant, Base):
    """What matching has learnt of all authors of a workspace together."""

    __tablename__ = "match_totals"

    authors: Mapped[int] = mapped_column(default=0, server_default="0")  # that have been matched
    likely: Mapped[float] = mapped_column(default=0, server_default="0")  # the sum of their scores: matches expected
    share: Mapped[
        float | None
    ]  # of the authors, who are in the CRM, as everybody was last matched by; None: nothing learnt yet
    rules_version: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # by which all of them are matched, or due


class Attestation(Tenant, Base):
    """An administrator vouches for contacts that came into the CRM in one way: they gave their data, or show it publicly."""

    __tablename__ = "attestations"

    source: Mapped[str] = mapped_column(Text, primary_key=True)  # in the CRM's words
    attested_by: Mapped[str] = mapped_column(Text)  # user:<id>, key:<id>
    attested_at: Mapped[datetime]
