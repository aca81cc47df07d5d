"""What was said: the posts of some threads, in batches, with the signals that the rules read from each."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.records import Kind
from integrations.registry import handed_in
from service.db import RawConnection, raw
from service.rules.addressing import MOST_TURNS
from service.rules.matching import handles
from service.rules.model import RULES_VERSION, Post, Signals
from service.rules.signals import ALONE, from_mask, read, to_mask
from service.store.rows import execute, insert, packed, records

Thread = tuple[UUID, str]  # brand, thread

# What people call where an author is: a network by its provider's key, or a place by its own name.
NETWORK = "CASE WHEN a.provider = ANY(%(places)s) THEN a.host ELSE a.provider END"
_POSTS = f"""
SELECT x.number, e.id::text, e.native_id, e.kind, e.ours, a.native_id, e.posted_at, e.text, s.mask, e.in_reply_to, e.in_reply_to_author,
       e.mentions, e.url, e.deleted_at IS NOT NULL, e.window_closes_at, coalesce(nullif(a.name, ''), a.handle), {NETWORK}, e.language, e.is_repost,
       e.text_erased_at IS NOT NULL, a.handle
FROM unnest(%(brands)s::uuid[], %(threads)s::text[]) WITH ORDINALITY AS x(brand_id, thread, number)
JOIN engagements e ON e.workspace_id = %(w)s AND e.brand_id = x.brand_id AND e.thread = x.thread
JOIN authors a ON a.workspace_id = %(w)s AND a.id = e.author_id
LEFT JOIN signals s ON s.workspace_id = %(w)s AND s.engagement_id = e.id
  AND (s.rules_version = %(rules)s OR e.text_erased_at IS NOT NULL)
"""  # noqa: S608 - names of our own columns
# Posts of ours that quote one of these, which stand in threads of their own.
_QUOTED = {"number": "int", "brand_id": "uuid", "native_id": "text"}
_QUOTING = f"""
SELECT new.number, e.id::text, e.native_id, e.kind, a.native_id, e.posted_at, e.text, e.quotes, e.mentions, e.url, coalesce(nullif(a.name, ''), a.handle),
       {NETWORK}, e.language
FROM {records(_QUOTED)}
JOIN engagements e ON e.workspace_id = %(w)s AND e.brand_id = new.brand_id AND e.quotes = new.native_id AND e.ours AND e.quotes IS NOT NULL
  AND e.in_reply_to IS NULL AND e.deleted_at IS NULL
JOIN authors a ON a.workspace_id = %(w)s AND a.id = e.author_id
"""  # noqa: S608 - names of our own columns
SIGNAL = {"engagement_id": "uuid", "mask": "bigint"}
_SAVE_SIGNALS = insert(
    "signals",
    SIGNAL,
    fixed={"workspace_id": "%(w)s", "rules_version": "%(rules)s"},
    conflict="ON CONFLICT (workspace_id, engagement_id) DO UPDATE SET rules_version = excluded.rules_version, mask = excluded.mask",
)


def posts_of(
    session: Session, workspace_id: UUID, threads: Iterable[Thread], names: Mapping[str, str]
) -> dict[Thread, list[Post]]:
    """Every post of these threads, with the signals of today's rules: read now and stored where they are not yet, or where what
    a text replies to has come since. A post of ours that quotes one of theirs answers it as a reply does, and is told as one.
    `names` are the providers' names for people, by key."""
    connection, unique = raw(session), list(set(threads))
    rows = execute(
        connection,
        _POSTS,
        {
            "w": workspace_id,
            "rules": RULES_VERSION,
            "brands": [brand for brand, _ in unique],
            "threads": [thread for _, thread in unique],
            "places": handed_in(),
        },
    )
    found: list[list[Post]] = [[] for _ in unique]
    unread: list[tuple[str, int]] = []
    said: _Said | None = None  # made for the first post that needs it: most have been read
    for row in rows:
        (number, id_, native, kind, ours, author, at, text, mask, parent, parent_author, mentions, url, deleted, closes, name, provider,
         language, repost, erased, _) = row  # fmt: skip
        if ours or deleted or (erased and mask is None):
            signals = _SILENT  # what we say ourselves is not read, and what is not kept cannot be
        else:
            signals, before = from_mask(mask or 0), None
            if mask is None or (mask & ALONE and not erased):
                said = said or _Said(rows)
                before = said.before(number, parent, kind, author, at)
            if said and (mask is None or before):
                reply = before or _NOBODY
                others = _opens_with_a_name(kind, text) and not said.names_us(number, text, mentions)
                signals = read(text, mentions=len(mentions), is_repost=repost, language=language, reply_to=reply.text,
                               reply_to_ours=reply.ours, reply_to_all=reply.to_all, to_others=others)  # fmt: skip
                unread.append(
                    (id_, to_mask(signals) | (ALONE if before is None and (parent or kind == _DIRECT) else 0))
                )
        found[number - 1].append(
            Post(
                id_,
                native,
                _KINDS[kind],
                ours,
                author,
                at,
                text,
                signals,
                parent,
                parent_author,
                tuple(mentions),
                url,
                deleted,
                closes,
                name,
                names.get(provider, provider),
                language,
            )
        )
    if unread:
        _save_signals(connection, workspace_id, unread)
    for number, post in _quoting(connection, workspace_id, unique, found, names):
        found[number - 1].append(post)
    return dict(zip(unique, found, strict=True))


def _quoting(
    connection: RawConnection,
    workspace_id: UUID,
    threads: Sequence[Thread],
    found: Sequence[Sequence[Post]],
    names: Mapping[str, str],
) -> Iterator[tuple[int, Post]]:
    """Our posts that quote what others said in these threads, on the same network, each with the thread's number, from 1 on."""
    quoted = {
        (number, each.native_id, each.network): each.author_id
        for number, posts in enumerate(found, 1)
        for each in posts
        if not each.ours and each.kind is not Kind.DIRECT
    }
    if not quoted:
        return
    asked = [(number, threads[number - 1][0], native_id) for number, native_id, _ in quoted]
    rows = execute(connection, _QUOTING, {"w": workspace_id, "places": handed_in(), **packed(_QUOTED, asked)})
    for number, id_, native, kind, author, at, text, parent, mentions, url, name, provider, language in rows:
        network = names.get(provider, provider)
        whom = quoted.get((number, parent, network))
        if whom is not None:
            yield number, Post(
                id_, native, _KINDS[kind], True, author, at, text, _SILENT, parent, whom, tuple(mentions), url,
                author_name=name, network=network, language=language,
            )  # fmt: skip


class _Before(NamedTuple):
    """What a post replies to."""

    text: str | None
    ours: bool | None
    to_all: bool  # ours, and to nobody in particular


_NOBODY = _Before(None, None, to_all=False)


class _Said:
    """What was said in some threads, for whoever replies to it. `rows` are those of _POSTS."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._by_id = {(row[0], row[2]): row for row in rows}
        self._us = {(row[0], row[5]) for row in rows if row[4]}
        self._our_handles = {(row[0], f"@{handles.plain(row[-1])}") for row in rows if row[4] and row[-1]}
        self._ours: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        for number, _, _, kind, ours, _, at, text, *rest in rows:
            if ours and kind == _DIRECT and not rest[_DELETED]:
                self._ours[number].append((at, text))
        for messages in self._ours.values():
            messages.sort()

    def before(self, number: int, parent: str | None, kind: str, author: str, at: datetime) -> _Before | None:
        """What a post replies to; None where that is not held. Who goes on below their own post replies to what that replied to.
        Direct messages name no parent: they reply to the last that we wrote there before."""
        if parent or kind != _DIRECT:
            return self._above(number, parent, author)
        ours = self._ours.get(number, ())
        until = bisect_left(ours, at, key=itemgetter(0))
        return _Before(ours[until - 1][1], ours=True, to_all=False) if until else None

    def names_us(self, number: int, text: str, mentions: Sequence[str]) -> bool:
        """Whether a text that begins with a name speaks to one of us who has spoken in the thread. Not every network says whom a text names."""
        first = text.casefold().split(maxsplit=1)[0].rstrip(".,:;!?")
        return (number, first) in self._our_handles or any((number, each) in self._us for each in mentions)

    def _above(self, number: int, parent: str | None, author: str) -> _Before | None:
        for _ in range(MOST_TURNS):
            row = self._by_id.get((number, parent))
            if row is None:
                return None
            _, _, _, kind, ours, writer, _, text, _, parent, _, mentions, *_ = row
            if writer != author:
                return _Before(text, ours, to_all=kind == _OWN and parent is None and not mentions)
            if parent is None:
                break
        return _NOBODY


def _opens_with_a_name(kind: str, text: str) -> bool:
    """Whether a post below one of ours begins by naming somebody: not the account that it stands below, or it were more than a comment."""
    return kind == _COMMENT and text.lstrip().startswith("@")


_COMMENT, _OWN = Kind.COMMENT.value, Kind.OWN.value
_DIRECT, _DELETED = Kind.DIRECT.value, 5  # the latter counted from after the text
_SILENT = Signals()
_KINDS = {kind.value: kind for kind in Kind}


def _save_signals(connection: RawConnection, workspace_id: UUID, rows: Sequence[tuple[str, int]]) -> None:
    execute(connection, _SAVE_SIGNALS, {"w": workspace_id, "rules": RULES_VERSION, **packed(SIGNAL, sorted(rows))})
