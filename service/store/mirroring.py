"""Storing what a CRM served: contacts and their keys, owners, activities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.records import Activity, Contact, Gone, GoneBetween, Owner
from service.clock import real_now
from service.db import RawConnection, raw
from service.ids import new_id
from service.store import due, filing, locks, suppressing
from service.store.contact_json import contact_fields
from service.store.locks import Lock
from service.store.overlap import in_parts
from service.store.rows import each_of, execute, insert, listed, packed, records

CONTACT = {
    "id": "uuid", "native_id": "text", "name": "text", "company": "text", "owner_id": "text", "fields": "jsonb", "updated_at": "timestamptz",
    "filed": "text[]",
}  # fmt: skip
_UPSERT_CONTACTS = filing.filing(
    insert(
        "contacts",
        CONTACT,
        fixed={"workspace_id": "%(w)s", "connection_id": "%(c)s", "filed_version": "%(v)s"},
        # What stands in `filed` stays, and is told: it says what the contact was filed under until now.
        conflict=(
            "ON CONFLICT (workspace_id, connection_id, native_id) DO UPDATE SET name = excluded.name, company = excluded.company,"
            " owner_id = excluded.owner_id, fields = excluded.fields, updated_at = excluded.updated_at, deleted_at = NULL"
            " WHERE (old.name, old.company, old.owner_id, old.fields, old.deleted_at)"
            " IS DISTINCT FROM (excluded.name, excluded.company, excluded.owner_id, excluded.fields, NULL)"
        ),
    )
)
Written = tuple[
    UUID, str, list[str] | None
]  # a contact's id, the CRM's id, and what it was filed under, if it was there
Prepared = tuple[
    dict[str, list[str]], dict[str, str], filing.Statements
]  # tokens by the CRM's id, those contacts as rows, keys of others
_AUTHORS_OF_KEYS = (
    "SELECT DISTINCT author_id FROM author_keys WHERE workspace_id = %(w)s"  # noqa: S608 - names of our own columns
    f" AND key = ANY(ARRAY{each_of('keys')})"
)
_AUTHORS_OF_CONTACTS = "SELECT DISTINCT author_id FROM matches WHERE workspace_id = %(w)s AND contact_id = ANY(%(ids)s)"
OWNER = {"id": "uuid", "native_id": "text", "email": "text", "name": "text", "active": "boolean"}
_UPSERT_OWNERS = insert(
    "owners",
    OWNER,
    fixed={"workspace_id": "%(w)s", "connection_id": "%(c)s"},
    conflict=(
        "ON CONFLICT (workspace_id, connection_id, native_id) DO UPDATE SET email = excluded.email, name = excluded.name, active = excluded.active"
        " WHERE (old.email, old.name, old.active) IS DISTINCT FROM (excluded.email, excluded.name, excluded.active)"
        " RETURNING id"
    ),
)
ACTIVITY = {
    "id": "uuid", "native_id": "text", "kind": "text", "at": "timestamptz", "ends_at": "timestamptz", "direction": "text", "outcome": "text",
    "owner_id": "text",
}  # fmt: skip
_UPSERT_ACTIVITIES = insert(
    "activities",
    ACTIVITY,
    fixed={"workspace_id": "%(w)s", "connection_id": "%(c)s"},
    conflict=(
        "ON CONFLICT (workspace_id, connection_id, kind, native_id) DO UPDATE SET at = excluded.at, ends_at = excluded.ends_at,"
        " direction = excluded.direction, outcome = excluded.outcome, owner_id = excluded.owner_id, deleted_at = NULL"
        " WHERE (old.at, old.ends_at, old.direction, old.outcome, old.owner_id, old.deleted_at)"
        " IS DISTINCT FROM (excluded.at, excluded.ends_at, excluded.direction, excluded.outcome, excluded.owner_id, NULL)"
        " RETURNING id"
    ),
)
_ACTIVITY_IDS = "SELECT kind, native_id, id FROM activities WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s)"
LINK = {"activity_id": "uuid", "contact_native_id": "text"}
_INSERT_LINKS = insert(
    "activity_contacts",
    LINK,
    fixed={"workspace_id": "%(w)s", "connection_id": "%(c)s"},
    conflict="ON CONFLICT DO NOTHING RETURNING contact_native_id",
)
_DELETE_LINKS = (
    "DELETE FROM activity_contacts l WHERE l.workspace_id = %(w)s AND l.activity_id = ANY(%(activities)s)"  # noqa: S608 - names of our own columns
    f" AND NOT EXISTS (SELECT 1 FROM {records(LINK)} WHERE new.activity_id = l.activity_id AND new.contact_native_id = l.contact_native_id)"
    " RETURNING l.contact_native_id"
)
_THERE = "FROM contacts WHERE workspace_id = %(w)s AND connection_id = %(c)s AND deleted_at IS NULL"
_MANY = f"SELECT count(*) > %(most)s FROM (SELECT 1 {_THERE} LIMIT %(most)s + 1) s"  # noqa: S608 - our own words
# Contacts that have these ids; some of those that are in these gaps, for which all are read. Only a whole number can be in a gap.
_NAMED = f"SELECT id {_THERE} AND native_id = ANY(%(ids)s)"
_IN_GAPS = (
    f"SELECT id {_THERE} AND CASE WHEN native_id ~ '^[1-9][0-9]{{0,17}}$' THEN native_id::bigint <@ %(ids)s::int8multirange END"
    " LIMIT %(most)s"
)
# An array, of which each one is found by its key, however many there may be.
_DELETE_CONTACTS = "UPDATE contacts SET deleted_at = %(now)s WHERE workspace_id = %(w)s AND deleted_at IS NULL AND id = ANY(ARRAY({0})) RETURNING id, filed"
_LAST = 10**18  # no whole number of 18 digits is larger
_AT_ONCE = 2_000  # contacts dropped out of gaps in one go, which may be a whole import; and ids asked for in one go
_IN_TURN = f"SELECT id, native_id {_THERE} AND id > %(after)s ORDER BY id LIMIT %(n)s"
_CONTACTS_BY_NATIVE = "SELECT native_id, id FROM contacts WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s)"


def save_contacts(session: Session, workspace_id: UUID, connection_id: UUID, items: Sequence[Contact]) -> int:
    """Stores contacts and their keys, but for people who are to be left out; marks due the authors that a change can touch, and no
    others. Returns how many changed."""
    connection, shared = raw(session), {"w": workspace_id, "c": connection_id}
    wanted = suppressing.without_contacts(session, workspace_id, connection_id, items)
    unique = [each for _, each in sorted({item.id: item for item in wanted}.items())]
    work, changed = filing.Refiling(), list[Written]()

    def prepare(part: Sequence[Contact]) -> Prepared:
        rows = [
            (new_id(), each.id, each.name, each.company, each.owner_id, contact_fields(each), each.updated_at, filing.tokens(each))
            for each in part
        ]  # fmt: skip
        # With these goes what has been noted of those before.
        return {row[1]: row[-1] for row in rows}, packed(CONTACT, rows), work.key_statements(workspace_id)

    def store(prepared: Prepared) -> tuple[dict[str, list[str]], list[Written]]:
        now, rows, others = prepared
        filing.run(connection, others)
        return now, execute(connection, _UPSERT_CONTACTS, {**shared, "v": filing.VERSION, **rows})

    def note(stored: tuple[dict[str, list[str]], list[Written]]) -> None:
        now, written = stored
        changed.extend(written)
        for contact_id, native_id, before in written:
            if before is None:
                work.new(connection_id, contact_id, now[native_id])
            else:
                work.change(connection_id, contact_id, before, now[native_id])

    in_parts(unique, prepare, store, note)
    if not changed:
        return 0
    work.write_keys(connection, workspace_id)
    work.write_counts(connection, workspace_id)
    known = [contact_id for contact_id, _, before in changed if before is not None]
    _match_again(session, workspace_id, work.touched(), known)
    return len(changed)


def drop_contacts(session: Session, workspace_id: UUID, connection_id: UUID, gone: Iterable[Gone]) -> int:
    """Contacts that were deleted in the CRM: they match nobody any more."""
    return _drop(session, workspace_id, connection_id, _NAMED, [each.id for each in gone])


def drop_between(session: Session, workspace_id: UUID, connection_id: UUID, gaps: Iterable[GoneBetween]) -> int:
    """As `drop_contacts`, for all in these gaps; of them only those that are here are looked at."""
    where, some = (session, workspace_id, connection_id), list(gaps)
    ids = (str(number) for each in some if not each.wide for number in range(each.after + 1, each.before))
    found = 0
    while few := list(islice(ids, _AT_ONCE)):
        found += _drop(*where, _NAMED, few)
    ends = ",".join(f"({min(each.after, _LAST)},{min(each.before, _LAST)})" for each in some if each.wide)
    while ends and (dropped := _drop(*where, _IN_GAPS, f"{{{ends}}}")):
        found += dropped
    return found


def _drop(session: Session, workspace_id: UUID, connection_id: UUID, which: str, ids: object) -> int:
    """Drops those that the query `which` finds."""
    connection = raw(session)
    params = {"w": workspace_id, "c": connection_id, "now": real_now(), "ids": ids, "most": _AT_ONCE}
    rows = execute(connection, _DELETE_CONTACTS.format(which), params)
    if rows:
        work = filing.Refiling()
        for contact_id, filed in rows:
            work.change(connection_id, contact_id, filed, ())
        work.write_keys(connection, workspace_id)
        work.write_counts(connection, workspace_id)
        _match_again(session, workspace_id, (), [row[0] for row in rows])
    return len(rows)


def contacts_in_turn(
    session: Session, workspace_id: UUID, connection_id: UUID, *, more_than: int, after: UUID | None, limit: int
) -> list[tuple[UUID, str]]:
    """(id, the CRM's id) of up to `limit` contacts of a CRM that has more than so many, those after `after` by id, from the first one on
    where that is None. Nothing for a CRM that has fewer."""
    params = {"w": workspace_id, "c": connection_id, "after": after or UUID(int=0), "n": limit, "most": more_than}
    [(many,)] = execute(raw(session), _MANY, params)
    found = execute(raw(session), _IN_TURN, params) if many else []
    return [(row[0], row[1]) for row in found]


def refile(session: Session, workspace_id: UUID, limit: int) -> bool:
    """Files up to `limit` contacts anew that older rules have filed, and marks due whom that can touch. Whether there may be more."""
    touched = filing.refile(session, workspace_id, limit)
    if touched:
        _match_again(session, workspace_id, sorted(touched), ())
    return touched is not None


def _match_again(session: Session, workspace_id: UUID, keys: Sequence[str], contact_ids: Sequence[UUID]) -> None:
    connection = raw(session)
    locks.beside(connection, workspace_id, Lock.KEYS)  # what is being matched at this moment cannot be looked up
    authors = {row[0] for row in execute(connection, _AUTHORS_OF_KEYS, {"w": workspace_id, "keys": listed(keys)})}
    if contact_ids:
        authors |= {
            row[0] for row in execute(connection, _AUTHORS_OF_CONTACTS, {"w": workspace_id, "ids": list(contact_ids)})
        }
        due.decide_relationships(session, workspace_id, contact_ids=contact_ids)
    if authors:
        due.match_again(session, workspace_id, sorted(authors))


def save_owners(session: Session, workspace_id: UUID, connection_id: UUID, items: Sequence[Owner]) -> int:
    """Stores owners. Returns how many changed."""
    rows = [
        (new_id(), each.id, each.email.lower(), each.name, each.active)
        for each in sorted({item.id: item for item in items}.values(), key=_id)
    ]
    changed = execute(raw(session), _UPSERT_OWNERS, {"w": workspace_id, "c": connection_id, **packed(OWNER, rows)})
    if changed:
        due.decide_unplaced(session, workspace_id)
    return len(changed)


def drop_owners(session: Session, workspace_id: UUID, connection_id: UUID, gone: Iterable[Gone]) -> int:
    """Owners whom the CRM shows no more: they stay by name, and are given nothing. Returns how many changed."""
    rows = execute(
        raw(session),
        "UPDATE owners SET active = false WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s) AND active"
        " RETURNING id",
        {"w": workspace_id, "c": connection_id, "ids": [each.id for each in gone]},
    )
    return len(rows)


def save_activities(session: Session, workspace_id: UUID, connection_id: UUID, items: Sequence[Activity]) -> int:
    """Stores activities and whom they were with; those people's relationships are due. Returns how many changed."""
    connection, shared = raw(session), {"w": workspace_id, "c": connection_id}
    spared = suppressing.without_links(session, workspace_id, connection_id, items)
    unique = sorted({(item.kind.value, item.id): item for item in spared}.items())
    rows = [
        (new_id(), each.id, kind, each.at, each.ends_at, each.direction.value, each.outcome, each.owner_id)
        for (kind, _), each in unique
    ]
    changed = execute(connection, _UPSERT_ACTIVITIES, {**shared, **packed(ACTIVITY, rows)})
    ids = {
        (kind, native): row
        for kind, native, row in execute(connection, _ACTIVITY_IDS, {**shared, "ids": [each.id for _, each in unique]})
    }
    links = [(ids[key], contact) for key, each in unique for contact in sorted(set(each.contact_ids))]
    touched = _replace_links(connection, shared, sorted(ids[key] for key, _ in unique), links)
    if changed:
        touched |= {native for _, native in links}
    if touched:
        contacts = execute(connection, _CONTACTS_BY_NATIVE, {**shared, "ids": sorted(touched)})
        _talked(session, workspace_id, {row[1] for row in contacts})
    elif changed:
        due.decide_soon(session, workspace_id)  # a meeting among ourselves shields its owner too
    return len(changed)


def drop_activities(session: Session, workspace_id: UUID, connection_id: UUID, gone: Iterable[Gone]) -> int:
    """Activities that were deleted in the CRM: whoever they were with is decided again. An id may be of any kind."""
    connection, shared = raw(session), {"w": workspace_id, "c": connection_id}
    rows = execute(
        connection,
        "UPDATE activities SET deleted_at = %(now)s WHERE workspace_id = %(w)s AND connection_id = %(c)s AND native_id = ANY(%(ids)s)"
        " AND deleted_at IS NULL RETURNING id",
        {**shared, "now": real_now(), "ids": [each.id for each in gone]},
    )
    if rows:
        contacts = execute(
            connection,
            "SELECT c.id FROM activity_contacts l JOIN contacts c ON c.workspace_id = %(w)s AND c.connection_id = l.connection_id"
            " AND c.native_id = l.contact_native_id WHERE l.workspace_id = %(w)s AND l.activity_id = ANY(%(ids)s)",
            {**shared, "ids": [row[0] for row in rows]},
        )
        _talked(session, workspace_id, {row[0] for row in contacts})
    return len(rows)


def _talked(session: Session, workspace_id: UUID, contact_ids: Iterable[UUID]) -> None:
    """Something was logged with these contacts, or is no longer: it counts for whether they wait and how far they have come."""
    ids = sorted(set(contact_ids))
    due.decide_conversations_of(session, workspace_id, ids)
    due.decide_relationships(session, workspace_id, contact_ids=ids)
    due.decide_soon(session, workspace_id)


def _replace_links(
    connection: RawConnection, shared: dict[str, UUID], activities: Sequence[UUID], links: Sequence[tuple[UUID, str]]
) -> set[str]:
    """Makes `links` all that these activities have. Returns the contacts who lost or gained one."""
    given = {**shared, "activities": list(activities), **packed(LINK, links)}
    lost = execute(connection, _DELETE_LINKS, given)
    gained = execute(connection, _INSERT_LINKS, given) if links else []
    return {row[0] for row in (*lost, *gained)}


def _id(record: Owner) -> str:
    return record.id
