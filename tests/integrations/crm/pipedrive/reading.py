"""All that a stream of a company in memory brings."""

from __future__ import annotations

from typing import Any

from tests.integrations.crm.pipedrive.conftest import World


def drain(world: World, stream: str, cursor: str | None = None, **access: Any) -> tuple[list[Any], str | None]:
    """All records that a stream brings, and the cursor at its end."""
    found: list[Any] = []
    for page in world.client(**access).pull(stream, cursor):
        found += page.items
        cursor = page.cursor
    return found, cursor
