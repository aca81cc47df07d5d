"""Authors who go by another handle: what they gave up is remembered, since a CRM goes on having it and somebody else may take it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from integrations.records import Renamed
from service.clock import real_now
from service.db import raw
from service.store import due, touching
from service.store.rows import execute, packed, records
from service.store.us import Source

MOST = 10  # handles that are remembered of one author


# SQL: what an author (`old`) goes by once they are served anew: an id that stands for a handle which the network does not vouch for just now
# (Bluesky's, while its domain does not answer) is no new one.
GOES_BY = "CASE WHEN excluded.handle = excluded.native_id AND old.handle <> '' THEN old.handle ELSE excluded.handle END"


def former_handles(now: str) -> str:
    """SQL: the handles that an author (`old`) has given up once they go by the one that the expression `now` gives."""
    return (
        f"CASE WHEN lower(old.handle) IN ('', lower({now})) THEN old.former_handles ELSE (ARRAY[lower(old.handle)]"
        f" || array_remove(array_remove(old.former_handles, lower(old.handle)), lower({now})))[1:{MOST}] END"
    )


_NAMED = {"native_id": "text", "handle": "text", "url": "text", "at": "timestamptz"}
# Who is not known by a profile stays so: whether it is worth its price is asked when they write.
_RENAME = (
    f"UPDATE authors old SET handle = new.handle, url = new.url, former_handles = {former_handles('new.handle')},"  # noqa: S608 - our own words
    f" handle_at = new.at, match_due = true, updated_at = %(now)s FROM {records(_NAMED)} WHERE old.workspace_id = %(w)s"
    " AND old.provider = %(provider)s AND old.host = %(host)s AND old.native_id = new.native_id AND old.handle <> ''"
    " AND lower(old.handle) <> lower(new.handle) AND old.handle_at < new.at RETURNING old.id"
)


def named(session: Session, source: Source, people: Sequence[Renamed]) -> None:
    """These were spoken of by these handles: whom we know by an older one goes by that from now on."""
    newest = {each.account.id: each for each in sorted(people, key=lambda each: each.at)}
    rows = [(id_, each.account.handle, each.account.url, each.at) for id_, each in sorted(newest.items())]
    shared = {"w": source.workspace_id, "provider": source.provider, "host": source.host, "now": real_now()}
    renamed = [row[0] for row in execute(raw(session), _RENAME, {**shared, **packed(_NAMED, rows)})]
    if renamed:
        touching.renamed(raw(session), shared, renamed)
        due.decide_soon(session, source.workspace_id)
