"""An account whose reads cost money, at a time that a test sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from integrations.provider import Price
from integrations.records import Author
from integrations.registry import providers
from service import connect, housekeeping, settings
from service.store import ruling
from tests.fakes import social as fake_social
from workers import metering

if TYPE_CHECKING:
    from tests.workers.conftest import World

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
PRICES = (Price("post", 0.005, "the price list", label="post"),)


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the meter takes for real time."""
    made = Clock()
    monkeypatch.setattr(metering, "real_now", made)
    monkeypatch.setattr(housekeeping, "real_now", made)
    return made


@pytest.fixture
def paying(world: World, clock: Clock) -> World:
    """An account of a network that bills each post."""
    providers()["fakesocial"] = fake_social.manifest(world.social, prices=PRICES)
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
    return world


def says(world: World, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        world.says("@brand Hello?", id=f"q{number}", who=Author(f"p{number}", f"p{number}"))


def ceiling(world: World, dollars: int | None) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        values = {**settings.current(session, world.workspace_id).values, "monthly_ceiling": dollars}
        ruling.change_settings(session, world.workspace_id, values, by="system")


def bought(world: World) -> dict[str, Any]:
    return {
        str(day): reads for day, reads in world.sql("SELECT day, sum(reads)::int FROM spend GROUP BY day ORDER BY day")
    }


def stored(world: World) -> int:
    [(count,)] = world.sql("SELECT count(*) FROM engagements")
    return int(count)


def during_page(world: World, number: int, do: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Does something once, while the network answers with that page."""
    called, pages = world.social.script.called, count(1)

    def hook(method: str, *arguments: Any) -> None:
        if method == "page" and arguments == ("mentions",) and next(pages) == number:
            do()
        called(method, *arguments)

    monkeypatch.setattr(world.social.script, "called", hook)
