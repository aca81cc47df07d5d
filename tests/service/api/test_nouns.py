"""Each noun: what its routes answer and do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from marshmallow import RAISE, Schema
from sqlalchemy import select

from service import queue
from service.api import (
    brands,
    calendars,
    connection_shown,
    contacts,
    conversations,
    engagements,
    figures,
    handle_fields,
    health,
    matches,
    me,
    providers,
    relationships,
    rhythm,
    settings,
    sources,
    tasks,
)
from service.models import Brand, Connection, Conversation, Match, Stream, Task
from service.runtime import Runtime
from tests.conftest import BASE_URL, Member
from tests.service.api.checking import check
from tests.service.api.conftest import NOW, Client, World
from tests.service.rows import Rows

# path -> the schema that documents its answer
ANSWERS: dict[str, type[Schema]] = {
    "/me": me.MeSchema,
    "/health": health.HealthSchema,
    "/settings": settings.VersionSchema,
    "/brands/{brand}": brands.BrandSchema,
    "/connections/{social}": connection_shown.ConnectionSchema,
    "/engagements/{engagement}": engagements.EngagementSchema,
    "/conversations/{conversation}": conversations.ConversationDetailSchema,
    "/contacts/{contact}": contacts.ContactDetailSchema,
    "/matches/{match}": matches.MatchSchema,
    "/tasks/{task}": tasks.TaskSchema,
    "/calendars/{calendar}": calendars.CalendarSchema,
    "/relationships/{relationship}": relationships.RelationshipDetailSchema,
    "/rhythm": rhythm.RhythmSchema,
    "/figures": figures.FiguresSchema,
    "/connections/{crm}/handle-fields": handle_fields.HandleFieldsSchema,
    "/sources": sources.SourcesSchema,
}
LISTS: dict[str, type[Schema]] = {
    "/brands": brands.BrandSchema,
    "/providers": providers.ProviderSchema,
    "/connections": connection_shown.ConnectionSchema,
    "/connections/{crm}/preview": tasks.TaskSchema,
    "/engagements": engagements.EngagementSchema,
    "/conversations": conversations.ConversationSchema,
    "/conversations?waiting=true": conversations.ConversationSchema,
    "/contacts": contacts.ContactSchema,
    "/matches": matches.MatchSchema,
    "/tasks": tasks.TaskSchema,
    "/calendars": calendars.CalendarSchema,
    "/relationships": relationships.RelationshipSchema,
}


def at(path: str, world: World) -> str:
    return path.format(**vars(world))


def test_what_goes_out_is_what_the_schemas_document(client: Client, world: World, providers: Any) -> None:
    for path, schema in ANSWERS.items():
        response = client.get(at(path, world))
        assert response.status_code == 200, path
        assert schema(unknown=RAISE).validate(response.get_json()) == {}, path
    for path, schema in LISTS.items():
        body = client.get(at(path, world)).get_json()
        assert body["items"], path
        assert body["next_cursor"] is None
        assert schema(many=True, unknown=RAISE).validate(body["items"]) == {}, path


def test_me_says_which_workspace_and_scopes_a_key_has(reader: Client, owner: Member) -> None:
    body = reader.get("/me").get_json()
    assert body["workspace_id"] == str(owner.workspace_id)
    assert body["workspace_name"] == "Acme"
    assert body["scopes"] == ["read"]
    assert body["actor"].startswith("key:")


# --- brands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor", ["", "WyJtZW1iZXJzIl0", "%00"])
def test_a_cursor_that_no_list_gave_out_is_refused_and_does_not_begin_anew(client: Client, cursor: str) -> None:
    told = client.get(f"/brands?cursor={cursor}")
    assert told.status_code == 400
    assert "Start again without a cursor" in told.get_data(as_text=True)


def test_a_brand_is_made_and_changed(client: Client, world: World) -> None:
    made = client.post("/brands", {"name": "Acme Labs", "colleagues": ["x:Olga_At_Acme"]})
    assert made.status_code == 201
    path = made.headers["Location"].removeprefix("/v1")
    assert client.get(path).get_json() == made.get_json()

    changed = client.patch(path, {"crm_connection_id": str(world.crm)}).get_json()
    assert (changed["name"], changed["crm_connection_id"]) == ("Acme Labs", str(world.crm))
    assert changed["colleagues"] == ["x:olga_at_acme"]
    assert client.patch(path, {"crm_connection_id": None}).get_json()["crm_connection_id"] is None


def test_a_colleague_who_is_taken_off_the_list_is_known_by_no_id_any_more(
    client: Client, held: Runtime, owner: Member, world: World
) -> None:
    path = client.post("/brands", {"name": "Labs", "colleagues": ["x:olga"]}).headers["Location"].removeprefix("/v1")
    with held.db.tenant(owner.workspace_id) as session:
        session.scalars(select(Brand).where(Brand.name == "Labs")).one().colleague_ids = {"x:olga": "1"}
    for change, kept in (({"name": "Labs 2"}, 1), ({"colleagues": ["x:Olga"]}, 1), ({"colleagues": []}, 0)):
        client.patch(path, change)
        with held.db.tenant(owner.workspace_id) as session:
            assert len(session.scalars(select(Brand).where(Brand.name == "Labs 2")).one().colleague_ids) == kept


def test_two_brands_of_one_name_are_refused(client: Client, world: World) -> None:
    assert "already" in check(client.post("/brands", {"name": "Acme"}), 409)
    other = client.post("/brands", {"name": "Other"}).get_json()["id"]
    check(client.patch(f"/brands/{other}", {"name": "Acme"}), 409)


@pytest.mark.parametrize("crm", ["social", "nobody"])
def test_a_brand_is_bound_only_to_a_crm_of_this_workspace(client: Client, world: World, crm: str) -> None:
    bound = str(getattr(world, crm, uuid4()))
    assert "CRM" in check(client.patch(f"/brands/{world.brand}", {"crm_connection_id": bound}), 404)


def test_a_brand_is_not_bound_to_a_crm_that_serves_another_alone(client: Client, world: World, rows: Rows) -> None:
    theirs = rows.connection(provider="fakecrm", kind="crm")
    mine = client.post("/brands", {"name": "Other"}).get_json()["id"]
    assert "CRM" in check(client.patch(f"/brands/{mine}", {"crm_connection_id": str(theirs)}), 404)
    assert client.patch(f"/brands/{world.brand}", {"crm_connection_id": str(theirs)}).status_code == 200


@pytest.mark.parametrize("name", ["", " Acme", "Acme\n", "a\x00b", "\ud800", "x" * 101, None, 7])
def test_a_brand_needs_a_name_that_people_can_read(client: Client, name: object) -> None:
    response = client.post("/brands", {"name": name})
    check(response, 422)
    assert response.get_json()["errors"][0]["field"] == "name"


@pytest.mark.parametrize("name", ["Ω", "株式会社アクメ", "שלום", "👩‍🚒 Fire & Co."])
def test_a_brand_may_be_named_in_any_script(client: Client, name: str) -> None:
    assert client.post("/brands", {"name": name}).get_json()["name"] == name


# --- connections ----------------------------------------------------------------------------------------------


def test_connecting_by_consent_answers_with_an_address_of_ours(client: Client, world: World, providers: Any) -> None:
    made = client.post("/connections", {"provider": "fakesocial", "brand_id": str(world.brand)})
    assert made.status_code == 201
    assert made.get_json()["authorize_url"].startswith(f"{BASE_URL}/connect/")
    assert made.get_json()["connection_ids"] == []


def test_connecting_with_a_key_connects_at_once(client: Client, rows: Rows, providers: Any) -> None:
    made = client.post("/connections", {"provider": "fakecrm", "form": {"token": "sesame", "colour": "red"}})
    assert made.status_code == 201
    assert made.get_json()["authorize_url"] is None
    (connection_id,) = made.get_json()["connection_ids"]
    shown = client.get(f"/connections/{connection_id}").get_json()
    assert (shown["provider"], shown["status"], shown["preview"]) == ("fakecrm", "active", True)
    assert "colour" not in rows.get(Connection, UUID(connection_id)).options


def test_a_provider_says_which_ways_lead_to_it_and_what_connecting_means(client: Client, providers: Any) -> None:
    shown = {each["key"]: each for each in client.get("/providers").get_json()["items"]}
    assert [(way["way"], way["consent_page"]) for way in shown["fakesocial"]["ways"]] == [("", True), ("also", False)]
    [password] = shown["fakesocial"]["ways"][1]["form"]
    assert (password["name"], password["type"]) == ("password", "secret")
    assert "crm.objects.contacts.write" in shown["hubspot"]["install"]["scopes"]


def test_connecting_by_the_second_way_takes_its_form(client: Client, rows: Rows, providers: Any) -> None:
    body = {"provider": "fakesocial", "way": "also", "form": {"password": "sesame"}}
    (connection_id,) = client.post("/connections", body).get_json()["connection_ids"]
    row = rows.get(Connection, UUID(connection_id))
    assert (row.way, row.options) == ("also", {})
    assert "Password is missing" in check(client.post("/connections", {**body, "form": {}}), 422)
    assert "has no second way in" in check(client.post("/connections", {"provider": "fakecrm", "way": "also"}), 422)


def test_leaving_a_crm_without_a_trace_is_under_way_until_a_worker_has_done_it(
    client: Client, world: World, providers: Any
) -> None:
    answer = client.post(f"/connections/{world.crm}/purge")
    assert answer.status_code == 202
    shown = answer.get_json()
    assert (shown["status"], shown["receipt"]["state"], shown["receipt"]["lines"]) == ("leaving", "under way", [])
    assert "being withdrawn" in shown["health"]
    assert client.post(f"/connections/{world.crm}/purge").status_code == 202
    assert client.delete(f"/connections/{world.crm}").status_code == 204
    assert "disconnected already" in check(client.post(f"/connections/{world.crm}/purge"), 409)
    check(client.post(f"/connections/{uuid4()}/purge"), 404)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"provider": "carrier_pigeon"}, 404, "/v1/providers"),
        ({"provider": "fakesocial", "brand_id": str(uuid4())}, 404, "no such brand"),
        ({"provider": "fakecrm", "form": {}}, 422, "Token is missing"),
        ({"provider": "x"}, 422, "not set up"),
        ({}, 422, "errors"),
    ],
)
def test_what_cannot_be_connected_says_why(
    client: Client, providers: Any, body: dict[str, Any], status: int, sentence: str
) -> None:
    assert sentence in check(client.post("/connections", body), status)


def test_connections_are_listed_by_kind_with_a_line_of_health(client: Client, world: World, providers: Any) -> None:
    (crm,) = client.get("/connections?kind=crm").get_json()["items"]
    assert crm["id"] == str(world.crm)
    assert "in preview" in crm["health"]
    assert crm["streams"][0]["name"] == "mentions"
    assert client.get("/connections?status=disconnected").get_json()["items"] == []


def test_the_responder_is_changed_and_taken_away(client: Client, world: World) -> None:
    path = f"/connections/{world.social}"
    assert client.patch(path, {"responder_email": "Otto@acme.test"}).get_json()["responder_email"] == "otto@acme.test"
    assert client.patch(path, {}).get_json()["responder_email"] == "otto@acme.test"
    assert client.patch(path, {"responder_email": None}).get_json()["responder_email"] == ""
    check(client.patch(path, {"responder_email": "otto"}), 422)


def test_a_pull_is_due_at_once_and_not_for_a_disconnected_account(client: Client, world: World, rows: Rows) -> None:
    pulled = client.post(f"/connections/{world.social}/pull")
    assert (pulled.status_code, pulled.get_json()) == (202, {"connection_id": str(world.social)})
    with rows.db.tenant(rows.workspace_id) as session:
        due = session.query(Stream.next_pull_at).filter(Stream.connection_id == world.social).scalar()
    assert due is not None

    assert client.delete(f"/connections/{world.social}").status_code == 204
    assert "Connect it again" in check(client.post(f"/connections/{world.social}/pull"), 409)


def test_disconnecting_keeps_what_was_read(client: Client, world: World) -> None:
    gone = client.delete(f"/connections/{world.social}")
    assert (gone.status_code, gone.get_data()) == (204, b"")
    shown = client.get(f"/connections/{world.social}").get_json()
    assert shown["status"] == "disconnected"
    assert shown["health"].startswith("Disconnected")
    assert len(client.get("/engagements").get_json()["items"]) == 1


def test_a_preview_shows_what_would_be_written_and_to_whom(client: Client, world: World) -> None:
    (item,) = client.get(f"/connections/{world.crm}/preview").get_json()["items"]
    assert item["id"] == str(world.held)
    assert item["subject"] == "Ada waits for an answer"
    assert item["reasons"] == ["Ada asked a question and waits."]
    assert item["owner"] == {"id": "77", "email": "olga@acme.test", "name": "Olga"}
    check(client.get(f"/connections/{world.social}/preview"), 404)


def test_approving_a_preview_lets_it_write(client: Client, world: World, rows: Rows) -> None:
    assert client.post(f"/connections/{world.crm}/approve").get_json()["preview"] is False
    assert rows.get(Connection, world.crm).next_push_at is not None
    check(client.post(f"/connections/{world.social}/approve"), 404)


# --- engagements, conversations, contacts ---------------------------------------------------------------------


def test_posts_come_newest_first_and_between_two_instants(client: Client, world: World, rows: Rows) -> None:
    early = rows.engagement(world.social, world.author, at=NOW - timedelta(days=9))
    late = rows.engagement(world.social, world.author, at=NOW, kind="reply")
    got = [item["id"] for item in client.get("/engagements").get_json()["items"]]
    assert got == [str(late), str(world.engagement), str(early)]
    some = client.get("/engagements?since=2026-05-01T00:00:00Z&until=2026-05-04T14:00:00%2B02:00").get_json()["items"]
    assert [item["id"] for item in some] == [str(world.engagement)]
    assert client.get(f"/engagements?author_id={uuid4()}").get_json()["items"] == []


def test_a_post_that_is_gone_says_so_and_says_no_more(client: Client, world: World, rows: Rows) -> None:
    gone = rows.engagement(world.social, world.author, at=NOW, text="", deleted_at=NOW)
    body = client.get(f"/engagements/{gone}").get_json()
    assert (body["text"], body["deleted_at"]) == ("", "2026-05-04T12:00:00Z")


def test_whoever_has_waited_longest_stands_first(client: Client, world: World, rows: Rows) -> None:
    longer = rows.conversation(
        world.social, rows.author("bob"), thread="t2", waiting_since=NOW - timedelta(days=2), last_post_at=NOW
    )
    rows.conversation(world.social, rows.author("eve"), thread="t3")
    got = [item["id"] for item in client.get("/conversations?waiting=true").get_json()["items"]]
    assert got == [str(longer), str(world.conversation)]
    assert len(client.get("/conversations").get_json()["items"]) == 3
    assert len(client.get("/conversations?waiting=false").get_json()["items"]) == 3


def test_a_conversation_shows_the_thread_what_was_said_last_and_who_it_is(
    client: Client, world: World, rows: Rows
) -> None:
    us = rows.author("acme")
    rows.engagement(world.social, us, at=NOW - timedelta(hours=1), text="It does.", kind="own", ours=True)
    client.post(f"/matches/{world.match}/confirm")
    body = client.get(f"/conversations/{world.conversation}").get_json()
    assert [post["text"] for post in body["posts"]] == ["Does it run on steam? 🚂", "It does."]
    assert body["last_text"] == "Does it run on steam? 🚂"
    assert body["contact"]["name"] == "Ada Lovelace"
    assert body["task_id"] in (str(world.task), str(world.held))


def test_a_contact_shows_its_matches_and_one_that_the_crm_deleted_is_not_there(
    client: Client, world: World, rows: Rows
) -> None:
    body = client.get(f"/contacts/{world.contact}").get_json()
    assert [match["id"] for match in body["matches"]] == [str(world.match)]
    gone = rows.contact(world.crm, "Charles", deleted_at=NOW)
    assert str(gone) not in [item["id"] for item in client.get("/contacts").get_json()["items"]]
    check(client.get(f"/contacts/{gone}"), 404)


# --- matches --------------------------------------------------------------------------------------------------


def test_a_match_is_confirmed_rejected_and_undone(client: Client, world: World, rows: Rows) -> None:
    for action, state in (("confirm", "confirmed"), ("reject", "rejected"), ("undo", "suggested")):
        body = client.post(f"/matches/{world.match}/{action}").get_json()
        assert body["state"] == state
        assert body["id"] == str(world.match)
        assert [each["id"] for each in client.get(f"/matches?state={state}").get_json()["items"]] == [str(world.match)]
    assert rows.get(Match, world.match).decided_by == "rules"


# --- tasks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"task", "held"}),
        ("held=true", {"held"}),
        ("held=false", {"task"}),
        ("state=open", {"task"}),
        ("state=absent", {"held"}),
        ("kind=ready_for_call", {"held"}),
        ("wanted=completed", set()),
        ("crm_connection_id={crm}", {"task", "held"}),
        ("contact_id={contact}&kind=unanswered", {"task"}),
        ("conversation_id={conversation}&held=true", {"held"}),
        ("brand_id={engagement}", set()),
    ],
)
def test_tasks_are_found_by_what_they_are(client: Client, world: World, query: str, found: set[str]) -> None:
    items = client.get(f"/tasks?{at(query, world)}").get_json()["items"]
    assert {item["id"] for item in items} == {str(getattr(world, name)) for name in found}


def test_a_held_task_says_why_and_until_when(client: Client, world: World) -> None:
    body = client.get(f"/tasks/{world.held}").get_json()
    assert body["held"] == {"reason": "Olga has 5 new tasks today.", "until": "2026-05-04T12:00:00Z"}
    assert client.get(f"/tasks/{world.task}").get_json()["held"] is None


def test_a_task_leads_to_the_crm_the_post_the_contact_and_the_conversation(client: Client, world: World) -> None:
    links = client.get(f"/tasks/{world.task}").get_json()["links"]
    assert links["crm"] == "https://crm.example/tasks/501"
    assert links["post"].startswith("https://social.example/p")
    assert links["contact"] == "https://crm.example/contacts/c1"
    assert client.get(links["conversation"].removeprefix("/v1")).status_code == 200


def test_a_task_is_dismissed_with_or_without_a_reason(client: Client, world: World, rows: Rows) -> None:
    first = client.call("POST", f"/tasks/{world.task}/dismiss")
    assert first.get_json()["wanted"] == "completed"
    assert first.get_json()["close_reason"] == "no reply needed"
    assert client.post(f"/tasks/{world.held}/dismiss", {"reason": "spoke at lunch"}).get_json()["state"] == "withdrawn"
    assert rows.get(Task, world.held).close_reason == "spoke at lunch"
    assert rows.get(Conversation, world.conversation).dealt_with_until is not None
    check(client.post(f"/tasks/{world.held}/dismiss", {"reason": "two\nlines"}), 422)


def test_a_dismissal_is_taken_back_for_the_rules_to_look_again(client: Client, world: World, rows: Rows) -> None:
    client.call("POST", f"/tasks/{world.task}/dismiss")
    assert client.call("POST", f"/tasks/{world.task}/undo").get_json()["id"] == str(world.task)
    task, conversation = rows.get(Task, world.task), rows.get(Conversation, world.conversation)
    assert task.closed_by == "rules"
    assert conversation.dealt_with_until < task.since
    assert conversation.decide_at is not None


def test_a_task_that_the_crm_refuses_is_listed_and_said_once_more(client: Client, world: World, rows: Rows) -> None:
    refused = rows.task(crm=world.crm, state="parked", detail="Owner 7 may not own tasks.", parked_at=NOW)
    [item] = client.get("/tasks?parked=true").get_json()["items"]
    assert (item["id"], item["detail"]) == (str(refused), "Owner 7 may not own tasks.")
    assert datetime.fromisoformat(item["parked_at"]) == NOW
    first = client.call("POST", f"/tasks/{refused}/retry").get_json()
    assert (first["state"], first["parked_at"], first["detail"]) == ("absent", None, "")
    assert rows.get(Task, refused).push_at is not None
    assert client.call("POST", f"/tasks/{world.task}/retry").get_json()["state"] == rows.get(Task, world.task).state
    assert client.get("/tasks?parked=true").get_json()["items"] == []


# --- health ---------------------------------------------------------------------------------------------------


def test_health_is_well_only_while_everything_is_heard_of(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = client.get("/health").get_json()
    assert (body["status"], body["database"], body["queue"]) == ("degraded", True, True)
    assert (body["worker"], body["scheduler"]) == (False, False)

    monkeypatch.setattr(queue, "alive", lambda _, who: who in ("worker", "scheduler"))
    assert client.get("/health").get_json()["status"] == "well"


def test_health_shows_the_connection_that_needs_somebody_first(
    client: Client, world: World, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "alive", lambda *_: True)
    lost = rows.connection(status="needs_reauth", handle="old")
    body = client.get("/health").get_json()
    assert body["status"] == "degraded"
    assert body["connections"][0]["id"] == str(lost)
    assert body["connections"][0]["health"].endswith("no longer accepts this consent: reconnect.")


def test_health_answers_when_the_queue_is_away(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis.exceptions import ConnectionError as Away

    def away(*_: object) -> bool:
        raise Away

    monkeypatch.setattr(queue, "alive", away)
    body = client.get("/health").get_json()
    assert (body["status"], body["queue"], body["worker"]) == ("degraded", False, False)
