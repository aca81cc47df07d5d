"""Matching due authors against contacts: candidates come from stored keys compared by equality, never from a scan.

An author is matched with each CRM by itself, and is one contact in each at most: brands that keep a CRM of their own each find
theirs (see `service.store.knowing`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from uuid import UUID

from msgspec import Struct
from sqlalchemy.orm import Session

from integrations.records import Author, Contact
from service.clock import real_now
from service.db import RawConnection, raw
from service.ids import new_id
from service.rules.matching import Commonness, Evidence, author_keys, match, share_known
from service.rules.matching.learning import NOTHING, Record, learnt, pattern
from service.rules.model import RULES_VERSION, Candidate, KnownAuthor, MatchResult, MatchState
from service.store import due, filing, handles, terms
from service.store.candidates import PROFILE, Gathered, gather
from service.store.rows import execute, insert, packed, records

_DUE = """
SELECT id, filed, likely, provider, native_id, handle, name, bio, url, website, location, bot FROM authors
WHERE workspace_id = %(w)s AND match_due AND objected_at IS NULL LIMIT %(n)s FOR UPDATE SKIP LOCKED
"""
_STANDING = (
    "SELECT author_id, contact_id, connection_id, state, decided_by, handle_state FROM matches WHERE workspace_id = %(w)s"
    " AND author_id = ANY(%(ids)s)"
)
_KEYS = {"author_id": "uuid", "keys": "text[]"}
# In the order of the index: neighbours go to one page.
_INSERT_KEYS = (
    "INSERT INTO author_keys (workspace_id, key, author_id) SELECT %(w)s, key, author_id"  # noqa: S608 - names of our own columns
    f' FROM (SELECT unnest(new.keys) COLLATE "C" AS key, new.author_id FROM {records(_KEYS)}) filed ORDER BY key, author_id'
)
_DROP_KEYS = (
    "DELETE FROM author_keys k USING (SELECT unnest(new.keys) AS key, new.author_id"  # noqa: S608 - names of our own columns
    f" FROM {records(_KEYS)}) gone WHERE k.workspace_id = %(w)s AND k.key = gone.key AND k.author_id = gone.author_id"
)
MATCHED = {"author_id": "uuid", "keys": "text[]", "likely": "float8"}
_MATCHED = (
    "UPDATE authors a SET match_due = false, filed = new.keys, likely = new.likely"  # noqa: S608 - names of our own columns
    f" FROM {records(MATCHED)} WHERE a.workspace_id = %(w)s AND a.id = new.author_id"
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
_TOTALS = "SELECT authors, likely, share FROM match_totals WHERE workspace_id = %(w)s FOR UPDATE"
_LEARN = "UPDATE match_totals SET share = %(share)s WHERE workspace_id = %(w)s"
_SAMPLE = """
SELECT id, filed, likely, provider, native_id, handle, name, bio, url, website, location, bot FROM authors
WHERE workspace_id = %(w)s AND match_due AND objected_at IS NULL ORDER BY id LIMIT %(n)s
"""
_START = (
    "INSERT INTO match_totals (workspace_id, authors, likely, share, rules_version) VALUES (%(w)s, 0, 0, %(share)s, %(rules)s)"
    " ON CONFLICT (workspace_id) DO UPDATE SET share = excluded.share"
)
_HOW_MANY_DUE = "SELECT count(*) FROM authors WHERE workspace_id = %(w)s AND match_due AND objected_at IS NULL"
# Whom nothing speaks for is nobody under any share.
_MATCH_LIKELY = "UPDATE authors SET match_due = true WHERE workspace_id = %(w)s AND likely > 0 AND NOT match_due"
_NOTICE_RULES = "UPDATE match_totals SET rules_version = %(rules)s WHERE workspace_id = %(w)s AND rules_version < %(rules)s RETURNING 1"
# Accounts that link to one of these, or that one of these links to: what is confirmed here is evidence there.
_LINKED = "SELECT DISTINCT author_id FROM author_keys WHERE workspace_id = %(w)s AND key = ANY(%(keys)s)"
# Also those who are due already: whoever is matching one of them at this moment does so without knowing, and is waited for.
_MATCH_LINKED = "UPDATE authors SET match_due = true WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)"


_TRACE = 1e-9  # somebody shares a key with them, and under another share it could count
_SHIFT = 0.1  # of the share of authors who are in the CRM; a smaller one changes few verdicts
_STEPS = 2  # of expectation maximisation, on a sample: a third moves the share by less than half of that


Results = Mapping[UUID, Sequence[MatchResult]]  # of one author, by CRM


def _all(results: Results) -> Iterable[MatchResult]:
    return chain.from_iterable(results.values())


class _Due(Struct, frozen=True):
    """An author to match, and what the last time left."""

    known: KnownAuthor
    filed: Sequence[str]
    likely: float | None


class _Standing(Struct, frozen=True):
    """What stands for one author: the confirmed contacts, what people decided, and where we wrote the handle ourselves."""

    confirmed: frozenset[UUID] = frozenset()
    by_person: frozenset[str] = frozenset()  # ids of contacts, as candidates have them
    confirmed_by_person: frozenset[UUID] = frozenset()
    settled: frozenset[UUID] = frozenset()  # CRMs in which a person has confirmed who it is
    by_rules: bool = False  # something that these rules, or those before, have found
    written: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Weighed:
    """What the rules say of some authors, each under their id and by CRM, and what they were told."""

    keys: Mapping[UUID, Sequence[str]]
    standing: Mapping[UUID, _Standing]
    results: Mapping[UUID, Results]
    likely: Mapping[UUID, float]

    def confirmed(self, author_id: UUID) -> frozenset[UUID]:
        """Which contacts this author is, by a person or by the rules."""
        by_rules = (
            UUID(each.contact_id) for each in _all(self.results[author_id]) if each.state is MatchState.CONFIRMED
        )
        return self.standing[author_id].confirmed_by_person.union(by_rules)


def _authors(connection: RawConnection, workspace_id: UUID, statement: str, limit: int) -> dict[UUID, _Due]:
    rows = execute(connection, statement, {"w": workspace_id, "n": limit})
    return {row[0]: _Due(KnownAuthor(row[3], Author(*row[4:])), row[1], row[2]) for row in rows}


def _weigh(session: Session, workspace_id: UUID, authors: Mapping[UUID, _Due]) -> _Weighed:
    connection = raw(session)
    keys = {author_id: author_keys(each.known) for author_id, each in authors.items()}
    gathered = gather(connection, workspace_id, {id_: each.known for id_, each in authors.items()}, keys)
    standing = _standing(connection, workspace_id, sorted(authors))
    allowed = terms.of_networks(session, workspace_id)
    decided = terms.decided(session, workspace_id)
    results = {
        author_id: _results(author_id, each.known, gathered, standing[author_id], allowed, decided)
        for author_id, each in authors.items()
    }
    likely = {
        author_id: min(sum(each.score for each in _all(results[author_id])), 1.0)
        or (_TRACE if gathered.candidates[author_id] else 0.0)
        for author_id in authors
    }
    return _Weighed(keys, standing, results, likely)


def guess_share(session: Session, workspace_id: UUID, sample: int) -> None:
    """Before anybody of a workspace is matched: learns from the first so many authors, if there are as many, by which share all of
    them are matched, so that hardly anybody is matched a second time. Nothing else is stored. (`learn_share` has the last word.)"""
    connection = raw(session)
    if execute(connection, "SELECT 1 FROM match_totals WHERE workspace_id = %(w)s", {"w": workspace_id}):
        return
    authors = _authors(connection, workspace_id, _SAMPLE, sample)
    if len(authors) < sample:
        return
    contacts = filing.how_many(filing.counts(connection, workspace_id, ()))
    [(everybody,)] = execute(connection, _HOW_MANY_DUE, {"w": workspace_id})
    share = None
    for _ in range(_STEPS):
        # As if all of them were like these: what is taken for granted weighs as little then as it will once they are matched.
        likely = sum(_weigh(session, workspace_id, authors).likely.values()) * everybody / sample
        told = round(share_known(likely, everybody, contacts), 2)
        near = abs(told - Commonness(contacts, {}, share).known) < _SHIFT / 2
        share = share if near else told
        execute(connection, _START, {"w": workspace_id, "share": share, "rules": RULES_VERSION})
        if near:
            return


def match_due(session: Session, workspace_id: UUID, limit: int) -> int:
    """Matches up to `limit` due authors, in this transaction, under the decider's lease. Returns how many there were. Whoever's confirmed contacts
    change, or appear, has conversations and relationships to decide."""
    connection = raw(session)
    authors = _authors(connection, workspace_id, _DUE, limit)
    if not authors:
        return 0
    ids = sorted(authors)
    weighed = _weigh(session, workspace_id, authors)
    keys, likely = weighed.keys, weighed.likely
    _file(connection, workspace_id, authors, keys, likely)
    _store(connection, workspace_id, ids, weighed)
    before = {author_id: weighed.standing[author_id].confirmed for author_id in ids}
    now = {author_id: weighed.confirmed(author_id) for author_id in ids}
    if changed := {
        author_id: before[author_id] | now[author_id] for author_id in ids if before[author_id] != now[author_id]
    }:
        _decide_again(session, workspace_id, changed, keys)
    # By a person or by the rules: their handles may be there to be written into the CRM.
    handles.write_soon(session, workspace_id, sorted(set().union(*now.values())))
    # Last, because it locks the workspace's one row.
    execute(connection, _ADD_TOTALS, {
        "w": workspace_id, "rules": RULES_VERSION, "authors": sum(each.likely is None for each in authors.values()),
        "likely": sum(likely[author_id] - (each.likely or 0) for author_id, each in authors.items()),
    })  # fmt: skip
    return len(authors)


def learn_share(session: Session, workspace_id: UUID) -> bool:
    """Once nobody is due: whether the share of authors who are in the CRM has turned out so different from the one that they
    were matched by that whoever may be somebody is matched again. (By the same share for all: the order in which authors
    come changes nothing.)"""
    connection = raw(session)
    authors, likely, share = next(iter(execute(connection, _TOTALS, {"w": workspace_id})), (0, 0.0, None))
    if not authors:
        return False
    contacts = filing.how_many(filing.counts(connection, workspace_id, ()))
    told = round(share_known(likely, authors, contacts), 2)
    before = Commonness(contacts, {}, share).known
    if abs(told - before) < _SHIFT:
        return False
    execute(connection, _LEARN, {"w": workspace_id, "share": told})
    execute(connection, _MATCH_LIKELY, {"w": workspace_id})
    return True


def notice_rules(session: Session, workspace_id: UUID) -> None:
    """Makes every author due where this program's rules are newer than those by which they were matched."""
    connection = raw(session)
    if execute(connection, _NOTICE_RULES, {"w": workspace_id, "rules": RULES_VERSION}):
        execute(connection, "UPDATE authors SET match_due = true WHERE workspace_id = %(w)s", {"w": workspace_id})


def _decide_again(
    session: Session,
    workspace_id: UUID,
    changed: Mapping[UUID, frozenset[UUID]],
    keys: Mapping[UUID, Sequence[str]],
) -> None:
    """`changed` holds, for each author whose confirmed contacts are others now, those of before and of now."""
    profiles = sorted({key for author_id in changed for key in keys[author_id] if key.startswith(PROFILE)})
    linked = (
        {row[0] for row in execute(raw(session), _LINKED, {"w": workspace_id, "keys": profiles})} if profiles else set()
    )
    if others := sorted(linked.difference(keys)):
        execute(raw(session), _MATCH_LINKED, {"w": workspace_id, "ids": others})
    due.decide_conversations(session, workspace_id, author_ids=changed, as_decider=True)
    contacts = sorted(set().union(*changed.values()))
    due.decide_relationships(session, workspace_id, author_ids=changed, contact_ids=contacts)


def _standing(connection: RawConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, _Standing]:
    rows: dict[UUID, list[tuple[UUID, UUID, bool, bool, bool]]] = defaultdict(list)
    for author_id, contact, crm, state, by, handle in execute(
        connection, _STANDING, {"w": workspace_id, "ids": list(ids)}
    ):
        rows[author_id].append((contact, crm, state == MatchState.CONFIRMED, by != "rules", handle == "written"))
    return {author_id: _stands(rows[author_id]) for author_id in ids}


def _stands(rows: Sequence[tuple[UUID, UUID, bool, bool, bool]]) -> _Standing:
    """`rows`: contact, its CRM, whether it is confirmed, whether a person decided, whether we wrote the handle there."""
    return _Standing(
        confirmed=frozenset(contact for contact, _, confirmed, _, _ in rows if confirmed),
        by_person=frozenset(str(contact) for contact, _, _, by_person, _ in rows if by_person),
        confirmed_by_person=frozenset(
            contact for contact, _, confirmed, by_person, _ in rows if confirmed and by_person
        ),
        settled=frozenset(crm for _, crm, confirmed, by_person, _ in rows if confirmed and by_person),
        by_rules=any(not by_person for _, _, _, by_person, _ in rows),
        written=frozenset(str(contact) for contact, _, _, _, written in rows if written),
    )


def _results(
    author_id: UUID,
    known: KnownAuthor,
    gathered: Gathered,
    standing: _Standing,
    allowed: terms.Allowed,
    decided: Mapping[UUID, Record],
) -> Results:
    """What the rules say, CRM by CRM, without what people have decided already."""
    found = {}
    for crm, there in gathered.candidates[author_id].items():
        if crm in standing.settled:
            continue
        candidates = [
            _without_our_writing(each, known) if each.contact_id in standing.written else each
            for each in there
            if each.contact_id not in standing.by_person
        ]
        elsewhere = gathered.elsewhere.get(author_id)
        found[crm] = learnt(
            match(known, candidates, gathered.commonness[crm], allowed(known.network), elsewhere),
            decided.get(crm, NOTHING),
        )
    return found


def _without_our_writing(candidate: Candidate, known: KnownAuthor) -> Candidate:
    """The contact without the handle that Warmline itself wrote into the CRM: it is no evidence of anything."""
    ours = {known.author.handle.casefold(), known.author.url.casefold()}
    contact: Contact = candidate.contact
    kept = tuple(
        each
        for each in contact.handles
        if each.network != known.network or each.value.lstrip("@").casefold() not in ours
    )
    return Candidate(candidate.contact_id, replace(contact, handles=kept))


def _file(
    connection: RawConnection,
    workspace_id: UUID,
    authors: Mapping[UUID, _Due],
    keys: Mapping[UUID, Sequence[str]],
    likely: Mapping[UUID, float],
) -> None:
    """Notes that they are matched and under which keys a contact that changes finds them; what is the same is not written."""
    shared = {"w": workspace_id}
    for statement, rows in (
        (_DROP_KEYS, [(id_, sorted(set(each.filed).difference(keys[id_]))) for id_, each in sorted(authors.items())]),
        (_INSERT_KEYS, [(id_, sorted(set(keys[id_]).difference(each.filed))) for id_, each in sorted(authors.items())]),
    ):
        if changed := [row for row in rows if row[1]]:
            execute(connection, statement, {**shared, **packed(_KEYS, changed)})
    matched = [(author_id, list(keys[author_id]), likely[author_id]) for author_id in sorted(authors)]
    execute(connection, _MATCHED, {**shared, **packed(MATCHED, matched)})


def _store(connection: RawConnection, workspace_id: UUID, ids: Sequence[UUID], weighed: _Weighed) -> None:
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
        for author_id in ids
        for crm, found in weighed.results[author_id].items()
        for each in found
    ]
    again = [author_id for author_id in ids if weighed.standing[author_id].by_rules]
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
