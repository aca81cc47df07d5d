"""A create that was never answered, when its CRM is left or given to another brand: it is sought there, ended, and never made."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from integrations.records import (
    PushOutcome,
    PushResult,
    TaskState,
)
from service import disconnecting
from service.store import acting, erasing, erasing_tasks
from tests.workers.conftest import NOON
from tests.workers.house import House, Moved
from tests.workers.pushes import row
from workers import saying
from workers.settling import settled


def lose(house: House, *, work_done: bool) -> Moved:
    """Rival's task was sent to the CRM that both share and never answered; then that CRM is Acme's alone."""
    house.knows("acme")
    house.asks("rival", id="q1")
    house.crms["acme"].lose_answer(work_done=work_done)
    lost = Moved(house, "", "")
    for each in lost.decides():
        house.work(each)
    assert (house.task().state, len(house.crms["acme"].tasks)) == ("unknown", int(work_done))
    lost.gives_away()
    return lost


def settles(house: House) -> None:
    """Nothing that was sent can be on its way any more."""
    house.sql("UPDATE tasks SET maybe_sent_at = maybe_sent_at - interval '5 minutes'")
    house.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    house.run()


def left(house: House) -> tuple[str, str]:
    """Status of Acme's CRM, and the first line of its receipt."""
    [(status, receipt)] = house.sql(
        "SELECT status, receipt FROM connections WHERE id = :c", c=house.connections["acme"]
    )
    return status, (receipt["lines"] or [""])[0]


@pytest.mark.parametrize(
    ("work_done", "line"), [(True, "1 open task was withdrawn."), (False, "No task of ours stood there.")]
)
def test_what_may_stand_in_a_crm_that_is_left_is_sought_there_withdrawn_and_never_made(
    house: House, work_done: bool, line: str
) -> None:
    lose(house, work_done=work_done)
    assert disconnecting.purge(house.runtime, house.owner.caller, house.connections["acme"])
    house.run(at_most=10)  # it is not asked for again and again while a create may be on its way
    assert left(house) == ("leaving", "")
    settles(house)
    acme = house.crms["acme"]
    assert left(house) == ("disconnected", line)
    assert (acme.tasks, acme.tasks_ever_created) == ({}, int(work_done))


def test_what_may_stand_in_a_crm_that_is_left_stays_where_somebody_made_it_theirs(house: House) -> None:
    lose(house, work_done=True)
    [key] = house.crms["acme"].tasks
    house.crms["acme"].edit_as_person(key, subject="Ours, by somebody at Acme")
    assert disconnecting.purge(house.runtime, house.owner.caller, house.connections["acme"])
    settles(house)
    status, line = left(house)
    assert (status, line.partition(",")[0]) == ("disconnected", "1 task was left")
    assert list(house.crms["acme"].tasks) == [key]


@pytest.mark.parametrize("work_done", [True, False])
def test_what_may_stand_in_a_crm_that_was_given_away_is_done_without_a_word_of_the_answer_and_never_made(
    house: House, work_done: bool
) -> None:
    lost = lose(house, work_done=work_done)
    before = list(house.crms["acme"].tasks.values())
    lost.answers()
    house.look()
    settles(house)
    acme = house.crms["acme"]
    assert [(task.status, task.body) for task in acme.tasks.values()] == [("completed", task.body) for task in before]
    assert acme.tasks_ever_created == int(work_done)
    assert house.sql("SELECT pushed_at IS NOT NULL FROM tasks") == [(work_done,)]  # when it first stood there
    assert house.sql("SELECT count(*) FROM tasks WHERE push_at IS NOT NULL") == [(0,)]


def test_what_was_deleted_at_its_source_meanwhile_is_kept_nowhere_when_such_a_task_ends(
    house: House,
) -> None:
    lost = lose(house, work_done=True)
    old = house.socials["rival"].post("q1")
    house.socials["rival"].edit(structs.replace(old, text="@rival Here is my new number"))
    house.look()
    lost.answers()
    house.look()
    settles(house)
    assert all(
        task.status == "completed" and old.text not in (task.body or "") for task in house.crms["acme"].tasks.values()
    )
    kept = str(house.sql("SELECT content, written, sent FROM tasks WHERE push_at IS NULL"))
    assert "Porto" not in kept


def test_what_was_deleted_at_its_source_meanwhile_is_kept_nowhere_when_such_a_task_is_withdrawn(house: House) -> None:
    lose(house, work_done=True)
    house.socials["rival"].delete("q1")
    house.sql("UPDATE engagements SET checked_at = checked_at - interval '7 hours'")
    house.look()
    assert house.task().wanted == "withdrawn"
    settles(house)
    task = house.task()
    assert (task.state, task.push_at, house.crms["acme"].tasks) == ("withdrawn", None, {})
    assert task.content["subject"]
    assert "Porto" not in str((task.content, task.written, task.sent))


@pytest.mark.parametrize("said_before", ["refused", "ticked off"])
def test_what_may_stand_in_a_crm_that_was_given_away_keeps_its_content_however_it_is_found(
    house: House, said_before: str
) -> None:
    lost = lose(house, work_done=True)
    [task_id] = house.crms["acme"].tasks
    task = house.task()
    content = task.content
    if said_before == "refused":
        house.crms["acme"].refuse(task.key, "No.")
        lost.answers()
    else:
        house.crms["acme"].complete_as_person(task_id)
        assert disconnecting.purge(house.runtime, house.owner.caller, house.connections["acme"])
    house.look()
    settles(house)
    task = house.task()
    assert (task.external_id, task.written, task.content) == (task_id, content, content)
    if said_before == "refused":
        assert task.parked_at is not None
        house.crms["acme"].take_after_all(task.key)
        with house.runtime.db.tenant(house.workspace_id) as session:
            acting.retry_task(session, house.workspace_id, task.id, by="user:olga")
        house.run()
        assert (house.task().state, house.task().content) == ("completed", content)
        assert house.crms["acme"].tasks[task_id].status == "completed"


@pytest.mark.parametrize("work_done", [True, False])
def test_what_may_stand_of_somebody_who_is_erased_is_written_over_before_it_goes_and_never_made(
    house: House, work_done: bool
) -> None:
    lose(house, work_done=work_done)
    before = [task.body or "" for task in house.crms["acme"].tasks.values()]
    [(ana,)] = house.sql("SELECT id FROM authors WHERE handle = 'ana'")
    with house.runtime.db.tenant(house.workspace_id) as session:
        assert erasing.begin(session, house.workspace_id, ana, by="user:olga")
    house.run()
    settles(house)
    settles(house)
    acme = house.crms["acme"]
    task = house.task()
    assert (acme.tasks, acme.tasks_ever_created) == ({}, int(work_done))
    assert (task.wanted, task.state, task.push_at) == ("withdrawn", "withdrawn", None)
    assert "Porto" not in str((task.content, task.written, task.sent))
    bodies = [state.body for state in acme._log["tasks"] if isinstance(state, TaskState)]
    assert bodies == [*before, *[erasing_tasks.SUBJECT] * work_done]


def test_what_was_refused_of_somebody_who_is_erased_is_written_over_when_the_crm_takes_it_after_all() -> None:
    erased = row(state="unknown", wanted="withdrawn", maybe_sent_at=NOON, erased_at=NOON, only_sought=True)
    refused = settled(erased, PushResult(erased.key, PushOutcome.REFUSED, "t1"), NOON, NOON)
    assert (refused.external_id, refused.written) == ("t1", {})
    next_said = saying.as_task(replace(erased, external_id="t1", written=refused.written))
    assert next_said is not None
    assert next_said.subject == erased.content["subject"]
