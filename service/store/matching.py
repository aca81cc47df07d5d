"""Matching due authors against contacts: candidates come from stored keys compared by equality, never from a scan.

An author is matched with each CRM by itself, and is one contact in each at most: brands that keep a CRM of their own each find
theirs (see `service.store.knowing`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock import real_now
from service.db import RawConnection, raw
from service.ids import new_id
from service.rules.matching import Evidence
from service.rules.matching.learning import pattern
from service.rules.model import RULES_VERSION, MatchResult
from service.store import due, handles, locks, terms
from service.store.linked import PROFILE
from service.store.locks import Lock
from service.store.overlap import Aside, ahead
from service.store.rows import each_of, execute, insert, listed, packed, records
from service.store.weighing import AUTHORS, IS_DUE, Weighed, due_authors, weighed_in_parts

# In the order of the index, so that it is read and nothing else, however many are said to be due. Where anybody is, whoever stores contacts
# waits from here on, since whom it has to look for stands under no key yet: before rows are locked, which it may want.
DUE = (
    f"{AUTHORS} WHERE CASE WHEN EXISTS (SELECT FROM authors WHERE {IS_DUE}) THEN (SELECT {locks.ALONE} IS NOT NULL) END"
    f" AND {IS_DUE} ORDER BY id LIMIT %(n)s FOR UPDATE SKIP LOCKED"
)
_KEYS = {"author_id": "uuid", "keys": "text[]"}
_DROP_KEYS = (
    "DELETE FROM author_keys k USING (SELECT unnest(new.keys) AS key, new.author_id"  # noqa: S608 - names of our own columns
    f" FROM {records(_KEYS)}) gone WHERE k.workspace_id = %(w)s AND k.key = gone.key AND k.author_id = gone.author_id"
)
MATCHED = {"author_id": "uuid", "keys": "text[]", "added": "text[]", "likely": "float8"}
# Keys in the order of the index: neighbours go to one page. The authors' ids as a list, so that they are looked up: how many rows a JSON text
# holds no planner knows, and for the hundred that it takes them to be it reads all authors of a small workspace, even where there is one.
_MATCHED = (
    f"WITH new AS (SELECT * FROM {records(MATCHED)}), keyed AS (INSERT INTO author_keys (workspace_id, key, author_id)"  # noqa: S608 - names of our own
    ' SELECT %(w)s, key, author_id FROM (SELECT unnest(added) COLLATE "C" AS key, author_id FROM new) filed ORDER BY key, author_id)'
    " UPDATE authors a SET match_due = false, filed = new.keys, likely = new.likely"
    " FROM new WHERE a.workspace_id = %(w)s AND a.id = ANY(ARRAY(SELECT author_id FROM new)) AND a.id = new.author_id"
)
MATCH = {
    "id": "uuid",
    "author_id": "uuid",
    "contact_id": "uuid",
    "connection_id": "uuid",
    "state": "text",
    "score": "float8",
    "evidence": "jsonb",
    "pattern": "text",
}
_INSERT_MATCHES = insert(
    "matches",
    MATCH,
    fixed={"workspace_id": "%(w)s", "rules_version": "%(rules)s", "decided_by": "'rules'", "decided_at": "%(now)s"},
    conflict=(
        "ON CONFLICT (workspace_id, author_id, contact_id) DO UPDATE SET state = excluded.state, score = excluded.score,"
        " evidence = excluded.evidence, pattern = excluded.pattern, rules_version = excluded.rules_version,"
        " decided_at = excluded.decided_at WHERE old.decided_by = 'rules'"
    ),
)
# A match that is found again keeps its row: whoever has seen its id may still decide it. So does one whose handle we wrote into
# the CRM, or that would be evidence the next time.
_DROP_MATCHES = (
    "DELETE FROM matches old WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s) AND decided_by = 'rules'"  # noqa: S608 - names of our own columns
    " AND handle_state <> 'written' AND NOT EXISTS"
    f" (SELECT 1 FROM {records(MATCH)} WHERE new.author_id = old.author_id AND new.contact_id = old.contact_id)"
)
_KEEP_WRITTEN = (
    "UPDATE matches old SET state = 'suggested', score = 0, evidence = %(written)s::jsonb, pattern = ''"  # noqa: S608 - names of our own columns
    " WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s) AND decided_by = 'rules' AND handle_state = 'written' AND NOT EXISTS"
    f" (SELECT 1 FROM {records(MATCH)} WHERE new.author_id = old.author_id AND new.contact_id = old.contact_id)"
)
_WRITTEN = json.dumps(
    [
        {
            "sentence": "Warmline wrote the handle into the CRM; nothing else speaks for it now.",
            "kind": "",
            "source": "",
            "basis": "",
        }
    ]
)
# Before the insert, because only one confirmed match of an author may stand in each CRM at any moment.
_DEMOTE_MATCHES = (
    "UPDATE matches old SET state = 'suggested' WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s) AND decided_by = 'rules'"  # noqa: S608 - names of our own columns
    " AND state = 'confirmed' AND NOT EXISTS"
    f" (SELECT 1 FROM {records(MATCH)} WHERE new.author_id = old.author_id AND new.contact_id = old.contact_id"
    " AND new.state = 'confirmed')"
)
_ADD_TOTALS = (
    "INSERT INTO match_totals AS old (workspace_id, authors, likely, rules_version) VALUES (%(w)s, %(authors)s, %(likely)s, %(rules)s)"
    " ON CONFLICT (workspace_id) DO UPDATE SET authors = old.authors + excluded.authors, likely = old.likely + excluded.likely"
)
# Accounts that link to one of these, or that one of these links to: what is confirmed here is evidence there.
_LINKED = (
    "SELECT DISTINCT author_id FROM author_keys WHERE workspace_id = %(w)s"  # noqa: S608 - names of our own columns
    f" AND key = ANY(ARRAY{each_of('keys')})"
)
# Also those who are due already: whoever is matching one of them at this moment does so without knowing, and is waited for.
_MATCH_LINKED = "UPDATE authors SET match_due = true WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)"


def match_due(session: Session, workspace_id: UUID, limit: int) -> int:
    """Matches up to `limit` due authors, in this transaction, under the decider's lease. Returns how many it has matched; there is nobody
    left when that is none. Whoever's confirmed contacts change, or appear, has conversations and relationships to decide."""
    connection = raw(session)
    found = due_authors(connection, DUE, {"w": workspace_id, "n": limit, **locks.named(workspace_id, Lock.KEYS)})
    if not found:
        return 0

    def write(part: Weighed) -> Weighed:
        _file(connection, workspace_id, part)
        _store(connection, workspace_id, part)
        return part

    by = terms.read(connection, workspace_id, found)
    with Aside(len(found)) as aside:
        parts = list(ahead(aside, weighed_in_parts(connection, workspace_id, found, by, aside), write))
    before = {author_id: part.standing[author_id].confirmed for part in parts for author_id in part.authors}
    now = {author_id: part.confirmed(author_id) for part in parts for author_id in part.authors}
    if changed := {
        author_id: before[author_id] | now[author_id] for author_id in now if before[author_id] != now[author_id]
    }:
        _decide_again(
            session, workspace_id, changed, {each: keys for part in parts for each, keys in part.keys.items()}
        )
    if by.writes_handles:  # of whoever is confirmed, by a person or by the rules
        handles.write_soon(session, workspace_id, sorted(set().union(*now.values())))
    # Last, because it locks the workspace's one row.
    execute(connection, _ADD_TOTALS, {
        "w": workspace_id, "rules": RULES_VERSION, "authors": sum(found[each].likely is None for each in now),
        "likely": sum(part.likely[each] - (due_one.likely or 0) for part in parts for each, due_one in part.authors.items()),
    })  # fmt: skip
    return len(now)


def _decide_again(
    session: Session,
    workspace_id: UUID,
    changed: Mapping[UUID, frozenset[UUID]],
    keys: Mapping[UUID, Sequence[str]],
) -> None:
    """`changed` holds, for each author whose confirmed contacts are others now, those of before and of now."""
    profiles = sorted({key for author_id in changed for key in keys[author_id] if key.startswith(PROFILE)})
    linked = (
        {row[0] for row in execute(raw(session), _LINKED, {"w": workspace_id, "keys": listed(profiles)})}
        if profiles
        else set()
    )
    if others := sorted(linked.difference(keys)):
        execute(raw(session), _MATCH_LINKED, {"w": workspace_id, "ids": others})
    due.decide_conversations(session, workspace_id, author_ids=changed, as_decider=True)
    contacts = sorted(set().union(*changed.values()))
    due.decide_relationships(session, workspace_id, author_ids=changed, contact_ids=contacts)


def _file(connection: RawConnection, workspace_id: UUID, part: Weighed) -> None:
    """Notes that they are matched and under which keys a contact that changes finds them; what is the same is not written."""
    shared, before = {"w": workspace_id}, {author_id: frozenset(each.filed) for author_id, each in part.authors.items()}
    if gone := [(each, sorted(lost)) for each, filed in before.items() if (lost := filed.difference(part.keys[each]))]:
        execute(connection, _DROP_KEYS, {**shared, **packed(_KEYS, gone)})
    matched = [
        (each, part.keys[each], [key for key in part.keys[each] if key not in filed], part.likely[each])
        for each, filed in before.items()
    ]
    execute(connection, _MATCHED, {**shared, **packed(MATCHED, matched)})


def _store(connection: RawConnection, workspace_id: UUID, part: Weighed) -> None:
    rows = [
        (
            new_id(),
            author_id,
            UUID(each.contact_id),
            crm,
            each.state.value,
            each.score,
            list(_told(each)),
            pattern(each),
        )
        for author_id, results in part.results.items()
        for crm, found in results.items()
        for each in found
    ]
    again = [author_id for author_id in part.authors if part.standing[author_id].by_rules]
    if not (rows or again):
        return
    found = {"w": workspace_id, "ids": again, "now": real_now(), "rules": RULES_VERSION, "written": _WRITTEN,
             **packed(MATCH, rows)}  # fmt: skip
    for statement in (_DROP_MATCHES, _KEEP_WRITTEN, _DEMOTE_MATCHES) if again else ():
        execute(connection, statement, found)
    execute(connection, _INSERT_MATCHES, found)


def _told(result: MatchResult) -> Iterable[dict[str, str]]:
    """The evidence as it is kept: each sentence and, of what is a piece of evidence, its kind, where it came from and on what basis
    it may be used."""
    items: dict[str, Evidence] = {each.sentence: each for each in result.items}
    for sentence in result.evidence:
        item = items.get(sentence)
        yield {
            "sentence": sentence,
            "kind": item.signal.value if item else "",
            "source": item.source.value if item else "",
            "basis": item.basis.value if item else "",
        }
