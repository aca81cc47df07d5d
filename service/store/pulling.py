"""Storing what a network served: a page of engagements, their authors, and the conversations that they touch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.records import Author, Engagement, Gone, Kind
from service.clock import business_now, real_now
from service.db import RawConnection, raw
from service.ids import new_id
from service.models import Brand, Connection
from service.rules.redaction import EDITED
from service.rules.words import plain
from service.store import colleagues, due, redacting, suppressing
from service.store.rows import execute, insert, packed
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
        "updated_at": "%(now)s",
    },
    # An author who is missing from an answer (suspended, say) comes as a bare id and must not wipe what is known.
    conflict=(
        "ON CONFLICT (workspace_id, provider, host, native_id) DO UPDATE SET match_due = true, updated_at = excluded.updated_at, "
        + ", ".join(f"{name} = excluded.{name}" for name in (*_PROFILE, "followers"))
        + f" WHERE excluded.handle <> '' AND ({', '.join('old.' + name for name in _PROFILE)})"
        + f" IS DISTINCT FROM ({', '.join('excluded.' + name for name in _PROFILE)}) RETURNING id"
    ),
)
_AUTHOR_IDS = "SELECT native_id, id FROM authors WHERE workspace_id = %(w)s AND provider = %(provider)s AND host = %(host)s AND native_id = ANY(%(ids)s)"
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
        " kind = CASE WHEN old.kind = 'context' THEN excluded.kind ELSE old.kind END,"
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
        " RETURNING id, native_id, thread, author_id, ours, kind, posted_at, in_reply_to, in_reply_to_author, (xmax = 0) AS is_new, brand_id, text,"
        # What it said until now: a statement sees the rows as they were when it began. Looked up for what was changed alone.
        " CASE WHEN xmax <> 0 THEN (SELECT was.text FROM engagements was WHERE was.workspace_id = %(w)s AND was.id = old.id) ELSE '' END"
    ),
)
# Asked before the posts are stored, by keys alone: a post that answers what nobody holds is stored as such.
_HELD = "SELECT native_id FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s)"
CONVERSATION = {"id": "uuid", "author_id": "uuid", "thread": "text", "last_post_at": "timestamptz"}
_UPSERT_CONVERSATIONS = insert(
    "conversations",
    CONVERSATION,
    fixed={
        "workspace_id": "%(w)s",
        "connection_id": "%(c)s",
        "brand_id": "%(brand)s",
        "decide_at": "%(at)s::timestamptz",
        "news_at": "clock_timestamp()",
        "reasons": "'[]'::jsonb",
    },
    conflict=(
        "ON CONFLICT (workspace_id, brand_id, author_id, thread) DO UPDATE SET decide_at = least(old.decide_at, excluded.decide_at),"
        " news_at = clock_timestamp(), last_post_at = greatest(old.last_post_at, excluded.last_post_at)"
        " WHERE old.decide_at IS DISTINCT FROM least(old.decide_at, excluded.decide_at) OR old.last_post_at < excluded.last_post_at"
        " RETURNING id, thread, author_id"
    ),
)
# Whom we answered, though they never spoke to us by name: their posts are context, and the talk is a conversation all the same.
_ANSWERED_BY_US = (
    "SELECT DISTINCT thread, in_reply_to_author FROM engagements WHERE workspace_id = %(w)s AND brand_id = %(brand)s"
    " AND thread = ANY(%(threads)s) AND ours AND kind <> 'direct' AND in_reply_to_author <> ALL(%(ours)s)"
)
# What we tell somebody in private may end their waits in other talks, on any network where they are known to be the same.
_TOUCH_RECIPIENTS = (
    "WITH told AS MATERIALIZED (SELECT id FROM authors WHERE workspace_id = %(w)s AND provider = %(provider)s AND host = %(host)s"
    " AND native_id = ANY(%(ids)s)), same AS MATERIALIZED (SELECT id FROM told UNION SELECT o.author_id FROM told"
    " JOIN matches m ON m.workspace_id = %(w)s AND m.author_id = told.id AND m.state = 'confirmed'"
    " JOIN matches o ON o.workspace_id = %(w)s AND o.contact_id = m.contact_id AND o.state = 'confirmed')"
    " UPDATE conversations SET decide_at = least(decide_at, %(at)s::timestamptz), news_at = clock_timestamp() WHERE workspace_id = %(w)s AND brand_id = %(brand)s"
    " AND author_id IN (SELECT id FROM same) AND decide_at IS DISTINCT FROM 'infinity'"
)
# Also one that is due already: whoever is deciding it at this moment has read its posts without these, and is waited for. (Not what this
# transaction has written itself: that is locked.)
_TOUCH_THREADS = (
    "UPDATE conversations SET decide_at = least(decide_at, %(at)s::timestamptz), news_at = clock_timestamp(), last_post_at = greatest(last_post_at, t.posted_at)"
    " FROM unnest(%(threads)s::text[], %(posted)s::timestamptz[]) AS t(thread, posted_at)"
    " WHERE workspace_id = %(w)s AND brand_id = %(brand)s AND conversations.thread = t.thread"
    " AND (conversations.xmin <> pg_current_xact_id()::xid OR last_post_at < t.posted_at)"
    " RETURNING conversations.id, conversations.thread, conversations.author_id"
)
# An account that has moved answers what it brought for another brand, too: see `elsewhere.by_the_account`.
_TOUCH_ELSEWHERE = (
    "UPDATE conversations SET decide_at = least(decide_at, %(at)s::timestamptz), news_at = clock_timestamp()"
    " WHERE workspace_id = %(w)s AND brand_id = ANY(%(others)s) AND thread = ANY(%(threads)s) AND connection_id = %(c)s"
)


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
    ready: bool  # the first pull is done
    other_brands: tuple[UUID, ...]  # of the workspace: the account may have been one of theirs

    def is_ours(self, author: Author) -> bool:
        return author.id in self.our_ids or author.handle.lower() in self.our_handles


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
    listed, ids = _colleagues(brands, connection)
    assert connection.brand_id is not None  # a social connection always has one: see connecting.brand_for
    return Source(
        connection.workspace_id,
        connection.id,
        connection.brand_id,
        connection.provider,
        connection.host,
        frozenset(each for both in here for each in both) | set(ids.values()) | {f"@{handle}" for handle in listed},
        frozenset((listed - ids.keys()) | elsewhere),
        connection.ready_at is not None,
        tuple(sorted(brands.keys() - {connection.brand_id})),
    )


def colleagues_without_ids(session: Session, connection: Connection) -> tuple[str, ...]:
    """Handles of listed colleagues on this network, lower case, whose ids are not known yet."""
    if connection.kind != "social":
        return ()
    handles, ids = _colleagues(_brands(session, connection), connection)
    return tuple(sorted(handles - ids.keys()))


_Listed = tuple[Sequence[str], Mapping[str, str]]  # a brand's colleagues, and the ids of those that are known


def _brands(session: Session, connection: Connection) -> dict[UUID, _Listed]:
    """The workspace's brands, few as they are, by their ids."""
    rows = session.execute(
        select(Brand.id, Brand.colleagues, Brand.colleague_ids).where(Brand.workspace_id == connection.workspace_id)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _colleagues(brands: Mapping[UUID, _Listed], connection: Connection) -> tuple[set[str], dict[str, str]]:
    """The brand's listed colleagues on this network: their handles, lower case, and the ids by handle, as far as known."""
    entries, with_ids = brands.get(connection.brand_id, ((), {})) if connection.brand_id else ((), {})
    prefix = f"{connection.provider}:"
    named = {each.removeprefix(prefix).lstrip("@").lower() for each in entries if each.startswith(prefix)}
    return named, colleagues.ids_of(connection.provider, connection.host, named, with_ids)


def save_engagements(session: Session, source: Source, items: Sequence[Engagement]) -> int:
    """Stores posts (each of them at most once, however often they come) and marks due what they touch; people who are to be left
    out are left out. Returns how many are new."""
    items = suppressing.without_authors(
        session, source.workspace_id, source.provider, source.host, items, source.is_ours
    )
    if not items:
        return 0
    connection = raw(session)
    shared = {"w": source.workspace_id, "c": source.connection_id, "brand": source.brand_id, "provider": source.provider,
              "host": source.host, "now": real_now()}  # fmt: skip
    authors, profiles = _save_authors(connection, shared, {item.author.id: item.author for item in items}.values())
    _know_colleagues(connection, source, shared, items)
    unique = {item.id: item for item in items}
    parents = sorted({item.in_reply_to for item in items if item.in_reply_to} - unique.keys())
    held = {row[0] for row in execute(connection, _HELD, {**shared, "ids": parents})} if parents else set()
    missing = set(parents) - held
    rows = [_row(source, item, authors[item.author.id], missing) for _, item in sorted(unique.items())]
    changed = execute(connection, _UPSERT_ENGAGEMENTS, {**shared, **packed(ENGAGEMENT, rows)})
    # At the end, as everybody who marks the workspace due: its row is locked last, so that nobody waits in a circle. (Authors
    # who are new, or show themselves anew, may be found in the CRM now.)
    if not changed:
        if profiles and source.ready:
            due.decide_soon(session, source.workspace_id)
        return 0
    shared["at"] = business_now() if source.ready else "infinity"
    new: list[following.New] = []
    for brand, rows_of_it in _by_brand(changed, 10).items():
        talks = _touch(connection, source, {**shared, "brand": brand}, rows_of_it)
        _touch_elsewhere(connection, source, {**shared, "brand": brand}, {row[2] for row in rows_of_it if row[4]})
        _follow_edits(session, source.workspace_id, brand, rows_of_it)
        new += [following.New(row[0], row[6], talks.of(row)) for row in rows_of_it if row[9]]
    following.stored(
        session, provider=source.provider, connection_id=source.connection_id, posts=new, now=business_now(), late=source.ready
    )  # fmt: skip
    if source.ready:
        due.decide_soon(session, source.workspace_id)
    return len(new)


def _know_colleagues(
    connection: RawConnection, source: Source, shared: dict[str, object], items: Sequence[Engagement]
) -> None:
    """From now on these colleagues are known by their ids too."""
    found = {
        colleagues.key(source.provider, source.host, item.author.handle): item.author.id
        for item in items
        if item.author.handle.lower() in source.our_handles and not item.author.id.startswith("@")
    }
    if found:
        statement = (
            "UPDATE brands SET colleague_ids = colleague_ids || %(found)s WHERE workspace_id = %(w)s AND id = %(brand)s"
        )
        execute(connection, statement, {**shared, "found": Jsonb(found)})


def _save_authors(
    connection: RawConnection, shared: dict[str, object], authors: Iterable[Author]
) -> tuple[dict[str, UUID], int]:
    """Our ids by the network's, and how many profiles were new or had changed."""
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
    ids = execute(connection, _AUTHOR_IDS, {**shared, "ids": [author.id for author in ordered]})
    return dict(ids), len(changed)


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


@dataclass(frozen=True, slots=True)
class _Talks:
    """The conversations of some threads, as far as these changed, by their authors' ids; and our ids of the people whom we answered
    there, by the network's."""

    found: Mapping[str, Mapping[UUID, UUID]]
    answered: Mapping[str, UUID]

    def of(self, row: Sequence[Any]) -> UUID | None:
        """The conversation that a stored post is in: its author's or, of ours, the only one there or that of whom it speaks to."""
        _, _, thread, author, ours, _, _, _, to, *_ = row
        here = self.found.get(thread, {})
        if ours and len(here) == 1:
            return next(iter(here.values()))
        whose = self.answered.get(to) if ours else author
        return here.get(whose) if whose else None


def _touch(
    connection: RawConnection, source: Source, shared: dict[str, object], changed: Sequence[tuple[object, ...]]
) -> _Talks:
    """Marks due what these rows touch. Returns the conversations that they are in."""
    newest: dict[str, datetime] = {}
    talks: set[tuple[object, str]] = set()
    for _, _, thread, author_id, ours, kind, posted_at, *_ in changed:
        assert isinstance(thread, str)
        assert isinstance(posted_at, datetime)
        newest[thread] = max(posted_at, newest.get(thread, posted_at))
        if not ours and kind != Kind.CONTEXT:
            talks.add((author_id, thread))
    params = {**shared, "threads": sorted(newest), "posted": [newest[thread] for thread in sorted(newest)]}
    # In two steps: joined, the planner may try every author for every thread while a workspace is filled.
    answered = execute(connection, _ANSWERED_BY_US, {**params, "ours": sorted(source.our_ids)})
    ids: dict[str, UUID] = {}
    if answered:
        ids = dict(
            execute(connection, _AUTHOR_IDS, {**shared, "ids": sorted({native_id for _, native_id in answered})})
        )
        talks.update((ids[native_id], thread) for thread, native_id in answered if native_id in ids)
    touched: list[tuple[UUID, str, UUID]] = []
    if talks:
        rows = [(new_id(), author_id, thread, newest[thread]) for author_id, thread in sorted(talks, key=str)]
        touched += execute(connection, _UPSERT_CONVERSATIONS, {**params, **packed(CONVERSATION, rows)})
    touched += execute(connection, _TOUCH_THREADS, params)
    told = {str(row[8]) for row in changed if row[4] and row[5] == Kind.DIRECT and row[8]}
    if told:
        execute(connection, _TOUCH_RECIPIENTS, {**params, "ids": sorted(told)})
    found: dict[str, dict[UUID, UUID]] = {}
    for id_, thread, author_id in touched:
        found.setdefault(thread, {})[author_id] = id_
    return _Talks(found, ids)


def _by_brand(rows: Iterable[tuple[Any, ...]], at: int) -> dict[UUID, list[tuple[Any, ...]]]:
    """The rows by the brands that they name at the place `at`: a post stays with the brand that it came to, also where its account has
    moved to another since."""
    found: dict[UUID, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[at], []).append(row)
    return dict(sorted(found.items()))  # the same order everywhere: no deadlocks


def _touch_elsewhere(
    connection: RawConnection, source: Source, shared: Mapping[str, object], threads: Collection[str]
) -> None:
    """Marks due what this account brought of these threads for other brands than that of the posts, which are ours."""
    others = {source.brand_id, *source.other_brands} - {shared["brand"]}
    if others and threads:
        execute(connection, _TOUCH_ELSEWHERE, {**shared, "others": sorted(others), "threads": sorted(threads)})


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
        " RETURNING e.brand_id, e.ours, e.thread, e.posted_at, CASE WHEN e.ours AND e.kind = 'direct' THEN e.in_reply_to_author END, old.text"
    ), {"w": source.workspace_id, "c": source.connection_id, "ids": [each.id for each in gone], "now": real_now()})  # fmt: skip
    for brand, rows_of_it in _by_brand(rows, 0).items():
        _touch_gone(session, source, brand, rows_of_it)
    if rows:
        due.decide_soon(session, source.workspace_id)
    return len(rows)


def _touch_gone(session: Session, source: Source, brand_id: UUID, rows: Sequence[tuple[Any, ...]]) -> None:
    """Marks due what these posts of a brand's that are gone touch, and takes them out of its tasks."""
    newest = {thread: posted_at for _, _, thread, posted_at, *_ in rows}
    shared = {"w": source.workspace_id, "brand": brand_id, "at": business_now() if source.ready else "infinity"}
    posted = [newest[thread] for thread in sorted(newest)]
    execute(raw(session), _TOUCH_THREADS, {**shared, "threads": sorted(newest), "posted": posted})
    _touch_elsewhere(raw(session), source, {**shared, "c": source.connection_id}, {row[2] for row in rows if row[1]})
    if told := {to for *_, to, _ in rows if to}:
        whom = {"provider": source.provider, "host": source.host, "ids": sorted(told)}
        execute(raw(session), _TOUCH_RECIPIENTS, {**shared, **whom})
    texts = [text for *_, text in rows if text]
    redacting.redact_tasks(session, source.workspace_id, brand_id, sorted(newest), texts)
