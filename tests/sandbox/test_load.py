"""Bulk loading, counting, and what a restart finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.app import create_app
from sandbox.ids import numeric
from sandbox.store import StoreError
from tests.sandbox.helpers import ACCOUNTS, CONTACTS, NOW, OWNERS, POSTS, Caller, World

WHOLE = {
    "accounts": ACCOUNTS, "posts": POSTS, "owners": OWNERS, "contacts": CONTACTS,
    "messages": [{"id": "5", "sender_id": "2", "recipient_id": "1", "text": "psst", "created_at": "2026-06-29T10:00:00Z"}],
    "activities": [{"type": "calls", "contact_id": "101", "properties": {"hs_timestamp": "2026-06-01T10:00:00Z", "hs_call_title": "Hello"}}],
}  # fmt: skip


def dump(world):
    db = world.state.store.read()
    return {
        table: [tuple(row) for row in db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
        for table in (
            "accounts",
            "posts",
            "mentions",
            "messages",
            "inboxes",
            "owners",
            "records",
            "search_index",
            "associations",
        )
    }


def test_a_load_answers_the_totals_and_the_same_again_changes_nothing(empty):
    totals = empty.load(**WHOLE)
    assert totals == {
        "posts": 6,
        "accounts": 4,
        "messages": 1,
        "contacts": 2,
        "tasks": 0,
        "open_tasks": 0,
        "tasks_ever_created": 0,
    }
    before = dump(empty)
    assert empty.load(**WHOLE) == totals
    assert dump(empty) == before


def test_a_known_id_is_changed_and_what_is_around_it_follows(world):
    world.load(accounts=[{"id": "1", "handle": "AcmeNew", "name": "Acme New", "brand": True}])
    world.load(posts=[{**POSTS[0], "text": "@acmenew changed"}], contacts=[{"id": "101", "email": "bob@new.example"}])
    caller = world.x("acmenew")
    assert caller.get("/2/tweets", ids="50").json["data"][0]["text"] == "@acmenew changed"
    assert "50" in caller.ids("/2/users/1/mentions")
    found = world.hubspot().search("contacts", {"propertyName": "email", "operator": "EQ", "value": "bob@new.example"})
    assert [one["id"] for one in found.json["results"]] == ["101"]
    assert found.json["results"][0]["properties"]["firstname"] is None
    assert world.client.get("/control/counts").json["contacts"] == 2


def test_ids_that_are_words_become_the_same_numbers_every_time(empty):
    for _ in range(2):
        totals = empty.load(
            accounts=[{"id": "brand-a", "handle": "acme", "brand": True}],
            posts=[{"id": "post-b", "author_id": "brand-a", "text": "x", "created_at": NOW}],
            contacts=[{"id": "contact-c", "email": "c@mail.example"}],
            activities=[
                {
                    "type": "note",
                    "id": "n-d",
                    "contact_id": "contact-c",
                    "properties": {"hs_timestamp": NOW, "hs_note_body": "x"},
                }
            ],
        )
    assert (totals["accounts"], totals["posts"], totals["contacts"]) == (1, 1, 1)
    assert empty.x().ids(f"/2/users/{numeric('brand-a')}/tweets") == [str(numeric("post-b"))]
    notes = empty.hubspot().get("/crm/objects/2026-09/notes", associations="contacts").json["results"]
    assert notes[0]["associations"]["contacts"]["results"][0]["id"] == str(numeric("contact-c"))


def test_a_contact_without_an_id_is_known_by_its_email(empty):
    for city in ("Lyon", "Nice"):
        totals = empty.load(contacts=[{"email": "Ann@mail.example", "city": city}])
    assert totals["contacts"] == 1
    found = empty.hubspot().search("contacts", properties=["city", "email"]).json["results"]
    assert [one["properties"]["city"] for one in found] == ["Nice"]


def test_contacts_may_lack_an_email_or_share_one(empty):
    empty.load(
        contacts=[
            {"id": "1", "firstname": "No"},
            {"id": "2", "email": "a@mail.example"},
            {"id": "3", "email": "a@mail.example"},
        ]
    )
    found = (
        empty.hubspot().search("contacts", {"propertyName": "email", "operator": "EQ", "value": "a@mail.example"}).json
    )
    assert sorted(one["id"] for one in found["results"]) == ["2", "3"]


def test_a_property_that_hubspot_has_not_is_added(empty):
    empty.load(contacts=[{"id": "1", "email": "a@mail.example", "nickname": "Al"}])
    caller = empty.hubspot()
    assert caller.get("/crm/properties/2026-03/contacts/nickname").json["hubspotDefined"] is False
    assert caller.get("/crm/objects/2026-09/contacts/1", properties="nickname").json["properties"]["nickname"] == "Al"


def test_the_two_instants_of_a_contact_are_taken_as_given(empty):
    empty.load(contacts=[{"id": "1", "createdate": "2024-01-01T00:00:00Z", "lastmodifieddate": "2025-01-01T00:00:00Z"}])
    found = empty.hubspot().get("/crm/objects/2026-09/contacts/1").json
    assert (found["createdAt"], found["updatedAt"]) == ("2024-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"accounts": [{"id": "5", "handle": "not a handle"}]}, "not a handle"),
        ({"accounts": [{"handle": "x"}]}, "no usable id"),
        ({"accounts": [{"id": "5", "handle": "ACME"}]}, "one handle"),
        ({"posts": [{"id": "1", "author_id": "4711", "text": "x", "created_at": NOW}]}, "has no account"),
        ({"posts": [{"id": "1", "author_id": "1", "text": "x", "created_at": "soon"}]}, "the post 1"),
        ({"posts": [{"id": "1", "author_id": "1", "text": "x"}]}, "no created_at"),
        (
            {"messages": [{"id": "1", "sender_id": "1", "recipient_id": "4711", "created_at": NOW}]},
            "load the account too",
        ),
        ({"contacts": [{"id": "1", "hubspot_owner_id": "4711"}]}, "4711 does not exist"),
        ({"activities": [{"type": "dances", "contact_id": "101"}]}, "not a kind of activity"),
        (
            {"activities": [{"type": "calls", "contact_id": "4711", "properties": {"hs_timestamp": NOW}}]},
            "who is not there",
        ),
        ({"activities": [{"type": "calls", "contact_id": "101", "properties": {}}]}, "hs_timestamp"),
        ({"tweets": []}, "tweets"),
        ({"posts": "many"}, "must be a list"),
    ],
)
def test_a_load_that_fails_says_why_and_keeps_nothing(world, parts, words):
    before = dump(world)
    refused = world.client.post("/control/load", json={"accounts": [{"id": "88", "handle": "new"}], **parts})
    assert refused.status_code == 400
    assert words in refused.json["error"]
    assert dump(world) == before


def test_a_second_start_finds_everything(tmp_path: Path):
    first = create_app(tmp_path, now=NOW)
    world = World(first)
    world.load(**WHOLE)
    world.settings(rate_limits=False, unique_properties=False)
    x, hubspot = world.x(), world.hubspot()
    task = hubspot.tasks({}).json["results"][0]
    world.client.delete("/control/posts/30")
    before = dump(world)
    first.extensions["sandbox"].close()

    second = create_app(tmp_path, now=NOW)
    client = second.test_client()
    again, crm = Caller(client, "/x", x.tokens), Caller(client, "/hubspot", hubspot.tokens)
    assert again.ids("/2/users/1/mentions") == ["70", "60", "50"]
    changed = crm.patch(f"/crm/objects/2026-09/tasks/{task['id']}", {"properties": {"hs_task_subject": "x"}}).json
    assert changed["updatedAt"] > task["updatedAt"]  # though time stands still
    assert client.get("/control/settings").json["rate_limits"] is False
    world.app, world.client, world.state = second, client, second.extensions["sandbox"]
    assert dump(world)["posts"] == before["posts"]
    world.state.close()


def test_a_folder_of_another_version_is_refused(tmp_path: Path):
    app = create_app(tmp_path, now=NOW)
    app.extensions["sandbox"].store.read().execute("PRAGMA user_version = 99")
    app.extensions["sandbox"].close()
    with pytest.raises(StoreError, match="another version"):
        create_app(tmp_path)


def test_new_posts_come_after_all_others_even_while_time_stands_still(world):
    world.load(
        posts=[{"id": str(2**62), "author_id": "2", "text": "@acme huge id", "created_at": "2026-06-29T10:00:00Z"}]
    )
    ids = [
        int(world.client.post("/control/posts", json={"as": "bob", "text": f"@acme {n}"}).json["id"]) for n in range(3)
    ]
    assert ids == sorted(ids)
    assert min(ids) > 2**62
    assert world.x().ids("/2/users/1/mentions", since_id=str(2**62)) == [str(one) for one in reversed(ids)]


def test_an_app_needs_all_its_parts(world):
    refused = world.client.put("/control/apps/x", json={"client_id": "a"})
    assert refused.status_code == 400
    assert "redirect_uris" in refused.json["error"]
    assert world.client.put("/control/apps/myspace", json={}).status_code == 404


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example:8790"}]
)
def test_what_another_site_sends_through_the_browser_is_refused(world, headers):
    assert world.client.delete("/control/posts/50", headers=headers).status_code == 403
    assert world.client.get("/control/counts").json["posts"] == 6


def test_what_its_own_pages_send_is_taken(world):
    assert world.client.delete("/control/posts/50", headers={"Origin": "http://localhost"}).status_code == 200
