"""An Odoo in memory behind `responses`: it answers as Odoo does by JSON-2 (19) or JSON-RPC (before), and remembers every call.

It knows domains, archived records, links as `[id, name]`, `false` for what is empty, errors with status 200 (JSON-RPC) or named in the body
(JSON-2), calls that are done as one or not at all, and activities that are archived, or deleted, when they are done. What differs by version
stands in `versions`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import responses

from tests.fakes.clock import Clock
from tests.integrations.crm.faults import Answer, Faults, dated
from tests.integrations.crm.odoo import domains, versions

WEB = "https://acme.odoo.com"
DATABASE, LOGIN, KEY = "acme", "bot@acme.test", "6578616d706c65206a736f6e20617069206b6579"
BOT, BOT_PARTNER, MODEL, TODO, CALL = 2, 3, 84, 4, 2
JSON = {"Content-Type": "application/json; charset=utf-8"}
EMPTY: dict[str, dict[str, Any]] = {
    "res.partner": {"email": False, "phone": False, "type": "contact", "is_company": False, "parent_id": False, "user_id": False, "active": True},
    "res.users": {"active": True, "share": False, "tz": "UTC", "email": False},
    "mail.activity": {"summary": False, "note": False, "active": True, "date_done": False, "activity_type_id": False},
    "mail.message": {"mail_activity_type_id": False, "message_type": "notification", "body": "", "model": "res.partner"},
    "calendar.event": {"active": True, "partner_ids": []},
    "mail.activity.type": {},
    "res.company": {},
    "ir.model": {},
}  # fmt: skip


# Methods that JSON-RPC calls with ids first, and the names of what follows by place.
_OF_RECORDS = ("read", "write", "unlink", "action_feedback", "has_access")
_PLACES = {
    "read": ["fields"],
    "create": ["vals_list"],
    "write": ["vals"],
    "default_get": ["fields"],
    "check_access_rights": ["operation", "raise_exception"],
}
_ALWAYS = ("id", "write_date", "create_date")


class OdooError(Exception):
    def __init__(self, name: str, says: str, status: int = 422) -> None:
        super().__init__(says)
        self.name, self.says, self.status = name, says, status


def missing() -> OdooError:
    return OdooError("odoo.exceptions.MissingError", "Record does not exist or has been deleted.", 404)


@dataclass
class Server:
    """`keeps_done`: what is done is archived. `hidden_models`: not installed, or not for this user."""

    version: int = 19
    databases: int = 1  # on this server: which is meant goes without saying where there is one
    keeps_done: bool | None = True  # None: this version deletes it always, as all before 17 do
    clock: Clock = field(default_factory=Clock)
    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden_models: set[str] = field(default_factory=set)
    read_only: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)  # ids that no list serves yet
    out_of_reach: set[str] = field(default_factory=set)  # ids that a rule keeps from this user
    unknown_methods: set[str] = field(default_factory=set)
    guarded: set[int] = field(default_factory=set)  # partners that a rule lets this user read and not change
    refusals: dict[str, str] = field(default_factory=dict)  # summary of an activity -> Odoo's sentence
    calls: list[tuple[str, str, Any]] = field(default_factory=list)  # model, method, parameters
    faults: Faults = field(default_factory=Faults)
    tasks_ever_created: int = 0
    _id: int = 100
    _ticks: int = 0

    def __post_init__(self) -> None:
        self.fields["res.partner"] = {
            name: {"type": "char", "string": name} for name in (*EMPTY["res.partner"], "name", "function", "city")
        }
        self.fields["res.partner"]["x_studio_twitter"] = {"type": "char", "string": "Twitter"}
        if self.version < versions.ARCHIVES_SINCE:
            self.keeps_done = None
        if self.version >= versions.HIDES_MODELS_SINCE:
            self.hidden_models = {*self.hidden_models, "ir.model"}
        kept = ("active", "date_done") if self.keeps_done is not None else ()
        self.fields["mail.activity"] = {name: {"type": "char"} for name in ("summary", "note", *kept)}
        self.fields["mail.activity.type"] = {name: {"type": "char"} for name in versions.type_fields(self.version)}
        self.put("res.company", {"name": "Acme Cargo"}, 1)
        self.put("ir.model", {"model": "res.partner"}, MODEL)
        self.put("res.partner", {"name": "Bot"}, BOT_PARTNER)
        self.put("res.users", {"name": "Bot", "login": LOGIN, "partner_id": [BOT_PARTNER, "Bot"]}, BOT)
        kinds = versions.activity_types(self.version, self.keeps_done)
        for type_id, (name, values) in zip((CALL, TODO), kinds.items(), strict=True):
            self.put("mail.activity.type", {"name": name, **values}, type_id)

    # --- what a test says -----------------------------------------------------------------------------------

    def put(self, model: str, values: dict[str, Any], record_id: int = 0, *, at: datetime | None = None) -> int:
        """A new record, or another version of one."""
        self._id += not record_id
        record_id = record_id or self._id
        self._ticks += 1
        stamp = (at or self.clock()).replace(microsecond=self._ticks % 1_000_000)
        rows = self.rows.setdefault(model, {})
        old = rows.get(record_id, {**EMPTY[model], "id": record_id})
        rows[record_id] = {**old, **values, "_stamp": stamp.isoformat(sep=" ").partition("+")[0]}
        return record_id

    def delete(self, model: str, record_id: int) -> None:
        """Gone; the activities of a partner go with it."""
        self.rows.get(model, {}).pop(record_id, None)
        if model == "res.partner":
            tasks = self.rows.get("mail.activity", {})
            self.rows["mail.activity"] = {each: row for each, row in tasks.items() if row.get("res_id") != record_id}

    def do(self, activity_id: int, feedback: str = "") -> None:
        """The button: archived or deleted, with a message in the contact's history, whose last words are how it went."""
        row = self.rows["mail.activity"][activity_id]
        kind = row["activity_type_id"]
        kind = kind[0] if isinstance(kind, list) else kind
        words = f"<p>done: {row['summary']}</p><div>{row['note']}</div><div><strong>Feedback</strong><p>{feedback}</p></div>"
        told = {"body": words, "res_id": row["res_id"]}
        named = [kind, "x"] if kind else False
        self.put("mail.message", {**told, "date": self.now(), "mail_activity_type_id": named})
        if self.keeps_done:
            self.put("mail.activity", {"active": False, "date_done": self.now()[:10]}, activity_id)
        else:
            self.delete("mail.activity", activity_id)

    def now(self) -> str:
        return self.clock().strftime("%Y-%m-%d %H:%M:%S")

    def said(self, model: str, method: str) -> list[Any]:
        return [params for one, other, params in self.calls if (one, other) == (model, method)]

    # --- the server -----------------------------------------------------------------------------------------

    def install(self, mock: responses.RequestsMock) -> None:
        for verb in ("GET", "POST"):
            mock.add_callback(verb, re.compile(re.escape(WEB)), self._answer, content_type=None)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        path, body = urlsplit(str(request.url)).path, json.loads(request.body or "{}")
        if path.startswith("/json/2/"):
            model, method = path.removeprefix("/json/2/").split("/")
            params = {name: value for name, value in body.items() if name not in ("ids", "context")}
            call = (model, method, body.get("ids"), params, body.get("context") or {})
            work: Callable[[], Answer] = lambda: self._by_json2(request, call)  # noqa: E731
        else:
            asked = body["params"]
            model, method = (
                (asked["args"][3], asked["args"][4]) if asked["method"] == "execute_kw" else ("common", asked["method"])
            )
            work = lambda: self._by_rpc(asked)  # noqa: E731
        return dated(self.faults.through("POST", f"{model}/{method}", work), self.clock())

    def _by_json2(self, request: requests.PreparedRequest, call: tuple[Any, ...]) -> Answer:
        if self.version < versions.JSON2_SINCE:
            return 404, {"Content-Type": "text/html"}, "<html>404</html>"
        if (
            request.headers.get("X-Odoo-Database", None if self.databases > 1 else DATABASE) != DATABASE
        ):  # before the key is looked at
            return 404, {"Content-Type": "text/html"}, "<p>No database is selected, and the address was not found.</p>"
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return (
                401,
                JSON,
                json.dumps(
                    {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey", "debug": "Traceback"}
                ),
            )
        try:
            return 200, JSON, json.dumps(self._run(*call))
        except OdooError as error:
            return error.status, JSON, json.dumps({"name": error.name, "message": error.says, "debug": "Traceback"})

    def _by_rpc(self, asked: dict[str, Any]) -> Answer:
        def result(value: Any) -> Answer:
            return 200, JSON, json.dumps({"jsonrpc": "2.0", "id": 1, "result": value})

        def refuse(name: str, says: str) -> Answer:
            error = {
                "code": 200,
                "message": "Odoo Server Error",
                "data": {"name": name, "message": says, "debug": "Traceback"},
            }
            return 200, JSON, json.dumps({"jsonrpc": "2.0", "id": 1, "error": error})

        args = asked["args"]
        if asked["method"] == "version":
            return result({"server_version": f"{self.version}.0", "protocol_version": 1})
        if args[0] != DATABASE:
            return refuse(
                "psycopg2.OperationalError", f'connection failed: FATAL:  database "{args[0]}" does not exist\n'
            )
        if asked["method"] == "authenticate":
            return result(BOT if args[:3] == [DATABASE, LOGIN, KEY] else False)
        database, uid, key, model, method, places, named = args
        if (database, uid, key) != (DATABASE, BOT, KEY):
            return refuse("odoo.exceptions.AccessDenied", "Access Denied")
        context = named.pop("context", {})
        ids = places.pop(0) if places and method in _OF_RECORDS else None
        params = {**dict(zip(_PLACES.get(method, ()), places, strict=False)), **named}
        try:
            return result(self._run(model, method, ids, params, context))
        except OdooError as error:
            return refuse(error.name, error.says)

    def _run(
        self, model: str, method: str, ids: list[int] | None, params: dict[str, Any], context: dict[str, Any]
    ) -> Any:
        self.calls.append((model, method, params))
        if method in self.unknown_methods:
            raise OdooError("builtins.AttributeError", f"The method '{method}' does not exist", 404)
        if method == ("has_access" if self.version >= versions.HAS_ACCESS_SINCE else "check_access_rights"):
            return model not in self.hidden_models | self.read_only
        if model in self.hidden_models:
            raise OdooError("odoo.exceptions.AccessError", f"You are not allowed to access {model}.", 403)
        if model in self.read_only and method in ("create", "write", "unlink"):
            raise OdooError("odoo.exceptions.AccessError", f"You are not allowed to modify {model}.", 403)
        return getattr(self, f"_{method}")(model, ids, params, context)

    # --- methods --------------------------------------------------------------------------------------------

    def _context_get(self, *_: Any) -> Any:
        return {"lang": "en_US", "tz": "UTC", "uid": BOT}

    def _fields_get(self, model: str, ids: Any, params: Any, context: Any) -> Any:
        return self.fields.get(model, {})

    def _default_get(self, model: str, ids: Any, params: dict[str, Any], context: dict[str, Any]) -> Any:
        return {"res_model": context.get("default_res_model"), "res_model_id": MODEL}

    def _search_read(self, model: str, ids: Any, params: dict[str, Any], context: dict[str, Any]) -> Any:
        unseen = self.hidden | self.out_of_reach
        rows = [row for row in self.rows.get(model, {}).values() if str(row["id"]) not in unseen]
        if context.get("active_test", True):
            rows = [row for row in rows if row.get("active", True)]
        domain, known = list(params["domain"]), self.fields.get(model)
        if strange := [name for name in domains.names(domain) if known and name not in {*known, *_ALWAYS}]:
            raise OdooError("builtins.ValueError", f"Invalid field '{strange[0]}' in leaf", 500)
        rows = [row for row in rows if domains.fits(row, domain)]
        keys = [each.strip() for each in params.get("order", "id").split(",")]
        rows.sort(key=lambda row: [row["_stamp"] if key == "write_date" else row.get(key) or 0 for key in keys])
        names = ["id", *params["fields"]]
        return [self._shown(row, names) for row in rows[: params["limit"]]]

    def _read(self, model: str, ids: list[int], params: dict[str, Any], context: Any) -> Any:
        if any(str(each) in self.out_of_reach for each in ids):
            raise OdooError("odoo.exceptions.AccessError", "Due to security restrictions, you are not allowed.", 403)
        rows = self.rows.get(model, {})
        return [self._shown(rows[each], ["id", *params["fields"]]) for each in ids if each in rows]

    def _shown(self, row: dict[str, Any], names: list[str]) -> dict[str, Any]:
        shown = {**row, "write_date": row["_stamp"][:19]}
        return {name: shown.get(name, False) for name in names}

    def _create(self, model: str, ids: Any, params: dict[str, Any], context: Any) -> Any:
        given = params["vals_list"]
        one = self.version < versions.LISTS_SINCE
        if one and isinstance(given, list):
            raise OdooError("builtins.AttributeError", "'list' object has no attribute 'get'", 500)
        for values in [given] if one else given:
            self._check(model, values)
            if model == "mail.activity" and values["res_id"] not in self.rows["res.partner"]:
                raise missing()
        made = [self.put(model, self._linked(values)) for values in ([given] if one else given)]
        self.tasks_ever_created += len(made) if model == "mail.activity" else 0
        return made[0] if one else made

    def _check(self, model: str, values: dict[str, Any]) -> None:
        if values.get("summary") in self.refusals:
            raise OdooError("odoo.exceptions.ValidationError", self.refusals[values["summary"]])
        if model == "mail.activity" and values.get("res_id") in self.guarded:
            says = "A rule keeps you from this.\n\n(Document type: Activity, Operation: create)\nNone"
            raise OdooError("odoo.exceptions.AccessError", says, 403)

    def _linked(self, values: dict[str, Any]) -> dict[str, Any]:
        links = {
            name: [values[name], "x"] for name in ("user_id", "activity_type_id") if isinstance(values.get(name), int)
        }
        return {**values, **links, **({"res_model": "res.partner"} if "res_model_id" in values else {})}

    def _write(self, model: str, ids: list[int], params: dict[str, Any], context: Any) -> Any:
        for each in ids:
            if each not in self.rows.get(model, {}):
                raise missing()
            self._check(model, params["vals"])
            self.put(model, self._linked(params["vals"]), each)
        return True

    def _unlink(self, model: str, ids: list[int], params: Any, context: Any) -> Any:
        for each in ids:
            if each not in self.rows.get(model, {}):
                raise missing()
            self.delete(model, each)
        return True

    def _action_feedback(self, model: str, ids: list[int], params: Any, context: Any) -> Any:
        for each in ids:
            if each not in self.rows.get(model, {}):
                raise missing()
            self.do(each, params.get("feedback", ""))
        return 1
