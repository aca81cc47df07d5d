"""What a push takes, and when it may go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from service.ids import new_id
from service.store.tasks import TaskRow
from tests.workers.conftest import World

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def due(world: World) -> None:
    """The CRM's next push may go out, whoever had it before."""
    world.sql(
        "UPDATE connections SET next_push_at = now(), push_lease_until = now() - interval '1 second' WHERE kind = 'crm'"
    )


def row(**values: Any) -> TaskRow:
    """A task as a push takes it."""
    usual: dict[str, Any] = {
        "id": new_id(), "key": "unanswered-1", "kind": "unanswered", "brand_id": new_id(), "person": "author:1", "author_id": None,
        "contact_id": None, "conversation_id": None, "relationship_id": None, "crm_connection_id": None, "wanted": "open", "state": "open",
        "content": {"subject": "First"}, "edited": [], "reasons": [], "urgency": 0, "since": NOON, "due_at": NOON,
    }  # fmt: skip
    return TaskRow(**{**usual, **values})
