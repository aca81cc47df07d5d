"""HubSpot's API: records one by one, in batches, by search, and their associations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from flask import Response, jsonify, request

from sandbox import crm, hubspot_search
from sandbox.clock import iso
from sandbox.crm import Record, Writer
from sandbox.hubspot import (
    OBJECTS,
    READ,
    WRITE,
    admit,
    after_of,
    api,
    body,
    limit_of,
    paging,
    truth_of,
    type_of,
)
from sandbox.hubspot_errors import not_found
from sandbox.hubspot_properties import TYPES, properties
from sandbox.state import PORTAL_ID, sandbox

BATCH = 100  # records in one batch, of any kind
PATH = f"/crm/objects/{OBJECTS}/<kind>"
Answer = Response | tuple[Response, int]


# -- answering


def shown(record: Record, wanted: Collection[str], *, trace_id: str | None = None) -> dict[str, Any]:
    """A record as the API answers it: asked-for properties, null where it has none."""
    kind = TYPES[record.type]
    names = dict.fromkeys((*(wanted or kind.shown), "hs_object_id", kind.created, kind.modified))
    answer: dict[str, Any] = {
        "id": str(record.id),
        "properties": {name: record.value(name) for name in names},
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "archived": record.archived_at is not None,
        "url": f"{request.host_url}hubspot/contacts/{PORTAL_ID}/record/{kind.type_id}/{record.id}",
    }
    if record.archived_at is not None:
        answer["archivedAt"] = iso(record.archived_at)
    if trace_id is not None:
        answer["objectWriteTraceId"] = trace_id
    return answer


def with_associations(answers: Sequence[dict[str, Any]], kind: str, asked: Sequence[str]) -> None:
    """Adds to each answer which records of the asked-for types it is associated with."""
    db = sandbox().store.read()
    for name in asked:
        other = type_of(name)
        found = crm.associated(db, kind, [int(answer["id"]) for answer in answers], other)
        word = f"{TYPES[kind].one}_to_{TYPES[other].one}"
        for answer in answers:
            linked = [{"id": str(to_id), "type": word} for to_id, _ in found.get(int(answer["id"]), ())]
            if linked:
                answer.setdefault("associations", {})[other] = {"results": linked}


def listed(name: str) -> list[str]:
    """A list in the query: repeated, or with commas."""
    return [one for value in request.args.getlist(name) for one in value.split(",") if one]


def record_id(text: object) -> int | None:
    """A record's id as a number; None for what can't be one."""
    value = str(text)
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None


def writer(db: Any, kind: str) -> Writer:
    state = sandbox()
    return Writer(db, kind, state.stamps.next(), delay=state.settings["search_delay_seconds"])


# -- one by one


@api.get(PATH)
def list_records(kind: str) -> Answer:
    admit(READ)
    type_, size, after, archived = type_of(kind), limit_of(10, BATCH), after_of(), truth_of("archived")
    rows = sandbox().store.read().execute(
        f"SELECT * FROM records WHERE type = ? AND id > ? AND archived_at IS {'NOT ' if archived else ''}NULL ORDER BY id LIMIT ?",  # noqa: S608
        (type_, after, size + 1),
    ).fetchall()  # fmt: skip
    wanted = listed("properties")
    results = [shown(Record.of(row), wanted) for row in rows[:size]]
    with_associations(results, type_, listed("associations"))
    return jsonify({"results": results, **({"paging": paging(results[-1]["id"])} if len(rows) > size else {})})


def one(kind: str, id_: str, *, archived: bool = False) -> Record:
    """The record that a path names, by `idProperty` where the call says so. Raises HubSpotError."""
    db, name = sandbox().store.read(), request.args.get("idProperty")
    number = (
        record_id(id_)
        if name in (None, "hs_object_id")
        else crm.find_unique(db, kind, str(name), [id_]).get(id_.lower())
    )
    record = None if number is None else crm.get(db, kind, number, archived=archived)
    if record is None:
        raise not_found(TYPES[kind].one.upper(), [id_])
    return record


@api.get(f"{PATH}/<id_>")
def read_record(kind: str, id_: str) -> Answer:
    admit(READ)
    type_ = type_of(kind)
    answer = shown(one(type_, id_, archived=truth_of("archived")), listed("properties"))
    with_associations([answer], type_, listed("associations"))
    return jsonify(answer)


@api.post(PATH)
def create_record(kind: str) -> Answer:
    admit(WRITE)
    given, type_ = body(), type_of(kind)
    with sandbox().store.write() as db:
        record = writer(db, type_).create(given.get("properties") or {}, given.get("associations") or ())
    return jsonify(shown(record, record.props, trace_id=given.get("objectWriteTraceId"))), 201


@api.patch(f"{PATH}/<id_>")
def update_record(kind: str, id_: str) -> Answer:
    admit(WRITE)
    given, type_ = body(), type_of(kind)
    with sandbox().store.write() as db:
        record = writer(db, type_).update(one(type_, id_), given.get("properties") or {})
    return jsonify(shown(record, record.props))


@api.delete(f"{PATH}/<id_>")
def archive_record(kind: str, id_: str) -> Answer:
    admit(WRITE)
    type_, number = type_of(kind), record_id(id_)
    if number is not None:
        with sandbox().store.write() as db:
            writer(db, type_).archive(number)
    return Response(status=204)


# -- search


@api.post(f"{PATH}/search")
def search(kind: str) -> Answer:
    admit(READ, search=True)
    given, type_, store = body(), type_of(kind), sandbox().store
    if store.read().execute("SELECT 1 FROM unindexed LIMIT 1").fetchone():
        with store.write() as db:
            crm.index_due(db)
    db = store.read()
    asked = hubspot_search.parse(type_, given, properties(db, type_))
    total, records = hubspot_search.run(db, type_, asked)
    results = [shown(record, given.get("properties") or ()) for record in records]
    end = asked.after + len(records)
    more = {"paging": {"next": {"after": str(end)}}} if end < total and records else {}
    return jsonify({"total": total, "results": results, **more})
