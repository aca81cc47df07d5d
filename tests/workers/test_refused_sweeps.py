"""A refusal of one thing ends neither edits and deletions nor what is looked after along with them, and is said."""

from __future__ import annotations

from integrations.errors import PermissionDeniedError
from integrations.provider import RECHECK
from service import health
from service.clock import real_now
from service.store import listing
from tests.workers.conftest import World

REFUSED = PermissionDeniedError("Direct messages are not allowed", scope="dm.read")
SAID = (
    "Edits and deletions are not followed: Direct messages are not allowed. Missing: dm.read. Reconnect and allow it."
)


def condition(world: World, kind: str) -> health.Health:
    with world.runtime.db.tenant(world.workspace_id) as session:
        [row], _ = listing.connections(session, world.workspace_id, filters={"kind": kind})
    return health.of(row, real_now())


def sweeps(world: World, kind: str) -> list[tuple[str, float]]:
    found = world.sql(
        "SELECT s.status, extract(epoch FROM s.next_pull_at - now()) FROM streams s JOIN connections c ON c.id = s.connection_id"
        " WHERE s.name = 'recheck' AND c.kind = :kind",
        kind=kind,
    )
    return [(status, round(float(seconds) / 60)) for status, seconds in found]


def test_a_refused_sweep_shows_in_the_light_and_is_tried_again_within_the_hour(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    assert len(connected.in_crm()) == 1
    connected.social.script.fail(REFUSED, on="recheck")
    connected.look(streams=(RECHECK,))

    found = condition(connected, "social")
    assert (found.light, SAID in found.line) == (health.Light.WAITING, True)
    assert sweeps(connected, "social") == [("active", 60)]

    connected.social.delete("q1")
    connected.look(streams=(RECHECK,))
    connected.run()
    assert connected.in_crm() == []
    assert SAID not in condition(connected, "social").line


def test_a_crm_that_refuses_one_sweep_is_asked_about_its_tasks_again(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    connected.crm.script.fail(PermissionDeniedError("Tasks may not be read"), on="read_tasks")
    connected.look(streams=(RECHECK,))
    assert "Edits and deletions are not followed: Tasks may not be read." in condition(connected, "crm").line
    assert sweeps(connected, "crm") == [("active", 60)]
    before = connected.crm.script.count("read_tasks")
    connected.look(streams=(RECHECK,))
    assert connected.crm.script.count("read_tasks") > before
    assert "Edits and deletions" not in condition(connected, "crm").line


def test_one_that_goes_on_being_refused_is_trouble_with_what_to_do(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    for _ in range(health.A_FEW + 1):
        connected.social.script.fail(REFUSED, on="recheck")
        connected.look(streams=(RECHECK,))
        connected.sql("UPDATE engagements SET checked_at = checked_at - interval '1 day', asked_at = NULL")
    found = condition(connected, "social")
    assert found.light is health.Light.TROUBLE
    assert "reconnect the account" in found.advice


def test_what_an_older_release_stopped_is_trouble(connected: World) -> None:
    connected.run()
    connected.sql(
        "UPDATE streams SET status = 'stopped', next_pull_at = NULL, error = 'Refused.' WHERE name = 'recheck'"
    )
    found = condition(connected, "social")
    assert found.light is health.Light.TROUBLE
    assert "then reconnect the account" in found.advice
