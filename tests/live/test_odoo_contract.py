"""All that we ask of an Odoo, and all that it answers, beside what it says of its own models. Opt-in (`make test-odoo`)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from integrations.records import HandleWrite, TaskStatus
from tests.live.bottle_contract import listening
from tests.live.odoo import RealOdoo
from tests.live.odoo_client import client, pushed, task
from tests.live.odoo_contract import Call, Contract, calls


@pytest.mark.rule("contract", provider="odoo")
def test_all_that_is_asked_and_answered_is_what_the_models_say_of_themselves(odoo: RealOdoo) -> None:
    eva = odoo.adds_contact("Eva Ek", email="eva@example.com", phone="+34 600 000 001")
    start = {"start": "2026-05-04 09:00:00", "stop": "2026-05-04 10:00:00"}
    odoo.adds("calendar.event", name="Lunch", partner_ids=[[6, 0, [int(eva)]]], user_id=odoo.olga, **start)
    with listening(odoo.server) as heard:
        options = client(odoo).prepare()
        asked = client(odoo, options)
        wanted = task(odoo, "u-contract", eva)
        made = pushed(asked, wanted)
        pushed(asked, replace(wanted, external_id=made.external_id, subject="Write to Eva"))
        for stream in ("contacts", "owners", "activities", "tasks"):
            list(asked.pull(stream, None))
        asked.read_tasks([str(made.external_id)])
        asked.write_handles([HandleWrite(eva, "x", "eva")])
        pushed(asked, replace(wanted, external_id=made.external_id, status=TaskStatus.WITHDRAWN))
        asked.missing()
        asked.whoami()
    contract, said = Contract(odoo), list(calls(heard.calls))
    told = {(call.model, call.method) for call in said}
    assert {
        ("res.partner", "search_read"),
        ("mail.activity", "create"),
        ("mail.activity", "write"),
        ("res.partner", "write"),
    } <= told
    assert any(call.model == "calendar.event" and call.result for call in said)
    for call in said:
        contract.check(call)


@pytest.mark.parametrize(
    ("method", "words", "named", "result"),
    [
        ("search_read", [], {"domain": [["nowhere", "=", 1]], "fields": ["name"]}, []),
        ("search_read", [], {"domain": [["name", "~", "x"]], "fields": ["name"]}, []),
        ("search_read", [], {"domain": [["write_date", ">", "yesterday"]], "fields": ["name"]}, []),
        ("search_read", [], {"domain": [["user_id.nowhere", "=", 1]], "fields": ["name"]}, []),
        ("search_read", [], {"fields": ["nowhere"]}, []),
        ("search_read", [], {"fields": ["name"]}, [{"id": 1, "name": 7}]),
        ("search_read", [], {"fields": ["name"]}, [{"id": 1, "unheard": "x"}]),
        ("create", [{"nowhere": 1}], {}, 1),
        ("write", [[1], {"user_id": "Olga"}], {}, True),
        ("write", [[1], {"write_date": "2026-05-04 09:00:00"}], {}, True),
    ],
)
def test_the_contract_tells_what_is_not_in_it(odoo: RealOdoo, method: str, words: Any, named: Any, result: Any) -> None:
    with pytest.raises((AssertionError, ValueError)):
        Contract(odoo).check(Call("res.partner", method, words, named, result))
