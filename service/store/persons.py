"""Who one person is here: all records of theirs, over networks and CRMs, found from any one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from integrations.records import Author
from integrations.registry import handed_in
from service.db import raw
from service.pasted import has_handle
from service.rules.matching import keys as matching
from service.rules.matching.handles import plain
from service.store import sharing, suppressing
from service.store.contact_json import contact_record
from service.store.rows import execute

FOUND = 25  # people shown for one search

_AUTHORS = (
    "SELECT id, provider, host, native_id, handle, name, bio, url, website, location, objected_at FROM authors"
    " WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) ORDER BY id"
)
_CONTACTS = (
    "SELECT c.id, c.connection_id, c.native_id, c.name, c.company, c.fields, c.deleted_at, c.objected_at, n.provider, n.status"
    " FROM contacts c JOIN connections n ON n.workspace_id = %(w)s AND n.id = c.connection_id"
    " WHERE c.workspace_id = %(w)s AND c.id = ANY(%(ids)s) ORDER BY c.id"
)
_CONFIRMED = (
    "SELECT author_id, contact_id FROM matches WHERE workspace_id = %(w)s AND state = 'confirmed'"
    " AND (author_id = ANY(%(authors)s) OR contact_id = ANY(%(contacts)s))"
)
_SUGGESTED = (
    "SELECT author_id, contact_id FROM matches WHERE workspace_id = %(w)s AND state = 'suggested'"
    " AND (author_id = ANY(%(authors)s) OR contact_id = ANY(%(contacts)s))"
)
# Whoever objects is filed nowhere, so those who were one person then are found by what was noted; but for authors of whom somebody said
# since that they are another.
_OBJECTED = (
    "SELECT still.ids, p.contact_ids FROM person_requests p CROSS JOIN LATERAL (SELECT ARRAY(SELECT a.id FROM unnest(p.author_ids) AS a (id)"
    " WHERE NOT EXISTS (SELECT 1 FROM matches m WHERE m.workspace_id = %(w)s AND m.author_id = a.id AND m.contact_id = ANY(p.contact_ids)"
    " AND m.state = 'rejected')) AS ids) still WHERE p.workspace_id = %(w)s AND p.kind = 'object' AND p.state = 'done'"
    " AND (still.ids && %(authors)s::uuid[] OR p.contact_ids && %(contacts)s::uuid[])"
)
_OWN = (
    "SELECT a.id FROM authors a JOIN connections n ON n.workspace_id = %(w)s AND n.provider = a.provider AND n.host = a.host"
    " AND n.account_id = a.native_id WHERE a.workspace_id = %(w)s AND a.id = ANY(%(ids)s)"
)


@dataclass(frozen=True)
class Person:
    """All records of one person. Rows are plain dictionaries of columns."""

    authors: Sequence[Mapping[str, Any]]
    contacts: Sequence[Mapping[str, Any]]
    # Contacts and authors that are suggested, or share an address and a name, and nobody has said yes to.
    perhaps: Sequence[UUID] = ()
    perhaps_authors: Sequence[UUID] = ()
    ours: bool = False  # one of the authors is an account of the team's own
    shared: frozenset[str] = frozenset()  # keys of theirs that others carry as well

    @property
    def author_ids(self) -> list[UUID]:
        return [row["id"] for row in self.authors]

    @property
    def contact_ids(self) -> list[UUID]:
        return [row["id"] for row in self.contacts]

    @property
    def key(self) -> str:
        """contact:<id>, or author:<id> of somebody whom no CRM knows."""
        return f"contact:{self.contact_ids[0]}" if self.contacts else f"author:{self.author_ids[0]}"

    @property
    def name(self) -> str:
        """What to call them on a page."""
        rows = (*self.contacts, *self.authors)
        return next((row["name"] for row in rows if row["name"]), None) or next(
            (f"@{row['handle']}" for row in self.authors if row["handle"]), "Somebody without a name"
        )

    @property
    def objected(self) -> bool:
        """Whether they asked never to be judged."""
        return any(row["objected_at"] for row in (*self.authors, *self.contacts))

    def marks(self) -> set[str]:
        """By what they are recognised when they are read again."""
        found = set()
        for row in self.authors:
            found |= suppressing.author_marks(row["provider"], row["host"], author_of(row), self.shared)
        for row in self.contacts:
            found |= suppressing.contact_marks(row["connection_id"], contact_record(row["fields"]))
        return (found - self.shared) | {suppressing.shared_mark(key) for key in self.shared}


_LINKS = "SELECT DISTINCT author_id, url FROM engagements WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s) AND url <> ''"


def marks(session: Session, person: Person, workspace_id: UUID) -> set[str]:
    """By what they are recognised when they are read again; where posts are handed in, also by the name alone on the pages on which they
    wrote, unless somebody else who is here goes by that."""
    rows = {row["id"]: row for row in person.authors if row["provider"] in handed_in()}
    links: defaultdict[UUID, set[str]] = defaultdict(set)
    for id_, link in execute(raw(session), _LINKS, {"w": workspace_id, "ids": list(rows)}) if rows else ():
        links[id_].add(link)
    found = set(person.marks())
    for id_, theirs in links.items():
        row, author = rows[id_], author_of(rows[id_])
        ids = suppressing.ids_without_handle(row["provider"], author, theirs)
        by_name = {each: suppressing.id_mark(row["provider"], row["host"], each) for each in ids}
        others = _others(session, workspace_id, person, row, ids)
        found |= {mark for each, mark in by_name.items() if each not in others}
        if not has_handle(author):
            found |= {suppressing.alone_mark(mark) for mark in by_name.values()}
    return found


def _others(session: Session, workspace_id: UUID, person: Person, row: Mapping[str, Any], ids: set[str]) -> set[str]:
    """Of these ids at the place of this author, those of somebody else who is here."""
    params = {"w": workspace_id, "p": row["provider"], "h": row["host"], "ids": sorted(ids), "own": person.author_ids}
    rows = execute(
        raw(session),
        "SELECT native_id FROM authors WHERE workspace_id = %(w)s AND provider = %(p)s AND host = %(h)s AND native_id = ANY(%(ids)s)"
        " AND id <> ALL(%(own)s)",
        params,
    )
    return {each[0] for each in rows}


def author_of(row: Mapping[str, Any]) -> Author:
    """The author that this row holds."""
    names = ("handle", "name", "bio", "url", "website", "location")
    return Author(row["native_id"], **{name: row[name] for name in names})


def of(session: Session, workspace_id: UUID, record_id: UUID) -> Person | None:
    """The person to whom this author or contact belongs: whatever people or rules have confirmed to be the same, and contacts that
    share a handle or an address of their own (one person stands twice in a CRM, or in two). None when there is no such record."""
    authors, contacts = {record_id}, {record_id}
    while True:
        own = _rows(session, _AUTHORS, workspace_id, authors)
        known = _rows(session, _CONTACTS, workspace_id, contacts)
        if not own and not known:
            return None
        before = len(authors) + len(contacts)
        for author_id, contact_id in _confirmed(session, workspace_id, authors, contacts):
            authors.add(author_id)
            contacts.add(contact_id)
        held = _look(session, workspace_id, own, known)
        contacts |= held.theirs
        for theirs, records in execute(
            raw(session), _OBJECTED, {"w": workspace_id, "authors": list(authors), "contacts": list(contacts)}
        ):
            authors.update(theirs)
            contacts.update(records)
        if len(authors) + len(contacts) == before:
            break
    params = {"w": workspace_id, "authors": list(authors), "contacts": list(contacts)}
    suggested = execute(raw(session), _SUGGESTED, params)
    perhaps = sorted((held.perhaps | {row[1] for row in suggested}) - contacts)
    perhaps_authors = sorted((held.perhaps_authors | {row[0] for row in suggested}) - authors)
    ours = bool(execute(raw(session), _OWN, {"w": workspace_id, "ids": list(authors)}))
    return Person(own, known, perhaps, perhaps_authors, ours, frozenset(held.shared))


def _confirmed(
    session: Session, workspace_id: UUID, authors: Collection[UUID], contacts: Collection[UUID]
) -> list[tuple[Any, ...]]:
    params = {"w": workspace_id, "authors": list(authors), "contacts": list(contacts)}
    return execute(raw(session), _CONFIRMED, params)


def _look(
    session: Session, workspace_id: UUID, authors: Iterable[Mapping[str, Any]], contacts: Iterable[Mapping[str, Any]]
) -> sharing.Found:
    """What of theirs others carry too, and who else has what is theirs alone."""
    profiles = [
        sharing.Record(row["id"], sharing.named(row["name"]), suppressing.authors_keys(row["provider"], author_of(row)))
        for row in authors
    ]
    records = [(row["id"], contact_record(row["fields"])) for row in contacts]
    known = [sharing.Record(row_id, each, suppressing.contacts_keys(each)) for row_id, each in records]
    return sharing.look(session, workspace_id, profiles, known)


def _rows(session: Session, statement: str, workspace_id: UUID, ids: Iterable[UUID]) -> list[dict[str, Any]]:
    with raw(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), {"w": workspace_id, "ids": list(ids)}).fetchall()


# --- finding somebody -----------------------------------------------------------------------------------------

_BY_CONTACT_KEYS = (
    "SELECT DISTINCT contact_id FROM contact_keys WHERE workspace_id = %(w)s AND key = ANY(%(keys)s) LIMIT %(n)s"
)
_BY_AUTHOR_KEYS = (
    "SELECT DISTINCT author_id FROM author_keys WHERE workspace_id = %(w)s AND key = ANY(%(keys)s) LIMIT %(n)s"
)
_BY_HANDLE = (
    "SELECT id FROM authors WHERE workspace_id = %(w)s AND (lower(handle) = %(q)s OR native_id = %(raw)s) LIMIT %(n)s"
)
_BY_NAME = "SELECT id FROM contacts WHERE workspace_id = %(w)s AND lower(name) = %(q)s LIMIT %(n)s"
_BY_AUTHOR_NAME = "SELECT id FROM authors WHERE workspace_id = %(w)s AND lower(name) = %(q)s LIMIT %(n)s"


def find(session: Session, workspace_id: UUID, query: str) -> list[Person]:
    """People who have this handle, e-mail address, network's id or name, spelt in full whatever its capitals; 25 at most. Looked up
    rarely, by hand: handles and names are read through."""
    wanted = query.strip()
    params = {
        "w": workspace_id,
        "q": plain(wanted) if wanted.startswith("@") else wanted.casefold(),
        "raw": wanted,
        "n": FOUND,
    }
    mail = {"keys": [f"{matching.Key.EMAIL}:{wanted.casefold()}"]}
    found: dict[UUID, None] = {}
    for statement in (_BY_CONTACT_KEYS, _BY_AUTHOR_KEYS, _BY_HANDLE, _BY_NAME, _BY_AUTHOR_NAME) if wanted else ():
        found.update(dict.fromkeys(row[0] for row in execute(raw(session), statement, {**params, **mail})))
    people: dict[str, Person] = {}
    for record_id in found:
        person = of(session, workspace_id, record_id)
        if person is not None:
            people.setdefault(person.key, person)
    return list(people.values())[:FOUND]


# --- who objects ----------------------------------------------------------------------------------------------


def objecting(
    session: Session, workspace_id: UUID, author_ids: Iterable[UUID | None], contact_ids: Iterable[UUID | None]
) -> set[UUID]:
    """Of these authors and contacts, those who asked never to be judged."""
    params = {
        "w": workspace_id,
        "authors": [each for each in author_ids if each],
        "contacts": [each for each in contact_ids if each],
    }
    rows = execute(
        raw(session),
        "SELECT id FROM authors WHERE workspace_id = %(w)s AND id = ANY(%(authors)s) AND objected_at IS NOT NULL"
        " UNION ALL SELECT id FROM contacts WHERE workspace_id = %(w)s AND id = ANY(%(contacts)s) AND objected_at IS NOT NULL",
        params,
    )
    return {row[0] for row in rows}
