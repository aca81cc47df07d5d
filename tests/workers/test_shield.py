"""Never interrupt somebody who sits in a meeting."""

from __future__ import annotations

from datetime import datetime, timedelta

from integrations.records import ActivityKind
from tests.workers.conftest import NOON, World


def meeting(world: World, start: datetime, end: datetime, **fields: object) -> None:
    world.logs(
        ActivityKind.MEETING, id="m1", at=start, ends_at=end, owner_id="o1", outcome="scheduled", contact="c9", **fields
    )


def test_nothing_is_pushed_to_an_owner_in_a_meeting_and_it_comes_right_after(connected: World) -> None:
    connected.set(meeting_shield=True)
    end = NOON + timedelta(minutes=45)
    meeting(connected, NOON - timedelta(minutes=15), end)
    connected.run()
    connected.says("@brand Do you ship?", id="q1")
    connected.look()

    task = connected.task()
    assert connected.in_crm() == []
    assert task.push_at == end
    assert task.held_reason == "Its owner is in a meeting or outside working hours; it is handed over afterwards."

    connected.passes(timedelta(minutes=46))
    connected.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    connected.run()

    assert len(connected.in_crm()) == 1
    assert datetime.fromisoformat(connected.task().content["due_at"]) >= end


def test_outside_working_hours_it_waits_for_the_morning(connected: World) -> None:
    connected.set(
        meeting_shield=True,
        hours={"friday": ["09:00-17:00"], **{day: [] for day in ("monday", "thursday", "saturday", "sunday")}},
    )
    connected.says("@brand Do you ship?", id="q1", ago=timedelta(days=7))
    connected.run()

    assert connected.task().push_at == datetime(2026, 3, 13, 9, 0, tzinfo=NOON.tzinfo)


def test_a_cancelled_meeting_holds_nothing_back(connected: World) -> None:
    connected.set(meeting_shield=True)
    connected.logs(
        ActivityKind.MEETING,
        id="m1",
        at=NOON - timedelta(minutes=5),
        ends_at=NOON + timedelta(hours=1),
        owner_id="o1",
        outcome="cancelled",
    )
    connected.says("@brand Do you ship?", id="q1")

    connected.run()

    assert len(connected.in_crm()) == 1
