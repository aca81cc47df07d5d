"""Whom a brand knows: of the contacts that an author is confirmed to be, one in each CRM at most, the one that is this brand's.

A brand that is bound to a CRM knows whom that one knows, and nobody else: where two brands keep a CRM each, neither learns who the
other's customers are. A brand that is bound to none knows the contacts of every CRM that serves it; a CRM that serves another brand
alone is none of its business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from service.db import raw
from service.store.rows import execute

BrandAuthor = tuple[UUID, UUID]

# A CRM `n`, as the brand `b` sees it.
SERVES = "(n.brand_id IS NULL OR n.brand_id = b.id) AND (b.crm_connection_id IS NULL OR b.crm_connection_id = n.id)"
# Of several contacts: one that is still there before one that is not, the brand's own CRM before one that it shares, the one that was
# connected first.
_FIRST = "n.status IN ('leaving', 'disconnected'), k.deleted_at IS NOT NULL, n.brand_id IS NULL, n.id"
_JOINED = (
    "JOIN contacts k ON k.workspace_id = m.workspace_id AND k.id = m.contact_id"
    " JOIN connections n ON n.workspace_id = m.workspace_id AND n.id = k.connection_id"
)
# By ids, and by itself: while a workspace is decided for the first time, the planner takes matches for an empty table, and a join with
# it for free.
_KNOWN = (
    f"SELECT DISTINCT ON (b.id, m.author_id) b.id, m.author_id, m.contact_id FROM matches m {_JOINED}"  # noqa: S608 - names of our own columns
    f" JOIN brands b ON b.workspace_id = m.workspace_id AND b.id = ANY(%(brands)s) AND {SERVES}"
    " WHERE m.workspace_id = %(w)s AND m.author_id = ANY(%(authors)s) AND m.state = 'confirmed'"
    f" ORDER BY b.id, m.author_id, {_FIRST}"
)
_AUTHORS = "SELECT DISTINCT author_id FROM matches WHERE workspace_id = %(w)s AND contact_id = ANY(%(ids)s) AND state = 'confirmed'"


def contact_of(row: str) -> str:
    """The same as a source with one column `contact_id`, for a row that has workspace_id, brand_id and author_id; to be joined
    laterally. No row where the brand does not know the author."""
    return (
        f"(SELECT m.contact_id FROM matches m {_JOINED}"  # noqa: S608 - names of our own columns
        f" JOIN brands b ON b.workspace_id = m.workspace_id AND b.id = {row}.brand_id AND {SERVES}"
        f" WHERE m.workspace_id = {row}.workspace_id AND m.author_id = {row}.author_id AND m.state = 'confirmed'"
        f" ORDER BY {_FIRST} LIMIT 1)"
    )


def contacts_of(session: Session, workspace_id: UUID, pairs: Iterable[BrandAuthor]) -> dict[BrandAuthor, UUID]:
    """For each of these brands and authors, the contact whom the brand knows them as; nothing for those whom it does not know."""
    wanted = set(pairs)
    known = _known(session, workspace_id, {brand for brand, _ in wanted}, {author for _, author in wanted})
    return {(brand, author): contact for brand, author, contact in known if (brand, author) in wanted}


def authors_of(
    session: Session, workspace_id: UUID, pairs: Iterable[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], list[UUID]]:
    """For each of these brands and contacts, the authors whom the brand knows as that contact."""
    wanted = set(pairs)
    if not wanted:
        return {}
    contacts = sorted({contact for _, contact in wanted})
    authors = [row[0] for row in execute(raw(session), _AUTHORS, {"w": workspace_id, "ids": contacts})]
    found: dict[tuple[UUID, UUID], list[UUID]] = defaultdict(list)
    for brand, author, contact in _known(session, workspace_id, {brand for brand, _ in wanted}, authors):
        if (brand, contact) in wanted:
            found[brand, contact].append(author)
    return dict(found)


def _known(
    session: Session, workspace_id: UUID, brands: Iterable[UUID], authors: Iterable[UUID]
) -> list[tuple[UUID, UUID, UUID]]:
    """(brand, author, contact) of whomever any of these brands knows among these authors, in the order of their ids."""
    params = {"w": workspace_id, "brands": sorted(brands), "authors": sorted(authors)}
    return execute(raw(session), _KNOWN, params) if params["brands"] and params["authors"] else []
