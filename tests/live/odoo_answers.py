"""What an Odoo answers to each kind of question that we ask, to be kept beside the fast tests: whole bodies, but for its tracebacks."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

from integrations.crm.odoo import fields, setup
from integrations.crm.odoo.api import EVERYTHING, JSON2_SINCE
from tests.live.odoo import BOT, DATABASE, HOME, RealOdoo
from tests.live.odoo_client import client, pushed, task

_LOCAL = ("arguments", "debug")  # of an error: our own words, and the places of files


def kept(version: int) -> Path:
    """Where the answers of this version stand."""
    return Path(__file__).parents[1] / "integrations" / "crm" / "odoo" / f"answers_{version}.json"


def answers(odoo: RealOdoo, options: dict[str, Any]) -> dict[str, Any]:
    """By what was asked. The person is made up, and gone again."""
    site = setup.site(odoo.server, options, lambda user_id: UTC)
    contact = int(odoo.adds_contact("Ada Example", email="ada@example.com", x_twitter="@ada", user_id=odoo.olga))
    made = int(str(pushed(client(odoo, options), task(odoo, "u-kept", str(contact))).external_id))
    ask = _Asker(odoo, options["version"])
    told = {
        "version": ask.service("common", "version"),
        "key taken back": ask("res.partner", "search", domain=[], key="another key"),
        "no such database": ask.for_another_database(),
        "no such record": ask("mail.activity", "write", [999_999], vals={"summary": "x"}),
        "no such field": ask("res.partner", "search_read", domain=[["nowhere", "=", 1]], fields=["id"]),
        "no right": ask("ir.rule", "unlink", [1]),
        "no such day": ask("mail.activity", "write", [made], vals={"date_deadline": "2030-13-01"}),
        "partner": ask("res.partner", "read", [contact], fields=list(fields.partner_fields(site))),
        "activity": ask("mail.activity", "read", [made], fields=list(fields.task_fields(site))),
    }
    if not ask.json2:
        told["wrong key"] = ask.service("common", "authenticate", DATABASE, BOT, "another key", {})
    guard = {"domain_force": f"[('id', '!=', {contact})]", "perm_read": False}
    rule = odoo.adds("ir.rule", name="Ada is left alone", model_id=options["model_id"], **guard)
    activity = {"res_model_id": options["model_id"], "res_id": contact}
    told["guarded record"] = ask("mail.activity", "create", values=activity)
    odoo.deletes("ir.rule", str(rule))
    odoo.ticks_off(str(made), "Called her: größe > 9")
    if options["keeps_done"]:
        told["done"] = ask("mail.activity", "read", [made], fields=list(fields.task_fields(site)))
    done = [["res_id", "=", contact], ["body", "ilike", "u-kept"], ["mail_activity_type_id", "!=", False]]
    told["ticked off"] = ask(
        "mail.message", "search_read", domain=done, fields=["body", "date", "res_id", "write_date"]
    )
    odoo.deletes("res.partner", str(contact))
    return told


def shape(value: Any) -> Any:
    """Names and kinds, without what differs from one day to the next."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__


class _Asker:
    """Asks in the way of this version: by JSON-2, where an answer is kept with its status, or by JSON-RPC, where that is 200."""

    def __init__(self, odoo: RealOdoo, version: int) -> None:
        self._odoo = odoo
        self.json2 = version >= JSON2_SINCE

    def __call__(self, model: str, method: str, ids: list[int] | None = None, key: str = "", **named: Any) -> Any:
        if self.json2:
            if method == "create":
                named = {"vals_list": [named["values"]]}
            asked = {**({} if ids is None else {"ids": ids}), **named, "context": EVERYTHING}
            return self._by_json2(model, method, asked, key or self._odoo.key)
        places = [*([] if ids is None else [ids]), *named.values()]
        words = (DATABASE, self._odoo.bot, key or self._odoo.key, model, method, places, {"context": EVERYTHING})
        return self.service("object", "execute_kw", *words)

    def for_another_database(self) -> Any:
        if self.json2:
            return self._by_json2("res.users", "context_get", {}, self._odoo.key, "another")
        return self.service("common", "authenticate", "another", BOT, "any", {})

    def service(self, service: str, method: str, *words: Any) -> Any:
        params = {"service": service, "method": method, "args": list(words)}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        answer = self._odoo.http.post(f"{self._odoo.server}/jsonrpc", json=body, timeout=60)
        assert answer.status_code == 200
        told: dict[str, Any] = json.loads(answer.text.replace(str(HOME), "/srv/odoo"))  # where PostgreSQL listens
        for name in _LOCAL:
            told.get("error", {}).get("data", {}).pop(name, None)
        return told

    def _by_json2(self, model: str, method: str, asked: Any, key: str, database: str = DATABASE) -> Any:
        who = {"Authorization": f"bearer {key}", "X-Odoo-Database": database}
        answer = self._odoo.http.post(
            f"{self._odoo.server}/json/2/{model}/{method}", json=asked, headers=who, timeout=60
        )
        if "json" not in answer.headers["Content-Type"]:
            return {"status": answer.status_code, "body": answer.text}
        told = answer.json()
        if not answer.ok:
            told = {name: each for name, each in told.items() if name not in _LOCAL}
        return {"status": answer.status_code, "body": told}
