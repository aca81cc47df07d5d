"""A task that the CRM refuses is parked, seen, and said once more when somebody asks for it; by itself it is not tried again."""

from __future__ import annotations

from uuid import uuid4

from service.models import Audit
from service.store import acting, listing
from tests.workers.conftest import World
from tests.workers.test_faults import waiting

SENTENCE = "Property 'region' is required."


def refused(world: World) -> str:
    """Lets the world's one waiting question become a task that the CRM refuses; its key."""
    waiting(world, 1)
    world.run()
    key = world.task().key
    world.crm.tasks.clear()
    world.sql("UPDATE tasks SET state = 'absent', external_id = NULL, push_at = :now", now=world.now)
    world.crm.refuse(key, SENTENCE)
    world.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    world.run()
    assert world.task().state == "parked"
    return key


def retry(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        assert acting.retry_task(session, world.workspace_id, world.task().id, by="user:olga")


def listed(world: World, parked: bool) -> list[str]:
    with world.runtime.db.tenant(world.workspace_id) as session:
        rows, _ = listing.tasks(session, world.workspace_id, filters={"parked": parked})
    return [row["key"] for row in rows]


def audited(world: World) -> int:
    with world.runtime.db.tenant(world.workspace_id) as session:
        return session.query(Audit).filter_by(action="task.retried").count()


def test_what_is_retried_is_said_once_more_and_stands_if_the_crm_takes_it(connected: World) -> None:
    key = refused(connected)
    since = connected.task().parked_at
    assert since is not None
    assert (listed(connected, True), listed(connected, False)) == ([key], [])
    connected.look()  # by itself nothing is tried again
    assert (connected.task().state, connected.task().parked_at) == ("parked", since)

    connected.crm.take_after_all(key)
    retry(connected)
    assert (connected.task().state, connected.task().detail) == ("absent", "")
    connected.run()

    task = connected.task()
    assert (task.state, task.parked_at, task.detail) == ("open", None, "")
    assert len(connected.crm.tasks) == 1
    assert (listed(connected, True), audited(connected)) == ([], 1)


def test_what_is_refused_again_comes_back_with_the_reason_and_retrying_something_else_changes_nothing(
    connected: World,
) -> None:
    refused(connected)
    retry(connected)
    retry(connected)  # it is on its way already
    connected.run()
    task = connected.task()
    assert (task.state, task.detail) == ("parked", SENTENCE)
    assert audited(connected) == 1
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        assert acting.retry_task(session, connected.workspace_id, uuid4(), by="user:olga") is None


def test_what_a_change_holds_back_is_not_sent_by_retrying_it(connected: World) -> None:
    refused(connected)
    connected.sql("UPDATE tasks SET run_id = :run", run=uuid4())
    retry(connected)
    assert (connected.task().push_at, connected.task().parked_at) == (None, None)


def test_what_is_dismissed_is_parked_no_more(connected: World) -> None:
    refused(connected)
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        acting.dismiss_task(session, connected.workspace_id, connected.task().id, by="user:olga")
    assert (listed(connected, True), connected.task().state) == ([], "withdrawn")
