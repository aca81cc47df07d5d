"""A Pipedrive company in memory behind `responses`: the second version's lists with their cursors, and what has only a first one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from integrations.crm.pipedrive.api import COSTS
from tests.fakes.clock import Clock
from tests.integrations.crm.faults import Answer, Faults, dated

BASE = "https://example.pipedrive.com"
JSON = {"Content-Type": "application/json"}
TYPES = (
    ("Call", "call", "call"),
    ("Meeting", "meeting", "meeting"),
    ("Task", "task", "task"),
    ("Deadline", "deadline", "deadline"),
)
LISTS = {"/api/v2/persons": "person", "/api/v2/activities": "activity", "/api/v2/organizations": "organization"}
TWITTER = "a" * 40  # the code of a person's field


def error(status: int, says: str, code: str = "ERR_SCHEMA_VALIDATION_FAILED") -> Answer:
    return status, JSON, json.dumps({"success": False, "error": says, "code": code, "data": None})


def ok(data: Any, status: int = 200, **more: Any) -> Answer:
    return status, JSON, json.dumps({"success": True, "data": data, **more})


@dataclass
class Server:
    """`limit` is the company's daily budget, `spent` what went off it by whomever. `tells_budget`: answers carry its headers."""

    clock: Clock
    limit: int = 1_000_000
    spent: int = 0
    tells_budget: bool = True
    campaigns: bool = False
    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    fields: list[dict[str, Any]] = field(default_factory=list)
    types: list[dict[str, Any]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)  # ids of rows that no list shows yet
    out_of_sight: set[int] = field(default_factory=set)  # persons whom the user who connected may not see (any more)
    out_of_sight_as: int = 403  # what is said of one of them
    erased: set[int] = field(default_factory=set)  # persons who were deleted for good: nothing tells of them
    refusals: dict[str, str] = field(default_factory=dict)  # subject of an activity -> Pipedrive's sentence
    faults: Faults = field(default_factory=Faults)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    cursors_before: int = 0  # cursors made before this many pages were served are no longer taken
    pages: int = 0
    tasks_ever_created: int = 0
    _ticks: int = 0

    def __post_init__(self) -> None:
        for number, (name, key, icon) in enumerate(TYPES, 1):
            self.types.append({"id": number, "name": name, "key_string": key, "icon_key": icon, "active_flag": True})
        self.add_field("name", "Name", is_custom_field=False)

    # --- what a test says -----------------------------------------------------------------------------------

    def now(self) -> str:
        at = self.clock() + timedelta(seconds=self._ticks // 1000)
        self._ticks += 1
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def put(self, kind: str, values: Mapping[str, Any], *, id: int = 0, at: datetime | None = None) -> int:
        """A new row, or another version of one, changed now or `at`."""
        rows = self.rows.setdefault(kind, {})
        row_id = id or max(rows, default=0) + 1
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else self.now()
        old = rows.get(row_id) or {"id": row_id, "add_time": stamp, "is_deleted": False}
        rows[row_id] = {**old, **values, "update_time": stamp}
        if kind == "activity" and not rows[row_id].get("done"):
            rows[row_id].pop("marked_as_done_time", None)
        elif kind == "activity":
            rows[row_id].setdefault("marked_as_done_time", stamp)
        return row_id

    def delete(self, kind: str, row_id: int) -> None:
        self.put(kind, {"is_deleted": True}, id=row_id)

    def alive(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in self.rows.get(kind, {}).values() if not row["is_deleted"]]

    def add_field(self, code: str, name: str, **more: Any) -> None:
        """A field of persons."""
        usual = {
            "field_code": code,
            "field_name": name,
            "field_type": "varchar",
            "is_custom_field": True,
            "options": None,
            "subfields": None,
            "description": "",
            "is_optional_response_field": False,
        }
        self.fields.append({**usual, **more})

    def paths(self, method: str) -> list[str]:
        return [path for verb, path, _ in self.calls if verb == method]

    # --- the server -----------------------------------------------------------------------------------------

    def install(self, mock: responses.RequestsMock) -> None:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(re.escape(BASE)), self._answer, content_type=None)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        url = urlsplit(str(request.url))
        assert str(request.headers["Authorization"]).startswith("Bearer ")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = json.loads(request.body) if request.body else None
        method = str(request.method)
        self.calls.append((method, url.path, body if body is not None else query))

        def work() -> Answer:
            self.spent += COSTS[method, re.sub(r"/\d+$", "/{id}", url.path)]
            status, headers, text = self._route(method, url.path, query, body)
            return status, {**headers, **self._budget()}, text

        return dated(self.faults.through(method, url.path, work), self.clock())

    def _budget(self) -> dict[str, str]:
        if not self.tells_budget:
            return {}
        left = str(max(0, self.limit - self.spent))
        return {"x-daily-ratelimit-token-limit": str(self.limit), "x-daily-ratelimit-token-remaining": left}

    def _route(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        if path in LISTS and method == "GET":
            return self._list(LISTS[path], query)
        if path == "/api/v2/activities":
            return self._add(body)
        if match := re.fullmatch(r"/api/v2/(activities|persons)/(\d+)", path):
            return self._one(method, LISTS[f"/api/v2/{match[1]}"], int(match[2]), body)
        if path == "/api/v2/personFields":
            return ok(self.fields, additional_data={"next_cursor": None})
        return self._first_version(path)

    def _first_version(self, path: str) -> Answer:
        me = {"id": 1, "company_id": 7700, "company_name": "Example Ltd", "company_domain": "example"}
        priority = {"key": "priority", "options": [{"id": 261, "label": "Low"}, {"id": 263, "label": "High"}]}
        known: dict[str, Any] = {
            "/api/v1/users/me": me,
            "/api/v1/users": list(self.users.values()),
            "/api/v1/activityTypes": self.types,
            "/api/v1/activityFields": [{"key": "subject"}, priority],
        }
        return ok(known[path]) if path in known else error(404, "Unknown method", "ERR_NOT_FOUND")

    # --- lists ------------------------------------------------------------------------------------------------

    def _list(self, kind: str, query: dict[str, str]) -> Answer:
        limit, by = int(query.get("limit", 100)), query.get("sort_by", "id")
        assert limit <= 500
        if query.get("include_fields") and not self.campaigns:
            return error(400, "include_fields: marketing_status is not available")
        if len(query.get("custom_fields", "").split(",")) > 15:
            return error(400, "custom_fields: at most 15 keys")
        known = {"", *(field["field_code"] for field in self.fields)}
        if not known.issuperset(query.get("custom_fields", "").split(",")):
            return error(400, "custom_fields: unknown key")
        rows = [row for row in self.alive(kind) if row["id"] not in self.hidden]
        if kind == "person":
            rows = [row for row in rows if row["id"] not in self.out_of_sight]
        if "ids" in query:
            wanted = query["ids"].split(",")
            assert len(wanted) <= 100
            rows = [row for row in rows if str(row["id"]) in wanted]
        if "updated_since" in query:
            rows = [row for row in rows if row["update_time"] >= query["updated_since"]]
        rows.sort(key=lambda row: (row[by], row["id"]))
        if "cursor" in query:
            place = json.loads(base64.b64decode(query["cursor"]))
            if place["field"] != by or place["page"] < self.cursors_before:
                return error(400, "Invalid cursor")
            rows = [row for row in rows if (row[by], row["id"]) > (place["value"], place["id"])]
        found, more = rows[:limit], len(rows) > limit
        self.pages += 1
        following = {"field": by, "value": found[-1][by], "id": found[-1]["id"], "page": self.pages} if more else None
        text = base64.b64encode(json.dumps(following).encode()).decode() if following else None
        return ok([self._view(kind, row, query) for row in found], additional_data={"next_cursor": text})

    def _view(self, kind: str, row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        if kind != "person":
            return row
        asked = query.get("custom_fields", "").split(",")
        custom = {name: value for name, value in row.get("custom_fields", {}).items() if name in asked}
        return {**row, "custom_fields": custom}

    # --- writing ----------------------------------------------------------------------------------------------

    def _add(self, body: dict[str, Any]) -> Answer:
        if refusal := self._refused(body):
            return refusal
        self.tasks_ever_created += 1
        made = self.put("activity", self._linked(body))
        return ok(self.rows["activity"][made], 201)

    def _one(self, method: str, kind: str, row_id: int, body: Any) -> Answer:
        row = self.rows.get(kind, {}).get(row_id)
        if method == "GET" and row is not None and row_id not in self.erased:
            out = row_id in self.out_of_sight
            return error(self.out_of_sight_as, "Not for you", "ERR_FORBIDDEN") if out else ok(row)
        if row is None or row["is_deleted"]:
            return error(404, f"{kind.capitalize()} not found", "ERR_NOT_FOUND")
        if method == "DELETE":
            self.delete(kind, row_id)
            return ok({"id": row_id})
        if kind == "person":
            body = {"custom_fields": {**row.get("custom_fields", {}), **body["custom_fields"]}}
        elif refusal := self._refused(body):
            return refusal
        return ok(self.rows[kind][self.put(kind, self._linked(body), id=row_id)])

    def _linked(self, body: dict[str, Any]) -> dict[str, Any]:
        people = body.get("participants")
        if people is None:
            return body
        primary = [each["person_id"] for each in people if each["primary"]]
        return {**body, "person_id": primary[0]} if primary else body

    def _refused(self, body: dict[str, Any]) -> Answer | None:
        if "person_id" in body:
            return error(400, "person_id is read-only")
        if (says := self.refusals.get(body.get("subject", ""))) is not None:
            return error(400, says)
        if "owner_id" in body and not self.users.get(body["owner_id"], {}).get("active_flag"):
            return error(400, "User not found or inactive")
        if "type" in body and body["type"] not in {row["key_string"] for row in self.types}:
            return error(400, "Unknown activity type")
        people = {row["id"] for row in self.alive("person")}
        if any(each["person_id"] not in people for each in body.get("participants") or ()):
            return error(400, "Participant not found")
        return None
