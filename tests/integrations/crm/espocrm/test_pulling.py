"""What is EspoCRM's own in reading: its leads, its seconds, what its roles hide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from integrations.clients import ContactReader
from integrations.crm.espocrm import streams
from integrations.errors import (
    PermissionDeniedError,
)
from integrations.records import (
    Activity,
    Contact,
    Direction,
    Gone,
    Handle,
    Owner,
    PushOutcome,
    TaskState,
)
from tests.integrations.crm.espocrm.asked import TASK, Make, drain, last_cursor, made
from tests.integrations.crm.espocrm.conftest import World
from tests.integrations.crm.espocrm.server import WEB


def test_a_contact_has_all_that_matching_and_wording_need(world: World) -> None:
    values = {
        "name": "Ada Lovelace", "firstName": "Ada", "lastName": "Lovelace", "emailAddress": "ada@example.com", "phoneNumber": "+1 555 0100",
        "title": "Analyst", "accountName": "Engines", "accountType": "Customer", "addressCity": "London", "addressState": "",
        "addressCountry": "UK", "assignedUserId": "7", "cTwitterHandle": "@ada", "cMastodonProfileUrl": "https://example.social/@ada",
        "doNotCall": False, "cDoNotCall": True, "emailAddressIsOptedOut": True,
    }  # fmt: skip
    contact_id = world.server.put("Contact", values)

    [found] = drain(world, "contacts")

    assert found == Contact(
        id=contact_id, name="Ada Lovelace", first_name="Ada", last_name="Lovelace", emails=("ada@example.com",), phones=("+1 555 0100",),
        company="Engines", title="Analyst", city="London", country="UK", owner_id="7", lifecycle="Customer", do_not_call=True,
        unsubscribed=True, handles=(Handle("x", "ada"), Handle("mastodon", "https://example.social/@ada")),
        url=f"{WEB}/#Contact/view/{contact_id}", updated_at=world.clock(),
    )  # fmt: skip


def test_a_lead_is_somebody_until_a_contact_takes_its_place(world: World) -> None:
    lead = world.server.put(
        "Lead", {"name": "Bea", "status": "In Process", "source": "Web Site", "accountName": "Bakery"}
    )
    [found] = drain(world, "contacts")
    assert (found.id, found.lifecycle, found.source, found.company) == (
        f"Lead/{lead}",
        "In Process",
        "Web Site",
        "Bakery",
    )

    cursor = last_cursor(world, "contacts")
    world.wait(60)
    world.server.put("Lead", {"status": "Converted"}, lead)

    assert drain(world, "contacts", cursor)[-1] == Gone(f"Lead/{lead}")


def test_a_role_that_hides_leads_leaves_the_contacts(make: Make) -> None:
    world = make(forbidden={"Lead"})
    contact = world.server.put("Contact", {"name": "Ada"})

    assert [each.id for each in drain(world, "contacts")] == [contact]
    assert not [path for path in world.server.sent("GET") if path == "/Lead"]


def test_a_role_that_hides_contacts_stops_the_stream(make: Make) -> None:
    world = make(forbidden={"Contact"})

    with pytest.raises(PermissionDeniedError, match=r"No access\."):
        drain(world, "contacts")


def test_one_kind_of_activity_that_is_hidden_is_noted_and_the_others_count(make: Make) -> None:
    world = make(forbidden={"Email"})
    call = world.server.put("Call", {"dateStart": "2026-11-24 10:00:00"})

    pages = list(world.client().pull("activities", None))

    assert [each.id for page in pages for each in page.items] == [call]
    assert "Email" in pages[-1].notes[0]


def test_all_kinds_of_activity_hidden_stop_the_stream(make: Make) -> None:
    world = make(forbidden={"Email", "Call", "Meeting"})

    with pytest.raises(PermissionDeniedError):
        drain(world, "activities")


@pytest.mark.parametrize(
    ("kind", "values", "direction", "outcome"),
    [
        ("Call", {"status": "Held", "direction": "Inbound"}, Direction.IN, "connected"),
        ("Call", {"status": "Not Held"}, Direction.OUT, "no_answer"),
        ("Call", {"status": "Planned"}, Direction.OUT, "scheduled"),
        ("Meeting", {"status": "Held"}, Direction.NONE, "held"),
        ("Meeting", {"status": "Somehow"}, Direction.NONE, ""),
        ("Email", {"status": "Sent"}, Direction.OUT, "sent"),
        ("Email", {"status": "Archived"}, Direction.NONE, ""),
    ],
)
def test_an_activity_says_how_it_went(
    world: World, kind: str, values: dict[str, Any], direction: Direction, outcome: str
) -> None:
    at = "dateSent" if kind == "Email" else "dateStart"
    people = {"parentType": "Lead", "parentId": "l1", "contactsIds": ["c1", "c2"], "leadsIds": ["l1"]}
    world.server.put(kind, {at: "2026-11-24 10:00:00", "assignedUserId": "7", **people, **values})

    [found] = drain(world, "activities")

    assert isinstance(found, Activity)
    assert (found.direction, found.outcome, found.owner_id) == (direction, outcome, "7")
    assert found.at == datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    assert found.contact_ids == (("Lead/l1",) if kind == "Email" else ("c1", "c2", "Lead/l1"))


@pytest.mark.parametrize("values", [{"status": "Draft", "dateSent": "2026-11-24 10:00:00"}, {"status": "Sent"}])
def test_an_email_that_has_reached_nobody_is_no_activity(world: World, values: dict[str, Any]) -> None:
    world.server.put("Email", values)

    assert drain(world, "activities") == []


def test_the_text_of_nobodys_email_is_asked_for(world: World) -> None:
    drain(world, "activities")

    asked = [query["select"] for _, path, query in world.server.calls if path == "/Email"]
    assert asked
    assert not any(word in each for each in asked for word in ("body", "name", "description"))


def test_machines_and_customers_own_nothing(world: World) -> None:
    world.server.put("User", {"type": "api", "name": "warmline"}, "8")
    world.server.put("User", {"type": "portal", "name": "a customer"}, "9")
    world.server.put("User", {"type": "admin", "name": "Ann"}, "10")

    assert {(each.id, each.active) for each in drain(world, "owners")} == {("7", True), ("10", True)}


def test_a_user_who_was_switched_off_is_gone_since_no_api_user_is_shown_them(world: World) -> None:
    world.server.put("User", {"name": "Ann"}, "10")
    world.server.put("User", {"name": "Bea"}, "11")
    cursor = last_cursor(world, "owners")
    world.server.put("User", {"isActive": False}, "10")
    world.server.delete("User", "11")

    found, cursor = drain(world, "owners", cursor), last_cursor(world, "owners", cursor)

    assert {each for each in found if isinstance(each, Gone)} == {Gone("10"), Gone("11")}
    assert [each.id for each in found if isinstance(each, Owner)] == ["7"]
    assert [type(each) for each in drain(world, "owners", cursor)] == [Owner]


def test_a_task_that_a_person_moves_to_a_whole_day_is_due_that_day_and_takes_a_time_again(world: World) -> None:
    task_id = str(made(world)["id"])
    world.server.put("Task", {"dateEndDate": "2026-12-24"}, task_id)
    [state] = world.client().read_tasks([task_id])
    assert isinstance(state, TaskState)
    assert state.due_at == datetime(2026, 12, 24, tzinfo=UTC)

    later = datetime(2027, 1, 7, 9, 30, tzinfo=UTC)
    world.client().push_tasks([replace(TASK, due_at=later, external_id=task_id)])

    [state] = world.client().read_tasks([task_id])
    assert isinstance(state, TaskState)
    assert state.due_at == later


def test_a_task_for_nobody_is_refused_with_the_field_that_lacks(world: World) -> None:
    [found] = world.client().push_tasks([replace(TASK, owner_id=None)])

    assert found.outcome is PushOutcome.REFUSED
    assert "the field assignedUser is not as EspoCRM wants it (required)" in found.detail


def test_more_users_than_a_page_holds_are_all_read_from_any_page_on(world: World) -> None:
    for number in range(450):
        world.server.put("User", {"name": f"User {number}"}, f"u{number:05}")

    first = next(iter(world.client().pull("owners", None)))
    rest = drain(world, "owners", first.cursor)

    assert len({each.id for each in (*first.items, *rest)}) == 451


def test_a_contact_or_lead_that_was_deleted_is_gone_within_the_hour_and_told_once(world: World) -> None:
    ada, lead = world.server.put("Contact", {"name": "Ada"}), world.server.put("Lead", {"name": "Bea"})
    kept = world.server.put("Contact", {"name": "Cleo"})
    cursor = last_cursor(world, "contacts")
    world.server.delete("Contact", ada)
    world.server.delete("Lead", lead)
    world.wait(3600)

    pages = list(world.client().pull("contacts", cursor))
    gone = {each.id for page in pages for each in page.items if isinstance(each, Gone)}

    assert gone == {ada, f"Lead/{lead}"}
    world.wait(3600)
    again = [each for each in drain(world, "contacts", str(pages[-1].cursor)) if isinstance(each, Gone)]
    assert again == []
    assert kept in [each.id for each in drain(world, "contacts")]


def test_a_broken_row_of_a_full_page_ends_no_walk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [world.server.put("Contact", {"name": "Imported"}) for _ in range(450)]
    rows = world.server._list

    def broken(kind: str, query: dict[str, Any]) -> Any:
        status_, headers, body = rows(kind, query)
        return status_, headers, body.replace(f'"{ids[7]}"', "null")

    monkeypatch.setattr(world.server, "_list", broken)

    assert {each.id for each in drain(world, "contacts")} >= {*ids} - {ids[7]}


def test_a_contact_that_a_role_hid_for_a_while_comes_back(world: World) -> None:
    ada = world.server.put("Contact", {"name": "Ada"})
    world.wait(3600)
    world.server.put("Contact", {"name": "Bea"})  # the newest alone is read each time
    cursor = last_cursor(world, "contacts")
    world.server.out_of_reach.add(ada)
    world.wait(3600)
    hidden = list(world.client().pull("contacts", cursor))
    assert Gone(ada) in [each for page in hidden for each in page.items]

    world.server.out_of_reach.clear()
    world.wait(3600)
    back = list(world.client().pull("contacts", str(hidden[-1].cursor)))
    world.wait(3600)

    assert ada in [each.id for page in back for each in page.items]
    assert ada not in [each.id for each in drain(world, "contacts", str(back[-1].cursor))]


def test_too_many_contacts_to_compare_are_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "COMPARED", 300)
    for _ in range(301):
        world.server.put("Contact", {"name": "Ada"})

    pages = list(world.client().pull("contacts", None))

    assert "more than" in pages[-1].notes[0]
    assert not [each for page in pages for each in page.items if isinstance(each, Gone)]


def test_of_those_that_a_list_leaves_out_only_the_deleted_are_gone(world: World) -> None:
    there, hidden, gone = (world.server.put("Contact", {"name": name}) for name in ("Ada", "Bea", "Cleo"))
    lead, gone_lead = (world.server.put("Lead", {"name": name, "status": "New"}) for name in ("Dora", "Edda"))
    world.server.out_of_reach.add(hidden)
    asked = [there, hidden, gone, f"Lead/{lead}", f"Lead/{gone_lead}"]
    for kind, each in (("Contact", gone), ("Lead", gone_lead)):
        world.server.delete(kind, each)

    client = world.client()
    assert isinstance(client, ContactReader)
    assert list(client.gone_contacts(asked)) == [Gone(gone), Gone(f"Lead/{gone_lead}")]
    assert list(client.gone_contacts([])) == []


def test_a_second_with_more_records_than_a_page_is_walked_by_id(world: World) -> None:
    made_then = {world.server.put("Contact", {"name": "Imported"}) for _ in range(530)}
    world.wait(5)
    later = world.server.put("Contact", {"name": "Later"})

    assert {each.id for each in drain(world, "contacts")} == {*made_then, later}


def test_what_changes_while_pages_are_turned_hides_nobody(world: World) -> None:
    ids = []
    for _ in range(500):
        ids.append(world.server.put("Contact", {"name": "Ada"}))
        world.wait(1)
    found: set[str] = set()
    for page in world.client().pull("contacts", None):
        found |= {each.id for each in page.items}
        world.wait(1)
        world.server.put("Contact", {"name": "Changed"}, ids[0])

    assert found == set(ids)


def test_a_change_that_shows_late_is_found_within_the_overlap(world: World) -> None:
    world.server.put("Contact", {"name": "Ada"})
    cursor = last_cursor(world, "contacts")
    world.wait(120)
    slow = world.server.put("Contact", {"name": "Bea"}, at=world.clock() - timedelta(minutes=5))

    assert slow in [each.id for each in drain(world, "contacts", cursor)]


def test_a_quiet_crm_is_not_read_again_and_again(world: World) -> None:
    for _ in range(300):
        world.server.put("Contact", {"name": "Ada"})
        world.wait(1)
    cursor = last_cursor(world, "contacts")
    world.wait(600)
    cursor = last_cursor(world, "contacts", cursor)  # once more, for what may have come to show since
    world.wait(60)

    assert len(drain(world, "contacts", cursor)) == 1


def test_activities_before_the_first_pull_are_left_in_peace(world: World) -> None:
    old = {"dateStart": "2024-01-01 10:00:00"}
    world.server.put("Call", old, at=datetime(2024, 1, 1, 10, 0, tzinfo=UTC))
    since = world.clock() - timedelta(days=30)

    assert [each for page in world.client(since=since).pull("activities", None) for each in page.items] == []
