"""Marking due what a stored, edited or deleted post touches: the conversations of its thread, those of whom we told something in private,
and what the account brought for another brand before it moved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from integrations.records import Kind
from service.clock import business_now
from service.db import RawConnection
from service.ids import new_id
from service.store.rows import execute, insert, packed
from service.store.us import Source

AUTHOR_IDS = "SELECT native_id, id FROM authors WHERE workspace_id = %(w)s AND provider = %(provider)s AND host = %(host)s AND native_id = ANY(%(ids)s)"
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
# The threads of what posts of ours quote: they answer it there. By their network's ids: those that are gone are looked for as well.
_QUOTED_BY_US = (
    "SELECT p.thread, max(q.posted_at) FROM engagements q JOIN engagements p ON p.workspace_id = %(w)s AND p.brand_id = q.brand_id"
    " AND p.connection_id = ANY(ARRAY(SELECT id FROM connections WHERE workspace_id = %(w)s AND provider = %(provider)s AND host = %(host)s))"
    " AND p.native_id = q.quotes AND NOT p.ours"
    " WHERE q.workspace_id = %(w)s AND q.connection_id = %(c)s AND q.brand_id = %(brand)s AND q.native_id = ANY(%(ids)s) AND q.ours"
    " AND q.quotes IS NOT NULL GROUP BY p.thread"
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
# An account that has moved answers what it brought for another brand, too, and so do that brand's colleagues: see
# `elsewhere.by_the_account`. Whom it tells something in private, it tells wherever they wait.
_TOUCH_ELSEWHERE = (
    "UPDATE conversations SET decide_at = least(decide_at, %(at)s::timestamptz), news_at = clock_timestamp()"
    " WHERE workspace_id = %(w)s AND brand_id = ANY(%(others)s) AND thread = ANY(%(threads)s) AND connection_id = %(c)s"
)
_TOUCH_TOLD_ELSEWHERE = (
    "UPDATE conversations SET decide_at = least(decide_at, %(at)s::timestamptz), news_at = clock_timestamp()"
    " WHERE workspace_id = %(w)s AND brand_id = ANY(%(others)s) AND connection_id = %(c)s AND author_id = ANY(ARRAY(SELECT id FROM authors"
    " WHERE workspace_id = %(w)s AND provider = %(provider)s AND host = %(host)s AND native_id = ANY(%(ids)s)))"
)
# What open tasks call somebody: those about one talk of theirs, and those about all that they said.
_TOUCH_TASKS_OF_TALKS = (
    "UPDATE conversations c SET decide_at = least(decide_at, %(at)s::timestamptz) WHERE workspace_id = %(w)s AND author_id = ANY(%(authors)s)"
    " AND decide_at IS DISTINCT FROM 'infinity'"
    " AND EXISTS (SELECT 1 FROM tasks t WHERE t.workspace_id = %(w)s AND t.conversation_id = c.id AND t.wanted = 'open')"
)
_TOUCH_CALL_TASKS = (
    "UPDATE relationships SET decide_at = least(decide_at, %(at)s::timestamptz) WHERE workspace_id = %(w)s AND id = ANY(ARRAY("
    "SELECT t.relationship_id FROM task_authors q JOIN tasks t ON t.workspace_id = %(w)s AND t.id = q.task_id AND t.wanted = 'open'"
    " WHERE q.workspace_id = %(w)s AND q.author_id = ANY(%(authors)s)))"
)


@dataclass(frozen=True, slots=True)
class Talks:
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


def posts(
    connection: RawConnection, source: Source, shared: dict[str, object], changed: Sequence[tuple[object, ...]]
) -> Talks:
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
        ids = dict(execute(connection, AUTHOR_IDS, {**shared, "ids": sorted({native_id for _, native_id in answered})}))
        talks.update((ids[native_id], thread) for thread, native_id in answered if native_id in ids)
    touched: list[tuple[UUID, str, UUID]] = []
    if talks:
        rows = [(new_id(), author_id, thread, newest[thread]) for author_id, thread in sorted(talks, key=str)]
        touched += execute(connection, _UPSERT_CONVERSATIONS, {**params, **packed(CONVERSATION, rows)})
    touched += execute(connection, _TOUCH_THREADS, params)
    quoted(connection, shared, [str(row[1]) for row in changed if row[4] and row[5] == Kind.OWN])
    told = {str(row[8]) for row in changed if row[4] and row[5] == Kind.DIRECT and row[8]}
    if told:
        execute(connection, _TOUCH_RECIPIENTS, {**params, "ids": sorted(told)})
    elsewhere(connection, source, params, newest, told)
    found: dict[str, dict[UUID, UUID]] = {}
    for id_, thread, author_id in touched:
        found.setdefault(thread, {})[author_id] = id_
    return Talks(found, ids)


def quoted(connection: RawConnection, shared: Mapping[str, object], ours: Collection[str]) -> None:
    """Marks due what these posts of ours (the network's ids) quote."""
    threads = execute(connection, _QUOTED_BY_US, {**shared, "ids": sorted(ours)}) if ours else []
    if threads:
        newest = dict(sorted(threads))
        execute(connection, _TOUCH_THREADS, {**shared, "threads": list(newest), "posted": list(newest.values())})


def renamed(connection: RawConnection, shared: Mapping[str, object], authors: Sequence[UUID]) -> None:
    """Marks due what open tasks call these authors, who go by another handle or name now."""
    if authors:
        params = {**shared, "authors": list(authors), "at": business_now()}
        for statement in (_TOUCH_TASKS_OF_TALKS, _TOUCH_CALL_TASKS):
            execute(connection, statement, params)


def by_brand(rows: Iterable[tuple[Any, ...]], at: int) -> dict[UUID, list[tuple[Any, ...]]]:
    """The rows by the brands that they name at the place `at`: a post stays with the brand that it came to, also where its account has
    moved to another since."""
    found: dict[UUID, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[at], []).append(row)
    return dict(sorted(found.items()))  # the same order everywhere; what `elsewhere` meets all the same is tried again


def elsewhere(
    connection: RawConnection,
    source: Source,
    shared: Mapping[str, object],
    threads: Collection[str],
    told: Collection[str],
) -> None:
    """Marks due what this account brought for other brands than that of the posts: in these threads, and of whom the posts tell
    something in private (the network's ids)."""
    others = {source.brand_id, *source.other_brands} - {shared["brand"]}
    if others and threads:
        execute(connection, _TOUCH_ELSEWHERE, {**shared, "others": sorted(others), "threads": sorted(threads)})
    if others and told:
        execute(connection, _TOUCH_TOLD_ELSEWHERE, {**shared, "others": sorted(others), "ids": sorted(told)})


def gone(
    connection: RawConnection,
    source: Source,
    shared: Mapping[str, object],
    rows: Sequence[tuple[str, datetime, bool, str | None]],
) -> None:
    """Marks due what posts of a brand's that are gone touch: (thread, posted at, ours, whom it told in private) of each."""
    newest = {thread: posted_at for thread, posted_at, *_ in rows}
    threads = sorted(newest)
    execute(
        connection, _TOUCH_THREADS, {**shared, "threads": threads, "posted": [newest[thread] for thread in threads]}
    )
    if told := {to for *_, to in rows if to}:
        execute(connection, _TOUCH_RECIPIENTS, {**shared, "ids": sorted(told)})
    elsewhere(connection, source, shared, newest, told)
