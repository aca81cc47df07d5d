"""What is Odoo's own: two APIs, errors with status 200, activities that vanish when they are done, days of users, spans of ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from integrations.crm.odoo import PROVIDER, fields, streams
from integrations.crm.odoo.meaning import meaning
from integrations.crm.odoo.sweeping import pack, unpack
from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.provider import Access
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
from tests.integrations.crm.faults import drop_after, status
from tests.integrations.crm.odoo.conftest import OLGA, OLGAS, World
from tests.integrations.crm.odoo.server import BOT, CALL, KEY, LOGIN, TODO, WEB

Make = Callable[..., World]
DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TASK = Task(
    "u-1",
    TaskKind.UNANSWERED,
    TaskStatus.OPEN,
    "Answer Ada",
    "She asked: <why> & how?\nhttps://x.example/1",
    DUE,
    str(OLGA),
)


def drain(world: World, stream: str, cursor: str | None = None) -> tuple[list[Any], str]:
    pages = list(world.client().pull(stream, cursor))
    return [each for page in pages for each in page.items], str(pages[-1].cursor)


def made(world: World, task: Task = TASK) -> dict[str, Any]:
    [result] = world.client().push_tasks([task])
    assert result.outcome is PushOutcome.CREATED
    return world.server.rows["mail.activity"][int(str(result.external_id))]


# --- two APIs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [14, 16, 17, 18, 19, 20])
def test_every_version_is_spoken_to_its_own_way(make: Make, version: int) -> None:
    world = make(version=version)
    row = made(world)

    assert (world.options["version"], world.options["uid"]) == (version, BOT)
    [state] = world.client().read_tasks([str(row["id"])])
    assert isinstance(state, TaskState)
    assert (state.key, state.body, state.due_at) == (TASK.key, TASK.body, DUE)


def test_an_odoo_without_the_older_api_is_spoken_to_by_the_newer(make: Make) -> None:
    world = make(prepared=False)
    world.server.faults.add("POST", "common/version", status(404, "<html>404</html>"), times=9)

    assert world.client().whoami().id == "acme.odoo.com/acme"


@pytest.mark.parametrize(
    "body", ["<html>Welcome</html>", "[]", '{"hello": 1}', '{"jsonrpc": "2.0", "result": {"server_version": "new"}}']
)
def test_what_is_no_odoo_is_told_from_one(make: Make, body: str) -> None:
    world = make(prepared=False)
    world.server.faults.add("POST", "common/version", status(200, body))

    with pytest.raises(UnexpectedResponseError):
        world.client().whoami()


@pytest.mark.parametrize("version", [17, 19])
def test_a_key_that_is_wrong_is_a_consent_that_is_gone(make: Make, version: int) -> None:
    world = make(version=version)
    stranger = {"api_key": "another-key-that-nobody-knows", "login": LOGIN}

    for options in ({}, world.options):
        with pytest.raises(AuthenticationError) as raised:
            list(world.client(credentials=stranger, options=options).pull("contacts", None))
        assert "another-key" not in str(raised.value)


def test_a_database_that_nobody_named_is_asked_for(make: Make) -> None:
    world = make(version=17, prepared=False)
    world.server.faults.add("POST", "common/version", lambda work: work())
    own = world.client(hosts={"web": WEB.replace("acme.odoo.com", "acme.odoo.com:8069")})
    own._api.database = ""

    with pytest.raises(InvalidRequestError, match="Name the database"):
        assert own._api.uid


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("odoo.exceptions.AccessDenied", AuthenticationError),
        ("odoo.http.SessionExpiredException", AuthenticationError),
        ("odoo.exceptions.AccessError", PermissionDeniedError),
        ("odoo.exceptions.MissingError", NotFoundError),
        ("odoo.exceptions.UserError", InvalidRequestError),
        ("odoo.exceptions.ValidationError", InvalidRequestError),
        ("builtins.ValueError", InvalidRequestError),
        ("psycopg2.errors.SerializationFailure", TemporaryError),
        ("", TemporaryError),
    ],
)
@pytest.mark.parametrize("version", [17, 19])
def test_what_odoo_names_means_the_same_by_either_api(
    make: Make, version: int, name: str, error: type[IntegrationError]
) -> None:
    world = make(version=version)
    told = f'{{"name": "{name}", "message": "Not with {KEY}.\\nTraceback", "debug": "secret"}}'
    rpc = f'{{"jsonrpc": "2.0", "error": {{"code": 200, "message": "Odoo Server Error", "data": {told}}}}}'
    given = status(200, rpc) if version < 19 else status(500, told, {"Content-Type": "application/json"})
    world.server.faults.add("POST", "res.users/search_read", given)

    with pytest.raises(error) as raised:
        drain(world, "owners")
    assert KEY not in str(raised.value)
    assert "Traceback" not in str(raised.value)
    assert isinstance(meaning(name, "so it is"), error)


def test_an_odoo_that_was_upgraded_deletes_no_task(make: Make) -> None:
    world = make(version=17)
    row = made(world)
    world.server.faults.add("POST", "mail.activity", status(404, "<html>404</html>"), times=9)

    with pytest.raises(UnexpectedResponseError, match="connect again"):
        world.client().push_tasks([replace(TASK, subject="Another", external_id=str(row["id"]))])


def test_a_server_without_this_database_says_nothing_about_a_record(world: World) -> None:
    world.server.faults.add("POST", "mail.activity/search_read", status(404, "<html>no such database</html>"))

    with pytest.raises(UnexpectedResponseError):
        world.client().read_tasks(["5"])


# --- what connecting finds out ----------------------------------------------------------------------------------


def test_connecting_finds_fields_and_types(make: Make) -> None:
    world = make(prepared=False)
    known = world.server.fields["res.partner"]
    known |= {
        "x_no_calls": {"type": "boolean", "string": "Do not call"},
        "x_hobby": {"type": "char", "string": "Hobby"},
    }
    world.prepare()

    options = world.options
    assert options["contact_properties"] == [{"name": "x_studio_twitter", "network": "x"}]
    assert (options["text_properties"], options["do_not_call"]) == (
        [{"name": "x_hobby", "label": "Hobby"}],
        ["x_no_calls"],
    )
    assert (options["types"], options["calls"]) == ({"todo": TODO, "call": CALL}, [CALL])
    assert (options["keeps_done"], options["activity_fields"]) == (True, ["active", "date_done"])


def test_version_17_is_asked_to_keep_what_is_done(make: Make) -> None:
    world = make(version=17, keeps_done=False)

    assert [row["keep_done"] for row in world.server.rows["mail.activity.type"].values()] == [True, True]
    assert world.client().missing() == []


def test_a_version_17_that_may_not_be_asked_lacks_nothing(make: Make) -> None:
    world = make(version=17, keeps_done=False, read_only={"mail.activity.type"})

    assert (world.options["keeps_done"], world.client().missing()) == (False, [])


def test_a_type_that_no_longer_keeps_what_is_done_is_told(make: Make) -> None:
    world = make(version=17)
    world.server.put("mail.activity.type", {"keep_done": False}, TODO)
    assert PROVIDER.check is not None

    told = PROVIDER.check(Access({"web": WEB}, {"api_key": KEY, "login": LOGIN}, options=world.options))

    assert len(told) == 1
    assert "tick Keep Done" in told[0]


def test_the_model_is_learnt_from_the_defaults_of_an_activity_where_models_are_hidden(make: Make) -> None:
    for version in (17, 19):
        world = make(version=version, hidden_models={"ir.model"})
        made(world)
        assert world.client().missing() == []


def test_a_user_who_may_not_learn_the_model_is_told(world: World) -> None:
    world.options["model_id"] = None

    assert "no task can be made" in world.client().missing()[0]
    [refused] = world.client().push_tasks([TASK])
    assert refused.outcome is PushOutcome.REFUSED


# --- reading ----------------------------------------------------------------------------------------------------


def test_a_contact_has_all_that_matching_and_wording_need(world: World) -> None:
    world.options["partner_fields"] = [*fields.WANTED]
    values = {
        "name": "Ada Lovelace", "email": "ada@example.com", "phone": "+1 555 0100", "mobile": "+1 555 0101", "function": "Analyst",
        "website": "https://example.com", "city": "London", "country_id": [231, "United Kingdom"], "parent_id": [9, "Engines"],
        "user_id": [OLGA, "Olga"], "x_studio_twitter": "@ada", "is_blacklisted": True, "customer_rank": 2,
    }  # fmt: skip
    partner = world.server.put("res.partner", values)

    found, _ = drain(world, "contacts")

    [contact] = [each for each in found if each.id == str(partner)]
    assert contact == Contact(
        id=str(partner), name="Ada Lovelace", emails=("ada@example.com",), phones=("+1 555 0100", "+1 555 0101"), company="Engines",
        title="Analyst", website="https://example.com", city="London", country="United Kingdom", owner_id=str(OLGA),
        handles=(Handle("x", "ada"),), lifecycle="customer", unsubscribed=True, url=f"{WEB}/web#id={partner}&model=res.partner&view_type=form",
        updated_at=world.clock(),
    )  # fmt: skip


def test_a_company_is_a_company_and_an_address_nobody(world: World) -> None:
    company = world.server.put("res.partner", {"name": "Engines", "is_company": True})
    world.server.put("res.partner", {"name": "Dock 4", "type": "delivery"})

    found, _ = drain(world, "contacts")

    assert [(each.name, each.company) for each in found if each.id == str(company)] == [("Engines", "Engines")]
    assert "Dock 4" not in {each.name for each in found}


def test_an_archived_contact_is_gone_and_so_is_a_deleted_one_within_the_hour(world: World) -> None:
    ada, bea = (world.server.put("res.partner", {"name": name}) for name in ("Ada", "Bea"))
    _, cursor = drain(world, "contacts")
    world.wait(60)
    world.server.put("res.partner", {"active": False}, ada)
    world.server.delete("res.partner", bea)

    soon, cursor = drain(world, "contacts", cursor)
    world.wait(3600)
    later, cursor = drain(world, "contacts", cursor)
    world.wait(3600)

    assert Gone(str(ada)) in soon
    assert Gone(str(bea)) in later
    assert Gone(str(bea)) not in drain(world, "contacts", cursor)[0]


def test_who_unsubscribes_is_noticed_within_the_hour_though_odoo_stamps_nobody(make: Make) -> None:
    world = make(prepared=False)
    world.server.fields["res.partner"]["is_blacklisted"] = {"type": "boolean"}
    world.prepare()
    ada = world.server.put("res.partner", {"name": "Ada"})
    world.wait(3600)
    world.server.put("res.partner", {"name": "Bea"})  # the newest alone is read each time
    _, cursor = drain(world, "contacts")
    world.wait(3600)
    _, cursor = drain(world, "contacts")
    for barred in (True, False):
        world.server.rows["res.partner"][ada]["is_blacklisted"] = barred
        world.wait(3600)

        found, cursor = drain(world, "contacts", cursor)

        told = [each.unsubscribed for each in found if isinstance(each, Contact) and each.id == str(ada)]
        assert told == [barred]


def test_a_broken_row_of_a_full_page_ends_no_walk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [str(world.server.put("res.partner", {"name": "Imported"})) for _ in range(450)]
    search = world.server._search_read

    def broken(*asked: Any) -> Any:
        return [{**row, "id": None} if str(row["id"]) == ids[7] else row for row in search(*asked)]

    monkeypatch.setattr(world.server, "_search_read", broken)

    assert {each.id for each in drain(world, "contacts")[0]} >= {*ids} - {ids[7]}


def test_a_broken_row_among_ids_makes_nobody_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "AT_ONCE", 3)
    for _ in range(8):
        world.server.put("res.partner", {"name": "Ada"})
    _, cursor = drain(world, "contacts")
    search = world.server._search_read

    def broken(*asked: Any) -> Any:
        return [{**row, "id": None} if row["id"] == 102 else row for row in search(*asked)]

    monkeypatch.setattr(world.server, "_search_read", broken)
    world.wait(3600)

    assert {each.id for each in drain(world, "contacts", cursor)[0] if isinstance(each, Gone)} <= {"102"}


def test_a_contact_that_a_rule_hid_for_a_while_comes_back(world: World) -> None:
    ada = world.server.put("res.partner", {"name": "Ada"})
    world.wait(1)
    world.server.put("res.partner", {"name": "Bea"})
    _, cursor = drain(world, "contacts")
    world.server.out_of_reach.add(str(ada))
    world.wait(3600)
    found, cursor = drain(world, "contacts", cursor)
    assert Gone(str(ada)) in found

    world.server.out_of_reach.clear()
    world.wait(3600)
    found, cursor = drain(world, "contacts", cursor)
    world.wait(3600)

    assert str(ada) in [each.id for each in found if isinstance(each, Contact)]
    assert str(ada) not in [each.id for each in drain(world, "contacts", cursor)[0]]


def test_a_second_with_more_records_than_a_page_is_walked_by_id(world: World) -> None:
    made_then = {str(world.server.put("res.partner", {"name": "Imported"})) for _ in range(530)}

    assert {each.id for each in drain(world, "contacts")[0]} >= made_then


def test_a_page_from_which_odoo_takes_what_may_not_be_seen_is_not_the_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [
        str(
            world.server.put(
                "mail.message", {"date": world.server.now(), "res_id": 9, "mail_activity_type_id": [CALL, "x"]}
            )
        )
        for _ in range(450)
    ]
    world.wait(60)
    calls.append(
        str(
            world.server.put(
                "mail.message", {"date": world.server.now(), "res_id": 9, "mail_activity_type_id": [CALL, "x"]}
            )
        )
    )
    search = world.server._search_read

    def filtered(*asked: Any) -> Any:  # Odoo looks at access once it has its page
        return [row for row in search(*asked) if str(row["id"]) not in calls[3:5]]

    monkeypatch.setattr(world.server, "_search_read", filtered)

    assert {each.id for each in drain(world, "activities")[0]} == {*calls[:3], *calls[5:]}


@pytest.mark.parametrize(
    ("values", "kind", "outcome"),
    [
        ({"mail_activity_type_id": [CALL, "Call"]}, ActivityKind.CALL, "connected"),
        ({"message_type": "email"}, ActivityKind.EMAIL, "replied"),
        ({"mail_activity_type_id": [TODO, "To-Do"]}, None, ""),
        ({"message_type": "comment"}, None, ""),
    ],
)
def test_the_history_of_a_contact_tells_calls_and_emails(
    world: World, values: dict[str, Any], kind: ActivityKind | None, outcome: str
) -> None:
    world.server.put("mail.message", {"date": "2026-11-24 10:00:00", "res_id": 55, **values})

    found, _ = drain(world, "activities")

    assert {(each.kind, each.outcome, each.contact_ids) for each in found} == (
        {(kind, outcome, ("55",))} if kind else set()
    )


def test_a_meeting_is_held_once_it_has_begun(world: World) -> None:
    for start, active in (("2026-11-24 10:00:00", True), ("2026-12-24 10:00:00", True), ("2026-11-23 10:00:00", False)):
        world.server.put("calendar.event", {"start": start, "stop": start, "partner_ids": [5, 6], "active": active})

    found, _ = drain(world, "activities")

    assert [each.outcome for each in found if isinstance(each, Activity)] == ["held", "scheduled", "cancelled"]
    assert {(each.contact_ids, each.direction) for each in found} == {(("5", "6"), Direction.NONE)}


def test_a_module_that_is_not_installed_is_noted_and_the_others_count(make: Make) -> None:
    world = make(hidden_models={"calendar.event"})
    world.server.put("mail.message", {"date": "2026-11-24 10:00:00", "res_id": 55, "message_type": "email"})

    pages = list(world.client().pull("activities", None))

    assert {each.kind for page in pages for each in page.items} == {ActivityKind.EMAIL}
    assert "calendar.event" in pages[-1].notes[0]


def test_all_that_is_hidden_stops_the_stream(make: Make) -> None:
    world = make(hidden_models={"calendar.event", "mail.message"})

    with pytest.raises(PermissionDeniedError):
        drain(world, "activities")


def test_our_own_tasks_leave_no_talk_behind(make: Make) -> None:
    for keeps in (True, None):
        world = make(version=19 if keeps else 16, keeps_done=keeps)
        row = made(world, replace(TASK, kind=TaskKind.READY_FOR_CALL, contact_id=str(OLGAS)))
        assert row["activity_type_id"] == [CALL, "x"]
        world.server.do(row["id"])

        assert drain(world, "activities")[0] == []


# --- what is done -----------------------------------------------------------------------------------------------


def test_what_is_done_is_archived_and_can_be_opened_again(world: World) -> None:
    row = made(world)
    world.server.do(row["id"])
    [done] = world.client().read_tasks([str(row["id"])])
    assert isinstance(done, TaskState)
    assert (done.status, done.subject, done.completed_at) == (
        TaskStatus.COMPLETED,
        "Answer Ada",
        world.clock(),
    )

    [result] = world.client().push_tasks([replace(TASK, external_id=str(row["id"]))])

    assert result.outcome is PushOutcome.UPDATED
    assert world.server.rows["mail.activity"][row["id"]]["active"] is True


@pytest.mark.parametrize(("version", "keeps"), [(16, None), (17, False), (18, False)])
def test_where_odoo_deletes_what_is_done_its_history_tells_it_by_the_key(
    make: Make, version: int, keeps: bool | None
) -> None:
    world = make(version=version, keeps_done=keeps, read_only={"mail.activity.type"})
    row = made(world)
    _, cursor = drain(world, "tasks")
    world.wait(60)
    world.server.do(row["id"])

    found, cursor = drain(world, "tasks", cursor)

    [state] = [each for each in found if each.status is TaskStatus.COMPLETED]
    assert (state.key, state.bare, state.completed_at) == ("u-1", True, world.clock())
    assert world.client().read_tasks([str(row["id"])]) == [Gone(str(row["id"]))]


def test_where_odoo_deletes_what_is_done_a_task_that_was_deleted_is_not_told_as_done(make: Make) -> None:
    world = make(version=16, keeps_done=None)
    row = made(world)
    _, cursor = drain(world, "tasks")
    world.server.delete("mail.activity", row["id"])

    assert not [each for each in drain(world, "tasks", cursor)[0] if each.status is TaskStatus.COMPLETED]


def test_a_completion_is_the_buttons_and_is_done_once(make: Make) -> None:
    for version, keeps, again in ((19, True, PushOutcome.COMPLETED), (16, None, PushOutcome.GONE)):
        world = make(version=version, keeps_done=keeps)
        row = made(world)
        done = replace(TASK, status=TaskStatus.COMPLETED, external_id=str(row["id"]))

        first, second = (world.client().push_tasks([done])[0].outcome for _ in range(2))

        assert (first, second) == (PushOutcome.COMPLETED, again)
        assert len(world.server.said("mail.activity", "action_feedback")) == 1


@pytest.mark.parametrize("version", [17, 19])
def test_a_task_that_a_rule_hides_is_not_taken_for_deleted(make: Make, version: int) -> None:
    world = make(version=version)
    hidden, gone, seen = (str(made(world, replace(TASK, key=key))["id"]) for key in ("k-1", "k-2", "k-3"))
    world.server.out_of_reach.add(hidden)
    world.server.delete("mail.activity", int(gone))

    states = world.client().read_tasks([hidden, gone, seen])
    pushed = world.client().push_tasks(
        [replace(TASK, key=key, external_id=each) for key, each in (("k-1", hidden), ("k-2", gone), ("k-3", seen))]
    )

    assert [each.id for each in states] == [gone, seen]
    assert states[0] == Gone(gone)
    assert [each.outcome for each in pushed] == [PushOutcome.REFUSED, PushOutcome.GONE, PushOutcome.UPDATED]


# --- writing ----------------------------------------------------------------------------------------------------


def test_a_task_stands_under_its_contact_or_under_its_owners_own(world: World) -> None:
    ada = world.server.put("res.partner", {"name": "Ada"})

    rows = [made(world, replace(TASK, contact_id=str(ada))), made(world, replace(TASK, key="u-2"))]

    assert [row["res_id"] for row in rows] == [ada, OLGAS]
    assert rows[0]["note"].endswith("<br><br>Warmline reference: u-1, due 2026-11-26 09:00 UTC")
    assert (rows[0]["date_deadline"], rows[0]["user_id"], rows[0]["activity_type_id"]) == (
        "2026-11-26",
        [OLGA, "x"],
        [TODO, "x"],
    )


def test_days_are_counted_by_the_clocks_of_who_is_to_do_it(world: World) -> None:
    world.server.put("res.users", {"tz": "America/Los_Angeles"}, OLGA)
    evening = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)  # still the 26th there

    row = made(world, replace(TASK, due_at=evening))
    [state] = world.client().read_tasks([str(row["id"])])

    assert row["date_deadline"] == "2026-11-26"
    assert isinstance(state, TaskState)
    assert state.due_at == evening


def test_a_task_that_is_given_to_somebody_elsewhere_is_due_at_the_same_instant(world: World) -> None:
    world.put_user(8, "kiri@acme.test", tz="Pacific/Auckland")
    row = made(world, replace(TASK, due_at=datetime(2026, 11, 26, 15, 0, tzinfo=UTC)))  # the 27th there
    task_id = str(row["id"])

    world.client().push_tasks([Task("u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, owner_id="8", external_id=task_id)])

    [state] = world.client().read_tasks([task_id])
    assert isinstance(state, TaskState)
    assert (state.owner_id, state.due_at) == ("8", datetime(2026, 11, 26, 15, 0, tzinfo=UTC))


def test_a_day_that_a_person_chose_keeps_the_time_of_day(world: World) -> None:
    row = made(world)
    world.server.put("mail.activity", {"date_deadline": "2026-11-30"}, row["id"])

    [state] = world.client().read_tasks([str(row["id"])])

    assert isinstance(state, TaskState)
    assert state.due_at == DUE.replace(day=30)


def test_many_tasks_are_made_with_one_call_and_one_that_is_refused_costs_a_few(world: World) -> None:
    tasks = [replace(TASK, key=f"u-{number}", subject=f"Answer {number}") for number in range(64)]
    world.server.refusals["Answer 40"] = "Not on a Sunday."

    found = world.client().push_tasks(tasks)

    assert [each.key for each in found if each.outcome is PushOutcome.REFUSED] == ["u-40"]
    assert "Not on a Sunday." in next(each.detail for each in found if each.key == "u-40")
    assert world.server.tasks_ever_created == 63
    assert len(world.server.said("mail.activity", "create")) <= 13


def test_a_key_is_found_by_itself_and_not_by_one_that_begins_like_it(world: World) -> None:
    longer = made(world, replace(TASK, key="u-10"))
    perhaps = replace(TASK, maybe_sent_at=world.clock() - timedelta(minutes=5))

    [result] = world.client().push_tasks([perhaps])

    assert (result.outcome, result.external_id == str(longer["id"])) == (PushOutcome.CREATED, False)


def test_a_lost_create_is_found_by_either_api(make: Make) -> None:
    for version in (17, 19):
        world = make(version=version)
        world.server.faults.add("POST", "mail.activity/create", drop_after)
        assert world.client().push_tasks([TASK])[0].outcome is PushOutcome.UNKNOWN

        assert world.client().push_tasks([replace(TASK, maybe_sent_at=world.clock())])[0].outcome is PushOutcome.FOUND


def test_an_error_that_odoo_tells_has_made_nothing(make: Make) -> None:
    world = make(version=17)
    told = '{"jsonrpc": "2.0", "error": {"data": {"name": "psycopg2.errors.SerializationFailure", "message": "could not serialize"}}}'
    world.server.faults.add("POST", "mail.activity/create", status(200, told))

    with pytest.raises(TemporaryError):
        world.client().push_tasks([TASK])
    assert world.server.tasks_ever_created == 0


def test_a_person_who_turns_out_to_be_somebody_else_gives_the_task_back(world: World) -> None:
    ada = world.server.put("res.partner", {"name": "Ada"})
    row = made(world, replace(TASK, contact_id=str(ada)))
    edit = Task("u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, former_contact_id=str(ada), external_id=str(row["id"]))

    world.client().push_tasks([edit])

    assert world.server.rows["mail.activity"][row["id"]]["res_id"] == OLGAS


def test_a_handle_goes_into_a_field_of_its_own(world: World) -> None:
    ada = world.server.put("res.partner", {"name": "Ada"})

    told = world.client().write_handles([HandleWrite(str(ada), "x", "ada"), HandleWrite(str(ada), "bluesky", "ada")])

    assert [each.outcome for each in told] == [WriteOutcome.WRITTEN, WriteOutcome.KEPT]
    assert world.server.rows["res.partner"][ada]["x_studio_twitter"] == "ada"


# --- ids in little room -----------------------------------------------------------------------------------------


def test_ids_are_packed_and_unpacked() -> None:
    random = Random(3)
    for ids in ({1}, set(range(1, 200_001)), {random.randrange(1, 10**6) for _ in range(2_000)}, set[int]()):
        assert unpack(pack(ids)) == ids
    assert len(pack(range(1, 200_001))) < 10


@pytest.mark.parametrize("text", [None, 7, "", "?", "1+", "0", "-3", "1+zzzzzzzz"])
def test_what_is_no_packed_text_is_nothing(text: object) -> None:
    assert unpack(text) in (set(), {1})


def test_what_is_no_day_or_instant_is_none() -> None:
    assert [fields.day(each) for each in (None, False, "", "soon")] == [None] * 4
    assert [fields.instant(each) for each in (None, False, "", "soon")] == [None] * 4
