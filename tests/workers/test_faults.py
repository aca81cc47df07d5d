"""What goes wrong: a clear sentence, nothing lost, nothing twice."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from integrations.errors import (
    AmbiguousWriteError,
    AuthenticationError,
    InvalidRequestError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.records import Author
from service.store import due, pushing
from tests.workers.conftest import World, clock_goes_back
from workers import policy


def waiting(world: World, count: int) -> None:
    """So many people wait."""
    for number in range(count):
        world.says(
            f"@brand Question {number}?", id=f"q{number}", who=Author(f"p{number}", f"p{number}", f"Person {number}")
        )


def in_seconds(world: World, column: str, table: str, where: str = "true") -> float:
    """How far ahead an instant of the schedule lies, by PostgreSQL's clock."""
    [(seconds,)] = world.sql(f"SELECT extract(epoch FROM {column} - now()) FROM {table} WHERE {where}")
    return float(seconds)


def test_a_network_in_trouble_is_tried_later_and_nothing_is_lost(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    connected.social.script.fail(TemporaryError("social.example cannot be reached"), on="pull")
    connected.run()
    stream = next(each for each in ("mentions", "own", "messages") if connected.stream(each).failures)
    assert connected.stream(stream).error == "social.example cannot be reached."
    assert connected.connection("social").status == "active"
    assert 0 < in_seconds(connected, "next_pull_at", "streams", f"name = '{stream}'") <= 10

    connected.look()

    assert connected.stream(stream).error == ""
    assert len(connected.in_crm()) == 1


def test_a_rate_limit_is_not_a_failure_and_is_obeyed(connected: World) -> None:
    connected.run()
    connected.social.script.fail(RateLimitError("later", retry_after=600), on="pull")

    connected.look(streams=("mentions",))

    stream = connected.stream("mentions")
    assert (stream.failures, stream.error) == (0, "")
    # Never before; and, since a limit ends for many at once, somewhere in the stream's own five minutes after.
    assert 590 < in_seconds(connected, "next_pull_at", "streams", "name = 'mentions'") <= 900


def test_a_missing_scope_stops_that_stream_and_no_other(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    connected.social.script.fail(PermissionDeniedError("Direct messages are not allowed", scope="dm.read"), on="pull")

    connected.run()

    [(name, error)] = connected.sql("SELECT name, error FROM streams WHERE status = 'stopped'")
    assert error == "Direct messages are not allowed. Missing: dm.read. Reconnect and allow it."
    assert connected.connection("social").status == "active"
    others = connected.sql("SELECT count(*) FROM streams WHERE status = 'active' AND name <> :name", name=name)
    assert others[0][0] > 5


def test_a_grant_that_is_gone_asks_for_a_person_and_leaves_the_other_account_alone(connected: World) -> None:
    connected.run()
    for attempt in (1, 2):
        connected.social.script.fail(AuthenticationError("This consent was withdrawn"), on="pull", at=attempt)

    connected.look()

    social = connected.connection("social")
    assert (social.status, social.status_reason) == (
        "needs_reauth",
        "Example Social no longer accepts these credentials.",
    )
    assert connected.connection("crm").status == "active"
    assert connected.sql("SELECT action FROM audit WHERE actor = 'system'") == [("connection.needs_reauth",)]
    due = connected.sql(
        "SELECT count(*) FROM streams s JOIN connections c ON c.id = s.connection_id WHERE c.kind = 'social' AND next_pull_at IS NOT NULL"
    )
    assert due == [(0,)]


def test_an_unreadable_answer_and_a_bug_of_ours_leave_the_rest_alone(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    connected.social.script.fail(
        UnexpectedResponseError("social.example answered with something that is not JSON", sample="<html>"), on="pull"
    )
    connected.run()
    connected.social.script.fail(TypeError("a bug"), on="pull")  # type: ignore[arg-type]
    connected.look()

    shown = {row[0] for row in connected.sql("SELECT error FROM streams WHERE error <> ''")}
    assert shown == {"Something went wrong on our side; it is tried again."}
    connected.look()
    assert len(connected.in_crm()) == 1


def test_a_pull_that_breaks_off_half_way_goes_on_from_its_cursor(connected: World) -> None:
    connected.social.page_size = 2
    waiting(connected, 7)
    connected.social.script.fail(TemporaryError("broke off"), on="page", at=3)
    connected.run()
    connected.look()

    assert connected.sql("SELECT count(*) FROM engagements") == [(7,)]
    assert len(connected.in_crm()) == 7


def test_an_answer_lost_after_the_work_makes_no_task_twice(connected: World) -> None:
    waiting(connected, 3)
    connected.crm.lose_answer(work_done=True)
    connected.run()
    assert {task.state for task in connected.tasks()} == {"unknown"}

    connected.sql("UPDATE connections SET next_push_at = now() WHERE workspace_id = :w AND kind = 'crm'")
    connected.run()

    assert {task.state for task in connected.tasks()} == {"open"}
    assert connected.crm.tasks_ever_created == 3


@pytest.mark.parametrize("done", [True, False])
def test_without_a_unique_key_an_unknown_task_is_sought_and_only_then_made(connected: World, done: bool) -> None:
    connected.crm.unique = False
    waiting(connected, 1)
    connected.crm.lose_answer(work_done=done)
    connected.run()
    for _ in range(3):  # soon: it may just not show yet, so nothing is sent
        connected.sql("UPDATE connections SET next_push_at = now() WHERE workspace_id = :w AND kind = 'crm'")
        connected.run()
    assert connected.crm.tasks_ever_created == int(done)

    connected.sql("UPDATE tasks SET maybe_sent_at = maybe_sent_at - interval '5 minutes'")
    connected.sql("UPDATE connections SET next_push_at = now() WHERE workspace_id = :w AND kind = 'crm'")
    connected.run()

    assert connected.task().state == "open"
    assert connected.crm.tasks_ever_created == 1


def test_a_worker_that_dies_after_the_call_and_before_it_is_stored_makes_no_task_twice(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(connected, 2)
    from workers import push

    with monkeypatch.context() as patch:
        patch.setattr(push, "_store", _die)
        with pytest.raises(KeyboardInterrupt):
            connected.run()
    assert connected.crm.tasks_ever_created == 2
    connected.sql("UPDATE connections SET push_lease_until = now() - interval '1 second' WHERE kind = 'crm'")

    connected.run()

    assert {task.state for task in connected.tasks()} == {"open"}
    assert connected.crm.tasks_ever_created == 2


def _die(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["take", "settle"])
def test_a_push_that_postgresql_ended_for_the_sake_of_another_is_done_again_at_once(
    connected: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whoever decides locks tasks before their CRM, and a push the CRM before its tasks."""
    works, ended = getattr(pushing, step), [psycopg.errors.DeadlockDetected("deadlock detected")]

    def once(*args: object) -> object:
        if ended:
            raise ended.pop()
        return works(*args)

    monkeypatch.setattr(pushing, step, once)
    waiting(connected, 2)
    connected.run()
    assert not ended
    assert [task.state for task in connected.tasks()] == ["open", "open"]
    assert connected.crm.tasks_ever_created == 2


def test_rows_of_ours_that_are_lost_make_no_task_twice(connected: World) -> None:
    waiting(connected, 2)
    connected.run()
    connected.sql("DELETE FROM tasks")
    connected.sql("DELETE FROM engagements")  # as after a restore of an older backup
    connected.sql("UPDATE streams SET cursor = NULL")

    connected.look()

    assert [task.state for task in connected.tasks()] == ["open", "open"]
    assert connected.crm.tasks_ever_created == 2


def test_one_refused_record_is_parked_with_the_crms_own_sentence_and_the_rest_go_on(connected: World) -> None:
    waiting(connected, 3)
    connected.run()
    key = connected.tasks()[0].key
    connected.crm.tasks.clear()
    connected.sql("UPDATE tasks SET state = 'absent', external_id = NULL, push_at = :now", now=connected.now)
    connected.crm.refuse(key, "Property 'region' is required.")
    connected.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")

    connected.run()

    parked = connected.task(state="parked")
    assert (parked.key, parked.detail) == (key, "Property 'region' is required.")
    assert len(connected.tasks(state="open")) == 2


def test_a_crm_that_is_down_is_tried_later_and_says_so(connected: World) -> None:
    waiting(connected, 2)
    connected.crm.script.fail(TemporaryError("crm.example cannot be reached"), on="push_tasks")

    connected.run()

    crm = connected.connection("crm")
    assert (crm.push_failures, crm.push_error, crm.status) == (1, "crm.example cannot be reached.", "active")
    assert {task.state for task in connected.tasks()} == {"absent"}
    assert crm.next_push_at is not None
    connected.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    connected.run()
    assert connected.connection("crm").push_failures == 0
    assert len(connected.in_crm()) == 2


def test_a_call_that_nobody_knows_the_end_of_leaves_its_tasks_unknown(connected: World) -> None:
    waiting(connected, 1)
    connected.crm.script.fail(AmbiguousWriteError("crm.example did not answer in time"), on="push_tasks")

    connected.run()

    assert connected.task().state == "unknown"
    assert connected.task().maybe_sent_at is not None


def test_nothing_is_written_while_a_crm_is_in_preview(connected: World) -> None:
    connected.sql("UPDATE connections SET preview = true WHERE kind = 'crm'")
    waiting(connected, 2)
    connected.run()
    assert connected.crm.script.count("push_tasks") == 0
    assert [task.push_at is not None for task in connected.tasks()] == [True, True]

    connected.sql("UPDATE connections SET preview = false, next_push_at = now() WHERE kind = 'crm'")
    connected.run()

    assert len(connected.in_crm()) == 2


def test_a_lost_queue_costs_the_length_of_a_lease_and_nothing_else(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    lost = connected.claim()
    assert lost
    assert connected.claim() == []  # nobody else gets them meanwhile

    connected.sql("UPDATE streams SET lease_until = now() - interval '1 second'")
    connected.sql("UPDATE workspace_schedule SET lease_until = now() - interval '1 second'")
    connected.run()

    assert len(connected.in_crm()) == 1


def test_a_holder_that_comes_back_after_its_lease_changes_nothing(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    late = connected.claim()
    connected.sql("UPDATE streams SET lease_until = now() - interval '1 second'")
    connected.run()
    pulls = connected.social.script.count("pull")

    for each in late:
        connected.work(each)

    assert connected.social.script.count("pull") == pulls


def test_the_daily_cap_holds_the_rest_visibly_until_tomorrow(connected: World) -> None:
    connected.set(daily_cap=2)
    waiting(connected, 5)
    connected.run()
    held = [task for task in connected.tasks() if task.held_reason]
    assert len(connected.in_crm()) == 2
    assert {task.held_reason for task in held} == {"Its owner has been given 2 new tasks today, which is the limit."}
    assert all(task.held_until is not None and task.held_until > connected.now for task in held)

    connected.passes(timedelta(days=1))
    connected.run()

    assert len(connected.in_crm()) == 4


def test_one_open_task_per_person_and_the_next_follows_when_it_is_closed(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    connected.says("@brand And do you repair?", id="q2", ago=timedelta(hours=2))
    connected.run()
    assert len(connected.in_crm()) == 1
    assert connected.task(state="absent").held_reason.startswith("Another task about this person is open already")

    connected.answers("We do.", id="r1", to="q1")
    connected.look()

    assert len(connected.in_crm()) == 1
    assert connected.crm.tasks_ever_created == 2


def test_a_task_that_is_dismissed_here_and_completed_there_at_once_stays_completed(connected: World) -> None:
    waiting(connected, 1)
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.complete_as_person(state.id)
    connected.sql("UPDATE tasks SET state = 'completed', wanted = 'completed', push_at = :now", now=connected.now)
    connected.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")

    connected.run()

    assert (connected.task().state, connected.task().push_at) == ("completed", None)


def test_a_task_that_a_person_edited_is_left_to_them_when_it_loses_its_reason(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.edit_as_person(state.id, subject="Call the harbour")
    connected.look(streams=("tasks",))
    connected.social.delete("q1")

    connected.look(streams=("recheck",))

    assert connected.in_crm() == ["Call the harbour"]
    assert connected.task().state == "withdrawn"


@pytest.mark.parametrize("read_back", [True, False])
def test_a_task_that_somebody_ticked_off_while_it_was_to_be_withdrawn_is_not_opened_again(
    connected: World, read_back: bool
) -> None:
    """Our clock had gone back to before the post, so that it was out of sight. `read_back`: we hear of it by reading the CRM, and not by
    saying that the task is to go."""
    connected.says("@brand Do you ship?", id="q1", ago=timedelta(hours=5))
    connected.run()
    [state] = connected.crm.tasks.values()
    clock_goes_back(connected)
    assert (connected.task().wanted, connected.task().state) == ("withdrawn", "open")
    connected.crm.complete_as_person(state.id)
    connected.passes(timedelta(hours=6))
    later = "NULL" if read_back else "now()"
    connected.sql(f"UPDATE connections SET next_push_at = {later}, push_lease_id = NULL WHERE kind = 'crm'")
    connected.sql("UPDATE tasks SET push_at = :now", now=connected.now)

    connected.look(streams=("tasks",) if read_back else ())
    connected.look()

    assert connected.in_crm() == []
    assert (connected.task().state, connected.task().wanted, connected.task().closed_by) == (
        "completed",
        "completed",
        "crm",
    )


@pytest.fixture
def left(connected: World) -> World:
    """A task that somebody made theirs, and whose post was out of sight for a while: our clock had gone back to before it."""
    connected.says("@brand Do you ship?", id="q1", ago=timedelta(hours=5))
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.edit_as_person(state.id, subject="Call the harbour")
    connected.look(streams=("tasks",))
    connected.passes(timedelta(hours=-6))
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        due.decide_everything(session, connected.workspace_id)
    connected.run()
    assert (connected.task().state, connected.in_crm()) == ("withdrawn", ["Call the harbour"])
    connected.passes(timedelta(hours=6))
    return connected


def test_a_task_that_was_left_to_somebody_is_done_once_they_have_their_answer(left: World) -> None:
    left.answers("We do.", id="r1", to="q1")

    left.look()

    assert left.in_crm("completed") == ["Call the harbour"]
    assert (left.task().state, left.task().closed_by) == ("completed", "rules")


def test_a_task_that_is_to_be_withdrawn_is_done_instead_once_they_have_their_answer(connected: World) -> None:
    """Somebody has made it theirs, which the withdrawal would have come upon."""
    connected.says("@brand Do you ship?", id="q1", ago=timedelta(hours=5))
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.edit_as_person(state.id, subject="Call the harbour")
    clock_goes_back(connected)
    assert (connected.task().wanted, connected.task().state, connected.task().edited) == ("withdrawn", "open", [])
    connected.passes(timedelta(hours=6))
    connected.answers("We do.", id="r1", to="q1")

    connected.sql("UPDATE connections SET next_push_at = NULL WHERE kind = 'crm'")  # it was not said yet
    connected.look()

    assert connected.in_crm("completed") == ["Call the harbour"]
    assert connected.task().state == "completed"


def test_a_task_that_was_left_to_somebody_is_the_one_that_stands_when_its_reason_is_back(left: World) -> None:
    left.look()

    assert left.in_crm() == ["Call the harbour"]
    assert (left.task().state, left.task().edited, left.crm.tasks_ever_created) == ("open", ["subject"], 1)


def test_a_task_that_was_left_to_somebody_who_deleted_it_is_not_made_again(left: World) -> None:
    [state] = left.crm.tasks.values()
    left.crm.delete_as_person(state.id)

    left.look()
    left.says("@brand Anybody?", id="q2", to="q1", ago=timedelta(0))
    left.look()

    assert left.in_crm() == []
    assert (left.task().closed_by, left.crm.tasks_ever_created) == ("crm", 1)


def test_back_off_doubles_up_to_a_hundred_seconds() -> None:
    full = [policy.backoff(failures, lambda: 1.0) for failures in (0, 1, 2, 3, 20)]
    assert [delay.total_seconds() for delay in full] == [5, 10, 20, 40, 100]
    assert policy.backoff(0, lambda: 0.0) == timedelta(seconds=2.5)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InvalidRequestError("X does not accept this"), "X does not accept this."),
        (KeyError("secret"), "Something went wrong on our side; it is tried again."),
    ],
)
def test_what_people_read_is_a_sentence_without_our_insides(error: Exception, sentence: str) -> None:
    assert policy.sentence(error) == sentence
