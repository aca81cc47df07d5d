"""Comparing both sides in production: each sort of difference is found, said once it is there, and gone once it is mended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs

from integrations.errors import AuthenticationError, TemporaryError
from integrations.provider import HANDED_IN, Credentials, Price, Secret, Setting
from integrations.records import TaskState, TaskStatus
from integrations.registry import providers
from service import accounts
from service import comparing as meaning
from service.clock import real_now
from service.models import Difference
from service.store import acting, comparing, erasing, paging
from tests.fakes import social as fake_social
from tests.workers.conftest import World, edited
from workers import compare


@pytest.fixture
def busy(connected: World) -> World:
    """Somebody waits, and their task stands in the CRM; all of it for longer than things need to settle."""
    connected.knows()
    connected.says("@brand Do you ship to Faro?", id="p1")
    connected.says("Nice.", id="p2", ago=timedelta(hours=5))
    connected.run()
    assert len(connected.in_crm()) == 1
    settled(connected)
    return connected


def settled(world: World) -> None:
    """Time has passed since anything was written or stored."""
    world.sql(
        "UPDATE tasks SET written_at = written_at - interval '1 hour', created_at = created_at - interval '1 hour',"
        " decided_at = decided_at - interval '1 hour'"
    )
    world.sql("UPDATE engagements SET received_at = received_at - interval '1 hour'")


def compares(world: World) -> dict[str, list[str]]:
    """One comparison of every connection. The kinds of differences that stand, by provider."""
    world.sql("DELETE FROM comparisons")
    world.sql("UPDATE errands SET next_at = now() WHERE name = 'compare'")
    world.run()
    found: dict[str, list[str]] = {}
    for kind, provider, side in world.sql(
        "SELECT d.kind, n.provider, n.kind FROM differences d JOIN connections n ON n.workspace_id = d.workspace_id AND n.id = d.connection_id"
        " WHERE d.gone_at IS NULL ORDER BY d.kind"
    ):
        assert kind in meaning.FOUND_AT[side]
        found.setdefault(provider, []).append(kind)
    return found


def said(world: World, provider: str) -> tuple[int, str]:
    """How many things were compared, and the sentence."""
    with world.runtime.db.tenant(world.workspace_id) as session:
        rows, _ = paging.page(session, world.workspace_id, comparing.COMPARISONS, filters={}, after=None, limit=9)
    [row] = [each for each in rows if each["provider"] == provider]
    return row["compared"], meaning.sentence(row["compared"], row["standing"], row["why_not"])


def differences(world: World) -> list[Difference]:
    with world.runtime.db.tenant(world.workspace_id) as session:
        return list(session.query(Difference).order_by(Difference.id))


def test_where_both_sides_agree_nothing_differs(busy: World) -> None:
    assert compares(busy) == {}
    compared, sentence = said(busy, "fakesocial")
    assert compared > 1
    assert sentence == f"{compared} things were looked at on both sides. Nothing differs."
    assert said(busy, "fakecrm")[0] >= 1


def test_before_anything_was_read_there_is_nothing_to_compare(connected: World) -> None:
    connected.run()
    assert compares(connected) == {}
    assert said(connected, "fakesocial") == (0, "There is nothing to compare yet.")


# --- a network ------------------------------------------------------------------------------------------------


def test_a_post_that_is_gone_there_is_found_and_erased_here(busy: World) -> None:
    busy.social.delete("p1")
    assert compares(busy) == {"fakesocial": ["post_gone"]}
    assert busy.sql("SELECT text FROM engagements WHERE native_id = 'p1'") == [("",)]
    assert compares(busy).get("fakesocial") is None  # erased here: it differs no more
    assert [each.gone_at is not None for each in differences(busy)] == [True]


def test_a_post_that_reads_otherwise_there_is_found_and_followed(busy: World) -> None:
    [post] = [each for each in busy.social._posts.values() if each.id == "p1"]
    busy.social.edit(edited(post, "@brand Do you ship to Porto?"))
    assert compares(busy) == {"fakesocial": ["post_edited"]}
    assert busy.sql("SELECT text FROM engagements WHERE native_id = 'p1'") == [("@brand Do you ship to Porto?",)]
    assert compares(busy).get("fakesocial") is None


def test_a_post_that_was_lost_on_the_way_is_found_and_taken_in(busy: World) -> None:
    busy.sql("DELETE FROM signals")
    busy.sql("DELETE FROM engagements WHERE native_id = 'p2'")
    with capture_logs() as logs:
        assert compares(busy) == {"fakesocial": ["post_missing"]}
    [told] = [line for line in logs if line["event"] == "differs"]
    assert "post:" not in str(told)  # an id of the network's, in which its author's may stand
    assert busy.sql("SELECT count(*) FROM engagements WHERE native_id = 'p2'") == [(1,)]
    assert compares(busy) == {}


def test_whoever_was_erased_is_not_missed_and_does_not_come_back(busy: World) -> None:
    [(author,)] = busy.sql("SELECT id FROM authors WHERE native_id = 'a1'")
    with busy.runtime.db.tenant(busy.workspace_id) as session:
        assert erasing.begin(session, busy.workspace_id, author, by="user:1")
    busy.run()
    assert busy.sql("SELECT count(*) FROM engagements WHERE text <> ''") == [(0,)]
    assert compares(busy) == {}
    assert busy.sql("SELECT count(*) FROM engagements WHERE text <> ''") == [(0,)]


def test_what_was_posted_a_moment_ago_is_not_missed(busy: World) -> None:
    busy.says("Just now.", id="p3", ago=timedelta(minutes=1))
    assert compares(busy) == {}


def test_a_task_that_stays_open_though_it_was_answered_is_found(busy: World) -> None:
    busy.answers("We do.", id="r1", to="p1")
    busy.look()
    assert busy.in_crm() == []
    busy.sql("UPDATE tasks SET wanted = 'open', state = 'open', closed_at = NULL")  # as if a decision had gone lost
    [task_id] = busy.crm.tasks
    busy.crm.tasks[task_id] = TaskState(task_id, busy.crm.tasks[task_id].key, TaskStatus.OPEN)
    settled(busy)
    assert compares(busy) == {"fakesocial": ["answered"]}
    busy.sql("UPDATE tasks SET wanted = 'completed', state = 'completed'")
    assert "answered" not in compares(busy).get("fakesocial", [])


# --- a CRM ----------------------------------------------------------------------------------------------------


def test_a_task_that_is_gone_there_is_found_and_closed_here(busy: World) -> None:
    [task_id] = busy.crm.tasks
    busy.crm.delete_as_person(task_id)
    assert compares(busy) == {"fakecrm": ["task_gone"]}
    assert busy.task(kind="unanswered").close_reason == "deleted in the CRM"
    assert compares(busy) == {}


def test_a_task_that_was_done_there_is_found_and_closed_here(busy: World) -> None:
    [task_id] = busy.crm.tasks
    busy.crm.tasks[task_id] = TaskState(  # as if the CRM's feed had never shown it
        task_id, busy.crm.tasks[task_id].key, TaskStatus.COMPLETED, completed_at=real_now(), updated_at=real_now()
    )
    assert compares(busy) == {"fakecrm": ["task_done"]}
    assert busy.task(kind="unanswered").wanted == "completed"
    assert compares(busy) == {}


def test_a_task_that_is_closed_here_and_open_there_is_found_and_stands(busy: World) -> None:
    [task_id], [task] = busy.crm.tasks, busy.tasks()
    with busy.runtime.db.tenant(busy.workspace_id) as session:
        acting.dismiss_task(session, busy.workspace_id, task.id, by="user:1")
    busy.run()
    settled(busy)
    assert compares(busy) == {}
    before = busy.crm.tasks[task_id]
    busy.crm.tasks[task_id] = TaskState(task_id, before.key, TaskStatus.OPEN)  # reopened, and no feed shows it
    assert compares(busy) == {"fakecrm": ["task_open"]}
    compares(busy)
    [found] = differences(busy)
    assert (found.times, found.subject) == (2, f"task:{task.id}")
    busy.crm.tasks[task_id] = before
    assert compares(busy) == {}


def test_a_task_there_with_a_key_that_nobody_knows_is_found(busy: World) -> None:
    [task_id] = busy.crm.tasks
    key = busy.crm.tasks[task_id].key
    busy.crm.copy_as_person(task_id, subject="A copy")  # has a key of ours: it is somebody's copy, and known
    assert compares(busy) == {}
    stray = busy.crm.copy_as_person(task_id)
    busy.crm.edit_as_person(stray, key=f"{key}-of-another-time")
    assert compares(busy) == {"fakecrm": ["task_unknown"]}
    busy.crm.delete_as_person(stray)
    busy.crm._log["tasks"] = [each for each in busy.crm._log["tasks"] if getattr(each, "id", "") != stray]
    assert compares(busy) == {}


def test_a_task_that_came_there_twice_is_found_until_one_of_them_is_closed(busy: World) -> None:
    [task_id] = busy.crm.tasks
    double = busy.crm.copy_as_person(task_id)
    assert compares(busy) == {"fakecrm": ["task_twice"]}
    compares(busy)
    assert [(each.subject, each.times) for each in differences(busy)] == [(f"task:{double}", 2)]
    busy.crm.complete_as_person(double)
    assert compares(busy) == {}


def test_a_copy_to_which_somebody_gives_other_words_is_theirs(busy: World) -> None:
    [task_id] = busy.crm.tasks
    double = busy.crm.copy_as_person(task_id)
    assert compares(busy) == {"fakecrm": ["task_twice"]}
    busy.crm.edit_as_person(double, subject="Ask the workshop")
    assert compares(busy) == {}


# --- what is not compared, and why ----------------------------------------------------------------------------


def test_a_task_that_should_stand_there_and_was_never_written_is_found_and_written(busy: World) -> None:
    nowhere(busy)
    busy.sql(
        "UPDATE tasks SET state = 'absent', external_id = NULL, push_at = NULL, written_at = NULL, pushed_at = NULL"
    )
    settled(busy)
    assert compares(busy) == {"fakecrm": ["task_unsent"]}
    assert len(busy.in_crm()) == 1
    assert compares(busy) == {}


def test_a_task_of_which_nobody_knows_whether_it_was_written_is_found_and_written(busy: World) -> None:
    nowhere(busy)
    busy.sql(
        "UPDATE tasks SET state = 'unknown', external_id = NULL, push_at = NULL, written_at = NULL, pushed_at = NULL"
    )
    settled(busy)
    assert compares(busy) == {"fakecrm": ["task_unsent"]}
    busy.look()
    assert len(busy.in_crm()) == 1


def test_what_is_held_is_not_missed(busy: World) -> None:
    nowhere(busy)
    busy.sql(
        "UPDATE tasks SET state = 'absent', external_id = NULL, push_at = NULL, held_reason = 'Their day is full.',"
        " held_until = now() + interval '1 day'"
    )
    settled(busy)
    assert compares(busy) == {}


@pytest.mark.parametrize("waiting", ["waiting_since", "NULL"])
def test_somebody_who_waits_and_of_whom_no_task_is_known_is_found_and_has_one(busy: World, waiting: str) -> None:
    nowhere(busy)
    busy.sql("DELETE FROM tasks")
    busy.sql(f"UPDATE conversations SET decide_at = NULL, waiting_since = {waiting}")
    assert compares(busy) == {"fakesocial": ["task_missing"]}
    assert len(busy.in_crm()) == 1
    assert compares(busy) == {}


def test_who_waits_and_whose_task_a_person_ticked_off_is_not_missed(busy: World) -> None:
    [task_id] = busy.crm.tasks
    busy.crm.complete_as_person(task_id)
    busy.look()
    busy.sql("UPDATE conversations SET dealt_with_until = NULL, decide_at = NULL")
    assert compares(busy) == {}


def nowhere(world: World) -> None:
    """Its one task was never there."""
    [task_id] = world.crm.tasks
    del world.crm.tasks[task_id]
    world.crm._log["tasks"] = []


def test_where_reading_costs_nothing_is_read_for_comparing(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    priced = fake_social.manifest(busy.social, prices=(Price("post", 0.005, "a price list"),))
    monkeypatch.setitem(providers(), "fakesocial", priced)
    before = len(busy.social.script.calls)
    assert compares(busy) == {}
    assert len(busy.social.script.calls) == before
    assert said(busy, "fakesocial") == (0, compare.NOT_FREE)


def test_what_is_handed_in_and_what_is_in_preview_says_so(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setitem(
        providers(), "fakesocial", replace(providers()["fakesocial"], capabilities=frozenset({HANDED_IN}))
    )
    busy.sql("UPDATE connections SET preview = true WHERE kind = 'crm'")
    assert compares(busy) == {}
    assert said(busy, "fakesocial")[1] == compare.NOTHING_THERE
    assert said(busy, "fakecrm")[1] == "It is in preview: nothing of ours stands there."


def test_one_that_is_away_is_said_and_keeps_no_other_from_being_compared(busy: World) -> None:
    [task_id] = busy.crm.tasks
    busy.crm.delete_as_person(task_id)
    busy.social.script.fail(TemporaryError("the network is away"), on="recheck")
    assert compares(busy) == {"fakecrm": ["task_gone"]}
    assert said(busy, "fakesocial")[1] == "It could not be asked. the network is away."


def test_what_was_found_before_a_crm_could_not_be_asked_counts(busy: World) -> None:
    nowhere(busy)
    busy.sql(
        "UPDATE tasks SET state = 'absent', external_id = NULL, push_at = NULL, written_at = NULL, pushed_at = NULL"
    )
    settled(busy)
    busy.crm.script.fail(TemporaryError("crm.example is away"), on="pull")
    assert compares(busy) == {"fakecrm": ["task_unsent"]}
    assert "It could not be asked. crm.example is away." in said(busy, "fakecrm")[1]


def test_a_consent_that_was_revoked_is_told_as_that_by_the_next_pull_though_comparing_was_refused_first(
    busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(setting: Setting, kept: Credentials) -> Credentials:
        raise AuthenticationError("Example Social no longer accepts this consent: it was revoked")

    refusing = replace(providers()["fakesocial"], auth=Secret(refresh=refuses))
    monkeypatch.setitem(providers(), "fakesocial", refusing)
    busy.social.script.fail(AuthenticationError("token revoked"), on="recheck")
    compares(busy)
    assert said(busy, "fakesocial")[1].startswith("It could not be asked. Example Social no longer accepts this")
    assert busy.connection("social").status == "active"

    busy.social.script.fail(AuthenticationError("token revoked"), on="pull")
    busy.look()

    assert busy.connection("social").status == "needs_reauth"
    assert busy.connection("social").status_reason == "Example Social no longer accepts this consent: it was revoked."


def test_each_connection_is_compared_once_an_hour(busy: World) -> None:
    compares(busy)
    before = len(busy.social.script.calls)
    busy.sql("UPDATE errands SET next_at = now() WHERE name = 'compare'")
    busy.run()
    assert len(busy.social.script.calls) == before
    [(soon,)] = busy.sql("SELECT extract(epoch FROM next_at - now()) FROM errands WHERE name = 'compare'")
    assert 3000 < soon <= 3600


def test_a_difference_that_is_long_gone_is_forgotten(busy: World) -> None:
    busy.social.delete("p1")
    compares(busy)
    compares(busy)
    busy.sql("UPDATE differences SET gone_at = now() - interval '31 days'")
    compares(busy)
    assert differences(busy) == []


def test_every_sort_of_difference_has_a_sentence() -> None:
    kinds = {
        "post_gone",
        "post_edited",
        "post_missing",
        "task_gone",
        "task_done",
        "task_open",
        "task_unknown",
        "task_twice",
        "task_unsent",
        "task_missing",
        "answered",
    }
    assert set(meaning.MEANS) == kinds
    assert sorted(kind for there in meaning.FOUND_AT.values() for kind in there) == sorted(kinds)


def test_it_is_published_by_the_api_on_its_page_and_in_health(busy: World, app: Flask) -> None:
    """What stands is said; what stands twice degrades."""
    [task_id] = busy.crm.tasks
    busy.crm.edit_as_person(busy.crm.copy_as_person(task_id), key="a-key-of-another-time")
    compares(busy)
    secret = accounts.create_api_key(busy.runtime.db, busy.workspace_id, busy.owner.user_id, "test", ["read"])

    def get(path: str) -> Any:
        return app.test_client().get(path, headers={"Authorization": f"Bearer {secret}"}).get_json()

    [found] = get("/v1/comparisons/differences?standing=true")["items"]
    assert (found["kind"], found["sentence"], found["times"]) == ("task_unknown", meaning.MEANS["task_unknown"], 1)
    assert get("/v1/comparisons/differences?standing=false")["items"] == []
    listed = {each["provider"]: each for each in get("/v1/comparisons")["items"]}
    assert listed["fakecrm"]["standing"] == 1
    assert listed["fakecrm"]["sentence"].endswith("1 thing differs.")
    assert get("/v1/health")["differences"] == 1
    compares(busy)
    assert get("/v1/health")["status"] == "degraded"
    with busy.runtime.db.tenant(busy.workspace_id) as session:
        assert comparing.counts(session, busy.workspace_id) == {"task_unknown": 1}
        assert comparing.standing_now(session, busy.workspace_id) == (1, 1)
