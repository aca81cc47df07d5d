"""What several people share: an address or a handle that contacts of different names carry is an office's, and tells nobody apart.

By what only one person carries, two contacts are known to be theirs (`service.store.persons`), and whoever was erased is left out when they
are read again (`service.store.suppressing`). What is shared does neither, or a mailbox would take all of a firm's people along; beside
one full name it does both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.records import Contact
from service.db import raw
from service.rules.matching.keys import full_names
from service.rules.matching.naming import may_be_one
from service.rules.matching.person import ContactName, contact_name
from service.store import suppressing
from service.store.contact_json import contact_record
from service.store.rows import execute

MOST = 100  # records of one person: what more carry is shared, whatever they are called

# Those who carry each key; of a crowd, enough to see that it is one.
_CONTACTS = (
    "SELECT k.key, c.id, c.fields FROM unnest(%(keys)s::text[]) AS k (key) CROSS JOIN LATERAL (SELECT f.contact_id FROM contact_keys f"
    " WHERE f.workspace_id = %(w)s AND f.key = k.key LIMIT %(most)s) found"
    " JOIN contacts c ON c.workspace_id = %(w)s AND c.id = found.contact_id"
)
_AUTHORS = (
    "SELECT k.key, a.id, a.name FROM unnest(%(keys)s::text[]) AS k (key) CROSS JOIN LATERAL (SELECT f.author_id FROM author_keys f"
    " WHERE f.workspace_id = %(w)s AND f.key = k.key LIMIT %(most)s) found"
    " JOIN authors a ON a.workspace_id = %(w)s AND a.id = found.author_id"
)
_Carriers = Mapping[UUID, Contact]


@dataclass(frozen=True)
class Record:
    """A contact, or an author by the name of one, with the keys by which they might be known (`suppressing.contacts_keys` and
    `authors_keys`)."""

    id: UUID
    contact: Contact
    keys: Collection[str]


@dataclass(frozen=True)
class Found:
    """`shared`: those of the keys that are. `theirs`: contacts that are known to be the same person's by the keys. `perhaps`: contacts
    that carry a shared one and may be by their names."""

    shared: set[str] = field(default_factory=set)
    theirs: set[UUID] = field(default_factory=set)
    perhaps: set[UUID] = field(default_factory=set)


def named(name: str) -> Contact:
    """An author as something that has a name."""
    return Contact("", name=name)


def look(session: Session, workspace_id: UUID, authors: Sequence[Record], contacts: Sequence[Record]) -> Found:
    """What these records, all of one person, share with others. Contacts are compared with contacts and authors with authors: what
    somebody calls themselves on a network says little about what a CRM calls them."""
    found, keys = Found(), sorted({key for each in (*authors, *contacts) for key in each.keys})
    if not keys:
        return found
    params, ours = {"w": workspace_id, "keys": keys, "most": MOST + 1}, {each.id for each in (*authors, *contacts)}
    known = suppressing.known_as_shared(session, workspace_id, keys)
    in_crms = _carriers(contacts, execute(raw(session), _CONTACTS, params), contact_record)
    there = _carriers(authors, execute(raw(session), _AUTHORS, params), named)
    for key in keys:
        mine = [each.contact for each in contacts if key in each.keys]
        if key in known or _differ(in_crms[key], ours) or _differ(there[key], ours):
            found.shared.add(key)
            found.theirs.update(_namesakes(in_crms[key], mine))
            found.perhaps.update(_alike(in_crms[key], mine))
        elif mine:
            found.theirs.update(in_crms[key])
    return found


def _carriers(
    records: Iterable[Record], rows: Iterable[tuple[Any, ...]], read: Callable[[Any], Contact]
) -> Mapping[str, _Carriers]:
    """Who carries each key: these records, and those that the store holds."""
    found: defaultdict[str, dict[UUID, Contact]] = defaultdict(dict)
    for each in records:
        for key in each.keys:
            found[key][each.id] = each.contact
    for key, row_id, row in rows:
        found[key][row_id] = read(row)
    return found


def _differ(carriers: _Carriers, ours: Collection[UUID]) -> bool:
    """Whether they are too many for one person, or two of them bear names of two people and are not known to be one all the same."""
    names = {row_id: _name(each) for row_id, each in carriers.items()}
    return len(names) > MOST or any(
        not (one in ours and other in ours) and not may_be_one(names[one], names[other])
        for one, other in combinations(names, 2)
    )


def _namesakes(carriers: _Carriers, mine: Iterable[Contact]) -> set[UUID]:
    """Those who bear the full name of one of mine: the same person once more."""
    names = {name for each in mine for name in full_names(each)}
    return {row_id for row_id, each in carriers.items() if not names.isdisjoint(full_names(each))}


def _alike(carriers: _Carriers, mine: Iterable[Contact]) -> set[UUID]:
    """Those who may be the same person all the same: of a name that is said in part, or, as after a marriage, of another family name."""
    names = [_name(each) for each in mine]
    return {
        row_id
        for row_id, each in carriers.items()
        if any(may_be_one(name, _name(each), married=True) for name in names)
    }


def _name(contact: Contact) -> ContactName:
    """What they are called. Nothing, where the CRM has but an address and perhaps a company: that is anybody there."""
    said = (contact.name, contact.first_name, contact.last_name)
    return contact_name(contact) if any(each and "@" not in each for each in said) else ContactName()
