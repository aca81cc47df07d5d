"""What is EspoCRM's own: its signatures, its leads, its reasons, its duplicates, its seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.crm.espocrm import PROVIDER, fields, setup, streams
from integrations.crm.espocrm.api import signatures, where
from integrations.errors import (
    AuthenticationError,
    InvalidRequestError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.provider import Access, ContactReader
from integrations.records import (
    Activity,
    ActivityKind,
    Contact,
    Direction,
    Gone,
    Handle,
    HandleWrite,
    Owner,
    PushOutcome,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
    WriteOutcome,
)
from tests.integrations.crm.espocrm.conftest import World
from tests.integrations.crm.espocrm.server import KEY, WEB
from tests.integrations.crm.faults import drop_after, status

Make = Callable[..., World]
DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TASK = Task(
    "u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, subject="Answer Ada", body="She asked.", due_at=DUE, owner_id="7"
)


def drain(world: World, stream: str, cursor: str | None = None) -> list[Any]:
    return [each for page in world.client().pull(stream, cursor) for each in page.items]


def last_cursor(world: World, stream: str, cursor: str | None = None) -> str:
    return str([page.cursor for page in world.client().pull(stream, cursor)][-1])


def made(world: World, task: Task = TASK) -> dict[str, Any]:
    [result] = world.client().push_tasks([task])
    assert result.outcome is PushOutcome.CREATED
    return world.server.kinds["Task"][str(result.external_id)]


# --- who we are -------------------------------------------------------------------------------------------------


def test_a_signed_call_needs_no_key_in_a_header(make: Make) -> None:
    world = make(signed=True)

    assert world.client().whoami().id == "crm.example.com"
    with pytest.raises(AuthenticationError):
        world.client(credentials={"api_key": KEY, "secret_key": "another-secret-altogether"}).whoami()


def test_no_signature_of_a_key_goes_into_a_message(make: Make) -> None:
    world = make(signed=True)
    quoted = (
        world.client()
        ._api.http.http.auth(  # type: ignore[misc,operator]
            __import__("requests").Request("GET", f"{WEB}/api/v1/Contact").prepare()
        )
        .headers["X-Hmac-Authorization"]
    )
    world.server.faults.add("GET", "User", status(403, "", {"X-Status-Reason": f"Not with {quoted}."}))

    with pytest.raises(PermissionDeniedError, match=r"Not with …\.") as raised:
        drain(world, "owners")
    assert quoted not in str(raised.value)
    assert signatures("").search("anything") is None


def test_the_account_is_the_server_that_was_named(world: World) -> None:
    found = world.client().whoami()

    assert (found.handle, found.name, found.url) == ("crm.example.com", "Acme CRM", f"{WEB}/")


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "[]", '{"hello": "world"}'])
def test_what_is_no_espocrm_is_told_from_one(make: Make, body: str) -> None:
    world = make(prepared=False)
    world.server.faults.add("GET", "App/user", status(200, body))

    with pytest.raises(UnexpectedResponseError):
        world.client().whoami()


def test_a_web_servers_404_says_nothing_about_a_record(world: World) -> None:
    world.server.faults.add("GET", "Task", status(404, "<html>nginx</html>"))

    with pytest.raises(UnexpectedResponseError, match="does not answer at this address"):
        world.client().read_tasks(["a"])


# --- what connecting finds out ----------------------------------------------------------------------------------


def test_connecting_finds_the_fields_that_an_administrator_added(make: Make) -> None:
    options = make().options

    assert options["key_field"] == "cWarmlineKey"
    assert options["contact_properties"] == [
        {"name": "cTwitterHandle", "network": "x"},
        {"name": "cMastodonProfileUrl", "network": "mastodon"},
    ]
    assert options["text_properties"] == [{"name": "cFavouritePlace", "label": "Favourite Place"}]
    assert options["do_not_call"] == {"Contact": ["cDoNotCall"], "Lead": []}
    assert options["done_statuses"] == ["Completed", "Canceled"]


def test_an_espocrm_that_describes_itself_only_as_a_whole_is_read_too(make: Make) -> None:
    world = make(prepared=False)
    whole = '{"entityDefs": {"Task": {"fields": {"warmlineKey": {"type": "varchar"}}}}}'
    world.server.faults.add("GET", "Metadata", status(200, whole), times=9)

    world.prepare()

    assert world.options["key_field"] == "warmlineKey"
    assert world.options["done_statuses"] == ["Completed", "Canceled"]


def test_a_role_that_shows_no_description_leaves_the_standard_fields(make: Make) -> None:
    world = make(prepared=False)
    world.server.faults.add("GET", "Metadata", status(403), times=9)

    world.prepare()

    assert (world.options["key_field"], world.options["contact_properties"]) == (None, [])


def test_each_permission_that_is_missing_is_a_sentence(make: Make) -> None:
    world = make()
    access = Access({"web": WEB}, {"api_key": KEY})
    assert PROVIDER.check is not None
    assert PROVIDER.check(access) == []

    world.server.forbidden.add("Contact")
    world.server.forbidden_actions.add(("Task", "DELETE"))

    found = PROVIDER.check(access)
    assert [each.split(" (")[0] for each in found] == [
        "In EspoCRM, let the role of the API user read all Contact records",
        "In EspoCRM, let the role of the API user delete all Task records",
    ]


@pytest.mark.parametrize(
    ("scope", "level", "told"),
    [("Contact", "own", 0), ("Contact", "team", 0), ("Task", "own", 1), ("Task", "team", 0), ("User", "own", 1)],
)
def test_a_role_that_shows_the_api_user_nothing_but_its_own_is_told_where_that_is_nothing(
    world: World, scope: str, level: str, told: int
) -> None:
    world.server.levels[scope, "read"] = level

    found = world.client().missing()

    assert [each.partition("user ")[2].partition(" (")[0] for each in found] == [f"read all {scope} records"] * told


def test_a_role_that_lets_no_task_be_given_to_others_is_told(make: Make) -> None:
    world = make(assigning="no")

    assert [each.split(" of the role")[0] for each in world.client().missing()] == [
        "In EspoCRM, set Assignment Permission"
    ]
    assert [each.outcome for each in world.client().push_tasks([TASK])] == [PushOutcome.REFUSED]


def test_what_somebody_chose_for_a_field_counts(make: Make) -> None:
    chosen = {"cFavouritePlace": "mastodon", "cTwitterHandle": ""}
    site = setup.site(WEB, {**make().options, "handle_choices": chosen})

    assert dict(site.handle_fields("Contact")) == {"cMastodonProfileUrl": "mastodon", "cFavouritePlace": "mastodon"}
    assert site.handle_fields("Lead") == ()


# --- reading ----------------------------------------------------------------------------------------------------


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


# --- writing ----------------------------------------------------------------------------------------------------


def test_a_task_is_about_its_contact_or_lead(world: World) -> None:
    contact, lead = world.server.put("Contact", {"name": "Ada"}), world.server.put("Lead", {"name": "Bea"})

    rows = [
        made(world, replace(TASK, contact_id=contact)),
        made(world, replace(TASK, key="u-2", contact_id=f"Lead/{lead}")),
    ]

    assert [(row["parentType"], row["parentId"]) for row in rows] == [("Contact", contact), ("Lead", lead)]
    assert rows[0]["cWarmlineKey"] == "u-1"
    assert rows[0]["description"] == "She asked."


def test_without_a_field_the_key_is_the_last_line_of_the_description(make: Make) -> None:
    world = make(key_field=False)

    assert made(world)["description"] == "She asked.\n\nWarmline reference: u-1"
    [state] = drain(world, "tasks")
    assert (state.key, state.body) == ("u-1", "She asked.")


def test_tasks_of_others_are_nobodys_business(make: Make) -> None:
    for key_field in (True, False):
        world = make(key_field=key_field)
        world.server.put("Task", {"name": "Buy milk", "description": "Warmline"})
        assert drain(world, "tasks") == []


@pytest.mark.parametrize(
    ("their", "ours"), [("Started", TaskStatus.OPEN), ("Deferred", TaskStatus.OPEN), ("Canceled", TaskStatus.COMPLETED)]
)
def test_a_status_that_a_person_chose_is_read_and_left(world: World, their: str, ours: TaskStatus) -> None:
    row = made(world)
    world.server.put("Task", {"status": their}, row["id"])
    [state] = world.client().read_tasks([row["id"]])
    assert isinstance(state, TaskState)
    assert state.status is ours

    world.client().push_tasks([replace(TASK, status=ours, subject="Another", external_id=row["id"])])

    assert world.server.kinds["Task"][row["id"]]["status"] == their


def test_a_task_with_a_day_only_is_due_at_its_beginning() -> None:
    site = fields.Site(WEB)
    assert fields.task_state({"id": "1", "dateEndDate": "2026-11-26"}, site).due_at == DUE.replace(hour=0)
    assert fields.task_state({"id": "1"}, site).due_at is None


def test_a_duplicate_with_our_key_is_our_task(make: Make) -> None:
    world = make(duplicate_check=True)
    row = made(world)
    world.server.hidden.add(row["id"])  # a reading replica that is behind: looking for the key finds nothing

    [result] = world.client().push_tasks([TASK])

    assert result.external_id == row["id"]
    assert world.server.tasks_ever_created == 1


def test_a_duplicate_of_somebody_elses_is_no_hindrance(make: Make) -> None:
    world = make(duplicate_check=True)
    world.server.put("Task", {"name": TASK.subject})

    made(world)

    assert world.server.tasks_ever_created == 1


def test_a_person_who_is_found_out_later_becomes_what_the_task_is_about(world: World) -> None:
    ada, bea = (world.server.put("Contact", {"name": name}) for name in ("Ada", "Bea"))
    row = made(world, replace(TASK, contact_id=ada))

    def about(**change: Any) -> Any:
        edit = Task("u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, external_id=row["id"], **change)
        [result] = world.client().push_tasks([edit])
        assert result.outcome is PushOutcome.UPDATED
        return world.server.kinds["Task"][row["id"]]["parentId"]

    assert about(former_contact_id=bea) == ada  # somebody has put it right meanwhile
    assert about(former_contact_id=ada, contact_id=bea) == bea
    assert about(former_contact_id=bea) is None


def test_a_role_without_tasks_is_said_before_anything_is_sent(make: Make) -> None:
    world = make(forbidden_actions={("Task", "POST")})

    with pytest.raises(PermissionDeniedError):
        world.client().push_tasks([TASK])


@pytest.mark.parametrize(
    "says",
    [
        "Assignment failure: assigned user or team not allowed.",
        "No foreign record access for link operation (Task:assignedUser).",
        "Can't relate with non-existing record. entity type: Task, link: parent.",
    ],
)
def test_what_espocrm_says_of_one_task_parks_that_task_alone(world: World, says: str) -> None:
    world.server.faults.add("POST", "Task", status(403, "", {"X-Status-Reason": says}))

    found = world.client().push_tasks([TASK, replace(TASK, key="u-2")])

    assert [each.outcome for each in found] == [PushOutcome.REFUSED, PushOutcome.CREATED]
    assert says in found[0].detail


def test_a_task_that_is_to_move_to_a_contact_who_is_gone_is_changed_all_the_same(world: World) -> None:
    task_id = str(made(world)["id"])
    moved = replace(TASK, external_id=task_id, contact_id="nobody", subject="Write to Ada")

    [found] = world.client().push_tasks([moved])

    row = world.server.kinds["Task"][task_id]
    assert (found.outcome, row["name"], row["parentId"]) == (PushOutcome.UPDATED, "Write to Ada", None)


@pytest.mark.parametrize("name", ["Ana <3", "=Ana=", "a < b & c > d = e"])
def test_what_espocrm_takes_in_no_name_is_written_so_that_it_takes_it(world: World, name: str) -> None:
    row = made(world, replace(TASK, subject=name))

    [state] = world.client().read_tasks([str(row["id"])])

    assert not set(str(row["name"])) & set("<>=")
    assert isinstance(state, TaskState)
    assert state.subject == name


def test_a_lost_create_waits_until_php_must_have_ended(world: World) -> None:
    world.server.faults.add("POST", "Task", status(504))
    [lost] = world.client().push_tasks([TASK])
    assert (lost.outcome, lost.sent) == (PushOutcome.UNKNOWN, True)
    perhaps = replace(TASK, maybe_sent_at=world.clock())

    world.wait(170)
    assert world.client().push_tasks([perhaps])[0].outcome is PushOutcome.UNKNOWN
    world.wait(20)
    assert world.client().push_tasks([perhaps])[0].outcome is PushOutcome.CREATED


def test_a_lost_create_that_was_made_is_found_at_once(make: Make) -> None:
    for key_field in (True, False):
        world = make(key_field=key_field)
        world.server.faults.add("POST", "Task", drop_after)
        world.client().push_tasks([TASK])

        [found] = world.client().push_tasks([replace(TASK, maybe_sent_at=world.clock())])

        assert found.outcome is PushOutcome.FOUND


def test_a_slow_crm_gets_the_rest_later(world: World) -> None:
    client = world.client()
    world.server.faults.add("POST", "Task", lambda work: (world.wait(20), work())[1], times=9)

    found = client.push_tasks([replace(TASK, key=f"u-{number}") for number in range(4)])

    assert [each.outcome for each in found] == [PushOutcome.CREATED] * 2 + [PushOutcome.LATER] * 2


def test_handles_go_into_leads_too(world: World) -> None:
    lead = world.server.put("Lead", {"name": "Bea"})
    address = HandleWrite(
        world.server.put("Contact", {"name": "Ada"}), "mastodon", "ada@example.social", "https://example.social/@ada"
    )

    told = world.client().write_handles([HandleWrite(f"Lead/{lead}", "x", "bea"), address])

    assert [each.outcome for each in told] == [WriteOutcome.WRITTEN] * 2
    assert world.server.kinds["Lead"][lead]["cTwitterHandle"] == "bea"
    assert world.server.kinds["Contact"][address.contact_id]["cMastodonProfileUrl"] == "https://example.social/@ada"


def test_a_network_without_a_field_is_kept_and_a_role_that_forbids_is_told(make: Make) -> None:
    world = make(forbidden_actions={("Contact", "PUT")})
    contact = world.server.put("Contact", {"name": "Ada"})

    [kept] = world.client().write_handles([HandleWrite(contact, "bluesky", "ada")])
    assert (kept.outcome, kept.detail) == (
        WriteOutcome.KEPT,
        "EspoCRM has no contact field for handles on this network.",
    )
    with pytest.raises(PermissionDeniedError):
        world.client().write_handles([HandleWrite(contact, "x", "ada")])


# --- addresses --------------------------------------------------------------------------------------------------


def test_conditions_are_written_as_php_reads_them() -> None:
    inner = [("contains", "description", "a b"), ("contains", "description", "c")]

    assert where([("in", "id", ["1", "2"]), ("or", "", inner)]) == {
        "where[0][type]": "in",
        "where[0][attribute]": "id",
        "where[0][value][]": ["1", "2"],
        "where[1][type]": "or",
        "where[1][value][0][type]": "contains",
        "where[1][value][0][attribute]": "description",
        "where[1][value][0][value]": "a b",
        "where[1][value][1][type]": "contains",
        "where[1][value][1][attribute]": "description",
        "where[1][value][1][value]": "c",
    }


def test_no_page_asks_for_more_than_espocrm_gives(world: World) -> None:
    with pytest.raises(PermissionDeniedError, match="Max size should not exceed 200"):
        world.client()._api.page("Contact", ["id"], [], "id", size=201)


def test_a_list_of_which_nothing_can_be_read_says_so(world: World) -> None:
    world.server.faults.add("GET", "Contact", status(200, '{"total": 2, "list": [1, {"name": "no id"}]}'))

    with pytest.raises(UnexpectedResponseError):
        drain(world, "contacts")


def test_an_instant_that_is_none_is_none() -> None:
    assert [fields.instant(each) for each in ("", None, "soon", "2026-13-01", 17)] == [None] * 5


def test_a_call_that_espocrm_refuses_without_a_word_says_its_number(world: World) -> None:
    world.server.faults.add("GET", "Task", status(400))

    with pytest.raises(InvalidRequestError, match="answered 400 and gave no reason"):
        world.client().read_tasks(["a"])


def test_kinds_of_activity_are_ours() -> None:
    assert {shape.kind for shape in fields.ACTIVITIES.values()} == {
        ActivityKind.CALL,
        ActivityKind.MEETING,
        ActivityKind.EMAIL,
    }


def test_a_task_that_a_role_hides_is_not_taken_for_deleted(world: World) -> None:
    hidden, gone, seen = (str(made(world, replace(TASK, key=key))["id"]) for key in ("k-1", "k-2", "k-3"))
    world.server.out_of_reach.add(hidden)
    world.server.delete("Task", gone)

    states = world.client().read_tasks([hidden, gone, seen])
    pushed = world.client().push_tasks(
        [replace(TASK, key=key, external_id=each) for key, each in (("k-1", hidden), ("k-2", gone), ("k-3", seen))]
    )

    assert [each.id for each in states] == [gone, seen]
    assert states[0] == Gone(gone)
    assert [each.outcome for each in pushed] == [PushOutcome.REFUSED, PushOutcome.GONE, PushOutcome.UPDATED]
    assert pushed[0].detail.startswith("EspoCRM hides this task")
