"""What the sandbox answers, read by the models of HubSpot's own client."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hubspot.crm.associations.v4 import ApiClient as Associations
from hubspot.crm.objects import ApiClient as Objects
from hubspot.crm.owners import ApiClient as Owners
from hubspot.crm.properties import ApiClient as Properties
from hubspot.oauth import ApiClient as OAuth

from tests.sandbox.helpers import to_contact

TASKS = "/crm/objects/2026-09/tasks"


def read(client, answer, model):
    """`answer` as an instance of the client's `model`; raises where something that must be there is not."""
    return client().deserialize(SimpleNamespace(data=answer.text), model)


def test_a_record(world):
    caller = world.hubspot()
    made = caller.post(
        TASKS, {"properties": {"hs_timestamp": "2026-07-01T09:00:00Z"}, "associations": to_contact("101")}
    )
    assert read(Objects, made, "SimplePublicObject").properties["hs_task_status"] == "NOT_STARTED"
    again = caller.get(f"{TASKS}/{made.json['id']}", associations="contacts")
    record = read(Objects, again, "SimplePublicObjectWithAssociations")
    assert record.associations["contacts"].results[0].id == "101"
    assert record.updated_at.tzinfo is not None


def test_a_list(world):
    caller = world.hubspot()
    caller.tasks({}, {}, {})
    page = read(
        Objects, caller.get(TASKS, limit="2"), "CollectionResponseSimplePublicObjectWithAssociationsForwardPaging"
    )
    assert len(page.results) == 2
    assert page.paging.next.after == page.results[-1].id


def test_a_search(world):
    page = read(
        Objects,
        world.hubspot().search("contacts", limit=1),
        "CollectionResponseWithTotalSimplePublicObjectForwardPaging",
    )
    assert (page.total, page.paging.next.after) == (2, "1")


def test_batches_with_and_without_errors(key_property):
    clean = key_property.tasks({"properties": {"warmline_key": "a"}})
    batch = read(Objects, clean, "BatchResponseSimplePublicObject")
    assert (batch.status, batch.results[0].object_write_trace_id) == ("COMPLETE", "row 0")
    mixed = read(
        Objects,
        key_property.tasks({"properties": {"warmline_key": "a"}}, {}),
        "BatchResponseSimplePublicObjectWithErrors",
    )
    assert (mixed.num_errors, len(mixed.results)) == (1, 1)
    assert mixed.errors[0].category == "CONFLICT"
    assert mixed.errors[0].context["objectWriteTraceId"] == ["row 0"]
    rows = [{"idProperty": "warmline_key", "id": one} for one in ("a", "b")]
    upserted = read(Objects, key_property.tasks(*rows, verb="upsert"), "BatchResponseSimplePublicUpsertObject")
    assert [one.new for one in upserted.results] == [False, True]
    lost = key_property.post(f"{TASKS}/batch/read", {"inputs": [{"id": "4711"}]})
    assert read(Objects, lost, "BatchResponseSimplePublicObjectWithErrors").errors[0].context == {"ids": ["4711"]}


def test_associations(world):
    caller = world.hubspot()
    made = caller.tasks({"associations": to_contact("101")}).json["results"][0]["id"]
    answer = caller.post(
        "/crm/associations/2026-03/tasks/contacts/batch/read", {"inputs": [{"id": made}, {"id": "4711"}]}
    )
    batch = read(Associations, answer, "BatchResponsePublicAssociationMultiWithLabelWithErrors")
    assert batch.results[0]._from.id == made
    assert batch.results[0].to[0].to_object_id == "101"
    assert batch.results[0].to[0].association_types[0].type_id == 204
    assert batch.num_errors == 1


def test_owners_and_properties(world):
    caller = world.hubspot()
    page = read(Owners, caller.get("/crm/owners/2026-03"), "CollectionResponsePublicOwnerForwardPaging")
    assert (page.results[0].id, page.results[0].email) == ("7", "olga@acme.example")
    found = read(Properties, caller.get("/crm/properties/2026-03/tasks"), "CollectionResponsePropertyNoPaging")
    assert "hs_timestamp" in {one.name for one in found.results}


def test_tokens(world):
    answer = world.hubspot_token(grant_type="authorization_code", code=world.hubspot_code())
    assert read(OAuth, answer, "TokenResponseIF").expires_in == 1800


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
def test_errors(world, status):
    caller, other = world.hubspot(), world.hubspot("oauth")
    if status in (429, 500):
        world.fault(provider="hubspot", fault=str(status), count=1)
    if status == 401:
        caller.headers = {}
    answer = {
        400: lambda: caller.post(TASKS, {"properties": {}}),
        403: lambda: other.get(TASKS),
        404: lambda: caller.get(f"{TASKS}/1"),
        409: lambda: caller.post("/crm/objects/2026-09/contacts", {"properties": {"email": "bob@mail.example"}}),
    }.get(status, lambda: caller.get(TASKS))()
    assert answer.status_code == status
    if status == 429:  # its shape is another one, without a category
        assert (answer.json["errorType"], answer.json["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
        return
    error = read(Objects, answer, "Error")
    assert error.message
    assert error.category
    assert error.correlation_id
