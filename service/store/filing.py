"""Where contacts stand for matching: their keys, by which they are found, and how many contacts share each, which says how rare
it is.

`contacts.filed` holds every key and token of a contact, so that a change writes the difference and nothing else: counts come
out the same in whatever order contacts were stored, changed and deleted. Counts are written in the order of their keys, so that
transactions wait for each other in one direction.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from msgspec.json import Decoder
from sqlalchemy.orm import Session

from integrations.records import Contact
from service.db import RawConnection, raw
from service.rules.matching import filed
from service.store.contact_json import contact_of_text
from service.store.overlap import in_parts
from service.store.rows import each_of, execute, listed, packed, records

Statements = Sequence[tuple[str, Mapping[str, Any]]]  # each with its parameters
VERSION = 7  # goes up when a contact would be filed under other keys or tokens: all are then filed anew, bit by bit
EVERYBODY, SOURCE = "*", "o:"  # tokens of our own: all contacts; how a contact came into the CRM
# Kinds of keys by what is done with them. A key that very few can share is counted where it is looked up; so is a whole name, which hardly
# two contacts share, so that a count of each would be as many rows as there are contacts.
_SOUGHT = frozenset("huetwnisd")
_COUNTED = frozenset("gdfcyrljo*")
_NAME = "n"

# Contacts that stood under nothing are put under the keys that their own rows tell, in the statement that writes those: keys need not be sent
# twice. `fresh` is a query of such rows (connection_id, id, filed). In the order of the index: neighbours go to one page.
_INSERT_FRESH = (
    "INSERT INTO contact_keys (workspace_id, key, connection_id, contact_id) SELECT %(w)s, key, connection_id, id FROM fresh, unnest(filed) key"  # noqa: S608 - names of our own columns
    f" WHERE strpos('{''.join(sorted(_SOUGHT))}', left(key, 1)) > 0 ORDER BY key, connection_id, id"
)
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
_COUNTED_IN = {"connection_id": "uuid", "keys": "text[]", "contacts": "int[]"}
_COUNT = (
    "INSERT INTO key_counts AS old (workspace_id, key, connection_id, contacts) SELECT %(w)s, counted.key, new.connection_id, counted.contacts"  # noqa: S608 - names of our own columns
    f" FROM {records(_COUNTED_IN)}, unnest(new.keys, new.contacts) counted (key, contacts)"
    " ON CONFLICT (workspace_id, key, connection_id) DO UPDATE SET contacts = old.contacts + excluded.contacts"
)
_COUNTS = (
    "WITH tokens AS MATERIALIZED (SELECT DISTINCT token FROM contacts, unnest(filed) token WHERE workspace_id = %(w)s"  # noqa: S608 - names of our own columns
    f" AND id = ANY(ARRAY{each_of('ids', 'uuid')}) AND strpos('{_NAME}{''.join(sorted(_COUNTED))}', left(token, 1)) > 0)"
    " SELECT connection_id, json_object_agg(key, contacts)::text FROM ("
    "SELECT connection_id, key, contacts FROM key_counts WHERE workspace_id = %(w)s AND contacts > 0"
    f" AND key = ANY(ARRAY(SELECT token FROM tokens WHERE left(token, 1) <> '{_NAME}' UNION ALL SELECT '{EVERYBODY}'))"
    " UNION ALL SELECT named.* FROM tokens CROSS JOIN LATERAL (SELECT connection_id, key, count(*) FROM contact_keys"
    f" WHERE workspace_id = %(w)s AND key = token GROUP BY connection_id, key) named WHERE left(token, 1) = '{_NAME}'"
    ") counted GROUP BY connection_id"
)
_NUMBERS = Decoder(dict[str, int])
_DROP_COUNTS = "DELETE FROM key_counts WHERE workspace_id = %(w)s AND key = ANY(%(keys)s) AND contacts = 0"
_NOTED = {"contact_id": "uuid", "keys": "text[]", "is_fresh": "boolean"}
_NOTE = (
    "WITH noted AS (UPDATE contacts c SET filed = new.keys, filed_version = %(v)s"  # noqa: S608 - names of our own columns
    f" FROM {records(_NOTED)} WHERE c.workspace_id = %(w)s AND c.id = new.contact_id RETURNING c.connection_id, c.id, c.filed, new.is_fresh),"
    f" fresh AS (SELECT connection_id, id, filed FROM noted WHERE is_fresh) {_INSERT_FRESH}"
)
STALE = (
    "SELECT id, connection_id, fields::text, filed FROM contacts WHERE workspace_id = %(w)s AND filed_version < %(v)s AND deleted_at IS NULL AND objected_at IS NULL"
    " ORDER BY filed_version LIMIT %(n)s FOR UPDATE SKIP LOCKED"
)
_WAITING = (
    "SELECT count(*) FROM contacts WHERE workspace_id = %(w)s AND filed_version < %(v)s AND deleted_at IS NULL"
    " AND objected_at IS NULL"
)


def filing(insert_contacts: str) -> str:
    """The statement that stores contacts as `insert_contacts` does, which ends where RETURNING may stand, and puts those that are new under
    their keys. Returns, of each contact that it wrote: its id, the CRM's id, and what it was filed under until now; None where it is new."""
    return (
        f"WITH stored AS ({insert_contacts} RETURNING connection_id, id, native_id, filed, xmax = 0 AS is_new),"  # noqa: S608 - our own statements
        f" fresh AS (SELECT connection_id, id, filed FROM stored WHERE is_new), keyed AS ({_INSERT_FRESH})"
        " SELECT id, native_id, CASE WHEN NOT is_new THEN filed END FROM stored"
    )


def tokens(contact: Contact) -> list[str]:
    """All that a contact is filed under, in order: keys, counted tokens, and two of our own."""
    return sorted(filed(contact) | {EVERYBODY, SOURCE + contact.source})


class Refiling:
    """What changes for some contacts: collected, then written, the keys part by part if need be and the counts at the end."""

    def __init__(self) -> None:
        self._added: list[tuple[UUID, UUID, list[str]]] = []  # CRM, contact, keys; so are those below
        self._removed: list[tuple[UUID, UUID, list[str]]] = []
        self._noted: list[
            tuple[UUID, Sequence[str], bool]
        ] = []  # contacts whose row does not yet say so: id, tokens, whether there were none
        # By CRM and token. Tokens that are not counted are sifted out at the end, once for each; so are those that are not sought below.
        self._counts: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
        self._touched: set[str] = set()
        self._moved: set[str] = set()

    def new(self, crm: UUID, contact_id: UUID, now: Sequence[str]) -> None:
        """A contact of this CRM that was stored and filed by `filing`."""
        self._counts[crm].update(now)
        self._touched.update(now)

    def change(self, crm: UUID, contact_id: UUID, before: Sequence[str], now: Sequence[str]) -> None:
        """A contact of this CRM that was filed under `before` and is to be filed under `now`."""
        gained, lost = set(now).difference(before), set(before).difference(now)
        if before and (added := [key for key in now if key in gained and key[0] in _SOUGHT]):
            self._added.append((crm, contact_id, added))
        if removed := [key for key in before if key in lost and key[0] in _SOUGHT]:
            self._removed.append((crm, contact_id, removed))
        self._noted.append((contact_id, now, not before))
        self._counts[crm].update(gained)
        self._counts[crm].subtract(lost)
        self._moved.update(gained, lost)
        self._touched.update(before, now)

    def touched(self) -> list[str]:
        """The keys of all contacts that changed, old and new, in order."""
        return sorted(key for key in self._touched if key[0] in _SOUGHT)

    def moved(self) -> set[str]:
        """The keys under which a contact stands now and did not before, or the other way round."""
        return {key for key in self._moved if key[0] in _SOUGHT}

    def write_keys(self, connection: RawConnection, workspace_id: UUID) -> None:
        """Writes the keys collected so far, in this transaction."""
        run(connection, self.key_statements(workspace_id))

    def key_statements(self, workspace_id: UUID) -> Statements:
        """What writes the keys collected so far, for `run`; they count as written."""
        shared = {"w": workspace_id, "v": VERSION}
        collected = (
            (_DROP_KEYS, _KEYS, self._removed),
            (_INSERT_KEYS, _KEYS, self._added),
            (_NOTE, _NOTED, self._noted),
        )
        statements = [(each, {**shared, **packed(types, rows)}) for each, types, rows in collected if rows]
        for _, _, rows in collected:
            rows.clear()
        return statements

    def write_counts(self, connection: RawConnection, workspace_id: UUID) -> None:
        """Writes what this changes in the counts, once in a transaction: it is their order that keeps transactions from waiting for
        each other in a circle."""
        deltas = [(crm, sorted(_changes(counts))) for crm, counts in sorted(self._counts.items())]
        rows = [(crm, [key for key, _ in some], [number for _, number in some]) for crm, some in deltas if some]
        if rows:
            shared = {"w": workspace_id}
            execute(connection, _COUNT, {**shared, **packed(_COUNTED_IN, rows)})
            if fewer := sorted({key for _, some in deltas for key, number in some if number < 0}):
                execute(connection, _DROP_COUNTS, {**shared, "keys": fewer})


def _changes(counts: Counter[str]) -> Iterator[tuple[str, int]]:
    """What of these is counted, and changes."""
    return ((key, number) for key, number in counts.items() if number and key[0] in _COUNTED)


def run(connection: RawConnection, statements: Statements) -> None:
    """Runs what `Refiling.key_statements` has made."""
    for statement, params in statements:
        execute(connection, statement, params)


def refile(session: Session, workspace_id: UUID, limit: int) -> set[str] | None:
    """Files up to `limit` contacts anew that were filed by older rules. Returns the keys that this touches; None when every
    contact stands where it should."""
    connection = raw(session)
    rows = execute(connection, STALE, {"w": workspace_id, "v": VERSION, "n": limit})
    if not rows:
        return None
    work = Refiling()

    def prepare(part: Sequence[tuple[UUID, UUID, str, list[str]]]) -> Statements:
        for contact_id, crm, fields, before in part:
            work.change(crm, contact_id, before, tokens(contact_of_text(fields)))
        return work.key_statements(workspace_id)

    in_parts(rows, prepare, partial(run, connection))
    work.write_counts(connection, workspace_id)
    return work.moved()


def waiting(session: Session, workspace_id: UUID) -> int:
    """How many contacts are filed by older rules still."""
    return int(execute(raw(session), _WAITING, {"w": workspace_id, "v": VERSION})[0][0])


def counts(connection: RawConnection, workspace_id: UUID, contact_ids: Iterable[str]) -> dict[UUID, dict[str, int]]:
    """For each CRM that has any contacts: how many of them have each token that one of these contacts has, and how many there are."""
    params = {"w": workspace_id, "ids": listed(contact_ids)}
    return {crm: _NUMBERS.decode(numbers) for crm, numbers in execute(connection, _COUNTS, params)}


def how_many(counted: Mapping[UUID, Mapping[str, int]]) -> int:
    """How many contacts all CRMs have together, by what `counts` says of them; 1 where there are none, as nothing is divided by that."""
    return sum(each.get(EVERYBODY, 0) for each in counted.values()) or 1


def is_sought(token: str) -> bool:
    """Whether it is a key under which contacts are found."""
    return token[0] in _SOUGHT


def is_counted(token: str) -> bool:
    """Whether `counts` tells how many contacts have it."""
    return token[0] in _COUNTED or token[0] == _NAME
