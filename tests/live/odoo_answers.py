"""What an Odoo answers to each kind of question that we ask, to be kept beside the fast tests: whole bodies, but for its tracebacks."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

from integrations.crm.odoo import fields, setup
from tests.live.odoo import BOT, DATABASE, HOME, RealOdoo
from tests.live.odoo_client import client, pushed, task

KEPT = Path(__file__).parents[1] / "integrations" / "crm" / "odoo" / "answers_11.json"
_LOCAL = ("arguments", "debug")  # of an error: our own words, and the places of files


def answers(odoo: RealOdoo, options: dict[str, Any]) -> dict[str, Any]:
    """By what was asked. The person is made up, and gone again."""
    site = setup.site(odoo.server, options, lambda user_id: UTC)
    contact = int(odoo.adds_contact("Ada Example", email="ada@example.com", x_twitter="@ada", user_id=odoo.olga))
    made = int(str(pushed(client(odoo, options), task(odoo, "u-kept", str(contact))).external_id))
    told = {
        "version": _asked(odoo, "common", "version"),
        "wrong key": _asked(odoo, "common", "authenticate", DATABASE, BOT, "another key", {}),
        "key taken back": _called(odoo, "res.partner", "search", [], key="another key"),
        "no such database": _asked(odoo, "common", "authenticate", "another", BOT, "any", {}),
        "no such record": _called(odoo, "mail.activity", "write", [999_999], {"summary": "x"}),
        "no such field": _called(odoo, "res.partner", "search_read", [["nowhere", "=", 1]], ["id"]),
        "no right": _called(odoo, "ir.rule", "unlink", [1]),
        "no such day": _called(odoo, "mail.activity", "write", [made], {"date_deadline": "2030-13-01"}),
        "partner": _called(odoo, "res.partner", "read", [contact], list(fields.partner_fields(site))),
        "activity": _called(odoo, "mail.activity", "read", [made], list(fields.task_fields(site))),
    }
    guard = {"domain_force": f"[('id', '!=', {contact})]", "perm_read": False}
    rule = odoo.adds("ir.rule", name="Ada is left alone", model_id=options["model_id"], **guard)
    activity = {"res_model_id": options["model_id"], "res_id": contact}
    told["guarded record"] = _called(odoo, "mail.activity", "create", activity)
    odoo.deletes("ir.rule", str(rule))
    odoo.ticks_off(str(made), "Called her: größe > 9")
    done = [["res_id", "=", contact], ["body", "ilike", "u-kept"]]
    told["ticked off"] = _called(odoo, "mail.message", "search_read", done, ["body", "date", "res_id", "write_date"])
    odoo.deletes("res.partner", str(contact))
    return told


def shape(value: Any) -> Any:
    """Names and kinds, without what differs from one day to the next."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__


def _called(odoo: RealOdoo, model: str, method: str, *words: Any, key: str = "") -> Any:
    return _asked(odoo, "object", "execute_kw", DATABASE, odoo.bot, key or odoo.key, model, method, list(words), {})


def _asked(odoo: RealOdoo, service: str, method: str, *words: Any) -> Any:
    params = {"service": service, "method": method, "args": list(words)}
    body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
    answer = odoo.http.post(f"{odoo.server}/jsonrpc", json=body, timeout=60)
    assert answer.status_code == 200
    told: dict[str, Any] = json.loads(answer.text.replace(str(HOME), "/srv/odoo"))  # where PostgreSQL listens
    for name in _LOCAL:
        told.get("error", {}).get("data", {}).pop(name, None)
    return told
