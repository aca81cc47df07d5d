"""Where contacts stand for matching: their keys, by which they are found, and how many contacts share each, which says how rare
it is.

`contacts.filed` holds every key and token of a contact, so that a change writes the difference and nothing else: counts come
out the same in whatever order contacts were stored, changed and deleted. Counts are written in the order of their keys, so that
transactions wait for each other in one direction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from msgspec.json import Decoder
from sqlalchemy.orm import Session

from integrations.records import Contact
from service.db import RawConnection, raw
from service.rules.matching import filed
from service.store.contact_json import contact_of_text
from service.store.overlap import in_parts
from service.store.rows import each_of, execute, insert, listed, packed, records

VERSION = 3  # goes up when a contact would be filed under other keys or tokens: all are then filed anew, bit by bit
EVERYBODY, SOURCE = "*", "o:"  # tokens of our own: all contacts; how a contact came into the CRM
# Kinds of keys by what is done with them. A key that very few can share is counted where it is looked up.
_SOUGHT = frozenset("huetwnisd")
_COUNTED = frozenset("ngdfcyrljo*")

_KEYS = {"connection_id": "uuid", "contact_id": "uuid", "keys": "text[]"}
# In the order of the index: neighbours go to one page.
_INSERT_KEYS = (
    "INSERT INTO contact_keys (workspace_id, key, connection_id, contact_id) SELECT %(w)s, key, connection_id, contact_id"  # noqa: S608 - names of our own columns
    f' FROM (SELECT unnest(new.keys) COLLATE "C" AS key, new.connection_id, new.contact_id FROM {records(_KEYS)}) filed'
    " ORDER BY key, connection_id, contact_id"
)
_DROP_KEYS = (
    "DELETE FROM contact_keys k USING (SELECT unnest(new.keys) AS key, new.connection_id, new.contact_id"  # noqa: S608 - names of our own columns
    f" FROM {records(_KEYS)}) gone WHERE k.workspace_id = %(w)s AND k.key = gone.key AND k.connection_id = gone.connection_id"
    " AND k.contact_id = gone.contact_id"
)
COUNT = {"key": "text", "connection_id": "uuid", "contacts": "int"}
_COUNT = insert(
    "key_counts",
    COUNT,
    fixed={"workspace_id": "%(w)s"},
    conflict="ON CONFLICT (workspace_id, key, connection_id) DO UPDATE SET contacts = old.contacts + excluded.contacts",
)
_COUNTS = (
    "SELECT connection_id, json_object_agg(key, contacts)::text FROM key_counts WHERE workspace_id = %(w)s AND contacts > 0 AND key = ANY(ARRAY(SELECT token FROM contacts, unnest(filed) token"  # noqa: S608 - names of our own columns
    f" WHERE workspace_id = %(w)s AND id = ANY(ARRAY{each_of('ids', 'uuid')}) AND left(token, 1) = ANY(%(kinds)s) UNION SELECT '{EVERYBODY}'))"
    " GROUP BY connection_id"
)
_NUMBERS = Decoder(dict[str, int])
_DROP_COUNTS = "DELETE FROM key_counts WHERE workspace_id = %(w)s AND key = ANY(%(keys)s) AND contacts = 0"
_NOTE = (
    "UPDATE contacts c SET filed = new.keys, filed_version = %(v)s"  # noqa: S608 - names of our own columns
    f" FROM {records(_KEYS)} WHERE c.workspace_id = %(w)s AND c.id = new.contact_id"
)
STALE = (
    "SELECT id, connection_id, fields::text, filed FROM contacts WHERE workspace_id = %(w)s AND filed_version < %(v)s AND deleted_at IS NULL AND objected_at IS NULL"
    " ORDER BY filed_version LIMIT %(n)s FOR UPDATE SKIP LOCKED"
)
_WAITING = (
    "SELECT count(*) FROM contacts WHERE workspace_id = %(w)s AND filed_version < %(v)s AND deleted_at IS NULL"
    " AND objected_at IS NULL"
)


def tokens(contact: Contact) -> list[str]:
    """All that a contact is filed under, in order: keys, counted tokens, and two of our own."""
    return sorted({*filed(contact), EVERYBODY, SOURCE + contact.source})


@dataclass
class Refiling:
    """What changes for some contacts: collected, then written, the keys part by part if need be and the counts at the end."""

    added: list[tuple[UUID, UUID, list[str]]] = field(default_factory=list)  # CRM, contact, keys; so are the two below
    removed: list[tuple[UUID, UUID, list[str]]] = field(default_factory=list)
    noted: list[tuple[UUID, UUID, Sequence[str]]] = field(
        default_factory=list
    )  # contacts whose row does not yet say so
    counts: Counter[tuple[str, UUID]] = field(default_factory=Counter)  # by token and CRM
    touched: set[str] = field(default_factory=set)  # keys of contacts that changed, old and new

    def new(self, crm: UUID, contact_id: UUID, now: Sequence[str]) -> None:
        """A contact of this CRM that was stored with `filed` already."""
        self._difference(crm, contact_id, (), now)

    def change(self, crm: UUID, contact_id: UUID, before: Sequence[str], now: Sequence[str]) -> None:
        """A contact of this CRM that was filed under `before` and is to be filed under `now`."""
        self._difference(crm, contact_id, before, now)
        self.noted.append((crm, contact_id, now))

    def _difference(self, crm: UUID, contact_id: UUID, before: Sequence[str], now: Sequence[str]) -> None:
        old, new = set(before), set(now)
        if added := [key for key in now if key[0] in _SOUGHT and key not in old]:
            self.added.append((crm, contact_id, added))
        if removed := [key for key in before if key[0] in _SOUGHT and key not in new]:
            self.removed.append((crm, contact_id, removed))
        self.counts.update((key, crm) for key in now if key[0] in _COUNTED and key not in old)
        self.counts.subtract((key, crm) for key in before if key[0] in _COUNTED and key not in new)
        self.touched.update(key for key in (*before, *now) if key[0] in _SOUGHT)

    def write_keys(self, connection: RawConnection, workspace_id: UUID) -> None:
        """Writes the keys collected so far, in this transaction."""
        shared = {"w": workspace_id, "v": VERSION}
        for statement, rows in ((_DROP_KEYS, self.removed), (_INSERT_KEYS, self.added), (_NOTE, self.noted)):
            if rows:
                execute(connection, statement, {**shared, **packed(_KEYS, rows)})
                rows.clear()

    def write_counts(self, connection: RawConnection, workspace_id: UUID) -> None:
        """Writes what this changes in the counts, once in a transaction: it is their order that keeps transactions from waiting for
        each other in a circle."""
        deltas = sorted((*each, number) for each, number in self.counts.items() if number)
        if deltas:
            shared = {"w": workspace_id}
            execute(connection, _COUNT, {**shared, **packed(COUNT, deltas)})
            if fewer := sorted({key for key, _, number in deltas if number < 0}):
                execute(connection, _DROP_COUNTS, {**shared, "keys": fewer})


def refile(session: Session, workspace_id: UUID, limit: int) -> set[str] | None:
    """Files up to `limit` contacts anew that were filed by older rules. Returns the keys that this touches; None when every
    contact stands where it should."""
    connection = raw(session)
    rows = execute(connection, STALE, {"w": workspace_id, "v": VERSION, "n": limit})
    if not rows:
        return None
    work, moved = Refiling(), set[str]()

    def prepare(part: Sequence[tuple[UUID, UUID, str, list[str]]]) -> list[tuple[UUID, UUID, list[str], list[str]]]:
        return [(crm, contact_id, before, tokens(contact_of_text(fields))) for contact_id, crm, fields, before in part]

    def store(part: Sequence[tuple[UUID, UUID, list[str], list[str]]]) -> None:
        for crm, contact_id, before, now in part:
            work.change(crm, contact_id, before, now)
        moved.update(key for _, _, keys in (*work.added, *work.removed) for key in keys)
        work.write_keys(connection, workspace_id)

    in_parts(rows, prepare, store)
    work.write_counts(connection, workspace_id)
    return moved


def waiting(session: Session, workspace_id: UUID) -> int:
    """How many contacts are filed by older rules still."""
    return int(execute(raw(session), _WAITING, {"w": workspace_id, "v": VERSION})[0][0])


def counts(connection: RawConnection, workspace_id: UUID, contact_ids: Iterable[str]) -> dict[UUID, dict[str, int]]:
    """For each CRM that has any contacts: how many of them have each token that one of these contacts has, and how many there are."""
    params = {"w": workspace_id, "ids": listed(contact_ids), "kinds": sorted(_COUNTED)}
    return {crm: _NUMBERS.decode(numbers) for crm, numbers in execute(connection, _COUNTS, params)}


def how_many(counted: Mapping[UUID, Mapping[str, int]]) -> int:
    """How many contacts all CRMs have together, by what `counts` says of them; 1 where there are none, as nothing is divided by that."""
    return sum(each.get(EVERYBODY, 0) for each in counted.values()) or 1


def is_sought(token: str) -> bool:
    """Whether it is a key under which contacts are found."""
    return token[0] in _SOUGHT


def is_counted(token: str) -> bool:
    """Whether it is counted as contacts are stored."""
    return token[0] in _COUNTED
