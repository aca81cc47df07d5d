"""Against Salesforce's own description of its records (v59.0), which is not part of the repository."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from integrations.crm.salesforce import fields
from integrations.crm.salesforce.activities import ACTIVITIES
from integrations.crm.salesforce.org import KEY, org
from integrations.crm.salesforce.soql import instant
from integrations.records import HandleWrite, Task, TaskKind, TaskStatus
from tests.integrations.crm.salesforce.conftest import World

pytestmark = [pytest.mark.shared, pytest.mark.rule("contract")]
FILE = "vendor-specs/salesforce/lightning-rest-v59.pruned.json"
# The document was made in an organisation in which these cannot be seen; the object reference has them.
_PEOPLE = {"DoNotCall", "HasOptedOutOfEmail"}
_ELSEWHERE = {"Task": {"Type", "attributes", "id"}, "Event": {"Type"}, "Contact": _PEOPLE, "Lead": _PEOPLE}


@cache
def _schemas(folder: Path) -> dict[str, Any] | None:
    path = folder / FILE
    return json.loads(path.read_text())["components"]["schemas"] if path.is_file() else None


@pytest.fixture
def schemas(shared: Path) -> dict[str, Any]:
    found = _schemas(shared)
    if found is None:
        pytest.skip("Salesforce's description is not in the shared folder")
    return found


def _properties(schemas: dict[str, Any], kind: str) -> dict[str, Any]:
    return dict(schemas[f"{kind}SObject"]["properties"])


@pytest.mark.parametrize("kind", ["Contact", "Lead", "Task", "Event", "User"])
def test_every_field_that_we_ask_for_is_one(schemas: dict[str, Any], kind: str) -> None:
    asked = {
        "Contact": fields.PEOPLE["Contact"].names,
        "Lead": fields.PEOPLE["Lead"].names,
        "Task": (*fields.TASK_FIELDS, *ACTIVITIES["Task"].needs),
        "Event": ACTIVITIES["Event"].needs,
        "User": fields.OWNER_FIELDS,
    }[kind]
    known = set(_properties(schemas, kind)) | _ELSEWHERE.get(kind, set())

    plain = {name for name in asked if "." not in name}
    assert plain - known == set()
    behind = {name.partition(".")[2] for name in asked if name.startswith("Account.")}
    assert behind <= set(_properties(schemas, "Account"))


def test_every_value_of_a_task_is_of_the_kind_that_salesforce_takes(world: World, schemas: dict[str, Any]) -> None:
    contact = world.server.put("Contact", {"Name": "Ada"})
    task = Task(
        "key-1",
        TaskKind.READY_FOR_CALL,
        TaskStatus.OPEN,
        "Call Ada",
        "They asked.",
        world.clock(),
        None,
        contact,
        None,
        True,
    )
    [made] = world.client().push_tasks([task])
    edit = Task("key-1", TaskKind.READY_FOR_CALL, TaskStatus.COMPLETED, external_id=made.external_id)
    world.client().push_tasks([edit])
    known = {**_properties(schemas, "Task"), KEY: {"type": "string"}}

    records = [
        record for _, _, body in world.server.calls if isinstance(body, dict) for record in body.get("records", ())
    ]

    assert len(records) == 2
    for record in records:
        for name, value in record.items():
            if name in known:
                _fits(known[name], value)
            else:
                assert name in _ELSEWHERE["Task"], name


def test_the_server_of_our_tests_shows_records_as_salesforce_does(world: World, schemas: dict[str, Any]) -> None:
    contact = world.server.put("Contact", {"Name": "Ada", "FirstName": "Ada"})
    world.server.put("Task", {"TaskSubtype": "Call", "Status": "Completed", "WhoId": contact})
    for stream in ("contacts", "activities", "tasks", "owners"):
        list(world.client().pull(stream, None))

    for kind in ("Contact", "Task"):
        known = _properties(schemas, kind)
        for row in world.server.alive(kind):
            for name, value in row.items():
                if name in known and value is not None:
                    _fits(known[name], value)


def test_errors_of_a_record_are_where_the_description_has_them(schemas: dict[str, Any]) -> None:
    members = schemas["SaveResult"]["properties"]
    assert {"success", "id", "errors"} <= set(members)
    assert {"statusCode", "message", "fields"} <= set(members["errors"]["items"]["properties"])
    assert {"errorCode", "message"} <= set(schemas["RestApiError"]["properties"])


def test_handles_are_written_as_a_record_is_changed(world: World, schemas: dict[str, Any]) -> None:
    world.server.add_field("Contact", "Twitter__c", label="Twitter handle")
    world.prepare()
    contact = world.server.put("Contact", {"Name": "Ada"})
    world.server.calls.clear()

    world.client().write_handles([HandleWrite(contact, "x", "ada")])

    [record] = world.server.calls[-1][2]["records"]
    assert set(record) - set(_properties(schemas, "Contact")) == {"id", "Twitter__c"}
    assert org(world.options, "https://x").handles == (("Twitter__c", "x"),)


def _fits(schema: dict[str, Any], value: Any) -> None:
    kinds = {"string": str, "boolean": bool, "integer": int, "object": dict}
    assert isinstance(value, kinds[schema["type"]]), (schema, value)
    if schema.get("format") == "date-time":
        assert instant(value) is not None
    if schema.get("format") == "date":
        assert fields.day(value) is not None
        assert len(value) == 10
