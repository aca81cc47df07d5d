"""Networks that want changes followed by a deadline: what is followed no longer is kept no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.errors import TemporaryError
from integrations.provider import Deadline
from integrations.registry import providers
from service import connect, disconnecting, health
from service.clock import real_now
from service.rules.redaction import LAPSED
from service.store import keeping, listing
from tests.workers.conftest import World, edited
from tests.workers.keeping import goes_by, keep, texts, with_deadline

STATED = sorted(key for key, each in providers().items() if each.follow)


def holds(world: World, words: str) -> bool:
    everywhere = world.sql(
        "SELECT (SELECT coalesce(string_agg(e::text, ' '), '') FROM engagements e) || (SELECT coalesce(string_agg(t::text, ' '), '') FROM tasks t)"
    )
    return words in str(everywhere) or words in str(world.crm.tasks)


def test_some_network_states_a_deadline() -> None:
    assert "x" in STATED


@pytest.mark.parametrize("network", STATED)
@pytest.mark.parametrize("open_task", [True, False])
def test_a_deleted_post_is_gone_here_and_in_its_task_within_the_networks_deadline(
    connected: World, network: str, open_task: bool
) -> None:
    stated = providers()[network]
    assert stated.follow is not None
    with_deadline(connected, stated.follow, prices=stated.prices)
    connected.says("@brand When does the Quixotic velodrome open?", id="p1")
    connected.run()
    if not open_task:
        connected.answers("At nine.", id="p2", to="p1")
        connected.look()
    assert len(connected.in_crm("open" if open_task else "completed")) == 1
    assert holds(connected, "Quixotic")
    connected.social.delete("p1")
    sweeps = timedelta(minutes=15)
    for _ in range(4):  # a sweep at each quarter of the time, and the hour's errand
        goes_by(connected, (stated.follow.within - sweeps) / 4)
        connected.look(streams=("recheck",))
        keep(connected)
    goes_by(connected, sweeps)
    keep(connected)
    assert not holds(connected, "Quixotic")


DAY = Deadline(timedelta(hours=24), "https://social.example/rules")


@pytest.fixture
def answered(connected: World) -> World:
    """A network that wants changes followed within a day, and a task about a talk there that was answered, closed in the CRM."""
    with_deadline(connected, DAY)
    connected.says("@brand When does the Quixotic velodrome open?", id="p1")
    connected.run()
    connected.answers("At nine.", id="p2", to="p1")
    connected.look()
    assert len(connected.in_crm("completed")) == 1
    assert "Quixotic" in str(connected.crm.tasks)
    return connected


@pytest.mark.parametrize("how", ["not followed in time", "too old"])
def test_what_is_followed_no_longer_is_quoted_by_no_closed_task_here_or_in_the_crm(answered: World, how: str) -> None:
    if how == "too old":
        answered.set(retention_days=30)
        answered.sql("UPDATE engagements SET posted_at = posted_at - interval '31 days'")
    else:
        goes_by(answered, timedelta(hours=25))
    answered.crm.script.fail(TemporaryError("the CRM is away"), on="push_tasks")
    keep(answered)
    assert texts(answered)["p1"] == ""
    answered.sql("UPDATE tasks SET push_at = :now WHERE push_at IS NOT NULL", now=answered.now)
    answered.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    answered.run()
    assert not holds(answered, "Quixotic")
    [task] = answered.crm.tasks.values()
    assert (task.status, LAPSED in task.body) == ("completed", True)


def test_without_a_deadline_the_crm_keeps_what_a_closed_task_quotes_of_an_old_post(answered: World) -> None:
    with_deadline(answered, None)
    answered.set(retention_days=30)
    answered.sql("UPDATE engagements SET posted_at = posted_at - interval '31 days'")
    keep(answered)
    assert texts(answered)["p1"] == ""
    assert "Quixotic" in str(answered.crm.tasks)


def test_a_crm_that_is_disconnected_meanwhile_is_told_when_it_is_connected_again(answered: World) -> None:
    disconnecting.disconnect(answered.runtime, answered.owner.caller, answered.connection("crm").id)
    goes_by(answered, timedelta(hours=25))
    keep(answered)
    assert "Quixotic" not in f"{texts(answered)} {[(each.content, each.written) for each in answered.tasks()]}"
    assert "Quixotic" in str(answered.crm.tasks)
    connect.connect_with_secret(answered.runtime, answered.owner.caller, "fakecrm", None, {})
    answered.run()
    [task] = answered.crm.tasks.values()
    assert (task.status, LAPSED in task.body) == ("completed", True)
    assert answered.task().edited == []


def test_a_task_of_a_disconnected_crm_loses_its_text_in_its_time_though_something_was_to_be_said_there(
    answered: World,
) -> None:
    disconnecting.disconnect(answered.runtime, answered.owner.caller, answered.connection("crm").id)
    goes_by(answered, timedelta(hours=25))
    keep(answered)
    assert answered.task().push_at is not None
    answered.sql("UPDATE tasks SET closed_at = closed_at - interval '366 days'")
    keep(answered)
    assert answered.task().content["subject"] == keeping.GONE


def test_a_closed_task_knows_what_it_quotes_for_as_long_as_something_rests_on_that(answered: World) -> None:
    """Or it could not be found any more that the CRM's quotes a post that goes later."""
    answered.set(retention_days=30)
    answered.says("@brand And when do you close?", id="again", ago=timedelta(hours=2))
    answered.look()
    answered.sql("UPDATE engagements SET posted_at = posted_at - interval '31 days' WHERE thread = 'p1'")
    answered.sql("UPDATE tasks SET closed_at = closed_at - interval '31 days'")
    keep(answered)
    assert (len(answered.in_crm()), texts(answered)["p1"] != "") == (1, True)
    answered.social.delete("p1")
    goes_by(answered, timedelta(hours=22))
    answered.look(streams=("recheck",))
    assert not holds(answered, "Quixotic")
    keep(answered)
    assert answered.task(wanted="completed").content["subject"] == keeping.GONE


@pytest.mark.parametrize("network", STATED)
def test_an_edited_post_is_followed_in_its_task_within_the_networks_deadline(connected: World, network: str) -> None:
    stated = providers()[network]
    with_deadline(connected, stated.follow)
    post = connected.says("@brand When does the Quixotic velodrome open?", id="p1")
    connected.run()
    connected.social.edit(edited(post, "@brand When does the shop open?"))
    connected.look(streams=("recheck",))
    assert not holds(connected, "Quixotic")
    assert holds(connected, "When does the shop open?")


def test_a_network_without_prices_is_asked_for_everything_before_its_deadline(connected: World) -> None:
    with_deadline(connected, Deadline(timedelta(hours=24), "https://social.example/rules"))
    connected.says("@brand Nice", id="p1", ago=timedelta(days=200))
    connected.run()
    for _ in range(3):
        goes_by(connected, timedelta(hours=21))
        connected.look(streams=("recheck",))
        keep(connected)
    assert texts(connected) == {"p1": "@brand Nice"}


def test_without_a_deadline_a_text_is_kept_though_it_is_not_asked_for(connected: World) -> None:
    connected.says("@brand Nice", id="p1")
    connected.run()
    goes_by(connected, timedelta(days=3))
    keep(connected)
    assert texts(connected) == {"p1": "@brand Nice"}


@pytest.mark.parametrize("status", ["disconnected", "needs_reauth", "leaving"])
def test_what_is_overdue_is_told_of_an_account_that_is_not_read_any_more(connected: World, status: str) -> None:
    with_deadline(connected, Deadline(timedelta(hours=24), "https://social.example/rules"))
    connected.says("@brand When do you open?", id="p1")
    connected.run()
    goes_by(connected, timedelta(hours=25))
    connected.sql(f"UPDATE connections SET status = '{status}' WHERE kind = 'social'")
    keep(connected)
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        row = listing.connection(session, connected.workspace_id, connected.connection("social").id)
    assert row is not None
    assert "1 text has not been checked" in health.line(row, real_now())


def test_what_is_overdue_because_something_rests_on_it_shows_in_health(connected: World) -> None:
    with_deadline(connected, Deadline(timedelta(hours=24), "https://social.example/rules"))
    connected.says("@brand When do you open?", id="p1")
    connected.run()
    goes_by(connected, timedelta(hours=25))
    for at in range(1, 9):
        connected.social.script.fail(TemporaryError("Example Social is not answering"), on="recheck", at=at)
    connected.look(streams=("recheck",))
    keep(connected)
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        row = listing.connection(session, connected.workspace_id, connected.connection("social").id)
    assert row is not None
    told = health.of(row, real_now())
    assert "1 text has not been checked for edits and deletions as soon as Example Social asks" in told.line
    assert told.light == "waiting"
    connected.social.script.forgive()
    connected.look(streams=("recheck",))
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        row = listing.connection(session, connected.workspace_id, connected.connection("social").id)
    assert row is not None
    assert "not been checked" not in health.line(row, real_now())
