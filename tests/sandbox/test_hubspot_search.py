"""HubSpot's search: filters, order, the wall, and the delay."""

from __future__ import annotations

import pytest

CHANGED = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"}


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json["results"]]


@pytest.fixture
def people(world):
    world.load(contacts=[
        {"id": str(200 + n), "email": f"p{n}@mail.example", "firstname": f"P{n}", "city": "Lyon" if n % 2 else "Nice", "followercount": n}
        for n in range(9)
    ])  # fmt: skip
    return world.hubspot()


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ({"propertyName": "email", "operator": "EQ", "value": "P3@mail.example"}, ["203"]),
        ({"propertyName": "city", "operator": "EQ", "value": "lyon"}, ["201", "203", "205", "207"]),
        (
            {"propertyName": "city", "operator": "NEQ", "value": "Lyon"},
            ["101", "102", "200", "202", "204", "206", "208"],
        ),
        ({"propertyName": "hs_object_id", "operator": "IN", "values": ["205", "101"]}, ["101", "205"]),
        ({"propertyName": "city", "operator": "NOT_IN", "values": ["Lyon", "Nice"]}, ["101", "102"]),
        ({"propertyName": "twitterhandle", "operator": "HAS_PROPERTY"}, ["102"]),
        ({"propertyName": "city", "operator": "NOT_HAS_PROPERTY"}, ["101", "102"]),
        ({"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "*maria*"}, ["102"]),
        ({"propertyName": "followercount", "operator": "GT", "value": "6"}, ["207", "208"]),
        (
            {"propertyName": "hs_object_id", "operator": "BETWEEN", "value": "102", "highValue": "201"},
            ["102", "200", "201"],
        ),
        ({"propertyName": "hubspot_owner_id", "operator": "EQ", "value": "7"}, ["101"]),
        ({"propertyName": "createdate", "operator": "LT", "value": "2026-01-01"}, []),
    ],
)
def test_every_operator(people, filter_, found):
    assert sorted(ids(people.search("contacts", filter_, limit=200))) == found


def test_filters_are_and_and_groups_are_or(people):
    lyon = {"propertyName": "city", "operator": "EQ", "value": "Lyon"}
    late = {"propertyName": "hs_object_id", "operator": "GT", "value": "204"}
    assert ids(people.search("contacts", lyon, late)) == ["205", "207"]
    groups = [{"filters": [late, lyon]}, {"filters": [{"propertyName": "firstname", "operator": "EQ", "value": "Bob"}]}]
    both = people.post("/crm/objects/2026-09/contacts/search", {"filterGroups": groups})
    assert sorted(ids(both)) == ["101", "205", "207"]


def test_a_search_in_words_looks_at_the_usual_fields(people):
    assert ids(people.search("contacts", query="rivers")) == ["101"]


def test_pages_hold_everything_once_in_the_order_asked(people):
    found, after = [], "0"
    while after:
        page = people.search(
            "contacts",
            CHANGED,
            sorts=[{"propertyName": "hs_object_id", "direction": "DESCENDING"}],
            limit=4,
            after=after,
        )
        found += ids(page)
        assert page.json["total"] == 11
        after = page.json.get("paging", {}).get("next", {}).get("after")
    assert found == sorted(found, reverse=True)
    assert len(found) == 11


def test_a_change_moves_a_record_behind_all_others(people):
    people.patch("/crm/objects/2026-09/contacts/101", {"properties": {"city": "Metz"}})
    newest = people.search(
        "contacts", CHANGED, sorts=[{"propertyName": "lastmodifieddate", "direction": "DESCENDING"}], limit=1
    )
    assert ids(newest) == ["101"]
    since = newest.json["results"][0]["properties"]["lastmodifieddate"]
    assert ids(people.search("contacts", {**CHANGED, "value": since})) == ["101"]


def test_the_wall_stands_at_ten_thousand(world):
    world.load(contacts=[{"id": str(n), "email": f"w{n}@mail.example"} for n in range(1000, 11_050)])
    caller = world.hubspot()
    last = caller.search("contacts", limit=200, after="9900", sorts=["hs_object_id"])
    assert len(ids(last)) == 100
    assert last.json["total"] == 10_052
    refused = caller.search("contacts", limit=200, after=last.json["paging"]["next"]["after"])
    assert (refused.status_code, refused.json["category"]) == (400, "VALIDATION_ERROR")
    assert "10,000" in refused.json["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 0},
        {"after": "x"},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [CHANGED] * 7}]},
        {"filterGroups": [{"filters": [{"propertyName": "colour", "operator": "EQ", "value": "red"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "LIKE", "value": "L"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "soon"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city"}]}]},
        {"sorts": ["city", "email"]},
        {"sorts": [{"propertyName": "city", "direction": "SIDEWAYS"}]},
    ],
)
def test_a_search_that_is_none_is_refused(world, body):
    refused = world.hubspot().post("/crm/objects/2026-09/contacts/search", body)
    assert (refused.status_code, refused.json["category"]) == (400, "VALIDATION_ERROR")


def test_tasks_are_found_by_their_key_and_by_their_contact(key_property):
    from tests.sandbox.helpers import to_contact

    task = key_property.tasks(
        {"properties": {"warmline_key": "a"}, "associations": to_contact("101")}, {"properties": {"warmline_key": "b"}}
    )
    first = task.json["results"][0]["id"]
    for filter_ in (
        {"propertyName": "warmline_key", "operator": "EQ", "value": "a"},
        {"propertyName": "warmline_key", "operator": "IN", "values": ["a", "zz"]},
        {"propertyName": "associations.contact", "operator": "EQ", "value": "101"},
    ):
        assert ids(key_property.search("tasks", filter_)) == [first]


def test_search_lags_behind_while_everything_else_sees_at_once(key_property, world, monkeypatch):
    world.settings(search_delay_seconds=30)
    by_key = {"propertyName": "warmline_key", "operator": "EQ", "value": "a"}
    task = key_property.tasks({"properties": {"warmline_key": "a", "hs_task_subject": "one"}}).json["results"][0]
    assert ids(key_property.search("tasks", by_key)) == []
    assert key_property.get(f"/crm/objects/2026-09/tasks/{task['id']}").status_code == 200
    assert len(key_property.get("/crm/objects/2026-09/tasks").json["results"]) == 1
    now = world.state.oauth._clock()
    monkeypatch.setattr("sandbox.crm.time.time", lambda: now + 31)
    assert ids(key_property.search("tasks", by_key)) == [task["id"]]

    key_property.patch(f"/crm/objects/2026-09/tasks/{task['id']}", {"properties": {"hs_task_subject": "two"}})
    stale = key_property.search("tasks", by_key, properties=["hs_task_subject"]).json["results"][0]
    assert stale["properties"]["hs_task_subject"] == "one"
    key_property.delete(f"/crm/objects/2026-09/tasks/{task['id']}")
    monkeypatch.setattr("sandbox.crm.time.time", lambda: now + 62)
    assert ids(key_property.search("tasks", by_key)) == []
