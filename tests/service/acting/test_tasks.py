"""What a person decides of tasks, and what follows from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from service.models import (
    Connection,
    Conversation,
    Relationship,
    Task,
)
from tests.service.acting.acts import BY, NOW, Acts, Waiting, audits, schedule, settle
from tests.service.rows import Rows


@pytest.mark.parametrize(
    "standing",
    [{"state": "open", "external_id": "501"}, {"state": "unknown"}, {"state": "parked", "external_id": "501"},
     {"state": "absent", "maybe_sent_at": NOW}],
)  # fmt: skip
def test_a_task_that_stands_in_the_crm_is_completed_there(
    rows: Rows, act: Acts, waiting: Waiting, standing: dict[str, Any]
) -> None:
    task = waiting.task(**standing)

    act.dismiss_task(task, by=BY)

    row = rows.get(Task, task)
    assert (row.wanted, row.state, row.push_at) == ("completed", standing["state"], NOW)
    assert (row.closed_by, row.close_reason) == (BY, "no reply needed")
    assert row.closed_at is not None
    assert rows.get(Connection, waiting.crm).next_push_at is not None
    assert audits(rows) == [(BY, "task.dismissed", f"task:{task}")]


@pytest.mark.parametrize("state", ["absent", "parked"])
def test_a_task_that_never_stood_there_is_withdrawn_here(rows: Rows, act: Acts, waiting: Waiting, state: str) -> None:
    task = waiting.task(state=state, held_reason="Olga has 5 new tasks today.", held_until=NOW, push_at=NOW)

    act.dismiss_task(task, by=BY, reason="spoke on the phone")

    row = rows.get(Task, task)
    assert (row.wanted, row.state, row.push_at) == ("completed", "withdrawn", None)
    assert (row.held_reason, row.held_until) == ("", None)
    assert row.close_reason == "spoke on the phone"
    assert rows.get(Connection, waiting.crm).next_push_at is None


def test_what_was_said_until_now_is_dealt_with_and_decided_again(rows: Rows, act: Acts, waiting: Waiting) -> None:
    act.dismiss_task(waiting.task(relationship=waiting.relationship), by=BY)

    assert rows.get(Conversation, waiting.conversation).dealt_with_until == NOW
    assert rows.get(Conversation, waiting.conversation).decide_at == NOW
    assert rows.get(Relationship, waiting.relationship).decide_at == NOW
    assert schedule(rows) == NOW


def test_a_post_from_after_business_time_is_dealt_with_too(rows: Rows, act: Acts) -> None:
    waiting = Waiting(rows)
    ahead = NOW + timedelta(minutes=5)
    with rows.db.tenant(rows.workspace_id) as session:
        session.execute(update(Conversation).values(last_post_at=ahead))

    act.dismiss_task(waiting.task(), by=BY)

    assert rows.get(Conversation, waiting.conversation).dealt_with_until == ahead


def test_dealing_with_a_call_says_nothing_of_a_waiting_question(rows: Rows, act: Acts, waiting: Waiting) -> None:
    act.dismiss_task(waiting.task(kind="ready_for_call", relationship=waiting.relationship), by=BY)

    assert rows.get(Conversation, waiting.conversation).dealt_with_until is None
    assert rows.get(Relationship, waiting.relationship).decide_at == NOW


def test_a_call_that_nobody_needs_is_said_to_be_no_call_needed(rows: Rows, act: Acts, waiting: Waiting) -> None:
    task = waiting.task(kind="ready_for_call", relationship=waiting.relationship)
    act.dismiss_task(task, by=BY)
    assert rows.get(Task, task).close_reason == "no call needed"


def test_dismissing_twice_changes_nothing(rows: Rows, act: Acts, waiting: Waiting) -> None:
    task = waiting.task(state="open", external_id="501")
    act.dismiss_task(task, by=BY)
    closed_at = rows.get(Task, task).closed_at
    settle(rows)

    assert act.dismiss_task(task, by="user:somebody-else", reason="again").id == task

    row = rows.get(Task, task)
    assert (row.closed_by, row.close_reason, row.closed_at) == (BY, "no reply needed", closed_at)
    assert schedule(rows) is None
    assert len(audits(rows)) == 1


def test_a_task_without_conversation_or_crm_can_be_dismissed(rows: Rows, act: Acts) -> None:
    task = rows.task()
    assert act.dismiss_task(task, by=BY).state == "withdrawn"
