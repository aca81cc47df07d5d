"""Posts that a network is asked for again and says nothing about: nobody knows whether they are there, so they do not count as checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.provider import Deadline
from integrations.records import Author
from integrations.registry import providers
from service.clock import real_now
from tests.workers.conftest import World


def goes_by(world: World, time: timedelta) -> None:
    """Real time: what was served or asked for is so much older."""
    world.sql(
        "UPDATE engagements SET checked_at = checked_at - CAST(:t AS interval), asked_at = asked_at - CAST(:t AS interval)",
        t=time,
    )


def asked(world: World) -> list[tuple[str, ...]]:
    """What the network was asked for again, call by call."""
    return [tuple(sorted(arguments[0])) for name, arguments in world.social.script.calls if name == "recheck"]


def sweep(world: World) -> list[tuple[str, ...]]:
    before = len(asked(world))
    world.look(streams=("recheck",))
    return asked(world)[before:]


def stands(world: World, post: str) -> tuple[datetime, Any, str]:
    [row] = world.sql("SELECT checked_at, asked_at, text FROM engagements WHERE native_id = :p", p=post)
    return tuple(row)  # type: ignore[return-value]


@pytest.fixture
def waiting(connected: World) -> World:
    """Two posts somebody waits on; the network will say nothing of the first."""
    connected.says("@brand Where is order 4711?", id="silent")
    connected.says("@brand Do you ship to Porto?", id="there", who=Author("b1", "ben", "Ben Okafor"))
    connected.run()
    connected.social.silent.add("silent")
    return connected


def test_what_has_no_answer_is_neither_gone_nor_checked(waiting: World) -> None:
    goes_by(waiting, timedelta(hours=2))
    before = {post: stands(waiting, post)[0] for post in ("silent", "there")}
    assert sweep(waiting) == [("silent", "there")]
    checked, asked_at, text = stands(waiting, "silent")
    assert (checked, text) == (before["silent"], "@brand Where is order 4711?")
    assert asked_at is not None
    checked, asked_at, _ = stands(waiting, "there")
    assert checked > before["there"]
    assert asked_at is None
    assert len(waiting.in_crm()) == 2


def test_it_is_asked_for_again_after_an_hour_and_not_in_every_sweep(waiting: World) -> None:
    goes_by(waiting, timedelta(hours=2))
    sweep(waiting)
    assert sweep(waiting) == [("there",)]
    goes_by(waiting, timedelta(minutes=61))
    waiting.social.silent.clear()
    waiting.social.delete("silent")
    assert sweep(waiting) == [("silent", "there")]
    assert stands(waiting, "silent")[2] == ""
    assert len(waiting.in_crm()) == 1


def test_more_than_a_sweep_asks_for_without_an_answer_keep_no_other_from_their_turn(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.recheck.RECHECKED", 2)
    for number in range(5):
        connected.says("@brand Do you ship to Porto?", id=f"p{number}", ago=timedelta(hours=9 - number))
    connected.run()
    connected.social.silent |= {f"p{number}" for number in range(4)}
    goes_by(connected, timedelta(hours=2))
    assert sorted(each for call in sweep(connected) for each in call) == ["p0", "p1", "p2", "p3", "p4"]


def test_a_text_of_which_a_network_says_nothing_goes_when_its_deadline_is_over(connected: World) -> None:
    providers()["fakesocial"] = replace(
        providers()["fakesocial"], follow=Deadline(timedelta(hours=24), "https://social.example/rules")
    )
    connected.says("@brand Nice", id="silent")
    connected.run()
    connected.social.silent.add("silent")
    for _ in range(2):
        goes_by(connected, timedelta(hours=13))
        sweep(connected)
    connected.sql("UPDATE errands SET next_at = now() WHERE name = 'keep'")
    connected.run()
    assert stands(connected, "silent")[2] == ""


def test_what_was_not_asked_about_for_want_of_calls_comes_as_soon_as_the_network_takes_some(connected: World) -> None:
    for number in range(4):
        connected.says("@brand Do you ship to Porto?", id=f"p{number}", ago=timedelta(hours=9 - number))
    connected.run()
    goes_by(connected, timedelta(hours=2))
    connected.social.takes = 2
    assert sweep(connected) == [("p0", "p1", "p2", "p3"), ("p2", "p3")]
    for left in ("p2", "p3"):
        checked, asked_at, _ = stands(connected, left)
        assert (checked < real_now() - timedelta(hours=1), asked_at) == (True, None)
    row = connected.stream("recheck", connection_id=connected.connection("social").id)
    assert (row.waits_for, row.failures) == ("rate_limit", 0)
    connected.social.takes = None
    assert sweep(connected) == [("p2", "p3")]
