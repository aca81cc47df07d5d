"""What several people share: an address or a handle that contacts or profiles of different names carry tells nobody apart.

By what only one person carries, two contacts are known to be theirs (`service.store.persons`), and whoever was erased is left out when they
are read again (`service.store.suppressing`). What is shared does neither, or a mailbox would take all of a firm's people along; beside
one full name it does both. A mailbox that is an office's by its name counts as shared, whoever carries it.
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
from service.rules.model import MatchState
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
# Who of these is known to be whom, and who somebody said is not.
_PAIRS = (
    "SELECT author_id, contact_id, state FROM matches WHERE workspace_id = %(w)s AND state IN ('confirmed', 'rejected')"
    " AND author_id = ANY(%(authors)s) AND contact_id = ANY(%(contacts)s)"
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
    """`shared`: those of the keys that are. `theirs`: contacts that are known to be the same person's by the keys. `perhaps` and
    `perhaps_authors`: contacts and authors that carry one of the keys and may be by their names."""

    shared: set[str] = field(default_factory=set)
    theirs: set[UUID] = field(default_factory=set)
    perhaps: set[UUID] = field(default_factory=set)
    perhaps_authors: set[UUID] = field(default_factory=set)


@dataclass(frozen=True)
class _Pairs:
    """`same`: the contacts that each author is confirmed to be. `other`: pairs of an author and a contact that somebody rejected."""

    same: Mapping[UUID, set[UUID]]
    other: Collection[frozenset[UUID]]


def named(name: str) -> Contact:
    """An author as something that has a name."""
    return Contact("", name=name)


def look(session: Session, workspace_id: UUID, authors: Sequence[Record], contacts: Sequence[Record]) -> Found:
    """What these records, all of one person, share with others, on either side: who shows somebody's address on a profile (an agent's,
    say) is not taken for them, nor they for whoever shows it."""
    found, keys = Found(), sorted({key for each in (*authors, *contacts) for key in each.keys})
    if not keys:
        return found
    params, ours = {"w": workspace_id, "keys": keys, "most": MOST + 1}, {each.id for each in (*authors, *contacts)}
    known = suppressing.known_as_shared(session, workspace_id, keys) | suppressing.offices(keys)
    in_crms = _carriers(contacts, execute(raw(session), _CONTACTS, params), contact_record)
    there = _carriers(authors, execute(raw(session), _AUTHORS, params), named)
    pairs = _pairs(session, workspace_id, there, in_crms)
    for key in keys:
        mine = [each.contact for each in contacts if key in each.keys]
        names = [*mine, *(each.contact for each in authors if key in each.keys and _name(each.contact).words)]
        if key in known or _differ(in_crms[key], there[key], pairs, ours):
            found.shared.add(key)
            found.theirs.update(_namesakes(in_crms[key], mine))
        elif mine:
            found.theirs.update(in_crms[key])
        found.perhaps.update(_alike(in_crms[key], names, pairs, ours))
        found.perhaps_authors.update(_alike(there[key], names, pairs, ours))
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


def _pairs(
    session: Session, workspace_id: UUID, there: Mapping[str, _Carriers], in_crms: Mapping[str, _Carriers]
) -> _Pairs:
    """What is known of the matches between those who carry any of the keys."""
    authors, contacts = (list({row_id for some in side.values() for row_id in some}) for side in (there, in_crms))
    same: defaultdict[UUID, set[UUID]] = defaultdict(set)
    other: set[frozenset[UUID]] = set()
    params = {"w": workspace_id, "authors": authors, "contacts": contacts}
    for author_id, contact_id, state in execute(raw(session), _PAIRS, params) if authors and contacts else ():
        if state == MatchState.CONFIRMED:
            same[author_id].add(contact_id)
        else:
            other.add(frozenset((author_id, contact_id)))
    return _Pairs(same, other)


def _differ(in_crms: _Carriers, there: _Carriers, pairs: _Pairs, ours: Collection[UUID]) -> bool:
    """Whether they are too many for one person, or two of them bear names of two people, or were said to be two, and are not known to be
    one all the same."""
    names = {row_id: _name(each) for row_id, each in in_crms.items()}
    # Who is confirmed to be one of these contacts goes by that name, whatever they call themselves on a network.
    names |= {
        row_id: _name(each) for row_id, each in there.items() if pairs.same.get(row_id, set()).isdisjoint(in_crms)
    }
    return len(names) > MOST or any(
        not (one in ours and other in ours)
        and (frozenset((one, other)) in pairs.other or not may_be_one(names[one], names[other]))
        for one, other in combinations(names, 2)
    )


def _namesakes(carriers: _Carriers, mine: Iterable[Contact]) -> set[UUID]:
    """Those who bear the full name of one of mine: the same person once more."""
    names = {name for each in mine for name in full_names(each)}
    return {row_id for row_id, each in carriers.items() if not names.isdisjoint(full_names(each))}


def _alike(carriers: _Carriers, mine: Iterable[Contact], pairs: _Pairs, ours: Collection[UUID]) -> set[UUID]:
    """Those who may be the same person all the same: of a name that is said in part, or, as after a marriage, of another family name.
    Not who was said to be somebody else."""
    names = [_name(each) for each in mine]
    return {
        row_id
        for row_id, each in carriers.items()
        if not any(frozenset((row_id, one)) in pairs.other for one in ours)
        and any(may_be_one(name, _name(each), married=True) for name in names)
    }


def _name(contact: Contact) -> ContactName:
    """What they are called. Nothing, where the CRM has but an address and perhaps a company: that is anybody there."""
    said = (contact.name, contact.first_name, contact.last_name)
    return contact_name(contact) if any(each and "@" not in each for each in said) else ContactName()
