"""A task, and what is read and made, for Odoo's tests."""

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
from tests.integrations.crm.odoo.conftest import OLGA, World

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
