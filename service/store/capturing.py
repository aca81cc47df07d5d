"""Posts that another system hands in: put into their threads, stored like any that were pulled, and erased when told so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from integrations.records import Author, Engagement, Gone, Kind
from integrations.registry import handed_in
from service.clock import real_now
from service.db import raw
from service.models import Connection, Stream
from service.models import Engagement as Row
from service.store import locks, pulling, rejoining, suppressing, us
from service.store.locks import Lock
from service.store.rows import execute
from service.store.us import Source

# Between two ids, which is by the index: under row-level security LIKE reads through all posts of the place.
UNDER = (
    "SELECT e.native_id, a.native_id, a.handle, a.name FROM engagements e JOIN authors a ON a.workspace_id = %(w)s AND a.id = e.author_id"
    " WHERE e.workspace_id = %(w)s AND e.connection_id = %(c)s AND e.native_id >= %(start)s AND e.native_id < %(end)s ORDER BY e.native_id"
)
_LAST = "~"  # behind any character of an id of ours


@dataclass(frozen=True, slots=True)
class Handed:
    """One post as it was handed in. Ids are the place's own."""

    id: str
    at: datetime
    ours: bool
    author: Author | None  # None: the brand's own account
    text: str
    kind: Kind | None = None  # None: told by what it answers
    thread: str | None = None  # None: that of the post that it answers, else its own
    in_reply_to: str | None = None
    mentions: tuple[str, ...] = ()  # author ids
    url: str = ""
    language: str | None = None
    edited_at: datetime | None = None
    is_repost: bool = False
    window_closes_at: datetime | None = None


class Outcome(StrEnum):
    CREATED = "created"
    KNOWN = "known"  # it was here; what differed was taken over
    DELETED = "deleted"
    ABSENT = "absent"  # to be deleted, and never was here
    LEFT_OUT = "left_out"  # its author was erased here, or objects: nothing was stored


@dataclass(frozen=True, slots=True)
class Result:
    native_id: str
    outcome: Outcome
    engagement_id: UUID | None


@dataclass(frozen=True, slots=True)
class Written:
    """A stored post's id, and who wrote it; both the place's own."""

    id: str
    author: Author


def connection_of_place(session: Session, workspace_id: UUID, place: str, brand_id: UUID | None) -> Connection | None:
    """The connection of this place, whatever its capitals: of the brand named, else of the first that has it."""
    query = (
        select(Connection)
        .where(
            Connection.workspace_id == workspace_id,
            Connection.provider.in_(handed_in()),
            func.lower(Connection.host) == place.lower(),
        )
        .order_by(Connection.created_at, Connection.id)
        .limit(1)
    )
    return session.scalars(query.where(Connection.brand_id == brand_id) if brand_id else query).one_or_none()


def save(session: Session, connection: Connection, posts: Sequence[Handed], gone: Sequence[str]) -> list[Result]:
    """Stores posts and erases those that are gone (ids), at most once each however often they come; what they touch is
    decided again. One result per id: of the posts in their order, then of those that are gone."""
    locks.alone(raw(session), connection.workspace_id, Lock.HANDED_IN)
    source = us.source(session, connection)
    known = _known(session, source, [*gone, *(each.id for each in posts)])
    placed = _placed(session, source, connection, posts)
    kept = _kept(session, _with_colleagues(source, posts), placed)
    rejoining.rejoin(session, source, {each.id: each.thread for each in placed if each.id in kept})
    _note_arrival(session, connection, len(kept - known.keys()))
    pulling.erase_gone(session, source, [Gone(each) for each in gone])
    now = _known(session, source, [*gone, *(each.id for each in posts)])
    results = [Result(each.id, _stored(each.id in known, each.id in kept), now.get(each.id)) for each in posts]
    return results + [
        Result(each, Outcome.DELETED if each in known else Outcome.ABSENT, now.get(each)) for each in gone
    ]


def _note_arrival(session: Session, connection: Connection, new: int) -> None:
    """What has arrived of this place, and when: what is handed in proves that the place works, as what is read proves it elsewhere."""
    if new:
        session.execute(
            update(Stream)
            .where(Stream.workspace_id == connection.workspace_id, Stream.connection_id == connection.id)
            .values(items=Stream.items + new, last_item_at=real_now())
        )


def written_under(session: Session, connection: Connection, start: str) -> list[Written]:
    """The posts of this place whose ids begin so, also those that are gone at their source."""
    params = {"w": connection.workspace_id, "c": connection.id, "start": start, "end": start + _LAST}
    rows = execute(raw(session), UNDER, params)
    return [Written(id_, Author(who, handle, name)) for id_, who, handle, name in rows]


def _kept(session: Session, source: Source, posts: Sequence[Engagement]) -> set[str]:
    """Stores these posts, but for those of people who are to be left out. Returns the ids of the others: a post that is here already
    says nothing of whether what came now was taken over."""
    kept = suppressing.without_authors(
        session, source.workspace_id, source.provider, source.host, posts, source.is_ours
    )
    pulling.save_engagements(session, source, kept, whole=True)
    return {each.id for each in kept}


def _stored(known: bool, kept: bool) -> Outcome:
    if not kept:
        return Outcome.LEFT_OUT
    return Outcome.KNOWN if known else Outcome.CREATED


def is_handed_in(session: Session, workspace_id: UUID, engagement_id: UUID) -> tuple[Connection, str] | None:
    """The connection and the place's own id of this post; None when the workspace has no such post."""
    found = session.execute(
        select(Connection, Row.native_id)
        .join(Row, (Row.workspace_id == Connection.workspace_id) & (Row.connection_id == Connection.id))
        .where(Row.workspace_id == workspace_id, Row.id == engagement_id)
    ).one_or_none()
    return (found[0], found[1]) if found else None


# --- threads --------------------------------------------------------------------------------------------------


def _known(session: Session, source: Source, ids: Sequence[str]) -> dict[str, UUID]:
    rows = execute(
        raw(session),
        "SELECT native_id, id FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s)",
        {"w": source.workspace_id, "c": source.connection_id, "ids": list(ids)},
    )
    return dict(rows)


def _with_colleagues(source: Source, posts: Sequence[Handed]) -> Source:
    """Whoever writes for the brand in one of these posts is one of us here."""
    return replace(source, our_ids=source.our_ids | {each.author.id for each in posts if each.ours and each.author})


@dataclass(frozen=True, slots=True)
class _Link:
    """What a post says to whatever answers it."""

    thread: str
    author_id: str
    ours: bool
    at: datetime


def _placed(session: Session, source: Source, connection: Connection, posts: Sequence[Handed]) -> list[Engagement]:
    """The posts in their threads, with whom they speak to. What the place does not say is told by the order of time: a
    post of ours that names nobody answers whoever spoke last in its thread."""
    ordered = sorted(posts, key=lambda post: (post.at, post.id))
    links = _links(session, source, [each.in_reply_to for each in ordered if each.in_reply_to])
    account = Author(connection.account_id, connection.handle, connection.name, url=connection.url)
    placed = []
    waiting = dict.fromkeys(ordered)
    while waiting:
        # A batch may hold an answer and what it answers in any order: a parent is placed before its children.
        ids = {each.id for each in waiting}
        batch = [each for each in waiting if each.in_reply_to not in ids or each.in_reply_to == each.id] or list(
            waiting
        )
        for post in batch:
            del waiting[post]
            parent = links.get(post.in_reply_to or "")
            thread = f"{source.host}/{post.thread}" if post.thread else parent.thread if parent else None
            thread = thread or rejoining.made_up(source, post.in_reply_to or post.id)
            author = post.author or account
            links[post.id] = _Link(thread, author.id, post.ours, post.at)
            placed.append((post, author, thread, parent))
    heard = _last_heard(session, source, {thread for _, _, thread, _ in placed}, links)
    return [_engagement(*each, heard) for each in placed]


def _links(session: Session, source: Source, ids: Sequence[str]) -> dict[str, _Link]:
    rows = execute(
        raw(session),
        "SELECT e.native_id, e.thread, a.native_id, e.ours, e.posted_at FROM engagements e JOIN authors a ON a.workspace_id = e.workspace_id"
        " AND a.id = e.author_id WHERE e.workspace_id = %(w)s AND e.connection_id = %(c)s AND e.native_id = ANY(%(ids)s)",
        {"w": source.workspace_id, "c": source.connection_id, "ids": list(ids)},
    )
    return {row[0]: _Link(*row[1:]) for row in rows}


def _last_heard(
    session: Session, source: Source, threads: set[str], links: Mapping[str, _Link]
) -> dict[str, list[tuple[datetime, str]]]:
    """By thread: when each of theirs was written and by whom, in the order of time."""
    rows = execute(
        raw(session),
        "SELECT e.thread, e.posted_at, a.native_id FROM engagements e JOIN authors a ON a.workspace_id = e.workspace_id AND a.id = e.author_id"
        " WHERE e.workspace_id = %(w)s AND e.brand_id = %(brand)s AND e.connection_id = %(c)s AND e.thread = ANY(%(threads)s) AND NOT e.ours"
        " ORDER BY e.posted_at DESC LIMIT 5000",
        {"w": source.workspace_id, "brand": source.brand_id, "c": source.connection_id, "threads": sorted(threads)},
    )
    heard: dict[str, set[tuple[datetime, str]]] = {thread: set() for thread in threads}
    for thread, at, author in [
        *rows,
        *((each.thread, each.at, each.author_id) for each in links.values() if not each.ours),
    ]:
        heard.setdefault(thread, set()).add((at, author))
    return {thread: sorted(times) for thread, times in heard.items()}


def _engagement(
    post: Handed, author: Author, thread: str, parent: _Link | None, heard: Mapping[str, list[tuple[datetime, str]]]
) -> Engagement:
    spoken_to = parent.author_id if parent else None
    if post.ours and spoken_to is None and not post.mentions:
        spoken_to = next((who for at, who in reversed(heard.get(thread, [])) if at <= post.at), None)
    default = Kind.OWN if post.ours else Kind.REPLY if parent and parent.ours else Kind.MENTION
    return Engagement(
        id=post.id, kind=post.kind or default, author=author, text=post.text, created_at=post.at, url=post.url, thread=thread,
        in_reply_to=post.in_reply_to, in_reply_to_author=spoken_to, mentions=post.mentions, edited_at=post.edited_at, language=post.language,
        is_repost=post.is_repost, window_closes_at=post.window_closes_at,
    )  # fmt: skip
