"""What a decision reads and writes, in batches: due conversations and relationships, their threads, what a CRM has logged. The posts
themselves are in `service.store.said`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy.orm import Session

from integrations.records import ActivityKind, Direction
from integrations.registry import handed_in
from service.db import raw
from service.ids import new_id
from service.rules.model import RULES_VERSION, LoggedActivity
from service.store import knowing
from service.store.rows import execute, insert, packed, records
from service.store.said import NETWORK


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


# An account that has moved to another brand leaves what it brought with whom the first one had chosen.
_RESPONDER = (
    "CASE WHEN n.brand_id = c.brand_id THEN n.responder_email"
    " ELSE coalesce(n.former_responders->>c.brand_id::text, n.responder_email) END"
)
_CONVERSATIONS = f"""
SELECT c.id, c.brand_id, c.connection_id, c.author_id, c.thread, c.dealt_with_until, a.native_id, a.handle, a.name, a.followers,
       {NETWORK}, {_RESPONDER}, a.bot
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
SELECT who.person, c.brand_id, c.thread, a.native_id, a.id, a.name, a.handle, {NETWORK}, {_RESPONDER}, a.followers, a.bio
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
