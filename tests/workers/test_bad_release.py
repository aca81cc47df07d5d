"""A release whose rules change their mind about a third of what is open: stopped before anybody is troubled, undone by its id.

`make bench BENCH="release"` does the same with 5,000 tasks and the wire format of a real CRM, and says how long it takes."""

from __future__ import annotations

import zlib
from uuid import UUID

import pytest

from integrations.records import Author, TaskStatus
from service import judging
from service.rules import model
from service.rules.model import Conversation, Verdict
from service.store import deciding, ruling, runs, tasks
from tests.workers.conftest import World
from tests.workers.holding import act, newest, people_ask

TASKS, WRONG = 600, 0.3


def release(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version whose rules are newer, and wrong about so many of the talks: always the same ones."""
    rule = judging.unanswered

    def wrong(conversation: Conversation, **more: object) -> Verdict:
        if zlib.crc32(conversation.posts[0].id.encode()) % 100 < WRONG * 100:
            return Verdict(None, ("Nothing is open.",))
        return rule(conversation, **more)  # type: ignore[arg-type]

    for module in (model, runs, deciding, tasks):
        monkeypatch.setattr(module, "RULES_VERSION", 99)
    monkeypatch.setattr(judging, "unanswered", wrong)


@pytest.fixture
def many(connected: World) -> World:
    people_ask(connected, TASKS)
    connected.run()
    assert len(connected.in_crm()) == TASKS
    return connected


def test_a_bad_release_writes_next_to_nothing_and_is_undone_by_its_id(
    many: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(many.crm.tasks)

    release(monkeypatch)
    many.says("@brand And to Faro?", id="late", who=Author("late", "late", "Late"))
    many.look()

    assert sum(many.crm.tasks[id_] != task for id_, task in before.items()) <= runs.LIMIT
    run = newest(many)
    assert (run.kind, run.state) == ("rules", "held")
    [counts] = run.counts.values()
    assert abs(counts["withdraw"] / TASKS - WRONG) < 0.1

    act(many, "approve_run")  # somebody takes it for good, and people work on
    many.run()
    assert (
        TASKS - counts["withdraw"] <= len(many.in_crm()) <= TASKS - counts["withdraw"] + 1
    )  # "late" may be among the wrong
    left = [id_ for id_ in sorted(many.crm.tasks) if many.crm.tasks[id_].status == TaskStatus.OPEN]
    many.crm.edit_as_person(left[0], subject="Mine now")
    many.look(streams=("tasks",))

    _undo(many, run.id)
    many.run()

    open_now = {id_ for id_, task in many.crm.tasks.items() if task.status == TaskStatus.OPEN}
    assert TASKS <= len(open_now) <= TASKS + 1
    assert {task.wanted for task in many.tasks()} == {"open"}
    assert many.crm.tasks[left[0]].subject == "Mine now"


def _undo(world: World, run_id: UUID) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        assert ruling.undo_run(session, world.workspace_id, run_id, by="user:olga") is not None
