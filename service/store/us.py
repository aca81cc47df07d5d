"""Who "we" are where a connection reads: the accounts of its brand, and the brand's listed colleagues, by their handles and by their ids
as soon as these are known.

Once a colleague's id is known, it alone tells who is meant: a handle that its owner gave up is anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.records import Author, Engagement
from integrations.registry import handed_in
from service.db import RawConnection
from service.models import Brand, Connection
from service.pasted import has_handle, is_made
from service.store.rows import execute


@dataclass(frozen=True)
class Source:
    """The connection that served a page, and how to tell which authors are its brand's own."""

    workspace_id: UUID
    connection_id: UUID
    brand_id: UUID
    provider: str
    host: str
    our_ids: frozenset[
        str
    ]  # accounts of this brand that are connected, on this network (by name, too: see `Author.id`)
    our_handles: frozenset[
        str
    ]  # listed colleagues whose ids are not known, and accounts of this brand on other servers of this network; lower case
    listed: frozenset[str]  # handles of all listed colleagues, lower case
    ready: bool  # the first pull is done
    other_brands: tuple[UUID, ...]  # of the workspace: the account may have been one of theirs

    def is_ours(self, author: Author) -> bool:
        handle = author.handle.lower()
        # Where an author comes without an id, the handle is all there is.
        by_handle = handle in self.listed and has_handle(author) and not _has_id(self.provider, author)
        return author.id in self.our_ids or handle in self.our_handles or by_handle


def source(session: Session, connection: Connection) -> Source:
    """The source that this social connection is."""
    accounts = session.execute(
        select(Connection.host, Connection.account_id, Connection.handle).where(
            Connection.workspace_id == connection.workspace_id,
            Connection.provider == connection.provider,
            Connection.brand_id == connection.brand_id,
        )
    ).all()
    # Each server of a network has ids of its own. Only a handle that names its server means the same on all of them.
    elsewhere = {handle.lower() for host, _, handle in accounts if host != connection.host and "@" in handle}
    here = [(account_id, f"@{handle.lower()}") for host, account_id, handle in accounts if host == connection.host]
    brands = _brands(session, connection)
    listed, ids = _colleagues(brands, connection, connection.brand_id)
    assert connection.brand_id is not None  # a social connection always has one: see connecting.brand_for
    return Source(
        connection.workspace_id,
        connection.id,
        connection.brand_id,
        connection.provider,
        connection.host,
        frozenset(each for both in here for each in both) | set(ids.values()) | {f"@{handle}" for handle in listed},
        frozenset((listed - ids.keys()) | elsewhere),
        frozenset(listed),
        connection.ready_at is not None,
        tuple(sorted(brands.keys() - {connection.brand_id})),
    )


def colleagues(
    session: Session, workspace_id: UUID, connection_ids: Iterable[UUID]
) -> list[tuple[UUID, UUID, str, str]]:
    """The listed colleagues of every brand where these connections read: (brand, connection, the network's id, ""), or
    (brand, connection, "", handle in lower case) where no id is known."""
    rows = session.scalars(
        select(Connection).where(
            Connection.workspace_id == workspace_id, Connection.id.in_(sorted(set(connection_ids)))
        )
    ).all()
    brands = _brands(session, rows[0]) if rows else {}
    found = []
    for row in rows:
        for brand in brands:
            listed, ids = _colleagues(brands, row, brand)
            found += [
                (brand, row.id, ids.get(handle, ""), "" if handle in ids else handle) for handle in sorted(listed)
            ]
    return found


def colleagues_without_ids(session: Session, connection: Connection) -> tuple[str, ...]:
    """Handles of listed colleagues on this network, lower case, whose ids are not known yet."""
    if connection.kind != "social":
        return ()
    handles, ids = _colleagues(_brands(session, connection), connection, connection.brand_id)
    return tuple(sorted(handles - ids.keys()))


_Listed = tuple[Sequence[str], Mapping[str, str]]  # a brand's colleagues, and the ids of those that are known


def _brands(session: Session, connection: Connection) -> dict[UUID, _Listed]:
    """The workspace's brands, few as they are, by their ids."""
    rows = session.execute(
        select(Brand.id, Brand.colleagues, Brand.colleague_ids).where(Brand.workspace_id == connection.workspace_id)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _colleagues(
    brands: Mapping[UUID, _Listed], connection: Connection, brand_id: UUID | None
) -> tuple[set[str], dict[str, str]]:
    """The brand's listed colleagues on this connection's network: their handles, lower case, and the ids by handle, as far as known."""
    entries, with_ids = brands.get(brand_id, ((), {})) if brand_id else ((), {})
    prefix = f"{connection.provider}:"
    named = {each.removeprefix(prefix).lstrip("@").lower() for each in entries if each.startswith(prefix)}
    return named, _ids_of(connection.provider, connection.host, named, with_ids)


def learn(connection: RawConnection, source: Source, shared: dict[str, object], items: Sequence[Engagement]) -> None:
    """From now on these colleagues are known by their ids too."""
    found = {
        _key(source.provider, source.host, item.author.handle): item.author.id
        for item in items
        if item.author.handle.lower() in source.our_handles and _has_id(source.provider, item.author)
    }
    if found:
        statement = (
            "UPDATE brands SET colleague_ids = colleague_ids || %(found)s WHERE workspace_id = %(w)s AND id = %(brand)s"
        )
        execute(connection, statement, {**shared, "found": Jsonb(found)})


def _key(provider: str, host: str, handle: str) -> str:
    """Under what the id of this handle is kept. Each server of a network, and each place, has ids of its own."""
    named = f"{provider}:{handle.lstrip('@').lower()}"
    return f"{named}|{host}" if host else named


def _ids_of(provider: str, host: str, handles: set[str], kept: Mapping[str, str]) -> dict[str, str]:
    """The ids by these handles, as far as known."""
    known = {handle: kept.get(_key(provider, host, handle)) for handle in handles}
    return {
        handle: native_id
        for handle, native_id in known.items()
        if native_id and _has_id(provider, Author(native_id, handle))
    }


def _has_id(provider: str, author: Author) -> bool:
    """Whether the network or the place told an id: what stands for one where it tells none (see `Author.id` and `service.pasted`) is none."""
    return not author.id.startswith("@") and not (provider in handed_in() and is_made(author))


def list_as(brand: Brand, entries: Sequence[str]) -> None:
    """From now on these are listed ("provider:handle"). Who stays is known as before. Who is taken off is forgotten, so that whoever is
    listed by that handle later is learned anew: that is how a person says that somebody else of ours has it now."""
    listed = {_key(provider, "", handle) for provider, _, handle in (each.partition(":") for each in entries)}
    brand.colleagues = list(entries)
    brand.colleague_ids = {
        each: id_ for each, id_ in (brand.colleague_ids or {}).items() if each.partition("|")[0] in listed
    }
