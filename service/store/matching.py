"""Matching due authors against contacts: candidates come from stored keys compared by equality, never from a scan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.records import Author
from service.clock import real_now
from service.db import RawConnection, raw
from service.ids import new_id
from service.rules.matching import author_keys, match
from service.rules.model import RULES_VERSION, Candidate, KnownAuthor, MatchResult, MatchState
from service.store import due
from service.store.mirroring import contact_record
from service.store.rows import execute, insert, packed, records

PER_KEY = 50  # candidates looked at under one key; a key with more (a very common name) decides nothing anyway

_DUE = """
SELECT id, provider, native_id, handle, name, bio, url, website, location, bot FROM authors
WHERE workspace_id = %(w)s AND match_due LIMIT %(n)s FOR UPDATE SKIP LOCKED
"""
_CANDIDATES = """
SELECT k.key, f.contact_id FROM unnest(%(keys)s::text[]) AS k(key)
CROSS JOIN LATERAL (SELECT contact_id FROM contact_keys WHERE workspace_id = %(w)s AND key = k.key LIMIT %(n)s) f
"""
_CONTACTS = "SELECT id, fields FROM contacts WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) AND deleted_at IS NULL"
_STANDING = "SELECT author_id, contact_id, state, decided_by FROM matches WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s)"
AUTHOR_KEY = {"key": "text", "author_id": "uuid"}
_INSERT_KEYS = insert("author_keys", AUTHOR_KEY, fixed={"workspace_id": "%(w)s"}, conflict="ON CONFLICT DO NOTHING")
MATCH = {
    "id": "uuid",
    "author_id": "uuid",
    "contact_id": "uuid",
    "state": "text",
    "score": "float8",
    "evidence": "jsonb",
}
_INSERT_MATCHES = insert(
    "matches",
    MATCH,
    fixed={"workspace_id": "%(w)s", "rules_version": "%(rules)s", "decided_by": "'rules'", "decided_at": "%(now)s"},
    conflict=(
        "ON CONFLICT (workspace_id, author_id, contact_id) DO UPDATE SET state = excluded.state, score = excluded.score,"
        " evidence = excluded.evidence, rules_version = excluded.rules_version, decided_at = excluded.decided_at"
        " WHERE old.decided_by = 'rules'"
    ),
)
# A match that is found again keeps its row: whoever has seen its id may still decide it.
_DROP_MATCHES = (
    "DELETE FROM matches old WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s) AND decided_by = 'rules' AND NOT EXISTS"  # noqa: S608 - names of our own columns
    f" (SELECT 1 FROM {records(MATCH)} WHERE new.author_id = old.author_id AND new.contact_id = old.contact_id)"
)
# Before the insert, because only one confirmed match of an author may stand at any moment.
_DEMOTE_MATCHES = (
    "UPDATE matches old SET state = 'suggested' WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s) AND decided_by = 'rules'"  # noqa: S608 - names of our own columns
    " AND state = 'confirmed' AND NOT EXISTS"
    f" (SELECT 1 FROM {records(MATCH)} WHERE new.author_id = old.author_id AND new.contact_id = old.contact_id"
    " AND new.state = 'confirmed')"
)


@dataclass(frozen=True)
class _Standing:
    """What stands for one author: the confirmed contact, and what people decided."""

    confirmed: UUID | None = None
    by_person: frozenset[UUID] = frozenset()
    confirmed_by_person: bool = False


def match_due(session: Session, workspace_id: UUID, limit: int) -> int:
    """Matches up to `limit` due authors, in this transaction. Returns how many there were. Whoever's confirmed contact
    changes, or appears, has conversations and relationships to decide."""
    connection = raw(session)
    authors = {
        row[0]: KnownAuthor(row[1], Author(*row[2:]))
        for row in execute(connection, _DUE, {"w": workspace_id, "n": limit})
    }
    if not authors:
        return 0
    ids = sorted(authors)
    keys = {author_id: author_keys(known) for author_id, known in authors.items()}
    candidates = _candidates(connection, workspace_id, keys)
    standing = _standing(connection, workspace_id, ids)
    results = {
        author_id: _results(known, candidates[author_id], standing[author_id]) for author_id, known in authors.items()
    }
    _store(connection, workspace_id, ids, keys, results)
    changed = [author_id for author_id in ids if not standing[author_id].confirmed_by_person
               and standing[author_id].confirmed != _confirmed(results[author_id])]  # fmt: skip
    if changed:
        due.decide_conversations(session, workspace_id, author_ids=changed)
        due.decide_relationships(
            session,
            workspace_id,
            author_ids=changed,
            contact_ids=[
                contact
                for author_id in changed
                for contact in (standing[author_id].confirmed, _confirmed(results[author_id]))
                if contact
            ],
        )
    return len(authors)


def _candidates(
    connection: RawConnection, workspace_id: UUID, keys: dict[UUID, tuple[str, ...]]
) -> dict[UUID, list[Candidate]]:
    wanted = sorted(set().union(*keys.values()))
    under: dict[str, list[UUID]] = defaultdict(list)
    for key, contact_id in execute(connection, _CANDIDATES, {"w": workspace_id, "keys": wanted, "n": PER_KEY}):
        under[key].append(contact_id)
    ids = sorted({contact_id for found in under.values() for contact_id in found})
    contacts = (
        {row[0]: contact_record(row[1]) for row in execute(connection, _CONTACTS, {"w": workspace_id, "ids": ids})}
        if ids
        else {}
    )
    return {
        author_id: [
            Candidate(str(contact_id), contacts[contact_id])
            for contact_id in sorted({contact_id for key in own for contact_id in under[key]})
            if contact_id in contacts
        ]
        for author_id, own in keys.items()
    }


def _standing(connection: RawConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, _Standing]:
    rows: dict[UUID, list[tuple[UUID, str, str]]] = defaultdict(list)
    for author_id, *rest in execute(connection, _STANDING, {"w": workspace_id, "ids": list(ids)}):
        rows[author_id].append((rest[0], rest[1], rest[2]))
    return {
        author_id: _Standing(
            next((contact for contact, state, _ in rows[author_id] if state == MatchState.CONFIRMED), None),
            frozenset(contact for contact, _, by in rows[author_id] if by != "rules"),
            any(state == MatchState.CONFIRMED and by != "rules" for _, state, by in rows[author_id]),
        )
        for author_id in ids
    }


def _results(known: KnownAuthor, candidates: Sequence[Candidate], standing: _Standing) -> list[MatchResult]:
    """What the rules say, without what people have decided already."""
    if standing.confirmed_by_person:
        return []
    return match(known, [each for each in candidates if UUID(each.contact_id) not in standing.by_person])


def _confirmed(results: Sequence[MatchResult]) -> UUID | None:
    return next((UUID(each.contact_id) for each in results if each.state is MatchState.CONFIRMED), None)


def _store(
    connection: RawConnection,
    workspace_id: UUID,
    ids: Sequence[UUID],
    keys: dict[UUID, tuple[str, ...]],
    results: dict[UUID, list[MatchResult]],
) -> None:
    shared = {"w": workspace_id, "ids": list(ids), "now": real_now(), "rules": RULES_VERSION}
    execute(connection, "DELETE FROM author_keys WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s)", shared)
    execute(
        connection,
        _INSERT_KEYS,
        {**shared, **packed(AUTHOR_KEY, ((key, author_id) for author_id in ids for key in sorted(keys[author_id])))},
    )
    rows = [
        (new_id(), author_id, UUID(each.contact_id), each.state.value, each.score, list(each.evidence))
        for author_id in ids
        for each in results[author_id]
    ]
    found = {**shared, **packed(MATCH, rows)}
    for statement in (_DROP_MATCHES, _DEMOTE_MATCHES, _INSERT_MATCHES):
        execute(connection, statement, found)
    execute(connection, "UPDATE authors SET match_due = false WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)", shared)
