"""Bulk loading: all of a request or nothing, in one transaction; the same again changes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox import crm, network
from sandbox.clock import parse_ms
from sandbox.hubspot_errors import HubSpotError
from sandbox.hubspot_properties import ALIASES, STANDARD, TYPES, Property, add_property, clean, properties
from sandbox.ids import numeric
from sandbox.network import LoadError
from sandbox.state import Sandbox

PARTS = ("accounts", "posts", "messages", "owners", "contacts", "activities")


def load(state: Sandbox, body: Mapping[str, Any]) -> dict[str, int]:
    """Takes the parts of `body` and answers the totals held. Raises LoadError, and then nothing is kept."""
    unknown = set(body) - set(PARTS)
    if unknown:
        raise LoadError(f"{sorted(unknown)[0]!r} is not among {', '.join(PARTS)}")
    parts = {name: body.get(name) or [] for name in PARTS}
    for name, records in parts.items():
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise LoadError(f"{name} must be a list of objects")
    with state.store.write() as db:
        network.load_accounts(db, parts["accounts"])
        posts = network.load_posts(db, parts["posts"])
        messages = network.load_messages(db, parts["messages"])
        load_owners(db, parts["owners"], state.clock.now())
        load_contacts(db, parts["contacts"], state)
        for activity in parts["activities"]:
            load_activity(db, activity, state)
    if state.settings["hint_url"]:
        db = state.store.read()
        state.hints.send(network.concerned(db, posts), "tweet_create_events", [str(one) for one in posts])
        about = db.execute(
            "SELECT DISTINCT a.id FROM json_each(?) e CROSS JOIN messages m ON m.id = e.value "
            "JOIN accounts a ON a.id IN (m.sender_id, m.recipient_id) AND a.brand = 1",
            (json.dumps(messages),),
        )
        state.hints.send({row[0] for row in about}, "direct_message_events", [str(one) for one in messages])
    return counts(state.store.read())


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Totals held; deleted and archived ones don't count, save in tasks_ever_created."""
    queries = {
        "posts": "SELECT count(*) FROM posts WHERE deleted = 0",
        "accounts": "SELECT count(*) FROM accounts",
        "messages": "SELECT count(*) FROM messages",
        "contacts": "SELECT count(*) FROM records WHERE type = 'contacts' AND archived_at IS NULL",
        "tasks": "SELECT count(*) FROM records WHERE type = 'tasks' AND archived_at IS NULL",
        "open_tasks": "SELECT count(*) FROM records WHERE type = 'tasks' AND archived_at IS NULL "
        "AND json_extract(props, '$.hs_task_status') <> 'COMPLETED'",
        "tasks_ever_created": "SELECT count(*) FROM records WHERE type = 'tasks'",
    }
    return {name: db.execute(query).fetchone()[0] for name, query in queries.items()}


def load_owners(db: sqlite3.Connection, owners: Iterable[Mapping[str, Any]], now: int) -> None:
    for owner in owners:
        try:
            id_ = numeric(owner["id"])
        except (KeyError, ValueError) as error:
            raise LoadError(f"an owner has no usable id: {error}") from error
        db.execute(
            "INSERT INTO owners VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET email = excluded.email, "
            "first_name = excluded.first_name, last_name = excluded.last_name, archived = excluded.archived",
            (
                id_, str(owner.get("email") or ""), str(owner.get("first_name") or ""), str(owner.get("last_name") or ""),
                bool(owner.get("archived")), now,
            ),
        )  # fmt: skip


def load_contacts(db: sqlite3.Connection, contacts: Sequence[Mapping[str, Any]], state: Sandbox) -> None:
    """Contacts as flat property dicts with an optional `id`; without one the e-mail tells which contact it is. A property
    that HubSpot has not is added, as an import there would ask for. `createdate` and `lastmodifieddate` are taken as given."""
    if not contacts:
        return
    fixed = {"id", "createdate", "lastmodifieddate"}
    new = {name for contact in contacts for name in contact} - fixed - set(properties(db, "contacts"))
    for name in sorted(new):
        add_property(
            db, "contacts", Property(name, name.replace("_", " ").capitalize(), custom=True, group="contactinformation")
        )
    known, owners = properties(db, "contacts"), crm.owner_ids(db)
    stamps = iter(state.stamps.many(len(contacts)))
    held = _held(db, contacts)
    with_ids, rows, emails = [], [], []
    for contact in contacts:
        values = {name: value for name, value in contact.items() if name not in fixed and value is not None}
        props, problems = clean(values, known, owners.__contains__, creating=None)
        if problems:
            raise LoadError(f"the contact {contact.get('id') or contact.get('email')}: {problems[0][2]}")
        kept = {name: value for name, value in props.items() if value != ""}
        email = kept.get("email", "").lower()
        given = contact.get("id")
        id_ = numeric(given) if given not in (None, "") else held.get(f"email:{email}") if email else None
        stamp = next(stamps)
        before = held.get(str(id_))
        if before == kept:
            continue
        if id_ is None:
            id_ = crm.next_id(db)
        if email:
            held[f"email:{email}"] = id_
            emails.append((email, id_))
        created, updated = (
            parse_ms(str(contact[name])) if contact.get(name) else stamp for name in ("createdate", "lastmodifieddate")
        )
        rows.append(("contacts", id_, json.dumps(kept, ensure_ascii=False), min(created, updated), updated))
        with_ids.append(id_)
    crm.put_many(db, rows)
    # Two loaded contacts may share an e-mail, as merges and imports leave them; the first keeps it for look-ups.
    db.executemany("DELETE FROM unique_values WHERE type = 'contacts' AND id = ?", [(one,) for one in with_ids])
    db.executemany("INSERT OR IGNORE INTO unique_values VALUES ('contacts', 'email', ?, ?)", emails)


def _held(db: sqlite3.Connection, contacts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is known of these contacts: properties by id, and the id by e-mail."""
    ids = [numeric(one["id"]) for one in contacts if one.get("id") not in (None, "")]
    emails = [str(one["email"]) for one in contacts if one.get("email")]
    found = crm.find_unique(db, "contacts", "email", emails)
    records = crm.get_many(db, "contacts", {*ids, *found.values()})
    return {str(id_): record.props for id_, record in records.items()} | {
        f"email:{email}": id_ for email, id_ in found.items()
    }


def load_activity(db: sqlite3.Connection, activity: Mapping[str, Any], state: Sandbox) -> None:
    """{type, contact_id, properties, id?}; without an id its content tells which it is."""
    kind = ALIASES.get(str(activity.get("type")))
    if kind is None or kind == "contacts":
        raise LoadError(f"{activity.get('type')!r} is not a kind of activity")
    values = {
        name: value
        for name, value in (activity.get("properties") or {}).items()
        if name not in (TYPES[kind].created, TYPES[kind].modified)
    }
    contact = numeric(activity.get("contact_id") or "")
    id_ = numeric(activity.get("id") or json.dumps([kind, contact, values], sort_keys=True))
    if crm.get(db, "contacts", contact) is None:
        raise LoadError(f"an activity is with the contact {activity.get('contact_id')}, who is not there")
    unknown = set(values) - set(STANDARD[kind]) - set(properties(db, kind))
    if unknown:
        raise LoadError(f"{sorted(unknown)[0]!r} is not a property of {kind}")
    writer = crm.Writer(db, kind, state.stamps.next(), delay=0)
    before = crm.get(db, kind, id_)
    try:
        if before is None and crm.get(db, kind, id_, archived=True) is None:
            writer.create(values, id_=id_)
        elif before is not None and any(
            before.props.get(name) != text for name, text in writer.cleaned(values).items()
        ):
            writer.update(before, values)
    except HubSpotError as error:
        raise LoadError(f"an activity of type {kind}: {error}") from error
    crm.associate(db, kind, id_, "contacts", contact)
