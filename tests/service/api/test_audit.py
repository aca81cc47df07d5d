"""The trail by the API; and every route that writes leaves a row in it, or says why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from service import access, trail
from service.models import Audit, Connection, Engagement, Task
from service.runtime import Runtime
from service.store import trail as store
from tests.conftest import Member
from tests.service.api.conftest import NOW, Client
from tests.service.api.test_isolation import Operation, Slot, Two, operations, two

__all__ = ["two"]  # a fixture

# What has to happen first, so that a call changes something, and bodies that do. By operation.
FIRST = {
    "matches.confirm": "matches.reject",
    "matches.undo": "matches.confirm",
    "pausing.resume": "pausing.pause",
    "tasks.undo": "tasks.dismiss",
}
BODIES: Mapping[str, Any] = {
    "connections.change": {"responder_email": "somebody@acme.test"},
    "handle_fields.change": {"fields": {"place": "x"}},
    "sources.attest": {"source": "Import: acme.csv"},
    "sources.withdraw": {"source": "Import: acme.csv"},
}
LAST = ("connections.purge", "connections.disconnect")  # after them little is left to change

# What an id looks like: ours, a version of the settings, or a name of the rules' or the providers' own.
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}|\d+|unanswered|ready_for_call")


def rows(held: Runtime, workspace_id: UUID, after: int = 0) -> list[Audit]:
    with held.db.tenant(workspace_id) as session:
        return store.since(session, workspace_id, after)


def writing() -> list[Operation]:
    found = [each for each in operations() if each.method != "GET"]
    return sorted(found, key=lambda each: LAST.index(each.id) if each.id in LAST else -1)


def call(two: Two, operation: Operation) -> int:
    """As in the tests of isolation, by whoever it belongs to."""
    fill = [(Slot("path", "engagement_id", "", ""), handed_in(two))] if operation.id == "engagements.erase" else []
    said = two.acme.call(operation, *fill, body=BODIES.get(operation.id))
    return said.status_code


def park(two: Two) -> None:
    """A CRM has refused the tasks."""
    with two.held.db.tenant(two.acme_id) as session:
        parked = {"state": "parked", "parked_at": NOW, "external_id": None, "wanted": "open", "held_reason": ""}
        session.execute(update(Task).where(Task.workspace_id == two.acme_id).values(**parked))


def handed_in(two: Two) -> str:
    """A post that came in through the API."""
    with two.held.db.tenant(two.acme_id) as session:
        place = UUID(two.acme.things["place"])
        return str(session.scalars(select(Engagement.id).where(Engagement.connection_id == place)).one())


def test_every_route_that_writes_leaves_a_row_or_says_why_not(two: Two) -> None:
    """A new route is called as well."""
    with two.held.db.tenant(two.acme_id) as session:
        row = session.get_one(Connection, (two.acme_id, UUID(two.acme.things["crm"])))
        row.options = {"text_properties": [{"name": "place", "label": "Place"}]}
    traced, silent = 0, []
    by_id = {each.id: each for each in writing()}
    for operation in by_id.values():
        if operation.id == "tasks.retry":
            park(two)
        if operation.id in FIRST:
            call(two, by_id[FIRST[operation.id]])
        before = len(rows(two.held, two.acme_id))
        status = call(two, operation)
        found = rows(two.held, two.acme_id, before)
        if f"v1.{operation.id}" in trail.UNTRACED:
            continue  # a place that is named for the first time is a connection, which stands in the trail all the same
        assert status in (200, 201, 202, 204), (operation, status)
        traced += 1
        silent += [operation.id] * (not found)
        for each in found:
            assert re.fullmatch("key:" + ID.pattern, each.actor), (operation, each.actor)
            assert ID.fullmatch(each.subject.partition(":")[2]), (operation, each.subject)
            assert each.action in trail.SAYS, (operation, each.action)
    assert not silent, f"{silent}: let these leave a row in the trail, or say in service/trail.py why not."
    assert traced > 20


def test_what_says_why_it_leaves_nothing_is_a_route_that_there_is() -> None:
    there = {route for right in access.RIGHTS for route in right.routes}
    assert set(trail.UNTRACED) <= there
    assert all(reason.endswith(".") for reason in trail.UNTRACED.values())


def test_it_is_listed_newest_first_in_sentences_and_narrowed(client: Client, held: Runtime, owner: Member) -> None:
    made = client.post("/brands", {"name": "Second"}).get_json()
    client.patch(f"/brands/{made['id']}", {"name": "Other"}, headers={"If-Match": "*"})
    items = client.get("/audit").get_json()["items"]
    assert [each["action"] for each in items[:2]] == ["brand.changed", "brand.created"]
    assert [each["number"] for each in items] == list(range(len(items), 0, -1))
    assert items[1]["sentence"] == "The API key test made the brand Other."
    assert items[1]["subject"] == f"brand:{made['id']}"

    def only(**query: str) -> list[str]:
        found = client.get("/audit", query_string=query).get_json()["items"]
        return [each["action"] for each in found]

    assert only(action="brand.created") == ["brand.created"]
    assert only(subject=f"brand:{made['id']}") == ["brand.changed", "brand.created"]
    assert only(actor="system") == []
    assert client.get("/audit", query_string={"actor": "Ana Ferrer"}).status_code == 422


def test_its_head_is_its_newest_row(client: Client) -> None:
    client.post("/brands", {"name": "Second"})
    newest = client.get("/audit", query_string={"limit": 1}).get_json()["items"][0]
    assert client.get("/audit/head").get_json() == {"number": newest["number"], "hash": newest["hash"]}


def test_another_workspaces_rows_are_not_there(client: Client, rival: Client) -> None:
    made = client.post("/brands", {"name": "Second"}).get_json()
    ours = client.get("/audit").get_json()["items"]
    for query in ({}, {"subject": f"brand:{made['id']}"}, {"actor": ours[0]["actor"]}):
        found = rival.get("/audit", query_string=query).get_json()["items"]
        assert not {each["hash"] for each in found} & {each["hash"] for each in ours}, query
        assert query == {} or found == []


def test_only_an_administrator_reads_it(reader: Client) -> None:
    assert reader.get("/audit").status_code == reader.get("/audit/head").status_code == 403
