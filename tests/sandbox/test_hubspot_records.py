"""HubSpot's records: what is refused, what is worked out, what a batch tells apart."""

from __future__ import annotations

import pytest

from tests.sandbox.helpers import to_contact

TASKS = "/crm/objects/2026-09/tasks"
CONTACTS = "/crm/objects/2026-09/contacts"
DUE = "2026-07-01T09:00:00Z"


def make(caller, **properties):
    answer = caller.post(TASKS, {"properties": {"hs_timestamp": DUE, **properties}, "associations": to_contact("101")})
    assert answer.status_code == 201, answer.text
    return answer.json


def test_a_task_is_made_read_changed_and_moved_to_the_bin(world):
    caller = world.hubspot()
    task = make(caller, hs_task_subject="Answer Bob", hubspot_owner_id="7")
    read = caller.get(
        f"{TASKS}/{task['id']}",
        properties="hs_task_subject,hs_task_status,hs_timestamp,hs_task_body",
        associations="contacts",
    ).json
    assert read["properties"]["hs_task_status"] == "NOT_STARTED"
    assert read["properties"]["hs_timestamp"] == "2026-07-01T09:00:00.000Z"
    assert read["properties"]["hs_task_body"] is None
    assert read["associations"]["contacts"]["results"] == [{"id": "101", "type": "task_to_contact"}]
    changed = caller.patch(f"{TASKS}/{task['id']}", {"properties": {"hs_task_subject": "Ring Bob"}}).json
    assert changed["properties"]["hs_task_subject"] == "Ring Bob"
    assert changed["updatedAt"] > task["updatedAt"]
    assert caller.delete(f"{TASKS}/{task['id']}").status_code == 204
    gone = caller.get(f"{TASKS}/{task['id']}")
    assert (gone.status_code, gone.json["category"]) == (404, "OBJECT_NOT_FOUND")
    binned = caller.get(f"{TASKS}/{task['id']}", archived="true").json
    assert binned["archived"] is True
    assert binned["archivedAt"]


def test_completing_a_task_keeps_when_and_reopening_forgets_it(world):
    caller = world.hubspot()
    path = f"{TASKS}/{make(caller)['id']}"
    done = caller.patch(path, {"properties": {"hs_task_status": "COMPLETED"}}).json["properties"]
    assert done["hs_task_is_completed"] == "true"
    assert done["hs_task_completion_date"].startswith("2026-06-30T12:00:00")
    again = caller.patch(path, {"properties": {"hs_task_status": "COMPLETED", "hs_task_subject": "x"}}).json[
        "properties"
    ]
    assert again["hs_task_completion_date"] == done["hs_task_completion_date"]
    caller.patch(path, {"properties": {"hs_task_status": "NOT_STARTED"}})
    assert caller.get(path, properties="hs_task_completion_date").json["properties"]["hs_task_completion_date"] is None


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"hs_timestamp": None}, "REQUIRED_FIELD"),
        ({"hs_timestamp": "tomorrow"}, "INVALID_DATE"),
        ({"hubspot_owner_id": "4711"}, "INVALID_OWNER_ID"),
        ({"favourite_colour": "red"}, "PROPERTY_DOESNT_EXIST"),
        ({"hs_task_status": "DONE"}, "INVALID_OPTION"),
        ({"hs_task_priority": "URGENT"}, "INVALID_OPTION"),
        ({"hs_object_id": "5"}, "READ_ONLY_VALUE"),
        ({"hs_lastmodifieddate": DUE}, "READ_ONLY_VALUE"),
        ({"hs_task_body": "x" * 65_537}, "INVALID_LENGTH"),
    ],
)
def test_a_value_that_cant_be_is_refused_and_named(world, properties, code):
    caller = world.hubspot()
    values = {name: value for name, value in {"hs_timestamp": DUE, **properties}.items() if value is not None}
    refused = caller.post(TASKS, {"properties": values})
    assert (refused.status_code, refused.json["category"]) == (400, "VALIDATION_ERROR")
    assert refused.json["errors"][0]["code"] == code
    assert refused.json["message"].startswith("Property values were not valid: [")
    assert world.client.get("/control/counts").json["tasks"] == 0


def test_the_due_time_may_be_milliseconds_and_can_be_moved_but_not_taken_away(world):
    caller = world.hubspot()
    task = make(caller, hs_timestamp="1782896400000")
    assert task["properties"]["hs_timestamp"] == "2026-07-01T09:00:00.000Z"
    refused = caller.patch(f"{TASKS}/{task['id']}", {"properties": {"hs_timestamp": ""}})
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (400, "REQUIRED_FIELD")


def test_an_empty_value_clears_a_property(world):
    caller = world.hubspot()
    path = f"{TASKS}/{make(caller, hubspot_owner_id='7', hs_task_subject='x')['id']}"
    caller.patch(path, {"properties": {"hubspot_owner_id": "", "hs_task_subject": None}})
    assert (
        caller.get(path, properties="hubspot_owner_id,hs_task_subject").json["properties"]["hubspot_owner_id"] is None
    )


def test_two_contacts_never_share_an_email_by_the_api(world):
    refused = world.hubspot().post(CONTACTS, {"properties": {"email": "BOB@mail.example"}})
    assert (refused.status_code, refused.json["category"]) == (409, "CONFLICT")
    assert refused.json["message"] == "Contact already exists. Existing ID: 101"


def test_a_batch_tells_its_rows_apart(key_property):
    answer = key_property.tasks(
        {"properties": {"warmline_key": "a"}, "associations": to_contact("101")},
        {"properties": {"warmline_key": "a"}},
        {"properties": {"warmline_key": "b"}, "associations": to_contact("999")},
        {"properties": {"warmline_key": "c", "colour": "red"}},
        {"properties": {"warmline_key": "d", "hubspot_owner_id": "8"}},
        {"properties": {"warmline_key": "e"}},
    )
    assert answer.status_code == 207
    assert [one["objectWriteTraceId"] for one in answer.json["results"]] == ["row 0", "row 5"]
    assert answer.json["numErrors"] == 4
    found = {one["context"]["objectWriteTraceId"][0]: one for one in answer.json["errors"]}
    assert {row: one["category"] for row, one in found.items()} == {
        "row 1": "CONFLICT", "row 2": "VALIDATION_ERROR", "row 3": "VALIDATION_ERROR", "row 4": "VALIDATION_ERROR",
    }  # fmt: skip
    assert found["row 1"]["context"]["id"] == [answer.json["results"][0]["id"]]
    assert found["row 2"]["context"]["INVALID_OBJECT_IDS"] == ["CONTACT=999 is not valid"]
    assert all(one["status"] == "error" for one in found.values())


def test_without_trace_ids_one_bad_row_refuses_the_whole_batch(key_property, world):
    rows = [{"properties": {"hs_timestamp": DUE}}, {"properties": {}}]
    refused = key_property.post(f"{TASKS}/batch/create", {"inputs": rows})
    assert (refused.status_code, refused.json["category"]) == (400, "VALIDATION_ERROR")
    assert world.client.get("/control/counts").json["tasks_ever_created"] == 0


def test_a_clean_batch_answers_201(world):
    answer = world.hubspot().tasks({}, {})
    assert answer.status_code == 201
    assert "numErrors" not in answer.json
    assert len({one["id"] for one in answer.json["results"]}) == 2


def test_an_upsert_makes_once_and_changes_after(key_property, world):
    row = {"idProperty": "warmline_key", "id": "k1", "properties": {"hs_task_subject": "one"}}
    first = key_property.tasks(row, verb="upsert").json["results"][0]
    second = key_property.tasks({**row, "properties": {"hs_task_subject": "two"}}, verb="upsert").json["results"][0]
    assert (first["new"], second["new"]) == (True, False)
    assert first["id"] == second["id"]
    assert second["properties"]["warmline_key"] == "k1"
    assert world.client.get("/control/counts").json["tasks_ever_created"] == 1


def test_an_upsert_of_one_row_twice_is_refused(key_property):
    row = {"idProperty": "warmline_key", "id": "k1"}
    refused = key_property.tasks(row, row, verb="upsert")
    assert refused.status_code == 400
    assert refused.json["message"] == "Duplicate IDs found in batch input: [k1]. IDs must be unique"


def test_an_upsert_takes_no_associations_and_no_property_that_is_not_unique(key_property):
    row = {"idProperty": "warmline_key", "id": "k1", "associations": to_contact("101")}
    assert "no associations" in key_property.tasks(row, verb="upsert").json["errors"][0]["message"]
    refused = key_property.tasks({"idProperty": "hs_task_subject", "id": "k1"}, verb="upsert")
    assert "not unique" in refused.json["errors"][0]["message"]


def test_a_deleted_tasks_key_is_free_again(key_property):
    row = {"idProperty": "warmline_key", "id": "k1"}
    first = key_property.tasks(row, verb="upsert").json["results"][0]
    key_property.delete(f"{TASKS}/{first['id']}")
    assert key_property.tasks(row, verb="upsert").json["results"][0]["new"] is True


def test_an_update_of_what_is_gone_stands_beside_the_others(world):
    caller = world.hubspot()
    task = make(caller)
    answer = caller.tasks(
        {"id": task["id"], "properties": {"hs_task_status": "COMPLETED"}},
        {"id": "4711", "properties": {"hs_task_subject": "x"}},
        verb="update",
    )
    assert answer.status_code == 207
    assert [one["id"] for one in answer.json["results"]] == [task["id"]]
    (error,) = answer.json["errors"]
    assert (error["category"], error["context"]) == (
        "OBJECT_NOT_FOUND",
        {"ids": ["4711"], "objectWriteTraceId": ["row 1"]},
    )


def test_a_batch_read_names_what_it_does_not_find(key_property):
    key_property.tasks({"properties": {"warmline_key": "a"}})
    answer = key_property.post(
        f"{TASKS}/batch/read",
        {"idProperty": "warmline_key", "properties": ["warmline_key"], "inputs": [{"id": "a"}, {"id": "zz"}]},
    )
    assert answer.status_code == 207
    assert [one["properties"]["warmline_key"] for one in answer.json["results"]] == ["a"]
    assert answer.json["errors"][0]["context"] == {"ids": ["zz"]}
    by_id = key_property.post(f"{TASKS}/batch/read", {"inputs": [{"id": answer.json["results"][0]["id"]}]})
    assert by_id.status_code == 200


def test_a_batch_holds_a_hundred(world):
    caller = world.hubspot()
    assert caller.tasks(*[{}] * 100).status_code == 201
    assert caller.tasks(*[{}] * 101).status_code == 400
    assert caller.post(f"{TASKS}/batch/create", {"inputs": []}).status_code == 400


def test_a_batch_archive_forgives_what_is_gone(world):
    caller = world.hubspot()
    task = make(caller)
    for _ in range(2):
        assert (
            caller.post(f"{TASKS}/batch/archive", {"inputs": [{"id": task["id"]}, {"id": "4711"}]}).status_code == 204
        )
    assert world.client.get("/control/counts").json == {
        "posts": 6, "accounts": 4, "messages": 0, "contacts": 2, "tasks": 0, "open_tasks": 0, "tasks_ever_created": 1,
    }  # fmt: skip


def test_associations_are_read_in_batches_both_ways(world):
    caller = world.hubspot()
    task = make(caller)
    answer = caller.post(
        "/crm/associations/2026-03/tasks/contacts/batch/read", {"inputs": [{"id": task["id"]}, {"id": "4711"}]}
    )
    assert answer.status_code == 207
    assert answer.json["results"] == [
        {
            "from": {"id": task["id"]},
            "to": [
                {
                    "toObjectId": "101",
                    "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 204, "label": None}],
                }
            ],
        }
    ]
    assert answer.json["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    back = caller.post("/crm/associations/2026-03/contacts/tasks/batch/read", {"inputs": [{"id": "101"}]})
    assert back.status_code == 200
    assert back.json["results"][0]["to"][0]["associationTypes"][0]["typeId"] == 203
    caller.delete(f"{TASKS}/{task['id']}")
    assert (
        caller.post("/crm/associations/2026-03/contacts/tasks/batch/read", {"inputs": [{"id": "101"}]}).json["results"]
        == []
    )


def test_records_can_be_associated_afterwards(key_property):
    task = key_property.tasks({"idProperty": "warmline_key", "id": "k"}, verb="upsert").json["results"][0]
    pairs = [{"from": {"id": task["id"]}, "to": {"id": one}} for one in ("101", "999")]
    answer = key_property.post("/crm/associations/2026-03/tasks/contacts/batch/associate/default", {"inputs": pairs})
    assert answer.status_code == 207
    assert answer.json["errors"][0]["context"]["INVALID_OBJECT_IDS"] == ["CONTACT=999 is not valid"]
    linked = key_property.get(f"{TASKS}/{task['id']}", associations="contacts").json["associations"]["contacts"][
        "results"
    ]
    assert [one["id"] for one in linked] == ["101"]


def test_associations_end_both_ways_and_ending_them_again_does_no_harm(world):
    caller = world.hubspot()
    task = caller.tasks({"associations": to_contact("101")}).json["results"][0]["id"]
    path = "/crm/associations/2026-03/tasks/contacts/batch/archive"
    for _ in range(2):
        assert caller.post(path, {"inputs": [{"from": {"id": task}, "to": [{"id": "101"}]}]}).status_code == 204
    read = caller.post("/crm/associations/2026-03/contacts/tasks/batch/read", {"inputs": [{"id": "101"}]}).json
    assert read["results"] == []
    assert caller.post(path, {"inputs": [{"from": {"id": task}}]}).status_code == 400


def test_lists_go_page_by_page_and_hold_everything_once(world):
    caller = world.hubspot()
    made = [one["id"] for one in caller.tasks(*[{}] * 45).json["results"]]
    found, after = [], None
    while True:
        page = caller.get(TASKS, limit="20", **({"after": after} if after else {})).json
        found += [one["id"] for one in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")
        if after is None:
            break
    assert found == made
    caller.delete(f"{TASKS}/{made[0]}")
    assert [one["id"] for one in caller.get(TASKS, archived="true").json["results"]] == [made[0]]


def test_owners_come_in_pages(world):
    world.load(owners=[{"id": str(n), "email": f"o{n}@acme.example"} for n in range(20, 25)])
    caller = world.hubspot()
    page = caller.get("/crm/owners/2026-03", limit="4").json
    rest = caller.get("/crm/owners/2026-03", limit="4", after=page["paging"]["next"]["after"]).json
    assert [one["id"] for one in page["results"] + rest["results"]] == ["7", "20", "21", "22", "23", "24"]
    assert "paging" not in rest
    assert page["results"][0]["email"] == "olga@acme.example"


def test_a_property_is_made_once_and_then_there(world):
    caller, path = world.hubspot(), "/crm/properties/2026-03/tasks"
    new = {
        "name": "warmline_key",
        "label": "Key",
        "type": "string",
        "fieldType": "text",
        "groupName": "task",
        "hasUniqueValue": True,
    }
    assert caller.get(f"{path}/warmline_key").status_code == 404
    assert caller.post(path, new).json["hasUniqueValue"] is True
    again = caller.post(path, new)
    assert (again.status_code, again.json["category"]) == (409, "CONFLICT")
    assert caller.get(f"{path}/warmline_key").json["hasUniqueValue"] is True
    assert "hs_task_subject" in {one["name"] for one in caller.get(path).json["results"]}


def test_an_account_may_have_no_unique_properties(world):
    world.settings(unique_properties=False)
    caller = world.hubspot()
    new = {"name": "warmline_key", "label": "Key", "type": "string", "fieldType": "text", "groupName": "task"}
    assert caller.post("/crm/properties/2026-03/tasks", {**new, "hasUniqueValue": True}).status_code == 403
    assert caller.post("/crm/properties/2026-03/tasks", new).status_code == 201
    answer = caller.tasks({"properties": {"warmline_key": "a"}}, {"properties": {"warmline_key": "a"}})
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["/crm/objects/2026-09/teapots", "/crm/objects/2026-01/tasks"])
def test_a_path_that_is_none_is_answered_in_hubspots_words(world, path):
    answer = world.hubspot().get(path)
    assert answer.status_code in (400, 404)
    assert answer.json["status"] == "error"
    assert answer.json["correlationId"]


def test_a_body_that_is_no_json_is_named(world):
    caller = world.hubspot()
    answer = caller.client.post(f"/hubspot{TASKS}", headers=caller.headers, data="{")
    assert answer.status_code == 400
    assert answer.json["message"].startswith("Invalid input JSON")
