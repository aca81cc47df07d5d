"""A Salesforce organisation in memory behind `responses`: REST, SOQL, collections and as much of the Tooling API as is used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from tests.fakes.clock import Clock
from tests.integrations.crm.faults import dated
from tests.integrations.crm.salesforce import schema, soql

BASE = "https://example.my.salesforce.com"
LOGIN = "https://login.salesforce.com"
ROOT = re.compile(r"/services/data/v(\d+\.\d)(/.*)")
KEY = "Warmline_Key__c"
JSON = {"Content-Type": "application/json;charset=UTF-8"}
USER = "005000000000001AAA"
Answer = tuple[int, Mapping[str, str], str]


def error(status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> Answer:
    """A refusal of a whole call."""
    return status, JSON, json.dumps([{"message": message, "errorCode": code, "fields": list(fields)}])


class Refusal(Exception):
    """A refusal of one record."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(message)
        self.errors = [{"statusCode": code, "message": message, "fields": list(fields)}]


@dataclass
class Fault:
    method: str
    path: str  # regular expression, of what stands behind the version
    act: Callable[[Callable[[], Answer]], Answer]
    left: int = 1


@dataclass
class Server:
    """`unique`, `external_ids`: what fields the organisation allows. `customise`: whether the user may make any. `usage`: calls of the day."""

    clock: Clock
    unique: bool = True
    external_ids: bool = True
    customise: bool = True
    usage: tuple[int, int] = (112, 15_000)
    page: int = 2000  # rows that one answer to a query has at most
    kinds: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    fields: dict[str, dict[str, dict[str, Any]]] = field(default_factory=schema.fields)
    invisible: set[str] = field(default_factory=set)  # kinds that the user may not see
    hidden: set[str] = field(default_factory=set)  # ids of rows whose transaction has not ended
    refusals: dict[str, str] = field(default_factory=dict)  # subject of a task -> Salesforce's sentence
    locked: set[str] = field(default_factory=set)  # ids of records that somebody else is saving
    faults: list[Fault] = field(default_factory=list)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    tasks_ever_created: int = 0
    shared_activities: bool = False
    _ticks: int = 0
    _ids: int = 100

    def __post_init__(self) -> None:
        self.kinds["Organization"] = {"00D000000000001AAA": schema.organisation("00D000000000001AAA")}
        for kind in ("TaskStatus", "TaskPriority"):
            self.kinds[kind] = {row["MasterLabel"]: row for row in schema.picklist(kind)}

    # --- what a test says -----------------------------------------------------------------------------------

    def tick(self) -> str:
        self._ticks += 1
        at = self.clock() + timedelta(milliseconds=self._ticks)
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")

    def put(self, kind: str, values: Mapping[str, Any], *, id: str = "", at: datetime | None = None) -> str:
        """A new record, or another version of one, changed now or `at`."""
        self._ids += 1
        record_id = id or f"{schema.PREFIXES.get(kind, 'a00')}{self._ids:012d}AAA"
        records = self.kinds.setdefault(kind, {})
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "+0000") if at else self.tick()
        old = records.get(record_id) or {
            **schema.blank(kind),
            "Id": record_id,
            "CreatedDate": stamp,
            "CreatedById": USER,
        }
        records[record_id] = {**old, **values, "SystemModstamp": stamp}
        if kind == "Task":
            self._close(records[record_id], old)
        return record_id

    def delete(self, kind: str, record_id: str) -> None:
        self.put(kind, {"IsDeleted": True}, id=record_id)

    def alive(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in self.kinds.get(kind, {}).values() if not row.get("IsDeleted")]

    def add_field(self, kind: str, name: str, **more: Any) -> None:
        """A custom field, as describe shows it."""
        self.fields[kind][name] = schema.column(name, custom=True, **more)

    def fault(self, method: str, path: str, act: Callable[[Callable[[], Answer]], Answer], *, times: int = 1) -> None:
        """The next calls that match go through `act`, which may do the work, or not."""
        self.faults.append(Fault(method, path, act, times))

    def paths(self, method: str) -> list[str]:
        return [path for verb, path, _ in self.calls if verb == method]

    def _close(self, row: dict[str, Any], old: Mapping[str, Any]) -> None:
        closed = self.kinds["TaskStatus"][row["Status"]]["IsClosed"]
        row["IsClosed"] = closed
        row["CompletedDateTime"] = (old.get("CompletedDateTime") or row["SystemModstamp"]) if closed else None

    # --- the server -----------------------------------------------------------------------------------------

    def install(self, mock: responses.RequestsMock) -> None:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(re.escape(BASE)), self._answer, content_type=None)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        url = urlsplit(str(request.url))
        root = ROOT.fullmatch(url.path)
        assert root is not None, url.path
        assert str(request.headers["Authorization"]).startswith("Bearer ")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = json.loads(request.body) if request.body else None
        method, path = str(request.method), root[2]
        self.calls.append((method, path, body if body is not None else query))

        def work() -> Answer:
            status, headers, text = self._route(method, path, query, body)
            used, most = self.usage
            return status, {**headers, "Sforce-Limit-Info": f"api-usage={used}/{most}"}, text

        for fault in self.faults:
            if fault.left and fault.method == method and re.search(fault.path, path):
                fault.left -= 1
                return dated(fault.act(work), self.clock())
        return dated(work(), self.clock())

    def _route(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        if path in ("/query", "/queryAll", "/tooling/query"):
            return self._query(query["q"], everything=path == "/queryAll")
        if match := re.fullmatch(r"/sobjects/(\w+)/describe", path):
            return self._describe(match[1])
        if path.startswith("/composite/sobjects"):
            return self._collection(method, path, query, body)
        if match := re.fullmatch(r"/(tooling/)?sobjects/(\w+)(?:/(\w+))?", path):
            return self._setup(method, match[2], match[3], body)
        return error(404, "NOT_FOUND", "The requested resource does not exist")

    def _ok(self, body: Any) -> Answer:
        return 200, JSON, json.dumps(body)

    # --- reading --------------------------------------------------------------------------------------------

    def _describe(self, kind: str) -> Answer:
        if kind in self.invisible:
            return error(404, "NOT_FOUND", "The requested resource does not exist")
        children = [{"relationshipName": f"{kind}WhoRelations"}] if self.shared_activities else []
        columns = [row for row in self.fields[kind].values() if row["visible"]]
        return self._ok({"name": kind, "fields": columns, "childRelationships": children})

    def _query(self, text: str, *, everything: bool) -> Answer:
        try:
            query = soql.parse(text)
        except soql.MalformedError as wrong:
            return error(400, "MALFORMED_QUERY", f"unexpected token: {wrong}")
        if query.kind in self.invisible:
            return error(400, "INVALID_TYPE", f"sObject type '{query.kind}' is not supported.")
        if refusal := self._unknown(query.kind, query.columns):
            return error(400, "INVALID_FIELD", f"\n{text}\n ^\nERROR at Row:1:Column:8\n{refusal}")
        rows = [
            row for row in self.kinds.get(query.kind, {}).values() if row["Id"] not in self.hidden and query.test(row)
        ]
        rows = [row for row in rows if everything or not row.get("IsDeleted")]
        for name in reversed(query.order):
            rows.sort(key=lambda row: soql.comparable(row[name]))
        wanted = rows[: query.limit]
        found = [schema.view(query.kind, row, query.fields, query.children) for row in wanted[: self.page]]
        done = len(wanted) <= self.page
        following = {} if done else {"nextRecordsUrl": "/services/data/v62.0/query/01g000000000001AAA-2000"}
        return self._ok({"totalSize": len(wanted), "done": done, "records": found, **following})

    def _unknown(self, kind: str, columns: set[str]) -> str:
        known = self.fields.get(kind)
        for name in sorted(columns) if known else ():
            head = name.partition(".")[0]
            column = next((each for each in known.values() if head in (each["name"], each["relationshipName"])), None)
            if column is None or not column["visible"]:
                what = (
                    f"Didn't understand relationship '{head}' in field path."
                    if "." in name
                    else f"No such column '{name}' on entity '{kind}'."
                )
                return f"{what} If you are attempting to use a custom field, be sure to append the '__c'."
        return ""

    # --- collections ------------------------------------------------------------------------------------------

    def _collection(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        kind, _, key = path.removeprefix("/composite/sobjects").strip("/").partition("/")
        if method == "POST" and kind:
            return self._retrieve(kind, body["ids"], body["fields"])
        if method == "DELETE":
            assert query["allOrNone"] == "false"
            return self._each(query["ids"].split(","), lambda record_id: self._deleted("Task", record_id))
        assert body["allOrNone"] is False
        if key and not self._column(kind, key).get("externalId"):
            return error(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {key}")
        act = self._updated if method == "PATCH" and not key else lambda record: self._made(record, key)
        return self._each(body["records"], act)

    def _retrieve(self, kind: str, ids: list[str], names: list[str]) -> Answer:
        assert len(ids) <= 2000
        if refusal := self._unknown(kind, set(names)):
            return error(400, "INVALID_FIELD", refusal)
        rows = {row["Id"]: row for row in self.alive(kind)}
        return self._ok([schema.view(kind, rows[each], names, []) if each in rows else None for each in ids])

    def _each(self, records: list[Any], act: Callable[[Any], dict[str, Any]]) -> Answer:
        assert len(records) <= 200, "Salesforce takes at most 200"
        results = []
        for record in records:
            try:
                results.append({"success": True, "errors": [], **act(record)})
            except Refusal as refusal:
                results.append({"success": False, "errors": refusal.errors})
        return self._ok(results)

    def _made(self, record: dict[str, Any], key: str) -> dict[str, Any]:
        values = self._checked(record, "")
        if key:
            standing = [row for row in self.alive("Task") if row.get(key) == record[key]]
            if len(standing) > 1:
                raise Refusal("DUPLICATE_EXTERNAL_ID", f"{key}: more than one record found for external id field", key)
            if standing:
                return {"id": self.put("Task", values, id=standing[0]["Id"]), "created": False}
        self.tasks_ever_created += 1
        made = self.put("Task", values)
        return {"id": made, "created": True} if key else {"id": made}

    def _updated(self, record: dict[str, Any]) -> dict[str, Any]:
        kind, record_id = record["attributes"]["type"], record["id"]
        row = self.kinds.get(kind, {}).get(record_id)
        if row is None or row.get("IsDeleted"):
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted")
        return {"id": self.put(kind, self._checked(record, record_id), id=record_id)}

    def _deleted(self, kind: str, record_id: str) -> dict[str, Any]:
        row = self.kinds.get(kind, {}).get(record_id)
        if row is None or row.get("IsDeleted"):
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted")
        self.delete(kind, record_id)
        return {"id": record_id}

    def _checked(self, record: dict[str, Any], record_id: str) -> dict[str, Any]:
        values = {name: value for name, value in record.items() if name not in ("attributes", "id")}
        kind = record["attributes"]["type"]
        for name in values:
            if not self._column(kind, name).get("updateable"):
                raise Refusal("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {name}.", name)
        if record_id in self.locked:
            raise Refusal("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        if (says := self.refusals.get(values.get("Subject", ""))) is not None:
            raise Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", says)
        who = values.get("WhoId")
        people = {row["Id"] for name in ("Contact", "Lead") for row in self.alive(name)}
        if who is not None and who not in people:
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "WhoId")
        owners = {row["Id"] for row in self.alive("User") if row["IsActive"]}
        if "OwnerId" in values and values["OwnerId"] not in owners:
            raise Refusal("INACTIVE_OWNER_OR_USER", "operation performed with inactive user", "OwnerId")
        return values

    def _column(self, kind: str, name: str) -> dict[str, Any]:
        column = self.fields.get(kind, {}).get(name, {})
        return column if column.get("visible") else {}

    # --- setup ------------------------------------------------------------------------------------------------

    def _setup(self, method: str, kind: str, record_id: str | None, body: Any) -> Answer:
        if not self.customise:
            return error(403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id")
        if method == "DELETE":
            gone = self.kinds[kind].pop(str(record_id), None)
            if kind == "CustomField" and gone:
                del self.fields["Task"][KEY]
            return (204, {}, "") if gone else error(404, "NOT_FOUND", "The requested resource does not exist")
        if kind == "CustomField":
            return self._custom_field(body["FullName"], body["Metadata"])
        if kind == "FieldPermissions":
            self.fields["Task"][KEY] |= {"visible": True, "createable": True, "updateable": True}
        made = self.put(kind, body)
        return 201, JSON, json.dumps({"id": made, "success": True, "errors": []})

    def _custom_field(self, name: str, metadata: Mapping[str, Any]) -> Answer:
        assert name == f"Activity.{KEY}"
        if KEY in self.fields["Task"]:
            return error(400, "DUPLICATE_DEVELOPER_NAME", "There is already a field named Warmline_Key on Activity.")
        if (metadata["unique"] and not self.unique) or (metadata["externalId"] and not self.external_ids):
            return error(400, "FIELD_INTEGRITY_EXCEPTION", "The maximum number of such fields is reached.")
        flags = {name: metadata[name] for name in ("unique", "externalId")}
        self.fields["Task"][KEY] = schema.column(KEY, custom=True, visible=False, updateable=False, **flags)
        made = self.put("CustomField", {"DeveloperName": "Warmline_Key", "TableEnumOrId": "Activity"})
        return 201, JSON, json.dumps({"id": made, "success": True, "errors": []})


# --- what a fault does ----------------------------------------------------------------------------------------


def drop_after(work: Callable[[], Answer]) -> Answer:
    work()
    raise requests.exceptions.ConnectionError("connection reset by peer")


def drop_before(work: Callable[[], Answer]) -> Answer:
    raise requests.exceptions.ConnectionError("connection reset by peer")


def refuse(status: int, code: str, message: str) -> Callable[[Callable[[], Answer]], Answer]:
    return lambda work: error(status, code, message)
