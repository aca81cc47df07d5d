"""A HubSpot account in memory behind `responses`: it answers as HubSpot's published models say, and remembers every call.

Every request and every answer is read into HubSpot's own SDK models and must come out unchanged (see `sdk`).
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from tests.integrations.crm.faults import dated
from tests.integrations.crm.hubspot import sdk

API = "https://api.hubapi.com"
WEB = "https://app.hubspot.com"
WALL = 10_000
START = 1_700_000_000_000  # milliseconds: when this account's clock starts
STAMPS = {"contacts": "lastmodifieddate"}
JSON = {"Content-Type": "application/json;charset=utf-8"}
Answer = tuple[int, Mapping[str, str], str]


def iso(stamp: int) -> str:
    return datetime.fromtimestamp(stamp / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def number(value: str) -> int:
    return int(value) if value.isdigit() else round(datetime.fromisoformat(value).timestamp() * 1000)


def error(status: int, message: str, category: str = "VALIDATION_ERROR", **more: Any) -> Answer:
    body = {"status": "error", "message": message, "correlationId": "5f0e8c2e-0000-4000-8000-000000000000", **more}
    return status, JSON, json.dumps({**body, "category": category})


@dataclass
class Fault:
    method: str
    path: str  # regular expression
    act: Callable[[Callable[[], Answer]], Answer]
    skip: int = 0
    left: int = 1


@dataclass
class Portal:
    """`unique`: the account allows a unique property. `multi_status`: batches answer 207 with each record's error. `lag`: changes that
    search does not show yet."""

    unique: bool = True
    properties_allowed: bool = True
    multi_status: bool = True
    kinds: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    owners: list[dict[str, Any]] = field(default_factory=list)
    links: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)
    schema: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=lambda: {"tasks": {"task"}})
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)  # ids that search does not show
    refusals: dict[str, str] = field(default_factory=dict)  # subject of a task -> HubSpot's sentence
    tasks_ever_created: int = 0
    tells_time: bool = False  # answers carry its date; its clock starts years ago
    _now: int = START
    _version: int = 0
    _orders: dict[tuple[str, str], tuple[int, tuple[list[int], list[dict[str, Any]]]]] = field(default_factory=dict)
    _searched: tuple[Any, list[dict[str, Any]], Iterator[dict[str, Any]]] = (None, [], iter(()))
    _id: int = 50_000

    def __post_init__(self) -> None:
        subject = {"name": "hs_task_subject", "label": "Task Title", "type": "string", "groupName": "task"}
        self.schema.setdefault("tasks", [subject])
        self.schema.setdefault("contacts", [])

    # --- what a test says -----------------------------------------------------------------------------------

    def tick(self, by: int = 1) -> int:
        self._now += by
        return self._now

    def put(self, kind: str, properties: Mapping[str, Any], *, id: str = "", at: int | None = None) -> str:
        """A new record, or another version of one. `at` is when it changed, in milliseconds."""
        self._version += 1
        self._id += 1
        record_id = id or str(self._id)
        stamp = at if at is not None else self.tick()
        records = self.kinds.setdefault(kind, {})
        old = records.get(record_id)
        created = old["createdAt"] if old else iso(stamp)
        values = {**(old["properties"] if old else {}), **properties}
        values |= {
            STAMPS.get(kind, "hs_lastmodifieddate"): iso(stamp),
            "hs_object_id": record_id,
            "hs_createdate": created,
        }
        records[record_id] = {
            "id": record_id,
            "properties": values,
            "createdAt": created,
            "updatedAt": iso(stamp),
            "archived": False,
        }
        return record_id

    def archive(self, kind: str, record_id: str) -> None:
        self._version += 1
        self.kinds[kind][record_id] |= {"archived": True, "archivedAt": iso(self.tick())}

    def drop_property(self, kind: str, name: str) -> None:
        """A property is deleted, and with it what stood there."""
        self._version += 1
        self.schema[kind] = [row for row in self.schema[kind] if row["name"] != name]
        for row in self.kinds.get(kind, {}).values():
            row["properties"].pop(name, None)

    def link(self, kind: str, record_id: str, to: str, target: str) -> None:
        self.links.setdefault((kind, to), {}).setdefault(record_id, []).append(target)
        self.links.setdefault((to, kind), {}).setdefault(target, []).append(record_id)

    def fault(
        self, method: str, path: str, act: Callable[[Callable[[], Answer]], Answer], *, skip: int = 0, times: int = 1
    ) -> None:
        """The next calls that match (after `skip` of them) go through `act`, which may do the work, or not."""
        self.faults.append(Fault(method, path, act, skip, times))

    def alive(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.kinds.get(kind, {}).values() if not each["archived"]]

    def paths(self, method: str = "POST") -> list[str]:
        return [path for verb, path, _ in self.calls if verb == method]

    # --- the server -----------------------------------------------------------------------------------------

    def install(self, mock: responses.RequestsMock) -> None:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(re.escape(API)), self._answer, content_type=None)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        url = urlsplit(str(request.url))
        body = json.loads(request.body) if request.body else None
        self.calls.append((str(request.method), url.path, body))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}

        def work() -> Answer:
            status, headers, text = self._route(str(request.method), url.path, query, body)
            sdk.check(str(request.method), url.path, body, status, json.loads(text) if text else None)
            return status, headers, text

        answer = self._through(work, request, url.path)
        return dated(answer, datetime.fromtimestamp(self._now / 1000, UTC)) if self.tells_time else answer

    def _through(self, work: Callable[[], Answer], request: requests.PreparedRequest, path: str) -> Answer:
        for fault in self.faults:
            if fault.left and fault.method == request.method and re.search(fault.path, path):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.left -= 1
                return fault.act(work)
        return work()

    def _route(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        if path == "/account-info/2026-03/details":
            return self._ok(
                {
                    "portalId": 8790001,
                    "accountType": "STANDARD",
                    "timeZone": "US/Eastern",
                    "uiDomain": "app-eu1.hubspot.com",
                }
            )
        if path == "/crm/owners/2026-03":
            archived = query.get("archived") == "true"
            return self._page([row for row in self.owners if row["archived"] is archived], query)
        if match := re.fullmatch(r"/crm/properties/2026-03/(\w+)(?:/(\w+))?", path):
            return self._schema(method, match[1], match[2], body)
        if match := re.fullmatch(r"/crm/associations/2026-03/(\w+)/(\w+)/batch/read", path):
            return self._associations(match[1], match[2], body)
        if match := re.fullmatch(r"/crm/associations/2026-03/(\w+)/(\w+)/batch/create", path):
            return self._associate(match[1], match[2], body)
        if match := re.fullmatch(r"/crm/associations/2026-03/(\w+)/(\w+)/batch/archive", path):
            return self._dissociate(match[1], match[2], body)
        if match := re.fullmatch(r"/crm/objects/2026-09/(\w+)(?:/(search|batch/\w+))?", path):
            return self._objects(match[1], match[2], query, body)
        return 404, {"Content-Type": "text/html"}, "<html>not found</html>"

    def _objects(self, kind: str, verb: str | None, query: dict[str, str], body: Any) -> Answer:
        if refusal := self._without_key(kind, verb, body):
            return refusal
        if verb is None:
            archived = query.get("archived") == "true"
            rows = sorted(self.kinds.get(kind, {}).values(), key=lambda row: int(row["id"]))
            return self._page(
                [
                    self._view(row, query.get("properties", "").split(","))
                    for row in rows
                    if row["archived"] is archived
                ],
                query,
            )
        if verb == "search":
            return self._search(kind, body)
        if len(body["inputs"]) > 100:
            return error(400, "The maximum batch size is 100.")
        return getattr(self, "_" + verb.replace("batch/", "batch_"))(kind, body, query)

    def _without_key(self, kind: str, verb: str | None, body: Any) -> Answer | None:
        """Whoever writes our key, or looks for one, while no property holds it. (To read it brings nothing, and is no error.)"""
        if kind != "tasks" or any(row["name"] == "warmline_key" for row in self.schema[kind]):
            return None
        if verb == "search" and "warmline_key" in json.dumps(body["filterGroups"]):
            return error(400, "There was a problem with the request. The property 'warmline_key' does not exist")
        if verb == "batch/read" and body.get("idProperty") == "warmline_key":
            return error(400, "The property 'warmline_key' does not exist")
        if verb == "batch/create" and any("warmline_key" in each["properties"] for each in body["inputs"]):
            problem = {
                "isValid": False,
                "message": 'Property "warmline_key" does not exist',
                "error": "PROPERTY_DOESNT_EXIST",
            }
            return error(400, f"Property values were not valid: {json.dumps([problem])}")
        return None

    def _ok(self, body: Any, status: int = 200) -> Answer:
        return status, JSON, json.dumps(body)

    def _page(self, rows: list[Any], query: dict[str, str]) -> Answer:
        start, limit = int(query.get("after", 0)), int(query["limit"])
        body: dict[str, Any] = {"results": rows[start : start + limit]}
        if start + limit < len(rows):
            body["paging"] = {"next": {"after": str(start + limit)}}
        return self._ok(body)

    def _view(self, row: dict[str, Any], names: list[str]) -> dict[str, Any]:
        always = ("hs_object_id", "hs_createdate", "lastmodifieddate", "hs_lastmodifieddate")
        known = {name: value for name, value in row["properties"].items() if name in names or name in always}
        return {**row, "properties": {**{name: None for name in names if name}, **known}}

    # --- search ---------------------------------------------------------------------------------------------

    def _search(self, kind: str, body: dict[str, Any]) -> Answer:
        start, limit = int(body.get("after", 0)), body["limit"]
        if start + limit > WALL or limit > 200:
            return error(400, "The search pages at most 10,000 results.")
        sort = next(iter(body.get("sorts", [])), {"propertyName": "hs_object_id", "direction": "ASCENDING"})
        values, rows = self._sorted(kind, sort["propertyName"])
        tests = [each for group in body["filterGroups"] for each in group["filters"]]
        since = [
            int(each["value"])
            for each in tests
            if (each["propertyName"], each["operator"]) == (sort["propertyName"], "GTE")
        ]
        rows = rows[bisect_left(values, since[0]) :] if since else list(rows)
        if sort["direction"] == "DESCENDING":
            rows.reverse()
        fitting = (row for row in rows if row["id"] not in self.hidden and all(self._fits(row, each) for each in tests))
        same = self._version, kind, sort, tests, frozenset(self.hidden)
        found = [self._view(row, body["properties"]) for row in self._from(same, fitting, start, start + limit)]
        return self._ok({"total": len(rows), "results": found})

    def _from(
        self, same: tuple[Any, ...], fitting: Iterator[dict[str, Any]], start: int, end: int
    ) -> list[dict[str, Any]]:
        """These of the records that fit. The next page of the `same` search goes on where the one before it ended: a search of ten thousand
        would look at a quarter of a million otherwise."""
        if self._searched[0] != same:
            self._searched = same, [], fitting
        _, known, more = self._searched
        known.extend(islice(more, max(0, end - len(known))))
        return known[start:end]

    def _sorted(self, kind: str, name: str) -> tuple[list[int], list[dict[str, Any]]]:
        """The records in the order of a property, kept until one of them changes."""
        version, found = self._orders.get((kind, name), (-1, ([], [])))
        if version != self._version:
            rows = sorted(self.alive(kind), key=lambda row: self._value(row, name))
            found = [self._value(row, name) for row in rows], rows
            self._orders[kind, name] = self._version, found
        return found

    def _value(self, row: dict[str, Any], name: str) -> int:
        value = row["properties"].get(name) or "0"
        return number(value)

    def _fits(self, row: dict[str, Any], test: dict[str, Any]) -> bool:
        name, value = test["propertyName"], row["properties"].get(test["propertyName"])
        if test["operator"] == "HAS_PROPERTY":
            return bool(value)
        if test["operator"] == "IN":
            return str(value).lower() in test["values"]
        if value is None:
            return False
        have, want = self._value(row, name), int(test["value"])
        return {"EQ": have == want, "GT": have > want, "GTE": have >= want}[test["operator"]]

    # --- batches --------------------------------------------------------------------------------------------

    def _batch_read(self, kind: str, body: dict[str, Any], query: dict[str, str]) -> Answer:
        archived = query.get("archived") == "true"
        by = body.get("idProperty", "hs_object_id")
        rows = {
            row["properties"].get(by): row for row in self.kinds.get(kind, {}).values() if row["archived"] is archived
        }
        wanted = [each["id"] for each in body["inputs"]]
        found = [self._view(rows[each], body["properties"]) for each in wanted if each in rows]
        missing = [each for each in wanted if each not in rows]
        says = "Could not get some TASK objects, they may be deleted or not exist. Check that ids are valid."
        return self._multi(found, [_row_error(says, "OBJECT_NOT_FOUND", ids=missing)] if missing else [])

    def _batch_create(self, kind: str, body: dict[str, Any], query: dict[str, str]) -> Answer:
        troubles = [self._trouble(each) for each in body["inputs"]]
        first = next((trouble for trouble in troubles if trouble), None)
        if first and not self.multi_status:
            return error(409 if first[1] == "CONFLICT" else 400, first[0], first[1])
        made, errors = [], []
        for each, trouble in zip(body["inputs"], troubles, strict=True):
            trace = each["objectWriteTraceId"]
            if trouble := trouble or self._trouble(each):
                errors.append(_row_error(*trouble, objectWriteTraceId=[trace]))
                continue
            record_id = self.put(kind, each["properties"])
            self.tasks_ever_created += 1
            for link in each["associations"]:
                self.link(kind, record_id, "contacts", link["to"]["id"])
            made.append({**self.kinds[kind][record_id], "objectWriteTraceId": trace})
        return self._multi(made, errors, 201)

    def _trouble(self, each: dict[str, Any]) -> tuple[str, str] | None:
        values = each["properties"]
        if "hs_timestamp" not in values:
            return "Required properties were not set: hs_timestamp", "VALIDATION_ERROR"
        if values.get("hs_task_subject") in self.refusals:
            return self.refusals[values["hs_task_subject"]], "VALIDATION_ERROR"
        for link in each["associations"]:
            if link["to"]["id"] not in {row["id"] for row in self.alive("contacts")}:
                return f"No contact with ID {link['to']['id']} exists", "OBJECT_NOT_FOUND"
        if self._left(values.get("hubspot_owner_id")):
            return f"The owner ID {values['hubspot_owner_id']} does not exist or is not active", "VALIDATION_ERROR"
        key = values.get("warmline_key")
        unique = any(row["name"] == "warmline_key" and row["hasUniqueValue"] for row in self.schema["tasks"])
        if (
            key
            and unique
            and any(row["properties"].get("warmline_key") == key for row in self.kinds.get("tasks", {}).values())
        ):
            return "A record with this value of warmline_key exists already", "CONFLICT"
        return None

    def _left(self, owner_id: str | None) -> bool:
        return any(row["id"] == owner_id and row["archived"] for row in self.owners)

    def _batch_update(self, kind: str, body: dict[str, Any], query: dict[str, str]) -> Answer:
        done, errors = [], []
        alive = {row["id"] for row in self.alive(kind)}
        for each in body["inputs"]:
            says = self.refusals.get(each["properties"].get("hs_task_subject", ""))
            if says and not self.multi_status:
                return error(400, says)
            if each["id"] not in alive:
                errors.append(_row_error("Could not get some TASK objects", "OBJECT_NOT_FOUND", ids=[each["id"]]))
            elif says:
                errors.append(_row_error(says, "VALIDATION_ERROR", objectWriteTraceId=[each["objectWriteTraceId"]]))
            else:
                self.put(kind, each["properties"], id=each["id"])
                done.append(self.kinds[kind][each["id"]])
        return self._multi(done, errors)

    def _batch_archive(self, kind: str, body: dict[str, Any], query: dict[str, str]) -> Answer:
        for each in body["inputs"]:
            self.archive(kind, each["id"])
        return 204, {}, ""

    def _multi(self, found: list[Any], errors: list[Any], status: int = 200) -> Answer:
        stamps = {"startedAt": iso(self._now), "completedAt": iso(self._now)}
        body = {"status": "COMPLETE", "results": found, **stamps}
        return self._ok({**body, "numErrors": len(errors), "errors": errors}, 207) if errors else self._ok(body, status)

    # --- schema, associations ---------------------------------------------------------------------------------

    def _schema(self, method: str, kind: str, name: str | None, body: Any) -> Answer:
        rows = self.schema[kind]
        if method == "GET" and name is None:
            return self._ok({"results": rows})
        if method == "GET":
            found = [row for row in rows if row["name"] == name]
            return self._ok(found[0]) if found else error(404, f"Property {name} does not exist", "OBJECT_NOT_FOUND")
        if not self.properties_allowed:
            context = {"requiredGranularScopes": ["crm.schemas.contacts.write"]}
            return error(
                403,
                "This app hasn't been granted all required scopes.",
                "MISSING_SCOPES",
                errors=[{"message": "One or more scopes are missing.", "context": context}],
            )
        if method == "DELETE":
            self.drop_property(kind, name or "")
            return 204, {}, ""
        if name == "groups":
            if body["name"] in self.groups[kind]:
                return error(409, f"The group {body['name']} exists already.", "OBJECT_ALREADY_EXISTS")
            self.groups[kind].add(body["name"])
            return self._ok(body, 201)
        if body["groupName"] not in self.groups[kind]:
            return error(400, f"There is no group {body['groupName']}.")
        if body["hasUniqueValue"] and not self.unique:
            return error(400, "The limit of unique properties is reached.")
        rows.append(body)
        return self._ok(body, 201)

    def _associate(self, kind: str, to: str, body: Any) -> Answer:
        for each in body["inputs"]:
            assert each["types"] == [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}]
            if each["to"]["id"] not in self.links.get((kind, to), {}).get(each["from"]["id"], []):
                self.link(kind, each["from"]["id"], to, each["to"]["id"])
        return self._ok({"status": "COMPLETE", "results": []}, 201)

    def _dissociate(self, kind: str, to: str, body: Any) -> Answer:
        for each in body["inputs"]:
            for target in each["to"]:
                for one, other, a, b in (
                    (kind, to, each["from"]["id"], target["id"]),
                    (to, kind, target["id"], each["from"]["id"]),
                ):
                    known = self.links.get((one, other), {}).get(a, [])
                    if b in known:
                        known.remove(b)
        return 204, {}, ""

    def _associations(self, kind: str, to: str, body: Any) -> Answer:
        known = self.links.get((kind, to), {})
        found, errors = [], []
        for each in body["inputs"]:
            targets = known.get(each["id"], [])
            start = int(each.get("after", 0))
            if not targets:
                errors.append(
                    _row_error("No contact is associated with it.", "OBJECT_NOT_FOUND", fromObjectId=[each["id"]])
                )
                continue
            types = [{"category": "HUBSPOT_DEFINED", "typeId": 203}]
            row: dict[str, Any] = {
                "from": {"id": each["id"]},
                "to": [{"toObjectId": int(t), "associationTypes": types} for t in targets[start : start + 500]],
            }
            if start + 500 < len(targets):
                row["paging"] = {"next": {"after": str(start + 500)}}
            found.append(row)
        return self._multi(found, errors)


def _row_error(message: str, category: str, **context: list[str]) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": message, "context": context}


# --- what a fault does ----------------------------------------------------------------------------------------


def drop_after(work: Callable[[], Answer]) -> Answer:
    work()
    raise requests.exceptions.ConnectionError("connection reset by peer")


def drop_before(work: Callable[[], Answer]) -> Answer:
    raise requests.exceptions.ConnectionError("connection reset by peer")


def timeout_after(work: Callable[[], Answer]) -> Answer:
    work()
    raise requests.exceptions.ReadTimeout("read timed out")


def garbage_after(work: Callable[[], Answer]) -> Answer:
    work()
    return 200, {"Content-Type": "text/html"}, "<html>all is well</html>"


def status(
    code: int, message: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> Callable[[Callable[[], Answer]], Answer]:
    def act(work: Callable[[], Answer]) -> Answer:
        made = error(code, message, **more)
        return made[0], {**made[1], **(headers or {})}, made[2]

    return act
