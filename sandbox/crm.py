"""The CRM itself: records, what is unique among them, what is associated, and the search index that follows them.

Functions that write take the connection of a transaction (`Store.write`); `at` is the stamp of the change, in ms.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.clock import iso
from sandbox.hubspot_errors import HubSpotError, conflict, property_errors, validation
from sandbox.hubspot_properties import TARGETS, TYPES, Property, association_type, clean, properties

FIRST_ID = 30_000_000_000  # records made here start above what anybody loads


@dataclass(frozen=True)
class Record:
    type: str
    id: int
    props: dict[str, str]
    created_at: int
    updated_at: int
    archived_at: int | None = None
    new: bool = False

    @classmethod
    def of(cls, row: sqlite3.Row) -> Record:
        archived = row["archived_at"] if "archived_at" in row.keys() else None  # noqa: SIM118 (a Row iterates over values)
        return cls(row["type"], row["id"], json.loads(row["props"]), row["created_at"], row["updated_at"], archived)

    def value(self, name: str) -> str | None:
        """A property's value, the three that every record has among them; None where it has none."""
        kind = TYPES[self.type]
        fixed = {"hs_object_id": str(self.id), kind.created: iso(self.created_at), kind.modified: iso(self.updated_at)}
        return fixed.get(name) or self.props.get(name) or None


# -- reading


def get(db: sqlite3.Connection, kind: str, id_: int, *, archived: bool = False) -> Record | None:
    row = db.execute("SELECT * FROM records WHERE type = ? AND id = ?", (kind, id_)).fetchone()
    return Record.of(row) if row is not None and (row["archived_at"] is not None) == archived else None


def get_many(db: sqlite3.Connection, kind: str, ids: Iterable[int], *, archived: bool = False) -> dict[int, Record]:
    rows = db.execute(
        "SELECT r.* FROM json_each(?) e CROSS JOIN records r ON r.type = ? AND r.id = e.value",
        (json.dumps(list(ids)), kind),
    )
    found = (Record.of(row) for row in rows)
    return {record.id: record for record in found if (record.archived_at is not None) == archived}


def find_unique(db: sqlite3.Connection, kind: str, property_: str, values: Iterable[str]) -> dict[str, int]:
    """Record ids by the value of a unique property; values compare without case."""
    rows = db.execute(
        "SELECT u.value, u.id FROM json_each(?) v CROSS JOIN unique_values u ON u.type = ? AND u.property = ? AND u.value = v.value",
        (json.dumps([value.lower() for value in values]), kind, property_),
    )
    return dict(rows.fetchall())


def owner_ids(db: sqlite3.Connection) -> set[str]:
    return {str(row[0]) for row in db.execute("SELECT id FROM owners WHERE archived = 0")}


# -- writing


def next_id(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM meta WHERE key = 'last_record_id'").fetchone()
    id_ = (int(row[0]) if row else FIRST_ID) + 1
    db.execute("INSERT OR REPLACE INTO meta VALUES ('last_record_id', ?)", (str(id_),))
    return id_


def put_many(db: sqlite3.Connection, rows: Sequence[tuple[str, int, str, int, int]]) -> None:
    """Records (type, id, properties as JSON, created, updated) as an import brings them, shown to search at once."""
    db.executemany(
        "INSERT INTO records (type, id, props, created_at, updated_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (type, id) "
        "DO UPDATE SET props = excluded.props, updated_at = excluded.updated_at, archived_at = NULL",
        rows,
    )
    index(db, [row[:2] for row in rows])


class Writer:
    """Writes to one type of record within one transaction, with what the checks need looked up once.

    `delay`: real seconds until search sees it.
    """

    def __init__(self, db: sqlite3.Connection, kind: str, at: int, *, delay: float = 0.0) -> None:
        self.db, self.type, self.at = db, TYPES[kind], at
        self.known: Mapping[str, Property] = properties(db, kind)
        self._owners = owner_ids(db)
        self._unique = [one.name for one in self.known.values() if one.unique]
        self._delay = delay

    def create(self, values: Mapping[str, Any], associations: Sequence[Any] = (), *, id_: int | None = None) -> Record:
        """A new record. Raises HubSpotError for values or associations that can't be, and then nothing is written."""
        props = self._clean(values, creating=True)
        self._no_double(props, None)
        targets = self._targets(associations)
        record = Record(self.type.name, next_id(self.db) if id_ is None else id_, {}, self.at, self.at, new=True)
        record = self._put(record, self._derive({}, props))
        for to_type, to_id in targets:
            associate(self.db, self.type.name, record.id, to_type, to_id)
        return record

    def update(self, record: Record, values: Mapping[str, Any]) -> Record:
        """The record with these values changed; "" clears one. Raises HubSpotError, and then nothing is written."""
        changes = self._clean(values, creating=False)
        self._no_double(changes, record.id)
        changed = {**record.props, **self._derive(record.props, changes)}
        missing = [name for name in self.type.required if not changed.get(name)]
        if missing:
            raise property_errors(
                [(name, "REQUIRED_FIELD", f'Required property "{name}" is missing') for name in missing]
            )
        return self._put(record, changed)

    def archive(self, id_: int) -> bool:
        """Moves a record to the bin, out of reach of everything but `archived=true`. False where there is none."""
        found = self.db.execute(
            "UPDATE records SET archived_at = ?, updated_at = ? WHERE type = ? AND id = ? AND archived_at IS NULL",
            (self.at, self.at, self.type.name, id_),
        )
        self.db.execute("DELETE FROM unique_values WHERE type = ? AND id = ?", (self.type.name, id_))
        self._reindex(id_)
        return found.rowcount > 0

    def cleaned(self, values: Mapping[str, Any]) -> dict[str, str]:
        """`values` as they would be kept. Raises HubSpotError."""
        return self._clean(values, creating=False)

    def _clean(self, values: Mapping[str, Any], *, creating: bool) -> dict[str, str]:
        if not isinstance(values, Mapping):
            raise validation("Invalid input JSON: properties must be an object")
        kept, problems = clean(values, self.known, self._owners.__contains__, creating=self.type if creating else None)
        if problems:
            raise property_errors(problems)
        return kept

    def _no_double(self, props: Mapping[str, str], own_id: int | None) -> None:
        for name in self._unique:
            if not props.get(name):
                continue
            holder = find_unique(self.db, self.type.name, name, [props[name]]).get(props[name].lower())
            if holder is not None and holder != own_id:
                if name == "email":
                    raise conflict(f"Contact already exists. Existing ID: {holder}")
                raise duplicate(name, props[name], holder)

    def _targets(self, associations: Sequence[Any]) -> list[tuple[str, int]]:
        targets = []
        for one in associations or ():
            try:
                to_id, types = str(one["to"]["id"]), [int(spec["associationTypeId"]) for spec in one["types"]]
            except (KeyError, TypeError, ValueError) as error:
                raise validation("Invalid input JSON: an association needs to.id and types") from error
            for type_id in types:
                to_type = TARGETS.get((self.type.name, type_id))
                if to_type is None:
                    raise validation(f"{type_id} is not a valid association type for {self.type.one}")
                if not to_id.isdigit() or get(self.db, to_type, min(int(to_id), 2**63 - 1)) is None:
                    name = f"{TYPES[to_type].one.upper()}={to_id} is not valid"
                    raise validation(
                        f"One or more associations are not valid. {name}", sub_category="crm.associations.INVALID_OBJECT_IDS",
                        context={"INVALID_OBJECT_IDS": [name]},
                    )  # fmt: skip
                targets.append((to_type, int(to_id)))
        return targets

    def _derive(self, before: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
        """What HubSpot works out by itself: when a task was completed."""
        derived = dict(changes)
        if self.type.name != "tasks":
            return derived
        if not before and not derived.get("hs_task_status"):
            derived["hs_task_status"] = "NOT_STARTED"
        if "hs_task_status" in derived:
            completed = derived["hs_task_status"] == "COMPLETED"
            derived["hs_task_is_completed"] = str(completed).lower()
            if not completed:
                derived["hs_task_completion_date"] = ""
            elif before.get("hs_task_status") != "COMPLETED":
                derived["hs_task_completion_date"] = iso(self.at)
        return derived

    def _put(self, record: Record, props: Mapping[str, str]) -> Record:
        kept = {name: value for name, value in props.items() if value != ""}
        self.db.execute(
            "INSERT INTO records (type, id, props, created_at, updated_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (type, id) "
            "DO UPDATE SET props = excluded.props, updated_at = excluded.updated_at, archived_at = NULL",
            (record.type, record.id, json.dumps(kept, ensure_ascii=False), record.created_at, self.at),
        )
        for name in self._unique:
            if kept.get(name) == record.props.get(name):
                continue
            self.db.execute(
                "DELETE FROM unique_values WHERE type = ? AND id = ? AND property = ?", (record.type, record.id, name)
            )
            if name in kept:
                self.db.execute(
                    "INSERT INTO unique_values VALUES (?, ?, ?, ?)", (record.type, name, kept[name].lower(), record.id)
                )
        self._reindex(record.id)
        return Record(record.type, record.id, kept, record.created_at, self.at, None, record.new)

    def _reindex(self, id_: int) -> None:
        if self._delay:
            self.db.execute(
                "INSERT OR IGNORE INTO unindexed VALUES (?, ?, ?)", (self.type.name, id_, time.time() + self._delay)
            )
        else:
            index(self.db, [(self.type.name, id_)])


def duplicate(name: str, value: str, holder: int) -> HubSpotError:
    """A unique property's value that another record has already."""
    sentence = f'A record already has the value "{value}" for the unique property "{name}". Existing ID: {holder}'
    error = conflict(f"Cannot set PropertyValueCoordinates. {sentence}")
    error.body |= {
        "subCategory": "crm.records.DUPLICATE_UNIQUE_PROPERTY_VALUE",
        "context": {"id": [str(holder)], "name": [name]},
    }
    return error


def index(db: sqlite3.Connection, keys: Iterable[tuple[str, int]]) -> None:
    """Shows the records to search as they are now."""
    for key in keys:
        db.execute("DELETE FROM search_index WHERE type = ? AND id = ?", key)
        db.execute(f"{INDEX} WHERE type = ? AND id = ? AND archived_at IS NULL", key)


INDEX = """
INSERT INTO search_index (type, id, props, created_at, updated_at, at, owner, email, status)
SELECT type, id, props, created_at, updated_at, json_extract(props, '$.hs_timestamp'), json_extract(props, '$.hubspot_owner_id'),
lower(json_extract(props, '$.email')), json_extract(props, '$.hs_task_status') FROM records
"""


def index_due(db: sqlite3.Connection) -> None:
    """Shows to search what has waited long enough (real time)."""
    due = db.execute("SELECT type, id FROM unindexed WHERE due_at <= ?", (time.time(),)).fetchall()
    index(db, [tuple(row) for row in due])
    db.executemany("DELETE FROM unindexed WHERE type = ? AND id = ?", [tuple(row) for row in due])


# -- associations


def associate(db: sqlite3.Connection, from_type: str, from_id: int, to_type: str, to_id: int) -> None:
    """Both ways, under HubSpot's own types."""
    for one, other in (((from_type, from_id), (to_type, to_id)), ((to_type, to_id), (from_type, from_id))):
        type_id = association_type(one[0], other[0])
        db.execute("INSERT OR IGNORE INTO associations VALUES (?, ?, ?, ?, ?)", (*one, *other, type_id))


def dissociate(db: sqlite3.Connection, from_type: str, from_id: int, to_type: str, to_id: int) -> None:
    """Both ways, whatever the types."""
    for one, other in (((from_type, from_id), (to_type, to_id)), ((to_type, to_id), (from_type, from_id))):
        db.execute(
            "DELETE FROM associations WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?", (*one, *other)
        )


def associated(
    db: sqlite3.Connection, from_type: str, from_ids: Iterable[int], to_type: str
) -> dict[int, list[tuple[int, int]]]:
    """(id, association type) of live records that each one is associated with, in order of id."""
    rows = db.execute(
        "SELECT a.from_id, a.to_id, a.type_id FROM json_each(?) f CROSS JOIN associations a ON a.from_type = ? "
        "AND a.from_id = f.value AND a.to_type = ? JOIN records r ON r.type = a.to_type AND r.id = a.to_id "
        "AND r.archived_at IS NULL ORDER BY a.from_id, a.to_id",
        (json.dumps(list(from_ids)), from_type, to_type),
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for from_id, to_id, type_id in rows:
        found.setdefault(from_id, []).append((to_id, type_id))
    return found
