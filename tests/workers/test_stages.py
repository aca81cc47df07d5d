"""Each change of stage is kept with its instant and reason, however often and in whichever order things are decided."""

from __future__ import annotations

from datetime import timedelta

from integrations.records import ActivityKind, Direction
from service.store import stages
from tests.workers.conftest import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def changes(world: World) -> list[tuple[str, str]]:
    relationship = world.relationship()
    with world.runtime.db.tenant(world.workspace_id) as session:
        rows = stages.changes_of(session, world.workspace_id, relationship.id)
    return [(row["stage"], row["reason"]) for row in rows]


ASKED = [
    ("in contact", "You answered them for the first time."),
    ("conversing", "You had gone back and forth twice."),
    ("ready to talk", "Ana Ferrer asked to talk on Example Social on"),
]


def test_a_first_reading_tells_how_it_came_there_and_a_second_look_adds_nothing(connected: World) -> None:
    connected.knows()
    connected.says("@brand How wide is it?", id="q1", thread="t1", ago=9 * DAY)
    connected.answers("60 cm", id="r1", to="q1", thread="t1", ago=9 * DAY - HOUR)
    connected.says("@brand And how deep?", id="q2", thread="t2", ago=5 * DAY)
    connected.answers("40 cm", id="r2", to="q2", thread="t2", ago=5 * DAY - HOUR)
    connected.says("@brand Can we have a call next week?", id="q3", thread="t3", ago=DAY)

    connected.run()
    connected.look()

    found = changes(connected)
    assert [stage for stage, _ in found] == [stage for stage, _ in ASKED]
    assert all(reason.startswith(start) for (_, reason), (_, start) in zip(found, ASKED, strict=True))
    assert connected.relationship().score > 0.9

    connected.logs(ActivityKind.CALL, id="k1", at=connected.now - HOUR, direction=Direction.OUT, outcome="connected")
    connected.look()

    assert changes(connected)[3:] == [("talked", "The CRM logged a call with them.")]
