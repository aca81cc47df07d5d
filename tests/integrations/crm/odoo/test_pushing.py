"""What is Odoo's own in writing: activities that vanish when they are done, days of users."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from integrations.errors import (
    TemporaryError,
)
from integrations.records import (
    Gone,
    HandleWrite,
    PushOutcome,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
    WriteOutcome,
)
from tests.integrations.crm.faults import drop_after, status
from tests.integrations.crm.odoo.asked import DUE, TASK, Make, drain, made
from tests.integrations.crm.odoo.conftest import OLGA, OLGAS, World
from tests.integrations.crm.odoo.server import TODO

# --- what is done ----------------------------------------------------------------------------------------------------


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


# --- writing ---------------------------------------------------------------------------------------------------------


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


def test_a_task_of_a_person_who_turns_out_to_be_somebody_who_is_gone_is_not_theirs_any_more(world: World) -> None:
    ada = world.server.put("res.partner", {"name": "Ada"})
    row = made(world, replace(TASK, contact_id=str(ada)))
    edit = Task(
        "u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, contact_id="4711", former_contact_id=str(ada), external_id=str(row["id"])
    )  # fmt: skip

    world.client().push_tasks([edit])

    assert world.server.rows["mail.activity"][row["id"]]["res_id"] == OLGAS


def test_a_handle_goes_into_a_field_of_its_own(world: World) -> None:
    ada = world.server.put("res.partner", {"name": "Ada"})

    told = world.client().write_handles([HandleWrite(str(ada), "x", "ada"), HandleWrite(str(ada), "bluesky", "ada")])

    assert [each.outcome for each in told] == [WriteOutcome.WRITTEN, WriteOutcome.KEPT]
    assert world.server.rows["res.partner"][ada]["x_studio_twitter"] == "ada"
