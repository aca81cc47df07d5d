"""A BottleCRM in memory behind `responses`: it answers as `django-crm` 1.35 does, and remembers every call.

It makes tasks without saying which, drops ids and fields that it does not know, shows lists without text, sorts tasks by a random id and
contacts by age, deletes no field, and says 403 to a token that it does not know.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from tests.fakes.clock import Clock
from tests.integrations.crm.faults import Answer, Faults

WEB = "https://api.crm.example.com"
TOKEN = "bcrm_pat_0fH2mg3v0eN_lY7RD1Okch7u72bls8Kn1pUbslAeg"
JSON = {"Content-Type": "application/json"}
PAGE_404 = "<!doctype html><html><body><h1>Not Found</h1></body></html>"


def ok(body: Any, status: int = 200) -> Answer:
    return status, JSON, json.dumps(body)


def refuse(errors: Any, status: int = 400) -> Answer:
    return ok({"error": True, "errors": errors}, status)


def denied(detail: str, status: int = 403) -> Answer:
    return ok({"detail": detail}, status)


@dataclass
class Server:
    """`admin`: whose token it is. `scopes`: what the token is narrowed to (empty: nothing)."""

    admin: bool = True
    clock: Clock = field(default_factory=Clock)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    interactions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    definitions: list[dict[str, Any]] = field(default_factory=list)
    tags: list[dict[str, Any]] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # tasks that are not for the member whose token it is
    timezone: str = "UTC"
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    tasks_ever_created: int = 0
    _random: Random = field(default_factory=lambda: Random(7))
    _ticks: int = 0

    # --- what a test says -----------------------------------------------------------------------------------

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def stamp(self) -> str:
        """Now, and a little later each time: no two rows are made in one instant."""
        self._ticks += 1
        return self.clock().replace(microsecond=self._ticks % 1_000_000).isoformat().replace("+00:00", "Z")

    def put_contact(self, values: dict[str, Any], contact_id: str = "") -> str:
        contact_id = contact_id or self.new_id()
        stamp = self.stamp()
        old = self.contacts.get(contact_id) or {
            "id": contact_id, "last_name": "", "email": None, "phone": None, "assigned_to": [], "is_active": True, "do_not_call": False,
            "linkedin_url": None, "custom_fields": {}, "account_detail": None, "created_at": stamp,
        }  # fmt: skip
        self.contacts[contact_id] = {**old, **values, "updated_at": stamp}
        return contact_id

    def put_user(self, user_id: str, email: str, *, active: bool = True) -> None:
        details = {"email": email, "id": self.new_id(), "name": email.partition("@")[0], "is_active": True}
        self.users[user_id] = {"id": user_id, "user_details": details, "role": "USER", "is_active": active}

    def put_task(self, values: dict[str, Any], task_id: str = "") -> str:
        task_id = task_id or self.new_id()
        old = self.tasks.get(task_id) or {
            "id": task_id, "status": "New", "priority": "Medium", "due_date": None, "description": None, "contacts": [], "assigned_to": [],
            "tags": [], "custom_fields": {}, "created_at": self.stamp(),
        }  # fmt: skip
        self.tasks[task_id] = {**old, **values}
        return task_id

    def log(self, contact_id: str, **values: Any) -> str:
        row = {
            "id": self.new_id(), "kind": "call", "direction": "outbound", "occurred_at": "2026-11-25T10:00:00Z", "duration_seconds": None,
            "outcome": "connected", "body": "What was said.", "logged_by": None, **values,
        }  # fmt: skip
        self.interactions.setdefault(contact_id, []).insert(0, row)
        return str(row["id"])

    def add_field(self, key: str, kind: str = "text", model: str = "Contact", label: str = "") -> None:
        row = {
            "id": self.new_id(),
            "target_model": model,
            "key": key,
            "label": label or key,
            "field_type": kind,
            "is_active": True,
        }
        self.definitions.append(row)

    def sent(self, method: str) -> list[str]:
        return [path for verb, path, _ in self.calls if verb == method]

    # --- the server -----------------------------------------------------------------------------------------

    def install(self, mock: responses.RequestsMock) -> None:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(re.escape(WEB)), self._answer, content_type=None)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        url = urlsplit(str(request.url))
        path = url.path.removeprefix("/api")
        query = parse_qs(url.query)
        body = json.loads(request.body) if request.body else None
        self.calls.append((str(request.method), path, body or query))
        work: Callable[[], Answer] = lambda: self._route(request, path, query, body)  # noqa: E731
        return self.faults.through(str(request.method), path, work)

    def _route(self, request: requests.PreparedRequest, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return denied("Organization context is required. Please login again.")
        method = str(request.method)
        resource, _, rest = path.strip("/").partition("/")
        scope = f"{resource}:{'read' if method == 'GET' else 'write'}"
        if self.scopes and scope not in self.scopes:
            return denied(f"This token is not scoped for this. It needs the {scope} scope.")
        return getattr(self, "_" + resource.replace("-", "_"))(method, rest, query, body)

    def _org(self, *_: Any) -> Answer:
        return ok({"id": "86b8da42-50e4-410a-88a7-4becad9fa103", "name": "Acme", "timezone": self.timezone})

    def _profile(self, *_: Any) -> Answer:
        return ok({"user_obj": {"id": self.new_id(), "role": "ADMIN" if self.admin else "USER"}})

    def _users(self, method: str, rest: str, query: dict[str, list[str]], body: Any) -> Answer:
        active = [row for row in self.users.values() if row["is_active"]]
        if rest == "get-teams-and-users":
            return ok({"teams": [], "profiles": active})
        if not self.admin:
            return refuse("Permission Denied", 403)
        inactive = [row for row in self.users.values() if not row["is_active"]]
        start, stop = _window(query)
        return ok(
            {
                "active_users": {"active_users": active[start:stop], "active_users_count": len(active)},
                "inactive_users": {"inactive_users": inactive[start:stop], "inactive_users_count": len(inactive)},
            }
        )

    def _contacts(self, method: str, rest: str, query: dict[str, list[str]], body: Any) -> Answer:
        if not rest:
            rows = sorted(self.contacts.values(), key=lambda row: row["created_at"], reverse=True)
            rows = [row for row in rows if row["id"] not in self.hidden]
            start, stop = _window(query)
            return ok({"count": len(rows), "results": rows[start:stop], "contact_obj_list": rows[start:stop]})
        if missing := self._missing(rest, self.contacts, "contact"):
            return missing
        row = self.contacts[rest]
        if method == "PATCH":
            own = {
                name: value for name, value in body.get("custom_fields", {}).items() if name in self._keys("Contact")
            }
            self.put_contact({**body, "custom_fields": {**row["custom_fields"], **own}}, rest)
            return ok({"error": False, "message": "Contact Updated Successfully"})
        return ok({"contact_obj": self.contacts[rest], "comments": []})

    def _interactions(self, method: str, rest: str, query: dict[str, list[str]], body: Any) -> Answer:
        contact_id = query["contact"][0]
        if missing := self._missing(contact_id, self.contacts, "record"):
            return missing
        start, stop = _window(query)
        rows = sorted(self.interactions.get(contact_id, []), key=lambda row: row["occurred_at"], reverse=True)
        return ok({"interactions": rows[start : min(stop, start + 200)], "count": len(rows)})

    def _missing(self, record_id: str, rows: dict[str, Any], what: str) -> Answer | None:
        try:
            uuid.UUID(record_id)
        except ValueError:
            return 404, {"Content-Type": "text/html; charset=utf-8"}, PAGE_404
        return None if record_id in rows else denied(f"No such {what}.", 404)

    # --- tasks ----------------------------------------------------------------------------------------------

    def _tasks(self, method: str, rest: str, query: dict[str, list[str]], body: Any) -> Answer:
        if method == "POST":
            return self._write_task(body, "")
        if not rest:
            return self._list_tasks(query)
        if missing := self._missing(rest, self.tasks, "task"):
            return missing
        if rest in self.taken:
            return refuse("You do not have Permission to perform this action", 403)
        if method == "DELETE":
            del self.tasks[rest]
            return ok({"error": False, "message": "Task deleted Successfully"})
        if method == "PATCH":
            return self._write_task(body, rest)
        return ok({"task_obj": self.tasks[rest], "comments": [], "attachments": []})

    def _list_tasks(self, query: dict[str, list[str]]) -> Answer:
        rows = sorted(self.tasks.values(), key=lambda row: row["id"], reverse=True)
        if wanted := query.get("status"):
            rows = [row for row in rows if row["status"] in wanted]
        if title := query.get("title"):
            rows = [row for row in rows if title[0].lower() in row["title"].lower()]
        if tags := query.get("tags"):
            rows = [row for row in rows if any(tag["id"] in tags for tag in row["tags"])]
        if since := query.get("created_at__gte"):
            rows = [row for row in rows if row["created_at"][:10] >= since[0]]
        for name, values in query.items():
            if name.startswith("cf_"):
                rows = [row for row in rows if row["custom_fields"].get(name[3:]) == values[0]]
        shown = ("id", "title", "status", "priority", "due_date", "assigned_to", "tags", "created_at")
        start, stop = _window(query)
        found = [{name: row[name] for name in shown} for row in rows[start:stop]]
        return ok({"tasks_count": len(rows), "offset": None, "tasks": found, "totals": {}})

    def _write_task(self, body: dict[str, Any], task_id: str) -> Answer:
        title = body.get("title")
        if not task_id and not title:
            return refuse({"title": ["This field is required."]})
        if title is not None and len(title) > 200:
            return refuse({"title": ["Ensure this field has no more than 200 characters."]})
        values = {
            name: value
            for name, value in body.items()
            if name not in ("contacts", "assigned_to", "tags", "custom_fields")
        }
        if "contacts" in body:
            values["contacts"] = [{"id": each} for each in body["contacts"] if each in self.contacts]
        if "assigned_to" in body:
            active = {each: row for each, row in self.users.items() if row["is_active"]}
            values["assigned_to"] = [active[each] for each in body["assigned_to"] if each in active]
        if "tags" in body:
            values["tags"] = [tag for tag in self.tags if tag["id"] in body["tags"] and tag["is_active"]]
        if "custom_fields" in body:
            values["custom_fields"] = {
                name: each for name, each in body["custom_fields"].items() if name in self._keys("Task")
            }
        self.put_task(values, task_id)
        self.tasks_ever_created += not task_id
        return ok({"error": False, "message": "Task Created Successfully"})

    # --- what an administrator sets up ----------------------------------------------------------------------

    def _keys(self, model: str) -> set[str]:
        return {row["key"] for row in self.definitions if row["target_model"] == model and row["is_active"]}

    def _custom_fields(self, method: str, rest: str, query: dict[str, list[str]], body: Any) -> Answer:
        if method == "GET":
            return ok(
                {
                    "definitions": [row for row in self.definitions if row["target_model"] == query["target_model"][0]],
                    "totals": None,
                }
            )
        if not self.admin:
            return refuse("Admin access required", 403)
        if method == "POST":
            self.add_field(body["key"], body["field_type"], body["target_model"], body["label"])
            return ok(self.definitions[-1], 201)
        row = next(each for each in self.definitions if each["id"] == rest)
        row["is_active"] = method == "PUT"
        return ok(row if method == "PUT" else {"error": False, "message": "Custom field deactivated"})

    def _tags(self, method: str, rest: str, query: dict[str, list[str]], body: Any) -> Answer:
        if method == "GET" and rest:
            found = [row for row in self.tags if row["id"] == rest]
            return ok({"tag": found[0]}) if found else denied("No Tags matches the given query.", 404)
        if method == "GET":
            wanted = query.get("name", [""])[0].lower()
            return ok(
                {
                    "tags": [row for row in self.tags if row["is_active"] and wanted in row["name"].lower()],
                    "tags_count": 0,
                }
            )
        if not self.admin:
            return refuse("Only admins can create tags", 403)
        if method == "DELETE":
            next(each for each in self.tags if each["id"] == rest)["is_active"] = False
            return ok({"error": False, "message": "Tag archived successfully"})
        archived = [row for row in self.tags if row["name"] == body["name"]]
        for row in archived:
            row["is_active"] = True
        if not archived:
            self.tags.append({"id": self.new_id(), "name": body["name"], "is_active": True})
        return ok({"error": False, "tag": self.tags[-1]}, 201)


def _window(query: dict[str, list[str]]) -> tuple[int, int]:
    start = int(query.get("offset", ["0"])[0])
    return start, start + int(query.get("limit", ["10"])[0])
