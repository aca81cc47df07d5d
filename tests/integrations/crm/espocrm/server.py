"""An EspoCRM in memory behind `responses`: it answers as EspoCRM 9 does, and remembers every call.

It knows the roles, the kinds, the attributes that a list serves only when it is asked for them, the limit of 200 rows, reasons in a
header, duplicates with 409, and both ways to sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import responses

from tests.fakes.clock import Clock
from tests.integrations.crm.faults import Answer, Faults, dated

WEB = "https://crm.example.com"
KEY = "5f1c2d3e4a5b6c7d8e9f0a1b2c3d4e5f"
SECRET = "0f9e8d7c6b5a49382716050413020100"
JSON = {"Content-Type": "application/json"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "Contact": {"name": "", "doNotCall": False, "emailAddressIsOptedOut": False},
    "Lead": {"name": "", "status": "New", "doNotCall": False, "emailAddressIsOptedOut": False},
    "Task": {"status": "Not Started", "priority": "Normal", "dateEnd": None, "dateEndDate": None, "dateCompleted": None, "parentType": None, "parentId": None},
    "Call": {"status": "Planned", "direction": "Outbound", "contactsIds": [], "leadsIds": []},
    "Meeting": {"status": "Planned", "contactsIds": [], "leadsIds": []},
    "Email": {"status": "Archived"},
    "User": {"isActive": True, "type": "regular"},
}  # fmt: skip
_ACTIONS = {"POST": "create", "PUT": "edit", "DELETE": "delete"}


def told(status: int, reason: str, body: Any = None) -> Answer:
    """A refusal, with its reason where EspoCRM puts it."""
    return status, {"X-Status-Reason": reason, **JSON}, "" if body is None else json.dumps(body)


def ok(body: Any) -> Answer:
    return 200, JSON, json.dumps(body)


def _with_day(row: dict[str, Any]) -> dict[str, Any]:
    """Where a row has a day without a time, EspoCRM makes its end the midnight after, whatever else was said of it."""
    day = row.get("dateEndDate")
    return {**row, "dateEnd": f"{date.fromisoformat(day) + timedelta(days=1)} 00:00:00"} if day else row


def _invalid(kind: str, field_: str, type_: str) -> Answer:
    data = {"field": field_, "type": type_}
    body = {"messageTranslation": {"label": "validationFailure", "scope": None, "data": data}}
    return told(400, f"Field validation failure; entityType: {kind}, field: {field_}, type: {type_}.", body)


@dataclass
class Server:
    """`key_field`: an administrator has added one to tasks. `signed`: the API user signs. `forbidden`: kinds that the role hides."""

    key_field: bool = True
    signed: bool = False
    duplicate_check: bool = False
    clock: Clock = field(default_factory=Clock)  # the server's own
    kinds: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    forbidden_actions: set[tuple[str, str]] = field(default_factory=set)
    levels: dict[tuple[str, str], str] = field(default_factory=dict)  # (kind, action) -> how far the role lets it
    assigning: str = "all"  # to whom the role lets tasks be given
    hidden: set[str] = field(default_factory=set)  # ids that no list serves yet
    out_of_reach: set[str] = field(default_factory=set)  # ids that the API user's role does not let it see
    refusals: dict[str, str] = field(default_factory=dict)  # name of a task -> field that is refused
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks_ever_created: int = 0
    _id: int = 0

    def __post_init__(self) -> None:
        text = {"type": "varchar", "isCustom": True}
        self.fields.setdefault(
            "Task", {"name": {"type": "varchar"}, **({"cWarmlineKey": text} if self.key_field else {})}
        )
        handles = {"cTwitterHandle": text, "cMastodonProfileUrl": {"type": "url", "isCustom": True}}
        forbids = {"cDoNotCall": {"type": "bool", "isCustom": True}}
        self.fields.setdefault("Contact", {**handles, **forbids, "cFavouritePlace": text})
        self.fields.setdefault("Lead", {"cTwitterHandle": text})

    # --- what a test says -----------------------------------------------------------------------------------

    def put(self, kind: str, values: dict[str, Any], record_id: str = "", *, at: datetime | None = None) -> str:
        """A new record, or another version of one."""
        self._id += 1
        record_id = record_id or f"{self._id:017x}"
        stamp = (at or self.clock()).strftime("%Y-%m-%d %H:%M:%S")
        rows = self.kinds.setdefault(kind, {})
        old = rows.get(record_id, {**DEFAULTS[kind], "id": record_id, "createdAt": stamp})
        rows[record_id] = _with_day({**old, **values, "modifiedAt": stamp})
        return record_id

    def delete(self, kind: str, record_id: str) -> None:
        self.kinds.get(kind, {}).pop(record_id, None)

    def sent(self, method: str) -> list[str]:
        return [path for verb, path, _ in self.calls if verb == method]

    # --- the server -----------------------------------------------------------------------------------------

    def install(self, mock: responses.RequestsMock) -> None:
        for method in ("GET", "POST", "PUT", "DELETE"):
            mock.add_callback(method, re.compile(re.escape(WEB)), self._answer, content_type=None)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        url = urlsplit(str(request.url))
        path = url.path.removeprefix("/api/v1")
        body = json.loads(request.body) if request.body else {}
        query = nested(parse_qsl(url.query, keep_blank_values=True))
        self.calls.append((str(request.method), path, body or query))
        work: Callable[[], Answer] = lambda: self._route(request, path, query, body)  # noqa: E731
        return dated(self.faults.through(str(request.method), path, work), self.clock())

    def _route(
        self, request: requests.PreparedRequest, path: str, query: dict[str, Any], body: dict[str, Any]
    ) -> Answer:
        if not self._knows(request, path):
            return 401, {"Content-Type": "text/html"}, ""
        if path == "/App/user":
            return ok(
                {
                    "user": {"id": "u-api", "userName": "warmline", "type": "api"},
                    "acl": {"table": self._table(), "assignmentPermission": self.assigning},
                    "settings": {"applicationName": "Acme CRM"},
                }
            )
        if path == "/Metadata":
            return ok(self._described(str(query["key"])))
        kind, _, record_id = path.removeprefix("/").partition("/")
        if kind not in DEFAULTS:
            return 404, {"Content-Type": "text/html"}, ""
        if kind in self.forbidden:
            return told(403, "No access.")
        if (kind, str(request.method)) in self.forbidden_actions:
            return told(403, f"No {_ACTIONS[str(request.method)]} access.")
        skip = request.headers.get("X-Skip-Duplicate-Check") == "true"
        if request.method == "GET" and record_id:
            return self._one(kind, record_id)
        if request.method == "GET":
            return self._list(kind, query)
        if request.method == "POST":
            return self._create(kind, body, skip)
        if record_id not in self.kinds.get(kind, {}):
            return 404, {**JSON}, ""
        if record_id in self.out_of_reach:
            return told(403, f"No {_ACTIONS[str(request.method)]} access.")
        if request.method == "DELETE":
            self.delete(kind, record_id)
            return ok(True)
        return self._refused(kind, body, self.kinds[kind][record_id]) or self._changed(kind, body, record_id)

    def _knows(self, request: requests.PreparedRequest, path: str) -> bool:
        if not self.signed:
            return request.headers.get("X-Api-Key") == KEY
        sent = base64.b64decode(request.headers.get("X-Hmac-Authorization", "")).decode()
        digest = hmac.new(SECRET.encode(), f"{request.method} {path}".encode(), hashlib.sha256).hexdigest()
        return sent == f"{KEY}:{digest}"

    def _table(self) -> dict[str, Any]:
        actions = {"create": "yes", "read": "all", "edit": "all", "delete": "all"}
        denied = {(kind, _ACTIONS[method]) for kind, method in self.forbidden_actions}
        return {
            kind: {
                name: "no" if (kind, name) in denied else self.levels.get((kind, name), allowed)
                for name, allowed in actions.items()
            }
            for kind in DEFAULTS
            if kind not in self.forbidden
        }

    def _described(self, key: str) -> Any:
        if key == "scopes.Task":
            return {"completedStatusList": ["Completed"], "canceledStatusList": ["Canceled"]}
        match = re.fullmatch(r"entityDefs\.(\w+)\.fields", key)
        return self.fields.get(match[1], {}) if match else None

    def _one(self, kind: str, record_id: str) -> Answer:
        if record_id not in self.kinds.get(kind, {}):
            return 404, {**JSON}, ""
        unseen = self.out_of_reach | self._off()
        return told(403, "No 'read' access.") if record_id in unseen else ok(self.kinds[kind][record_id])

    def _off(self) -> set[str]:
        """Users whom no API user is shown."""
        return {each for each, row in self.kinds.get("User", {}).items() if not row["isActive"] or row["type"] == "api"}

    def _list(self, kind: str, query: dict[str, Any]) -> Answer:
        size = int(query.get("maxSize", 200))
        if size > 200:
            return told(403, "Max size should not exceed 200. Use offset and limit.")
        unseen = self.hidden | self.out_of_reach | self._off()
        rows = [row for row in self.kinds.get(kind, {}).values() if row["id"] not in unseen]
        conditions = query.get("where") or {}
        rows = [row for row in rows if all(self._fits(row, each) for each in conditions.values())]
        by = str(query["orderBy"])
        rows.sort(key=lambda row: (str(row.get(by) or ""), row["id"]), reverse=query.get("order") == "desc")
        names = {"id", *str(query["select"]).split(",")}
        found = [{name: value for name, value in row.items() if name in names} for row in rows[:size]]
        return ok({"total": len(rows), "list": found})

    def _fits(self, row: dict[str, Any], test: dict[str, Any]) -> bool:
        kind, value = test["type"], test.get("value")
        if kind == "or":
            return any(self._fits(row, each) for each in value.values())
        have = row.get(test["attribute"])
        checks: dict[str, Callable[[], bool]] = {
            "in": lambda: str(have) in value.values(),
            "isNotNull": lambda: have is not None,
            "equals": lambda: str(have) == value,
            "greaterThan": lambda: have is not None and str(have) > value,
            "greaterThanOrEquals": lambda: have is not None and str(have) >= value,
            "contains": lambda: value.lower() in str(have or "").lower(),
        }
        return checks[kind]()

    def _create(self, kind: str, body: dict[str, Any], skip: bool) -> Answer:
        if refusal := self._refused(kind, body) or self._lacks(kind, body):
            return refusal
        same = [row for row in self.kinds.get(kind, {}).values() if row.get("name") == body.get("name")]
        if self.duplicate_check and same and not skip:
            return told(409, "duplicate", same)
        record_id = self.put(kind, body)
        self.tasks_ever_created += kind == "Task"
        return ok(self.kinds[kind][record_id])

    def _refused(self, kind: str, body: dict[str, Any], old: Mapping[str, Any] = MappingProxyType({})) -> Answer | None:
        name = str(body.get("name"))
        if name in self.refusals:
            return _invalid(kind, self.refusals[name], "maxLength")
        if set(name) & set("<>="):
            return _invalid(kind, "name", "pattern")
        if body.get("assignedUserId") and self.assigning == "no":
            return told(403, "Assignment failure: assigned user or team not allowed.")
        points = {
            "assignedUser": ("User", body.get("assignedUserId")),
            "parent": (body.get("parentType"), body.get("parentId")),
        }
        for link, (foreign, foreign_id) in points.items():
            if (
                foreign_id
                and foreign_id != old.get(f"{link}Id")
                and foreign_id not in self.kinds.get(foreign or "", {})
            ):
                return told(403, f"Can't relate with non-existing record. entity type: {kind}, link: {link}.")
        return None

    def _lacks(self, kind: str, body: dict[str, Any]) -> Answer | None:
        return _invalid(kind, "assignedUser", "required") if kind == "Task" and not body.get("assignedUserId") else None

    def _changed(self, kind: str, body: dict[str, Any], record_id: str) -> Answer:
        if body.get("status") == "Completed":
            body = {**body, "dateCompleted": self.clock().strftime("%Y-%m-%d %H:%M:%S")}
        self.put(kind, body, record_id)
        return ok(self.kinds[kind][record_id])


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """A query as PHP reads it: `where[0][value][]=a` is a table in a table."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        head, *steps = re.findall(r"[^\[\]]+|\[\]", name)
        here, last = found, head
        for step in steps:
            here = here.setdefault(last, {})
            last = str(len(here)) if step == "[]" else step
        here[last] = value
    return found


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
