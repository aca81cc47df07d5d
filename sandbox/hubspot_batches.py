"""HubSpot's API: records in batches, and their associations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flask import Response, jsonify

from sandbox import crm
from sandbox.clock import iso
from sandbox.crm import Record, Writer
from sandbox.hubspot import OTHERS, READ, WRITE, admit, api, body, truth_of, type_of
from sandbox.hubspot_errors import HubSpotError, not_found, validation
from sandbox.hubspot_objects import BATCH, PATH, Answer, record_id, shown, writer
from sandbox.hubspot_properties import TYPES, association_type, properties
from sandbox.state import sandbox


def inputs(given: Mapping[str, Any], *, distinct: bool) -> list[dict[str, Any]]:
    """The inputs of a batch. Raises HubSpotError."""
    found = given.get("inputs")
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise validation("Invalid input JSON: inputs must be a list of objects")
    if len(found) > BATCH:
        raise validation(f"The number of inputs can't be larger than {BATCH}", sub_category="INVALID_BATCH_SIZE")
    if distinct:
        ids = [str(one.get("id")) for one in found]
        twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
        if twice:
            raise validation(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique")
    return found


def batch_answer(results: list[dict[str, Any]], errors: Sequence[Mapping[str, Any]], began: int, status: int) -> Answer:
    answer: dict[str, Any] = {
        "status": "COMPLETE", "results": results, "startedAt": iso(began), "completedAt": iso(max(began, sandbox().clock.now()))
    }  # fmt: skip
    if errors:
        answer |= {"numErrors": len(errors), "errors": list(errors)}
    return jsonify(answer), 207 if errors else status


def missing(kind: str, ids: Iterable[object]) -> list[dict[str, Any]]:
    """The one error that stands for all the ids of a batch that lead nowhere."""
    found = [str(one) for one in ids]
    return [not_found(TYPES[kind].one.upper(), found).in_batch(None)] if found else []


@api.post(f"{PATH}/batch/read")
def batch_read(kind: str) -> Answer:
    admit(READ)
    given, type_, began = body(), type_of(kind), sandbox().clock.now()
    db, name = sandbox().store.read(), given.get("idProperty")
    asked = list(dict.fromkeys(str(one.get("id")) for one in inputs(given, distinct=False)))
    ids: dict[str, int | None] = {text: record_id(text) for text in asked}
    if name not in (None, "hs_object_id"):
        _must_be_unique(db, type_, name)
        found = crm.find_unique(db, type_, name, asked)
        ids = {text: found.get(text.lower()) for text in asked}
    records = crm.get_many(db, type_, {one for one in ids.values() if one is not None}, archived=truth_of("archived"))
    results = [
        shown(records[one], given.get("properties") or ()) for one in dict.fromkeys(ids.values()) if one in records
    ]
    return batch_answer(results, missing(type_, [text for text, one in ids.items() if one not in records]), began, 200)


def _must_be_unique(db: Any, kind: str, name: object) -> None:
    known = properties(db, kind).get(str(name))
    if known is None or not known.unique:
        raise validation(f"The property {name!r} can't be used as idProperty: its values are not unique")


Write = Callable[[Writer, dict[str, Any]], dict[str, Any]]


def batch_write(kind: str, write: Write, *, distinct: bool, status: int) -> Answer:
    """Writes each input in turn. An error that belongs to one record stands beside the results where that input has an
    objectWriteTraceId, which is how a caller asks HubSpot for it; otherwise it refuses the whole batch."""
    began, errors, results = sandbox().clock.now(), [], []
    with sandbox().store.write() as db:
        to = writer(db, kind)
        for given in inputs(body(), distinct=distinct):
            trace_id = given.get("objectWriteTraceId")
            try:
                results.append(write(to, given))
            except HubSpotError as error:
                if trace_id is None and error.status != 404:
                    raise
                errors.append(error.in_batch(trace_id))
    return batch_answer(results, errors, began, status)


@api.post(f"{PATH}/batch/create")
def batch_create(kind: str) -> Answer:
    admit(WRITE)

    def write(to: Writer, given: dict[str, Any]) -> dict[str, Any]:
        record = to.create(given.get("properties") or {}, given.get("associations") or ())
        return shown(record, record.props, trace_id=given.get("objectWriteTraceId"))

    return batch_write(type_of(kind), write, distinct=False, status=201)


@api.post(f"{PATH}/batch/update")
def batch_update(kind: str) -> Answer:
    admit(WRITE)

    def write(to: Writer, given: dict[str, Any]) -> dict[str, Any]:
        record = to.update(_addressed(to, given), given.get("properties") or {})
        return shown(record, record.props, trace_id=given.get("objectWriteTraceId"))

    return batch_write(type_of(kind), write, distinct=True, status=200)


def _addressed(to: Writer, given: Mapping[str, Any]) -> Record:
    text, name = str(given.get("id")), given.get("idProperty")
    number = record_id(text)
    if name not in (None, "hs_object_id"):
        _must_be_unique(to.db, to.type.name, name)
        number = crm.find_unique(to.db, to.type.name, str(name), [text]).get(text.lower())
    record = None if number is None else crm.get(to.db, to.type.name, number)
    if record is None:
        raise not_found(to.type.one.upper(), [text])
    return record


@api.post(f"{PATH}/batch/upsert")
def batch_upsert(kind: str) -> Answer:
    admit(WRITE)

    def write(to: Writer, given: dict[str, Any]) -> dict[str, Any]:
        if "associations" in given:  # the contract's input has none: whoever sends them would lose them at the vendor
            raise validation("Invalid input JSON: an upsert takes no associations; associate the records afterwards")
        values = given.get("properties") or {}
        try:
            record = to.update(_addressed(to, given), values)
        except HubSpotError as error:
            name = given.get("idProperty")
            if error.status != 404 or name in (None, "hs_object_id"):
                raise
            record = to.create({**values, str(name): given.get("id")})
        return {**shown(record, record.props, trace_id=given.get("objectWriteTraceId")), "new": record.new}

    return batch_write(type_of(kind), write, distinct=True, status=200)


@api.post(f"{PATH}/batch/archive")
def batch_archive(kind: str) -> Answer:
    admit(WRITE)
    type_, given = type_of(kind), inputs(body(), distinct=False)
    with sandbox().store.write() as db:
        to = writer(db, type_)
        for number in filter(None, (record_id(one.get("id")) for one in given)):
            to.archive(number)
    return Response(status=204)


# -- associations


@api.post(f"/crm/associations/{OTHERS}/<from_kind>/<to_kind>/batch/read")
def read_associations(from_kind: str, to_kind: str) -> Answer:
    admit(READ)
    from_type, to_type, began = type_of(from_kind), type_of(to_kind), sandbox().clock.now()
    asked = list(dict.fromkeys(str(one.get("id")) for one in inputs(body(), distinct=False)))
    found = crm.associated(sandbox().store.read(), from_type, filter(None, map(record_id, asked)), to_type)
    results, errors = [], []
    for text in asked:
        linked = found.get(record_id(text) or 0)
        if linked:
            to = [
                {
                    "toObjectId": str(id_),
                    "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": None}],
                }
                for id_, type_id in linked
            ]
            results.append({"from": {"id": text}, "to": to})
            continue
        names = TYPES[to_type].one, TYPES[from_type].one
        errors.append({
            "status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No {names[0]} is associated with {names[1]} {text}.",
            "context": {"fromObjectId": [text], "fromObjectType": [names[1]], "toObjectType": [names[0]]},
        })  # fmt: skip
    return batch_answer(results, errors, began, 200)


@api.post(f"/crm/associations/{OTHERS}/<from_kind>/<to_kind>/batch/create")
@api.post(f"/crm/associations/{OTHERS}/<from_kind>/<to_kind>/batch/associate/default")
def create_associations(from_kind: str, to_kind: str) -> Answer:
    admit(WRITE)
    from_type, to_type, began = type_of(from_kind), type_of(to_kind), sandbox().clock.now()
    type_id = association_type(from_type, to_type)
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    if type_id is None:
        raise validation(f"{from_kind} can't be associated with {to_kind}")
    with sandbox().store.write() as db:
        for given in inputs(body(), distinct=False):
            ends = [record_id((given.get(end) or {}).get("id")) for end in ("from", "to")]
            lost = [
                f"{TYPES[kind].one.upper()}={(given.get(end) or {}).get('id')} is not valid"
                for kind, end, id_ in ((from_type, "from", ends[0]), (to_type, "to", ends[1]))
                if id_ is None or crm.get(db, kind, id_) is None
            ]
            if lost:
                error = validation(
                    f"One or more associations are not valid. {lost[0]}", context={"INVALID_OBJECT_IDS": lost}
                )
                errors.append(error.in_batch(None))
                continue
            crm.associate(db, from_type, ends[0] or 0, to_type, ends[1] or 0)
            results.append({
                "from": {"id": str(ends[0])}, "to": {"id": str(ends[1])},
                "fromObjectTypeId": TYPES[from_type].type_id, "fromObjectId": ends[0],
                "toObjectTypeId": TYPES[to_type].type_id, "toObjectId": ends[1], "labels": [],
                "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id},
            })  # fmt: skip
    return batch_answer(results, errors, began, 201)


@api.post(f"/crm/associations/{OTHERS}/<from_kind>/<to_kind>/batch/archive")
def archive_associations(from_kind: str, to_kind: str) -> Answer:
    admit(WRITE)
    from_type, to_type = type_of(from_kind), type_of(to_kind)
    with sandbox().store.write() as db:
        for given in inputs(body(), distinct=False):
            source, targets = record_id((given.get("from") or {}).get("id")), given.get("to")
            if not isinstance(targets, list):
                raise validation("Invalid input JSON: an association to archive needs from.id and a list of to.id")
            for target in targets:
                crm.dissociate(db, from_type, source or 0, to_type, record_id(target.get("id")) or 0)
    return Response(status=204)
