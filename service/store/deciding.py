"""What a decision reads and writes, in batches: due conversations and relationships, the posts they rest on, signals."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy.orm import Session

from integrations.records import ActivityKind, Direction, Kind
from integrations.registry import handed_in
from service.db import RawConnection, raw
from service.ids import new_id
from service.rules.model import RULES_VERSION, LoggedActivity, Post, Signals
from service.rules.signals import ALONE, from_mask, read, to_mask
from service.store import knowing
from service.store.rows import execute, insert, packed, records

Thread = tuple[UUID, str]  # brand, thread


class DueConversation(Struct, frozen=True):
    id: UUID
    brand_id: UUID
    connection_id: UUID
    author_id: UUID
    thread: str
    dealt_with_until: datetime | None
    native_id: str
    handle: str
    name: str
    followers: int | None
    provider: str
    responder_email: str
    bot: bool
    contact_id: UUID | None

    @property
    def person(self) -> str:
        return person_key(self.contact_id, self.author_id)


class DueRelationship(Struct, frozen=True):
    id: UUID
    brand_id: UUID
    person: str
    contact_id: UUID | None
    author_id: UUID | None
    stage: str
    stage_at: datetime | None


def person_key(contact_id: UUID | None, author_id: UUID | None) -> str:
    """The subject of a relationship: a contact with all its authors, or one author whom no CRM knows."""
    return f"contact:{contact_id}" if contact_id else f"author:{author_id}"


# What people call where an author is: a network by its provider's key, or a place by its own name.
_NETWORK = "CASE WHEN a.provider = ANY(%(places)s) THEN a.host ELSE a.provider END"
# An account that has moved to another brand leaves what it brought with whom the first one had chosen.
_RESPONDER = (
    "CASE WHEN n.brand_id = c.brand_id THEN n.responder_email"
    " ELSE coalesce(n.former_responders->>c.brand_id::text, n.responder_email) END"
)
_CONVERSATIONS = f"""
SELECT c.id, c.brand_id, c.connection_id, c.author_id, c.thread, c.dealt_with_until, a.native_id, a.handle, a.name, a.followers,
       {_NETWORK}, {_RESPONDER}, a.bot
FROM (SELECT * FROM conversations WHERE workspace_id = %(w)s AND {{chosen}}) c
JOIN authors a ON a.workspace_id = %(w)s AND a.id = c.author_id
JOIN connections n ON n.workspace_id = %(w)s AND n.id = c.connection_id
"""  # noqa: S608 - names of our own columns
_RELATIONSHIPS = "SELECT id, brand_id, person, contact_id, author_id, stage, stage_at FROM relationships WHERE workspace_id = %(w)s AND {chosen}"
_DUE = "decide_at <= %(now)s ORDER BY decide_at LIMIT %(n)s FOR UPDATE SKIP LOCKED"
# What else is due of the same people: who is judged as a whole is judged once.
_DUE_TOO = (
    "author_id = ANY(%(authors)s) AND id <> ALL(%(ids)s) AND decide_at <= %(now)s LIMIT %(n)s FOR UPDATE SKIP LOCKED"
)
_DUE_PEOPLE = (
    "decide_at <= %(now)s AND (brand_id, person) IN (SELECT * FROM unnest(%(brands)s::uuid[], %(people)s::text[]))"
    " ORDER BY id FOR UPDATE SKIP LOCKED"
)
# What a first pull has not finished yet is judged by nobody.
_BEFORE = "(%(before)s::uuid IS NULL OR id < %(before)s::uuid) AND decide_at IS DISTINCT FROM 'infinity' ORDER BY id DESC LIMIT %(n)s"
_OF_CONNECTION = "connection_id = %(connection)s AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid) ORDER BY id DESC LIMIT %(n)s"
_POSTS = f"""
SELECT x.number, e.id::text, e.native_id, e.kind, e.ours, a.native_id, e.posted_at, e.text, s.mask, e.in_reply_to, e.in_reply_to_author,
       e.mentions, e.url, e.deleted_at IS NOT NULL, e.window_closes_at, coalesce(nullif(a.name, ''), a.handle), {_NETWORK}, e.language, e.is_repost,
       e.text_erased_at IS NOT NULL
FROM unnest(%(brands)s::uuid[], %(threads)s::text[]) WITH ORDINALITY AS x(brand_id, thread, number)
JOIN engagements e ON e.workspace_id = %(w)s AND e.brand_id = x.brand_id AND e.thread = x.thread
JOIN authors a ON a.workspace_id = %(w)s AND a.id = e.author_id
LEFT JOIN signals s ON s.workspace_id = %(w)s AND s.engagement_id = e.id
  AND (s.rules_version = %(rules)s OR e.text_erased_at IS NOT NULL)
"""  # noqa: S608 - names of our own columns
SIGNAL = {"engagement_id": "uuid", "mask": "bigint"}
_SAVE_SIGNALS = insert(
    "signals",
    SIGNAL,
    fixed={"workspace_id": "%(w)s", "rules_version": "%(rules)s"},
    conflict="ON CONFLICT (workspace_id, engagement_id) DO UPDATE SET rules_version = excluded.rules_version, mask = excluded.mask",
)
DECIDED = {
    "id": "uuid", "decide_at": "timestamptz", "waiting_since": "timestamptz", "reasons": "jsonb",
}  # fmt: skip
_SAVE_CONVERSATIONS = f"""
UPDATE conversations c SET decide_at = new.decide_at, waiting_since = new.waiting_since, reasons = new.reasons, settings_version = %(settings)s,
       rules_version = %(rules)s, decided_at = %(now)s
FROM {records(DECIDED)} WHERE c.workspace_id = %(w)s AND c.id = new.id
"""  # noqa: S608 - names of our own columns
RELATIONSHIP = {"id": "uuid", "brand_id": "uuid", "person": "text", "contact_id": "uuid", "author_id": "uuid"}
_OPEN_RELATIONSHIPS = insert(
    "relationships",
    RELATIONSHIP,
    fixed={"workspace_id": "%(w)s", "decide_at": "%(now)s::timestamptz", "stage": "''", "reasons": "'[]'::jsonb"},
    conflict="ON CONFLICT (workspace_id, brand_id, person) DO UPDATE SET decide_at = least(old.decide_at, excluded.decide_at)",
)
RELATED = {
    "id": "uuid",
    "decide_at": "timestamptz",
    "stage": "text",
    "stage_at": "timestamptz",
    "score": "real",
    "reasons": "jsonb",
}
_SAVE_RELATIONSHIPS = f"""
UPDATE relationships r SET decide_at = new.decide_at, reasons = new.reasons, settings_version = %(settings)s, rules_version = %(rules)s,
       decided_at = %(now)s, stage_at = new.stage_at, stage = new.stage, score = new.score
FROM {records(RELATED)} WHERE r.workspace_id = %(w)s AND r.id = new.id
"""  # noqa: S608 - names of our own columns
_THREADS_OF_PEOPLE = f"""
SELECT who.person, c.brand_id, c.thread, a.native_id, a.id, a.name, a.handle, {_NETWORK}, {_RESPONDER}, a.followers, a.bio
FROM unnest(%(brands)s::uuid[], %(people)s::text[], %(authors)s::uuid[]) AS who(brand_id, person, author_id)
JOIN authors a ON a.workspace_id = %(w)s AND a.id = who.author_id
JOIN conversations c ON c.workspace_id = %(w)s AND c.author_id = who.author_id AND c.brand_id = who.brand_id
JOIN connections n ON n.workspace_id = %(w)s AND n.id = c.connection_id
"""  # noqa: S608 - names of our own columns
_ACTIVITIES = """
SELECT c.id, v.kind, v.at, v.direction, v.outcome, v.ends_at FROM contacts c
JOIN activity_contacts l ON l.workspace_id = %(w)s AND l.connection_id = c.connection_id AND l.contact_native_id = c.native_id
JOIN activities v ON v.workspace_id = %(w)s AND v.id = l.activity_id AND v.deleted_at IS NULL
WHERE c.workspace_id = %(w)s AND c.id = ANY(%(ids)s)
"""


def due_conversations(session: Session, workspace_id: UUID, now: datetime, limit: int) -> list[DueConversation]:
    """Conversations whose decision is due, and as many again at most of the same authors, locked until the end of the
    transaction: a pull that adds to one waits, and makes it due again."""
    found = _found_conversations(session, workspace_id, _DUE, {"now": now, "n": limit})
    if len(found) < limit:
        return found
    params = {
        "now": now,
        "n": limit,
        "authors": list({each.author_id for each in found}),
        "ids": [each.id for each in found],
    }
    return found + _found_conversations(session, workspace_id, _DUE_TOO, params)


def conversations_before(
    session: Session, workspace_id: UUID, before: UUID | None, limit: int
) -> list[DueConversation]:
    """Conversations, due or not, that are older than `before`; the newest, if that is None. Nothing is locked."""
    return _found_conversations(session, workspace_id, _BEFORE, {"before": before, "n": limit})


def _found_conversations(
    session: Session, workspace_id: UUID, chosen: str, params: Mapping[str, object]
) -> list[DueConversation]:
    statement = _CONVERSATIONS.format(chosen=chosen)
    rows = execute(raw(session), statement, {"w": workspace_id, "places": handed_in(), **params})
    known = knowing.contacts_of(session, workspace_id, ((row[1], row[3]) for row in rows))
    return [DueConversation(*(*row, known.get((row[1], row[3])))) for row in rows]


def due_relationships(session: Session, workspace_id: UUID, now: datetime, limit: int) -> list[DueRelationship]:
    """Relationships whose decision is due, locked until the end of the transaction."""
    statement = _RELATIONSHIPS.format(chosen=_DUE)
    return [
        DueRelationship(*row) for row in execute(raw(session), statement, {"w": workspace_id, "now": now, "n": limit})
    ]


def due_relationships_of(
    session: Session, workspace_id: UUID, people: Iterable[tuple[UUID, str]], now: datetime
) -> list[DueRelationship]:
    """As `due_relationships`, of these (brand, person) alone."""
    ordered = sorted(set(people))
    params = {"brands": [brand for brand, _ in ordered], "people": [person for _, person in ordered]}
    statement = _RELATIONSHIPS.format(chosen=_DUE_PEOPLE)
    return [
        DueRelationship(*row) for row in execute(raw(session), statement, {"w": workspace_id, "now": now, **params})
    ]


def relationships_before(
    session: Session, workspace_id: UUID, before: UUID | None, limit: int
) -> list[DueRelationship]:
    """As `conversations_before`."""
    statement = _RELATIONSHIPS.format(chosen=_BEFORE)
    rows = execute(raw(session), statement, {"w": workspace_id, "before": before, "n": limit})
    return [DueRelationship(*row) for row in rows]


def conversations_of(
    session: Session, workspace_id: UUID, connection_id: UUID, before: UUID | None, limit: int
) -> list[DueConversation]:
    """As `conversations_before`, of one connection, those of a first pull that is still under way among them."""
    params = {"connection": connection_id, "before": before, "n": limit}
    return _found_conversations(session, workspace_id, _OF_CONNECTION, params)


def these_conversations(session: Session, workspace_id: UUID, ids: Iterable[UUID]) -> list[DueConversation]:
    """Conversations by their ids, due or not. Nothing is locked."""
    return _found_conversations(session, workspace_id, "id = ANY(%(ids)s) ORDER BY id", {"ids": list(ids)})


def people_of(found: Iterable[DueConversation]) -> list[DueRelationship]:
    """The relationships that these conversations are part of, as if nobody had looked at them yet."""
    unique = {(each.brand_id, each.person): each for each in found}
    return [
        DueRelationship(
            id=new_id(), brand_id=each.brand_id, person=each.person, contact_id=each.contact_id,
            author_id=None if each.contact_id else each.author_id, stage="", stage_at=None,
        )
        for each in unique.values()
    ]  # fmt: skip


def how_many(session: Session, workspace_id: UUID) -> tuple[int, int]:
    """How many conversations and relationships `conversations_before` and `relationships_before` go through."""
    [row] = execute(raw(session), (
        "SELECT (SELECT count(*) FROM conversations WHERE workspace_id = %(w)s AND decide_at IS DISTINCT FROM 'infinity'),"
        " (SELECT count(*) FROM relationships WHERE workspace_id = %(w)s)"
    ), {"w": workspace_id})  # fmt: skip
    return row[0], row[1]


def posts_of(
    session: Session, workspace_id: UUID, threads: Iterable[Thread], names: Mapping[str, str]
) -> dict[Thread, list[Post]]:
    """Every post of these threads, with the signals of today's rules: read now and stored where they are not yet, or where what
    a text replies to has come since.
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
         language, repost, erased) = row  # fmt: skip
        if ours or deleted or (erased and mask is None):
            signals = _SILENT  # what we say ourselves is not read, and what is not kept cannot be
        else:
            before = None
            if mask is None or (mask & ALONE and not erased):
                said = said or _Said(rows)
                before = said.before(number, parent, kind, at)
            if mask is None or before:
                signals = read(text, mentions=len(mentions), is_repost=repost, language=language, reply_to=before and before[0],
                               reply_to_ours=before and before[1])  # fmt: skip
                unread.append(
                    (id_, to_mask(signals) | (ALONE if before is None and (parent or kind == _DIRECT) else 0))
                )
            else:
                signals = from_mask(mask)
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
    return dict(zip(unique, found, strict=True))


class _Said:
    """What was said in some threads, for whoever replies to it. `rows` are those of _POSTS."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._by_id = {(row[0], row[2]): (row[7], row[4]) for row in rows}
        self._ours: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        for number, _, _, kind, ours, _, at, text, *rest in rows:
            if ours and kind == _DIRECT and not rest[_DELETED]:
                self._ours[number].append((at, text))
        for messages in self._ours.values():
            messages.sort()

    def before(self, number: int, parent: str | None, kind: str, at: datetime) -> tuple[str, bool] | None:
        """The text that a post replies to, and whether it is ours; None where that is not held. Direct messages name
        no parent: they reply to the last that we wrote there before."""
        if parent or kind != _DIRECT:
            return self._by_id.get((number, parent))
        ours = self._ours.get(number, ())
        until = bisect_left(ours, at, key=itemgetter(0))
        return (ours[until - 1][1], True) if until else None


_DIRECT, _DELETED = Kind.DIRECT.value, 5  # the latter counted from after the text
_SILENT = Signals()
_KINDS = {kind.value: kind for kind in Kind}


def _save_signals(connection: RawConnection, workspace_id: UUID, rows: Sequence[tuple[str, int]]) -> None:
    execute(connection, _SAVE_SIGNALS, {"w": workspace_id, "rules": RULES_VERSION, **packed(SIGNAL, sorted(rows))})


def save_conversations(
    session: Session,
    workspace_id: UUID,
    rows: Sequence[tuple[UUID, datetime | None, datetime | None, list[str]]],
    *,
    settings: int,
    now: datetime,
) -> None:
    """(id, when to look again, waiting since, reasons) of each."""
    execute(
        raw(session),
        _SAVE_CONVERSATIONS,
        {"w": workspace_id, "settings": settings, "rules": RULES_VERSION, "now": now, **packed(DECIDED, rows)},
    )


def open_relationships(
    session: Session, workspace_id: UUID, people: Iterable[tuple[UUID, UUID | None, UUID]], now: datetime
) -> None:
    """(brand, contact, author) of everybody whose conversation was decided: their relationship is due."""
    unique = {(brand, person_key(contact, author)): (brand, contact, author) for brand, contact, author in people}
    rows = [
        (new_id(), brand, person, contact, None if contact else author)
        for (brand, person), (_, contact, author) in sorted(unique.items())
    ]
    execute(raw(session), _OPEN_RELATIONSHIPS, {"w": workspace_id, "now": now, **packed(RELATIONSHIP, rows)})


def save_relationships(
    session: Session,
    workspace_id: UUID,
    rows: Sequence[tuple[UUID, datetime | None, str, datetime | None, float | None, list[str]]],
    *,
    settings: int,
    now: datetime,
) -> None:
    """(id, when to look again, stage, since when, score, reasons) of each."""
    execute(
        raw(session),
        _SAVE_RELATIONSHIPS,
        {"w": workspace_id, "settings": settings, "rules": RULES_VERSION, "now": now, **packed(RELATED, rows)},
    )


class Talk(Struct, frozen=True):
    """One thread of one of a person's authors."""

    brand_id: UUID
    thread: str
    native_id: str
    author_id: UUID
    name: str
    handle: str
    provider: str
    responder_email: str
    followers: int | None
    bio: str


def talks_of(
    session: Session, workspace_id: UUID, due: Sequence[DueRelationship]
) -> dict[tuple[UUID, str], list[Talk]]:
    """The threads of each relationship, by (brand, person). One that has lost its subject has none: an author whom the brand has come to
    know is part of the contact's relationship, and the one that stood alone is about nobody any more."""
    known = knowing.authors_of(
        session, workspace_id, ((each.brand_id, each.contact_id) for each in due if each.contact_id)
    )
    alone = {(each.brand_id, each.author_id) for each in due if each.author_id and not each.contact_id}
    alone -= knowing.contacts_of(session, workspace_id, alone).keys()
    who = [
        *((brand, person_key(contact, None), author) for (brand, contact), own in known.items() for author in own),
        *((brand, person_key(None, author), author) for brand, author in alone),
    ]
    rows = execute(
        raw(session),
        _THREADS_OF_PEOPLE,
        {
            "w": workspace_id,
            "brands": [brand for brand, _, _ in who],
            "people": [person for _, person, _ in who],
            "authors": [author for _, _, author in who],
            "places": handed_in(),
        },
    )
    found: dict[tuple[UUID, str], list[Talk]] = defaultdict(list)
    for person, *rest in rows:
        talk = Talk(*rest)
        found[talk.brand_id, person].append(talk)
    return found


def activities_of(
    session: Session, workspace_id: UUID, contact_ids: Sequence[UUID]
) -> dict[UUID, list[LoggedActivity]]:
    """What the CRM has logged and planned with these contacts."""
    found: dict[UUID, list[LoggedActivity]] = defaultdict(list)
    for contact_id, kind, at, direction, outcome, ends_at in execute(
        raw(session), _ACTIVITIES, {"w": workspace_id, "ids": list(contact_ids)}
    ):
        found[contact_id].append(LoggedActivity(ActivityKind(kind), at, Direction(direction), outcome, ends_at))
    return found


def next_decision(session: Session, workspace_id: UUID) -> datetime | None:
    """When the next conversation or relationship of the workspace is due."""
    rows = execute(raw(session), (
        "SELECT least((SELECT min(decide_at) FROM conversations WHERE workspace_id = %(w)s AND decide_at < 'infinity'),"
        " (SELECT min(decide_at) FROM relationships WHERE workspace_id = %(w)s))"
    ), {"w": workspace_id})  # fmt: skip
    found: datetime | None = rows[0][0]
    return found


def call_tasks_closed(session: Session, workspace_id: UUID, relationship_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When somebody last dealt with a call task of each relationship. What Warmline closed itself does not count."""
    rows = execute(
        raw(session),
        "SELECT relationship_id, max(closed_at) FROM tasks WHERE workspace_id = %(w)s AND relationship_id = ANY(%(ids)s)"
        " AND kind = 'ready_for_call' AND closed_by NOT IN ('', 'rules') GROUP BY 1",
        {"w": workspace_id, "ids": list(relationship_ids)},
    )
    return {row[0]: row[1] for row in rows}
