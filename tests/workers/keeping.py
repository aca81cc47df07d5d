"""What a test does whose texts grow old."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from integrations.provider import Deadline
from integrations.records import Author
from integrations.registry import providers
from tests.workers.conftest import World

BEN = Author("b1", "ben", "Ben Okafor", bio="Rides in Faro", url="https://social.example/ben")


def keep(world: World) -> None:
    """The hour is over."""
    world.sql("UPDATE errands SET next_at = now() WHERE name = 'keep'")
    world.run()


def texts(world: World) -> dict[str, str]:
    return dict(world.sql("SELECT native_id, text FROM engagements"))


def with_deadline(world: World, deadline: Deadline | None, **more: Any) -> None:
    providers()["fakesocial"] = replace(providers()["fakesocial"], follow=deadline, **more)


def goes_by(world: World, time: timedelta) -> None:
    """Real time: what was served is so much older."""
    world.sql("UPDATE engagements SET checked_at = checked_at - CAST(:t AS interval)", t=time)
