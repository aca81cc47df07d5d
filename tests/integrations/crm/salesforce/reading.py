"""All that a stream of an organisation in memory brings."""

from __future__ import annotations

from typing import Any

from tests.integrations.crm.salesforce.conftest import World


def drain(
    world: World, stream: str, cursor: str | None = None, **access: Any
) -> tuple[list[Any], str | None, list[str]]:
    """All records that a stream brings, the cursor at its end, and its notes."""
    found: list[Any] = []
    notes: list[str] = []
    for page in world.client(**access).pull(stream, cursor):
        found += page.items
        notes += page.notes
        cursor = page.cursor
    return found, cursor, notes
