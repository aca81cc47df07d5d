"""Tasks that tests push, and what came of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from integrations.records import PushOutcome, PushResult, Task, TaskKind, TaskState, TaskStatus
from tests.integrations.crm.hubspot.conftest import World
from tests.integrations.crm.hubspot.portal import (
    drop_after,
    drop_before,
    garbage_after,
    timeout_after,
)

DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
CREATE, UPDATE, ARCHIVE, READ = (
    "/tasks/batch/create",
    "/tasks/batch/update",
    "/tasks/batch/archive",
    "/tasks/batch/read",
)
ACCOUNTS = [{}, {"unique": False}, {"properties_allowed": False}]
LOST = [drop_after, timeout_after, garbage_after, drop_before]


def new(key: str = "k1", **more: Any) -> Task:
    fields: dict[str, Any] = {
        "subject": f"Answer {key}",
        "body": "They asked.\nhttps://x.example/1",
        "due_at": DUE,
        **more,
    }
    return Task(key, TaskKind.UNANSWERED, TaskStatus.OPEN, **fields)


def push(world: World, *tasks: Task) -> list[PushOutcome]:
    return [each.outcome for each in results(world, *tasks)]


def results(world: World, *tasks: Task) -> list[PushResult]:
    return list(world.client().push_tasks(tasks))


def standing(world: World, key: str) -> dict[str, Any]:
    """The task under this key, as the account has it."""
    client = world.client()
    [found] = [
        each for each in world.portal.alive("tasks")
        if isinstance(state := client.read_tasks([each["id"]])[0], TaskState) and state.key == key
    ]  # fmt: skip
    return dict(found["properties"])


def sent(world: World, task: Task) -> Task:
    """The same task after its create was lost just now."""
    return replace(task, maybe_sent_at=world.clock())


def made(world: World, key: str = "k1", **more: Any) -> Task:
    """A task that stands, ready to be changed."""
    [result] = results(world, new(key, **more))
    world.portal.calls.clear()
    return Task(key, TaskKind.UNANSWERED, TaskStatus.OPEN, external_id=result.external_id)
