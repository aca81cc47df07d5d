"""Storing what a network served: a page of engagements, their authors, and the conversations that they touch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.records import Author, Engagement, Gone, Kind
from service.clock import business_now, real_now
from service.db import RawConnection, raw
from service.ids import new_id
from service.models import Connection
from service.rules.redaction import EDITED
from service.rules.words import plain
from service.store import due, redacting, renaming, suppressing, touching, us
from service.store.rows import execute, insert, packed
from service.store.us import Source
from service.watch import following

AUTHOR = {
    "id": "uuid", "native_id": "text", "handle": "text", "name": "text", "bio": "text", "url": "text", "website": "text",
    "location": "text", "bot": "boolean", "followers": "integer",
}  # fmt: skip
_PROFILE = ("handle", "name", "bio", "url", "website", "location", "bot")
ENGAGEMENT = {
    "id": "uuid", "native_id": "text", "kind": "text", "ours": "boolean", "author_id": "uuid", "thread": "text", "in_reply_to": "text",
    "in_reply_to_author": "text", "mentions": "text[]", "quotes": "text", "text": "text", "url": "text", "language": "text",
    "is_repost": "boolean", "posted_at": "timestamptz", "edited_at": "timestamptz", "window_closes_at": "timestamptz",
    "parent_missing": "boolean",
}  # fmt: skip

_UPSERT_AUTHORS = insert(
    "authors",
    AUTHOR,
    fixed={
        "workspace_id": "%(w)s",
        "provider": "%(provider)s",
        "host": "%(host)s",
        "match_due": "true",
        "handle_at": "%(seen)s",
        "updated_at": "%(now)s",
    },
    # An author who is missing from an answer (suspended, say) comes as a bare id and must not wipe what is known.
    conflict=(
        "ON CONFLICT (workspace_id, provider, host, native_id) DO UPDATE SET match_due = true, updated_at = excluded.updated_at, "  # noqa: S608 - our own words
        + ", ".join(f"{name} = excluded.{name}" for name in (*_PROFILE, "followers") if name != "handle")
        + f", handle = {renaming.GOES_BY}, former_handles = "
        + renaming.former_handles(renaming.GOES_BY)
        + ", handle_at = excluded.handle_at"
        # On Facebook people have a name and no handle.
        + f" WHERE (excluded.handle <> '' OR old.handle = '' AND excluded.name <> '') AND ({', '.join('old.' + name for name in _PROFILE)})"
        + f" IS DISTINCT FROM ({', '.join(renaming.GOES_BY if name == 'handle' else 'excluded.' + name for name in _PROFILE)}) RETURNING id, "
        # What they went by until now, of those who were here.
        + " CASE WHEN xmax <> 0 THEN (SELECT (was.handle, was.name) IS DISTINCT FROM (old.handle, old.name) FROM authors was"
        + " WHERE was.workspace_id = %(w)s AND was.id = old.id) ELSE false END"
    ),
)
_UPSERT_ENGAGEMENTS = insert(
    "engagements",
    ENGAGEMENT,
    fixed={
        "workspace_id": "%(w)s",
        "connection_id": "%(c)s",
        "brand_id": "%(brand)s",
        "received_at": "%(now)s",
        "checked_at": "%(now)s",
    },
    # The same post comes by several streams: what says more about us stays, and a text that was edited is followed.
    conflict=(
        "ON CONFLICT (workspace_id, connection_id, native_id) DO UPDATE SET"
        # A text that was kept as long as it may be does not come back.
        " text = CASE WHEN old.text_erased_at IS NULL THEN excluded.text ELSE '' END, edited_at = excluded.edited_at,"
        " language = coalesce(excluded.language, old.language),"
        " kind = CASE WHEN old.kind = 'context' OR %(whole)s THEN excluded.kind ELSE old.kind END,"
        # An account that has moved to another brand does not say who was its first one's.
        " ours = CASE WHEN old.brand_id = excluded.brand_id THEN excluded.ours ELSE old.ours END,"
        " in_reply_to = coalesce(excluded.in_reply_to, old.in_reply_to), thread = excluded.thread,"
        " in_reply_to_author = coalesce(excluded.in_reply_to_author, old.in_reply_to_author), author_id = excluded.author_id,"
        " posted_at = excluded.posted_at, url = excluded.url, mentions = excluded.mentions, deleted_at = NULL,"
        " checked_at = excluded.checked_at, is_repost = excluded.is_repost, window_closes_at = excluded.window_closes_at"
        " WHERE (old.text_erased_at IS NULL AND old.text IS DISTINCT FROM excluded.text) OR old.deleted_at IS NOT NULL"
        " OR (old.ours <> excluded.ours AND old.brand_id = excluded.brand_id)"
        " OR (old.kind = 'context' AND excluded.kind <> 'context') OR old.thread <> excluded.thread"
        " OR old.posted_at <> excluded.posted_at"
        " OR (%(whole)s AND (old.author_id, old.kind, old.url, old.mentions, old.is_repost, old.window_closes_at, old.language)"
        " IS DISTINCT FROM (excluded.author_id, excluded.kind, excluded.url, excluded.mentions, excluded.is_repost, excluded.window_closes_at, coalesce(excluded.language, old.language)))"
        " RETURNING id, native_id, thread, author_id, ours, kind, posted_at, in_reply_to, in_reply_to_author, (xmax = 0) AS is_new, brand_id, text,"
        # What it said until now: a statement sees the rows as they were when it began. Looked up for what was changed alone.
        " CASE WHEN xmax <> 0 THEN (SELECT was.text FROM engagements was WHERE was.workspace_id = %(w)s AND was.id = old.id) ELSE '' END"
    ),
)
# Asked before the posts are stored, by keys alone: a post that answers what nobody holds is stored as such.
_HELD = "SELECT native_id FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s)"


class Shown(NamedTuple):
    """How many profiles were new or had changed, and who of those that were here goes by another handle or name now."""

    number: int
    renamed: Sequence[UUID]


def save_engagements(session: Session, source: Source, items: Sequence[Engagement], *, whole: bool = False) -> int:
    """Stores posts (each of them at most once, however often they come) and marks due what they touch; people who are to be left
    out are left out. `whole`: they say all that is known of them, and whatever differs is taken over; what a network serves comes by
    several streams, some of which say less. Returns how many are new."""
    items = suppressing.without_authors(
        session, source.workspace_id, source.provider, source.host, items, source.is_ours
    )
    if not items:
        return 0
    connection = raw(session)
    shared = {"w": source.workspace_id, "c": source.connection_id, "brand": source.brand_id, "provider": source.provider,
              "host": source.host, "now": real_now(), "seen": business_now(), "whole": whole}  # fmt: skip
    authors, profiles = _save_authors(connection, shared, {item.author.id: item.author for item in items}.values())
    us.learn(connection, source, shared, items)
    unique = {item.id: item for item in items}
    parents = sorted({item.in_reply_to for item in items if item.in_reply_to} - unique.keys())
    held = {row[0] for row in execute(connection, _HELD, {**shared, "ids": parents})} if parents else set()
    missing = set(parents) - held
    rows = [_row(source, item, authors[item.author.id], missing) for _, item in sorted(unique.items())]
    changed = execute(connection, _UPSERT_ENGAGEMENTS, {**shared, **packed(ENGAGEMENT, rows)})
    # At the end, as everybody who marks the workspace due: its row is locked last, so that nobody waits in a circle. (Authors
    # who are new, or show themselves anew, may be found in the CRM now.)
    if not changed:
        if profiles.number and source.ready:
            touching.renamed(connection, shared, profiles.renamed)
            due.decide_soon(session, source.workspace_id)
        return 0
    shared["at"] = business_now() if source.ready else "infinity"
    new: list[following.New] = []
    for brand, rows_of_it in touching.by_brand(changed, 10).items():
        talks = touching.posts(connection, source, {**shared, "brand": brand}, rows_of_it)
        _follow_edits(session, source.workspace_id, brand, rows_of_it)
        new += [following.New(row[0], row[6], talks.of(row)) for row in rows_of_it if row[9]]
    following.stored(
        session, provider=source.provider, connection_id=source.connection_id, posts=new, now=business_now(), late=source.ready
    )  # fmt: skip
    if source.ready:
        touching.renamed(connection, shared, profiles.renamed)
        due.decide_soon(session, source.workspace_id)
    return len(new)


def _save_authors(
    connection: RawConnection, shared: dict[str, object], authors: Iterable[Author]
) -> tuple[dict[str, UUID], Shown]:
    """Our ids by the network's, and whose profiles were new or had changed."""
    ordered = sorted(authors, key=lambda author: author.id)  # the same order everywhere: no deadlocks
    rows = [
        (
            new_id(),
            each.id,
            each.handle,
            each.name,
            each.bio,
            each.url,
            each.website,
            each.location,
            each.bot,
            each.followers,
        )
        for each in ordered
    ]
    changed = execute(connection, _UPSERT_AUTHORS, {**shared, **packed(AUTHOR, rows)})
    ids = execute(connection, touching.AUTHOR_IDS, {**shared, "ids": [author.id for author in ordered]})
    return dict(ids), Shown(len(changed), [id_ for id_, is_renamed in changed if is_renamed])


def _row(source: Source, item: Engagement, author_id: UUID, missing: Collection[str]) -> tuple[object, ...]:
    ours = source.is_ours(item.author)
    kind = Kind.OWN if ours and item.kind is not Kind.DIRECT else item.kind
    return (
        new_id(),
        item.id,
        kind.value,
        ours,
        author_id,
        item.thread,
        item.in_reply_to,
        item.in_reply_to_author,
        list(item.mentions),
        item.quotes,
        item.text,
        item.url,
        item.language,
        item.is_repost,
        item.created_at,
        item.edited_at,
        item.window_closes_at,
        item.in_reply_to in missing,
    )


def _follow_edits(session: Session, workspace_id: UUID, brand_id: UUID, changed: Sequence[tuple[Any, ...]]) -> None:
    """What was read from texts that others have replaced is read again, and what tasks quote of them goes out of them, also where nothing
    decides them anew."""
    edits = [(row[0], row[2], row[-1]) for row in changed if not row[9] and plain(row[-1]) != plain(row[-2])]
    if edits:
        params = {"w": workspace_id, "ids": [id_ for id_, _, _ in edits]}
        execute(raw(session), "DELETE FROM signals WHERE workspace_id = %(w)s AND engagement_id = ANY(%(ids)s)", params)
    quoted = [(thread, was) for _, thread, was in edits if was]
    if quoted:
        threads, texts = {thread for thread, _ in quoted}, {was for _, was in quoted}
        redacting.redact_tasks(session, workspace_id, brand_id, sorted(threads), sorted(texts), mark=EDITED)


def missing_parents(session: Session, connection: Connection, limit: int) -> list[str]:
    """Ids of posts that ours answer, directly or through others, and that we don't hold."""
    rows = execute(raw(session), (
        "SELECT DISTINCT in_reply_to FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s AND parent_missing LIMIT %(n)s"
    ), {"w": connection.workspace_id, "c": connection.id, "n": limit})  # fmt: skip
    return [row[0] for row in rows]


def parents_answered(session: Session, connection: Connection, ids: Sequence[str]) -> None:
    """These parents were asked for and answered, one way or the other."""
    execute(raw(session), (
        "UPDATE engagements SET parent_missing = false WHERE workspace_id = %(w)s AND connection_id = %(c)s AND parent_missing"
        " AND in_reply_to = ANY(%(ids)s)"
    ), {"w": connection.workspace_id, "c": connection.id, "ids": list(ids)})  # fmt: skip


def erase_gone(session: Session, source: Source, gone: Sequence[Gone]) -> int:
    """Posts that are gone at their source: their text is erased here and their conversations are decided again."""
    if not gone:
        return 0
    rows = execute(raw(session), (
        "WITH old AS MATERIALIZED (SELECT id, text FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s"
        " AND native_id = ANY(%(ids)s) AND deleted_at IS NULL ORDER BY native_id FOR UPDATE)"
        " UPDATE engagements e SET deleted_at = %(now)s, text = '', checked_at = %(now)s FROM old WHERE e.workspace_id = %(w)s AND e.id = old.id"
        " RETURNING e.brand_id, old.text, e.thread, e.posted_at, e.ours, CASE WHEN e.ours AND e.kind = 'direct' THEN e.in_reply_to_author END"
    ), {"w": source.workspace_id, "c": source.connection_id, "ids": [each.id for each in gone], "now": real_now()})  # fmt: skip
    shared = {"w": source.workspace_id, "c": source.connection_id, "provider": source.provider, "host": source.host,
              "at": business_now() if source.ready else "infinity"}  # fmt: skip
    for brand, rows_of_it in touching.by_brand(rows, 0).items():
        touching.gone(raw(session), source, {**shared, "brand": brand}, [row[2:] for row in rows_of_it])
        if any(row[4] for row in rows_of_it):
            touching.quoted(raw(session), {**shared, "brand": brand}, [each.id for each in gone])
        threads, texts = {row[2] for row in rows_of_it}, [row[1] for row in rows_of_it if row[1]]
        redacting.redact_tasks(session, source.workspace_id, brand, sorted(threads), texts)
    if rows:
        due.decide_soon(session, source.workspace_id)
    return len(rows)
