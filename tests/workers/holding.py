"""Changes that are held: how they come about, and what a person does about them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from integrations.records import Author
from service import settings
from service.models import Run
from service.store import ruling, runs

if TYPE_CHECKING:
    from tests.workers.conftest import World


def people_ask(world: World, number: int, *, start: int = 0, ago: timedelta = timedelta(hours=3)) -> None:
    for each in range(start, start + number):
        who = Author(f"p{each}", f"person{each}", f"Person {each}")
        world.says("@brand Do you ship to Porto?", id=f"q{each}", who=who, ago=ago)


def change(world: World, **values: Any) -> None:
    """As the console and the API change settings."""
    with world.runtime.db.tenant(world.workspace_id) as session:
        standing = settings.current(session, world.workspace_id).values
        ruling.change_settings(session, world.workspace_id, {**standing, **values}, by="user:olga")


def newest(world: World) -> Run:
    with world.runtime.db.tenant(world.workspace_id) as session:
        found = runs.latest(session, world.workspace_id)
        assert found is not None
        return found


def act(world: World, name: str) -> Run:
    with world.runtime.db.tenant(world.workspace_id) as session:
        run = runs.latest(session, world.workspace_id)
        assert run is not None
        found: Run | None = getattr(ruling, name)(session, world.workspace_id, run.id, by="user:olga")
        assert found is not None
        return found
