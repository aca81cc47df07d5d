"""What is EspoCRM's own in writing: its reasons, its duplicates, its names."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from integrations.crm.espocrm import fields
from integrations.errors import (
    PermissionDeniedError,
)
from integrations.records import (
    HandleWrite,
    PushOutcome,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
    WriteOutcome,
)
from tests.integrations.crm.espocrm.asked import DUE, TASK, Make, drain, made
from tests.integrations.crm.espocrm.conftest import World
from tests.integrations.crm.espocrm.server import WEB
from tests.integrations.crm.faults import drop_after, status


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
