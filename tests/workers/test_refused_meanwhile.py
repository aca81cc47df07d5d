"""A CRM refuses a task that has changed since it was sent: what was refused is no more, so it is due as it is now, or over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from integrations.records import PushOutcome, PushResult, Task, TaskStatus
from service.store import acting, pushing
from tests.workers.conftest import World
from tests.workers.pushes import due, row
from tests.workers.test_retrying import SENTENCE, listed
from workers.settling import settled

Told = tuple[TaskStatus, str | None, bool]  # what is to become of it, whom it is about, and whether it was parked
THEN = datetime(2026, 3, 1, tzinfo=UTC)


def meanwhile(world: World, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> list[Told]:
    """Has the CRM refuse what it is told first, while this happens; what it is told of the one task from then on."""
    push, told = world.crm.push_tasks, list[Told]()

    def refuses_once(tasks: Sequence[Task]) -> Sequence[PushResult]:
        told.extend((task.status, task.contact_id, world.task().parked_at is not None) for task in tasks)
        if len(told) > 1:
            return push(tasks)
        for task in tasks:
            world.crm.refuse(task.key, SENTENCE)
        results = push(tasks)
        for task in tasks:
            world.crm.take_after_all(task.key)
        happens()
        return results

    monkeypatch.setattr(world.crm, "push_tasks", refuses_once)
    return told


def decides(world: World, *streams: str) -> None:
    """Everything else goes on while a push is under way."""
    world.due(*streams)
    for _ in range(4):
        for claim in world.claim():
            if claim.job != "push":
                world.work(claim)


def merges(world: World) -> None:
    """Somebody merges the contact into another one."""
    world.crm.delete_contact("c1")
    world.knows(id="c2")
    decides(world, "contacts")


def dismissed(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.dismiss_task(session, world.workspace_id, world.task().id, by="user:olga")


def test_a_task_that_is_refused_while_its_contact_is_merged_is_made_once_whoever_dies_then(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.crm.unique = False
    connected.knows(id="c1")
    connected.says("@brand Do you ship to Porto?", id="q1")
    told = meanwhile(connected, monkeypatch, lambda: merges(connected))
    store, stored = pushing.settle, list[object]()

    def die_the_second_time(*args: object) -> None:
        stored.append(args)
        if len(stored) == 2:
            raise KeyboardInterrupt
        store(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(pushing, "settle", die_the_second_time)
        with pytest.raises(KeyboardInterrupt):
            connected.run()
    assert told == [(TaskStatus.OPEN, "c1", False), (TaskStatus.OPEN, "c2", False)]
    assert connected.task().state == "unknown"
    connected.sql("UPDATE tasks SET maybe_sent_at = maybe_sent_at - interval '5 minutes'")
    due(connected)
    connected.run()

    assert (connected.crm.tasks_ever_created, len(connected.in_crm())) == (1, 1)
    assert (connected.task().state, connected.task().parked_at) == ("open", None)


@pytest.mark.parametrize("how", ["answered", "dismissed"])
def test_a_task_that_is_refused_while_it_is_dealt_with_is_over(
    connected: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")

    def happens() -> None:
        if how == "dismissed":
            dismissed(connected)
        else:
            connected.answers("We do.", id="r1", to="q1")
            decides(connected, "own")
        assert (connected.task().wanted, connected.task().state) == ("completed", "unknown")

    told = meanwhile(connected, monkeypatch, happens)
    connected.run()
    due(connected)
    connected.run()

    task = connected.task()
    assert (task.wanted, task.state, task.push_at, task.detail) == ("completed", "withdrawn", None, "")
    assert (len(told), listed(connected, True)) == (1, [])


def test_a_task_whose_making_was_not_answered_is_over_where_the_crm_refuses_to_make_it_and_nobody_wants_it(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.crm.lose_answer(work_done=False)
    connected.run()
    dismissed(connected)
    told = meanwhile(connected, monkeypatch, lambda: None)
    due(connected)
    connected.run()

    task = connected.task()
    assert (task.wanted, task.state, task.push_at) == ("completed", "withdrawn", None)
    assert (len(told), listed(connected, True)) == (1, [])


def test_a_change_that_is_refused_while_another_one_comes_is_not_parked_and_the_next_is_said(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.says("@brand Or to Lisbon?", id="q2", to="q1")

    def happens() -> None:
        connected.answers("We do.", id="r1", to="q1")
        decides(connected, "own")
        assert connected.task().wanted == "completed"

    told = meanwhile(connected, monkeypatch, happens)
    connected.look(streams=("mentions",))

    task = connected.task()
    assert told == [(TaskStatus.OPEN, None, False), (TaskStatus.COMPLETED, None, False)]
    assert (task.state, task.parked_at, task.push_at, task.detail) == ("completed", None, None, "")
    assert (connected.crm.tasks_ever_created, connected.in_crm()) == (1, [])


SENT, OTHER = "What was sent", "Worded anew"
# What stood there, what was wanted of it when the CRM refused, and what is by now: its state, whether it is parked, and whether it is due.
REFUSED = {
    (None, "open"): {("open", SENT): ("parked", True, False), ("open", OTHER): ("absent", False, True),
                     ("completed", SENT): ("withdrawn", False, False), ("withdrawn", OTHER): ("withdrawn", False, False)},
    (None, "completed"): {("completed", SENT): ("withdrawn", False, False), ("open", SENT): ("absent", False, True)},
    ("t1", "open"): {("open", SENT): ("open", True, False), ("open", OTHER): ("open", False, True),
                     ("completed", SENT): ("open", False, True), ("withdrawn", SENT): ("open", False, True)},
    ("t1", "completed"): {("completed", SENT): ("open", True, False), ("open", SENT): ("open", False, True),
                          ("completed", OTHER): ("open", False, True)},
    ("t1", "withdrawn"): {("withdrawn", SENT): ("open", True, False), ("open", SENT): ("open", False, True)},
}  # fmt: skip


def test_what_was_refused_is_parked_only_where_it_is_still_what_is_wanted_and_else_due_or_over(
    connected: World,
) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    changes = text("UPDATE tasks SET wanted = :w, content = :c, state = :s, external_id = :e, parked_at = NULL, push_at = NULL").bindparams(bindparam("c", type_=JSONB))  # fmt: skip
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        for (external_id, said), cases in REFUSED.items():
            before = row(id=connected.task().id, wanted=said, content={"subject": SENT}, state="open" if external_id else "absent", external_id=external_id)  # fmt: skip
            outcome = settled(before, PushResult(before.key, PushOutcome.REFUSED, detail=SENTENCE), THEN, THEN)
            for (wanted, subject), expected in cases.items():
                state = "open" if external_id else "unknown"
                session.execute(changes, {"w": wanted, "c": {"subject": subject}, "s": state, "e": external_id})
                pushing.settle(session, connected.workspace_id, [outcome])
                [found] = session.execute(text("SELECT state, parked_at IS NOT NULL, push_at IS NOT NULL FROM tasks"))
                assert found == expected, (external_id, said, wanted, subject)
        session.rollback()
