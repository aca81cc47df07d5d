"""What is BottleCRM's own: tasks made without saying which, what it drops without a word, lists that know no "changed since"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from integrations.clients import ContactReader
from integrations.crm.bottlecrm import PROVIDER, fields, streams
from integrations.crm.bottlecrm.listing import Place, pack, place, read, unpack
from integrations.crm.bottlecrm.setup import site
from integrations.errors import AuthenticationError, PermissionDeniedError, TemporaryError, UnexpectedResponseError
from integrations.provider import IDS_ANYWHERE, Access
from integrations.records import (
    Activity,
    ActivityKind,
    Contact,
    Direction,
    Gone,
    Handle,
    HandleWrite,
    PushOutcome,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
    WriteOutcome,
)
from tests.integrations.crm.bottlecrm.conftest import OLGA, World
from tests.integrations.crm.bottlecrm.server import TOKEN, WEB, refuse
from tests.integrations.crm.faults import status

Make = Callable[..., World]
DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TASK = Task(
    "u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, subject="Answer Ada", body="She asked.", due_at=DUE, owner_id=OLGA
)


def drain(world: World, stream: str, cursor: str | None = None) -> tuple[list[Any], str]:
    pages = list(world.client().pull(stream, cursor))
    return [each for page in pages for each in page.items], str(pages[-1].cursor)


def made(world: World, task: Task = TASK) -> dict[str, Any]:
    [result] = world.client().push_tasks([task])
    assert result.outcome is PushOutcome.CREATED
    return world.server.tasks[str(result.external_id)]


# --- what connecting makes --------------------------------------------------------------------------------------


def test_connecting_makes_a_field_and_a_tag_once(make: Make) -> None:
    world = make()
    world.prepare()

    assert [row["key"] for row in world.server.definitions if row["target_model"] == "Task"] == ["warmline_key"]
    assert [row["name"] for row in world.server.tags] == ["Warmline"]
    assert (world.options["key_field"], world.options["tag"]) == (True, world.server.tags[0]["id"])


def test_a_members_token_makes_neither_and_is_told(make: Make) -> None:
    world = make(admin=False)

    assert (world.options["key_field"], world.options["tag"]) == (False, None)
    assert world.client().missing()[0].startswith("Connect BottleCRM with an administrator's token.")


def test_a_field_that_was_switched_off_is_switched_on_again(world: World) -> None:
    world.server.definitions[-1]["is_active"] = False
    assert PROVIDER.check is not None

    assert PROVIDER.check(Access({"web": WEB}, {"token": TOKEN}, options=world.options)) == []
    assert world.server.definitions[-1]["is_active"]


def test_a_field_that_cannot_be_switched_on_is_told(world: World) -> None:
    world.server.definitions[-1]["is_active"] = False
    world.server.faults.add("PUT", "custom-fields", lambda work: refuse("Admin access required", 403))

    assert "Switch on the field warmline_key" in world.client().missing()[0]


def test_a_tag_that_an_administrator_renamed_is_still_ours(world: World) -> None:
    world.server.tags[-1]["name"] = "Social"

    assert world.client().missing() == []
    assert [row["name"] for row in world.server.tags] == ["Social"]


def test_a_tag_that_had_to_be_made_anew_wants_a_new_connection(world: World) -> None:
    world.server.tags.clear()

    assert "Connect BottleCRM again" in world.client().missing()[0]
    world.prepare()
    assert world.client().missing() == []


def test_all_that_was_made_is_taken_away_and_can_be_made_again(world: World) -> None:
    told = world.client().clean()

    assert len(told) == 2
    assert not any(row["is_active"] for row in (*world.server.definitions, *world.server.tags))
    assert world.client().clean()[1:] == []
    world.prepare()
    assert (world.options["key_field"], bool(world.options["tag"])) == (True, True)


@pytest.mark.parametrize("path", ["custom-fields", "tags"])
def test_what_may_not_be_taken_away_stays_and_is_named(world: World, path: str) -> None:
    world.server.faults.add("DELETE", path, lambda work: refuse("Admin access required", 403))

    told = world.client().clean()

    assert ["did not let us" in each for each in told] == [path == "custom-fields", path == "tags"]
    assert sum(row["is_active"] for row in (*world.server.definitions, *world.server.tags)) == 1


@pytest.mark.parametrize("path", ["custom-fields", "tags"])
def test_what_could_not_be_taken_away_just_now_goes_the_next_time(world: World, path: str) -> None:
    world.server.faults.add("DELETE", path, status(503))
    with pytest.raises(TemporaryError):
        world.client().clean()
    world.client().clean()
    assert not any(row["is_active"] for row in (*world.server.definitions, *world.server.tags))


def test_an_organization_is_the_same_by_whatever_server_name_so_that_who_leaves_takes_nothing_from_another(
    world: World,
) -> None:
    assert UUID(world.client().whoami().id).version == 4  # drawn by BottleCRM: no other server has it
    assert IDS_ANYWHERE in PROVIDER.capabilities


# --- who we are -------------------------------------------------------------------------------------------------


def test_a_token_that_is_not_known_is_a_consent_that_is_gone(world: World) -> None:
    for says in ("Invalid token", "Token revoked or expired", "Organization context is required. Please login again."):
        world.server.faults.add(
            "GET", "org", status(403, f'{{"detail": "{says}"}}', {"Content-Type": "application/json"})
        )
        with pytest.raises(AuthenticationError):
            world.client().whoami()


def test_a_missing_scope_is_named(make: Make) -> None:
    world = make(scopes={"org:read"}, prepared=False)

    with pytest.raises(PermissionDeniedError) as raised:
        drain(world, "contacts")
    assert raised.value.scope == "contacts:read"


def test_links_lead_to_the_web_application(world: World) -> None:
    client = world.client(credentials={"token": TOKEN, "app": "crm.example.com/"})

    assert client.whoami().url == "https://crm.example.com/"
    [result] = client.push_tasks([TASK])
    assert result.url == f"https://crm.example.com/tasks/{result.external_id}"


def test_a_web_servers_404_is_no_contact_that_is_gone(world: World) -> None:
    contact = world.server.put_contact({"first_name": "Ada"})
    _, cursor = drain(world, "contacts")
    world.server.hidden.add(contact)
    world.server.faults.add("GET", f"/contacts/{contact}", status(404, "<html>nginx</html>"))

    with pytest.raises(UnexpectedResponseError):
        drain(world, "contacts", cursor)


# --- reading ----------------------------------------------------------------------------------------------------


def test_a_contact_has_all_that_matching_and_wording_need(make: Make) -> None:
    world = make(prepared=False)
    world.server.add_field("twitter_handle")
    world.server.add_field("no_calls", "checkbox", label="Do not call")
    world.server.add_field("hobby", label="Hobby")
    world.prepare()
    own = {"twitter_handle": "@ada", "no_calls": True}
    values = {
        "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "phone": "555 0100", "phone_e164": "+15550100",
        "title": "Analyst", "organization": "Engines", "city": "London", "state": "", "country": "GB", "source": "import",
        "source_detail": "fair", "assigned_to": [{"id": OLGA}], "linkedin_url": "https://linkedin.com/in/ada", "custom_fields": own,
    }  # fmt: skip
    contact_id = world.server.put_contact(values)

    [found], _ = drain(world, "contacts")

    assert found == Contact(
        id=contact_id, name="Ada Lovelace", first_name="Ada", last_name="Lovelace", emails=("ada@example.com",), phones=("+15550100",),
        company="Engines", title="Analyst", city="London", country="GB", owner_id=OLGA, source="import: fair", do_not_call=True,
        handles=(Handle("linkedin", "https://linkedin.com/in/ada"), Handle("x", "ada")), url=f"{WEB}/contacts/{contact_id}",
        updated_at=found.updated_at,
    )  # fmt: skip
    assert world.options["text_properties"] == [{"name": "hobby", "label": "Hobby"}]


def test_a_contact_that_is_gone_is_told_once(world: World) -> None:
    ids = [world.server.put_contact({"first_name": "Ada"}) for _ in range(3)]
    _, cursor = drain(world, "contacts")
    del world.server.contacts[ids[1]]

    found, cursor = drain(world, "contacts", cursor)

    assert [each for each in found if isinstance(each, Gone)] == [Gone(ids[1])]
    assert not [each for each in drain(world, "contacts", cursor)[0] if isinstance(each, Gone)]


def test_a_contact_that_a_list_left_out_is_not_taken_for_gone(world: World) -> None:
    contact = world.server.put_contact({"first_name": "Ada"})
    _, cursor = drain(world, "contacts")
    world.server.hidden.add(contact)

    found, cursor = drain(world, "contacts", cursor)
    assert found == []
    world.server.hidden.clear()
    del world.server.contacts[contact]

    assert drain(world, "contacts", cursor)[0] == [Gone(contact)]


def test_too_many_contacts_to_compare_are_said_and_take_no_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "COMPARED", 120)
    ids = [world.server.put_contact({"first_name": "Ada"}) for _ in range(260)]
    pages = list(world.client().pull("contacts", None))
    del world.server.contacts[ids[0]]

    again = [each for page in world.client().pull("contacts", pages[-1].cursor) for each in page.items]

    assert "more than" in pages[-1].notes[0]
    assert max(len(str(page.cursor)) for page in pages) < 120 * 20 + 200
    assert {each.id for page in pages for each in page.items} == set(ids)
    assert not [each for each in again if isinstance(each, Gone)]


def test_a_sweep_asks_for_each_contact_by_itself(world: World) -> None:
    there, hidden, gone = (world.server.put_contact({"first_name": name}) for name in ("Ada", "Bea", "Cleo"))
    world.server.hidden.add(hidden)
    del world.server.contacts[gone]
    client = world.client()
    assert isinstance(client, ContactReader)
    assert list(client.gone_contacts([there, hidden, gone])) == [Gone(gone)]


def test_a_contact_that_cannot_be_read_hides_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [world.server.put_contact({"first_name": "Ada"}) for _ in range(160)]
    answer = world.server._contacts

    def broken(*asked: Any) -> Any:
        status_, headers, body = answer(*asked)
        return status_, headers, body.replace(f'"{ids[150]}"', "null")

    monkeypatch.setattr(world.server, "_contacts", broken)

    assert {each.id for each in drain(world, "contacts")[0]} == {*ids} - {ids[150]}


def test_contacts_that_go_while_pages_are_turned_hide_nobody(world: World) -> None:
    ids = [world.server.put_contact({"first_name": "Ada"}) for _ in range(450)]
    found: set[str] = set()
    for number, page in enumerate(world.client().pull("contacts", None)):
        found |= {each.id for each in page.items}
        if number == 0:
            for each in ids[-30:]:  # the newest, which stand first: all others move up
                del world.server.contacts[each]

    assert found >= set(ids[:-30])


def test_calls_are_read_contact_by_contact_and_then_a_hundred_contacts_at_a_time(world: World) -> None:
    ids = [world.server.put_contact({"first_name": "Ada"}) for _ in range(250)]
    first, cursor = drain(world, "activities")
    assert first == []
    call = world.server.log(ids[0])  # the oldest contact stands last

    rounds: list[list[Any]] = []
    for _ in range(3):
        found, cursor = drain(world, "activities", cursor)
        rounds.append([each.id for each in found])

    assert rounds == [[], [], [call]]


@pytest.mark.parametrize(
    ("values", "kind", "direction", "outcome"),
    [
        ({"kind": "call", "outcome": "connected"}, ActivityKind.CALL, Direction.OUT, "connected"),
        ({"kind": "call", "outcome": "voicemail"}, ActivityKind.CALL, Direction.OUT, "no_answer"),
        ({"kind": "meeting", "outcome": ""}, ActivityKind.MEETING, Direction.OUT, "held"),
        ({"kind": "email", "direction": "inbound"}, ActivityKind.EMAIL, Direction.IN, "replied"),
        ({"kind": "whatsapp"}, ActivityKind.TEXT, Direction.OUT, ""),
        ({"kind": "enquiry", "direction": "inbound"}, ActivityKind.NOTE, Direction.IN, ""),
    ],
)
def test_an_interaction_says_how_it_went(
    world: World, values: dict[str, Any], kind: ActivityKind, direction: Direction, outcome: str
) -> None:
    contact = world.server.put_contact({"first_name": "Ada"})
    world.server.log(contact, **values, duration_seconds=600)

    [found], _ = drain(world, "activities")

    assert isinstance(found, Activity)
    assert (found.kind, found.direction, found.outcome, found.contact_ids) == (kind, direction, outcome, (contact,))
    assert found.ends_at == found.at + timedelta(minutes=10)
    assert "What was said" not in repr(found)


def test_an_interaction_of_no_known_kind_is_passed_over(world: World) -> None:
    world.server.log(world.server.put_contact({"first_name": "Ada"}), kind="seance")

    assert drain(world, "activities")[0] == []


def test_what_was_said_long_before_the_first_pull_is_left_in_peace(world: World) -> None:
    contact = world.server.put_contact({"first_name": "Ada"})
    world.server.log(contact, occurred_at="2024-01-01T10:00:00Z")
    client = world.client(since=world.clock() - timedelta(days=30))

    assert [each for page in client.pull("activities", None) for each in page.items] == []


def test_a_task_that_nobody_touched_is_not_read_again(world: World) -> None:
    made(world)
    _, cursor = drain(world, "tasks")
    world.server.calls.clear()

    assert drain(world, "tasks", cursor)[0] == []
    assert world.server.sent("GET") == ["/tasks/"]


def test_a_task_that_a_person_opens_again_is_open_since_now(world: World) -> None:
    row = made(world)
    _, cursor = drain(world, "tasks")
    world.server.put_task({"status": "Completed"}, row["id"])
    [done], cursor = drain(world, "tasks", cursor)
    world.wait(60)
    world.server.put_task({"status": "In Progress"}, row["id"])

    [found], _ = drain(world, "tasks", cursor)

    assert (done.status, found.status, found.updated_at) == (TaskStatus.COMPLETED, TaskStatus.OPEN, world.clock())


def test_a_task_that_is_deleted_shows_on_the_stream(world: World) -> None:
    row = made(world)
    _, cursor = drain(world, "tasks")
    del world.server.tasks[row["id"]]

    assert drain(world, "tasks", cursor)[0] == [Gone(row["id"])]


def test_tasks_of_others_are_nobodys_business(make: Make) -> None:
    for admin in (True, False):
        world = make(admin=admin)
        world.server.put_task({"title": "Buy milk", "description": "Warmline"})
        assert drain(world, "tasks")[0] == []


# --- writing ----------------------------------------------------------------------------------------------------


def test_a_task_has_its_key_its_tag_and_its_time_of_day(world: World) -> None:
    contact = world.server.put_contact({"first_name": "Ada"})

    row = made(world, replace(TASK, contact_id=contact, high_priority=True))

    assert (row["custom_fields"], row["priority"], row["due_date"]) == ({"warmline_key": "u-1"}, "High", "2026-11-26")
    assert [each["name"] for each in row["tags"]] == ["Warmline"]
    assert ([each["id"] for each in row["contacts"]], [each["id"] for each in row["assigned_to"]]) == (
        [contact],
        [OLGA],
    )
    assert row["description"] == "She asked.\n\nWarmline reference: u-1, due 2026-11-26 09:00 UTC"


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "<" * 300, "../etc/passwd", None])
def test_a_time_zone_that_nobody_knows_is_read_as_utc(timezone: object) -> None:
    assert site("https://crm.example", {"timezone": timezone}).zone is UTC


def test_days_are_those_of_the_organization(make: Make) -> None:
    world = make(timezone="America/Los_Angeles")
    evening = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)  # still the 26th there

    row = made(world, replace(TASK, due_at=evening))
    [state] = world.client().read_tasks([row["id"]])

    assert row["due_date"] == "2026-11-26"
    assert isinstance(state, TaskState)
    assert state.due_at == evening


def test_a_day_that_a_person_chose_keeps_the_time_of_day(world: World) -> None:
    row = made(world)
    world.server.put_task({"due_date": "2026-11-30"}, row["id"])

    [state] = world.client().read_tasks([row["id"]])

    assert isinstance(state, TaskState)
    assert state.due_at == DUE.replace(day=30)


def test_a_field_that_is_switched_off_meanwhile_makes_no_task_twice(world: World) -> None:
    world.server.definitions[-1]["is_active"] = False

    row = made(world)
    [again] = world.client().push_tasks([replace(TASK, maybe_sent_at=world.clock())])

    assert row["custom_fields"] == {}
    assert (again.outcome, again.external_id) == (PushOutcome.FOUND, row["id"])


def test_an_error_after_the_commit_is_found_out_at_once(make: Make) -> None:
    for admin in (True, False):
        world = make(admin=admin)
        world.server.faults.add("POST", "/tasks/", status(500, "<h1>Server Error (500)</h1>", work_done=True))
        [lost] = world.client().push_tasks([TASK])
        assert (lost.outcome, lost.sent) == (PushOutcome.UNKNOWN, True)

        [found] = world.client().push_tasks([replace(TASK, maybe_sent_at=world.clock())])

        assert (found.outcome, world.server.tasks_ever_created) == (PushOutcome.FOUND, 1)


def test_a_task_that_was_made_and_is_not_shown_is_looked_for_again(world: World) -> None:
    world.server.faults.add("GET", "/tasks/", status(503), times=9)
    [lost] = world.client().push_tasks([TASK])
    world.server.faults.due.clear()

    assert (lost.outcome, lost.sent) == (PushOutcome.UNKNOWN, True)
    assert world.client().push_tasks([replace(TASK, maybe_sent_at=world.clock())])[0].outcome is PushOutcome.FOUND


def test_a_title_that_a_person_changed_hides_no_task(make: Make) -> None:
    world = make(admin=False)
    row = made(world)
    world.server.put_task({"title": "Mine now"}, row["id"])

    [found] = world.client().push_tasks([replace(TASK, maybe_sent_at=world.clock())])

    assert found.external_id == row["id"]


def test_what_bottlecrm_would_drop_without_a_word_is_refused(world: World) -> None:
    nobody = str(uuid4())

    found = world.client().push_tasks([replace(TASK, contact_id=nobody), replace(TASK, key="u-2", owner_id=nobody)])

    assert [each.outcome for each in found] == [PushOutcome.REFUSED] * 2
    assert world.server.tasks == {}


def test_a_task_is_not_taken_from_its_owner_by_one_who_has_left(world: World) -> None:
    row = made(world)
    edit = Task("u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, owner_id=str(uuid4()), external_id=row["id"])

    [result] = world.client().push_tasks([edit])

    assert result.outcome is PushOutcome.REFUSED
    assert [each["id"] for each in world.server.tasks[row["id"]]["assigned_to"]] == [OLGA]


def test_a_person_who_is_found_out_later_takes_the_place_of_another_and_nobody_elses(world: World) -> None:
    ada, bea, cleo = (world.server.put_contact({"first_name": name}) for name in ("Ada", "Bea", "Cleo"))
    row = made(world, replace(TASK, contact_id=ada))
    world.server.put_task({"contacts": [{"id": ada}, {"id": cleo}]}, row["id"])  # a person added one

    edit = Task(
        "u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, contact_id=bea, former_contact_id=ada, external_id=row["id"]
    )
    world.client().push_tasks([edit])

    assert [each["id"] for each in world.server.tasks[row["id"]]["contacts"]] == [cleo, bea]


def test_in_progress_is_not_set_back_to_new(world: World) -> None:
    row = made(world)
    world.server.put_task({"status": "In Progress"}, row["id"])

    world.client().push_tasks([replace(TASK, subject="Another", external_id=row["id"])])

    assert world.server.tasks[row["id"]]["status"] == "In Progress"
    assert world.server.tasks[row["id"]]["title"] == "Another"


def test_a_handle_leaves_other_fields_alone(make: Make) -> None:
    world = make(prepared=False)
    world.server.add_field("twitter_handle")
    world.server.add_field("hobby")
    world.prepare()
    contact = world.server.put_contact({"first_name": "Ada", "custom_fields": {"hobby": "chess"}})
    writes = [HandleWrite(contact, "x", "ada"), HandleWrite(contact, "linkedin", "ada", "https://linkedin.com/in/ada")]

    told = world.client().write_handles(writes)

    assert [each.outcome for each in told] == [WriteOutcome.WRITTEN] * 2
    row = world.server.contacts[contact]
    assert (row["custom_fields"], row["linkedin_url"]) == (
        {"hobby": "chess", "twitter_handle": "ada"},
        "https://linkedin.com/in/ada",
    )


# --- lists by number --------------------------------------------------------------------------------------------


def test_ids_are_packed_and_unpacked() -> None:
    ids = {str(uuid4()) for _ in range(100)}

    assert unpack(pack(ids)) == ids
    assert len(pack(ids)) < 2300
    assert [unpack(each) for each in (None, 7, "~", "")] == [set()] * 4


def test_a_place_that_is_none_is_the_beginning() -> None:
    garbage = (None, [], [1], ["x", "y"], [-1, "a"], [True, "a"], [3, 4.5], {"offset": 3})
    assert [place(each, str) for each in garbage] == [Place()] * 8
    assert place(Place(3, "a").dump(), str) == Place(3, "a")


def test_rows_that_go_at_any_moment_hide_no_other() -> None:
    for cut in range(8):
        rows = [{"id": f"{number:02}"} for number in range(30, 0, -1)]
        seen: set[str] = set()

        def ask(offset: int, rows: list[dict[str, str]] = rows) -> list[dict[str, str]]:
            return rows[offset : offset + 5]

        for number, (page, _) in enumerate(read(ask, lambda row: row["id"], 5, Place())):
            seen |= {row["id"] for row in page}
            if number == cut:
                del rows[: 3 + cut]
        assert seen >= {row["id"] for row in rows}


def test_what_is_no_day_or_instant_is_none() -> None:
    assert [fields.day(each) for each in (None, "", "soon", 7)] == [None] * 4
    assert [fields.instant(each) for each in (None, "", "soon", 7)] == [None] * 4


def test_a_task_that_was_taken_from_the_tokens_member_is_not_taken_for_deleted(world: World) -> None:
    taken, gone, seen = (str(made(world, replace(TASK, key=key))["id"]) for key in ("k-1", "k-2", "k-3"))
    world.server.taken.add(taken)
    del world.server.tasks[gone]

    states = world.client().read_tasks([taken, gone, seen])
    pushed = world.client().push_tasks(
        [replace(TASK, key=key, external_id=each) for key, each in (("k-1", taken), ("k-2", gone), ("k-3", seen))]
    )

    assert [each.id for each in states] == [gone, seen]
    assert states[0] == Gone(gone)
    assert [each.outcome for each in pushed] == [PushOutcome.REFUSED, PushOutcome.GONE, PushOutcome.UPDATED]
