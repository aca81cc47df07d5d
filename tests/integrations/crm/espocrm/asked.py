"""A task, and what is read and made, for EspoCRM's tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from integrations.records import (
    PushOutcome,
    Task,
    TaskKind,
    TaskStatus,
)
from tests.integrations.crm.espocrm.conftest import World

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
