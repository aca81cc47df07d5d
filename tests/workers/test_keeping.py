"""How long texts are kept: their time, what rests on them, and what was read of a CRM that is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from marshmallow import ValidationError

from integrations.records import ActivityKind, Direction
from integrations.registry import providers
from service import connect, disconnecting, settings
from service.clock import real_now
from service.store import dropping, keeping
from tests.service.rows import Rows
from tests.workers.conftest import World
from tests.workers.keeping import BEN, keep, texts


@pytest.fixture
def read(connected: World) -> World:
    """An old talk that is over, one that somebody waits in, and a fresh one. Ana is a contact; nobody knows Ben."""
    connected.knows()
    connected.says("@brand Did you move to Faro?", id="old", who=BEN, ago=timedelta(days=40))
    connected.answers("We did.", id="answer", to="old", ago=timedelta(days=39), whom=BEN)
    connected.says("@brand Do you ship to Faro?", id="waiting", ago=timedelta(days=35))
    connected.says("@brand Nice shop in Faro", id="fresh", ago=timedelta(hours=3))
    connected.run()
    return connected


def test_what_is_too_old_loses_its_text_and_keeps_its_place(read: World) -> None:
    signals = read.sql("SELECT engagement_id, mask FROM signals ORDER BY 1")
    read.set(retention_days=30)
    keep(read)
    found = texts(read)
    assert (found["old"], found["answer"]) == ("", "")
    assert found["fresh"] == "@brand Nice shop in Faro"
    assert read.sql("SELECT engagement_id, mask FROM signals ORDER BY 1") == signals
    assert read.sql("SELECT count(*) FROM conversations") == [(3,)]


def test_what_an_open_task_rests_on_is_kept_until_it_closes(read: World) -> None:
    read.set(retention_days=30)
    keep(read)
    assert texts(read)["waiting"] == "@brand Do you ship to Faro?"
    read.answers("To all of Portugal.", id="late", to="waiting")
    read.look()
    keep(read)
    assert texts(read)["waiting"] == ""


@pytest.mark.parametrize("status", ["active", "disconnected"])
def test_what_nobody_has_looked_at_yet_is_kept_only_while_somebody_may(read: World, status: str) -> None:
    read.set(retention_days=30)
    read.sql(f"UPDATE connections SET status = '{status}' WHERE kind = 'social'")
    read.sql("UPDATE conversations SET decide_at = 'infinity', waiting_since = NULL WHERE thread = 'old'")
    keep(read)
    assert texts(read)["old"] == ("@brand Did you move to Faro?" if status == "active" else "")


def test_whom_no_crm_knows_is_forgotten_with_their_last_text(read: World) -> None:
    read.set(retention_days=30)
    keep(read)
    assert read.sql("SELECT handle, name, bio, url, cardinality(filed) FROM authors WHERE native_id = 'b1'") == [
        ("", "", "", "", 0)
    ]
    assert read.sql(
        "SELECT count(*) FROM author_keys k JOIN authors a ON a.id = k.author_id WHERE a.native_id = 'b1'"
    ) == [(0,)]
    assert read.sql("SELECT handle FROM authors WHERE native_id = 'a1'") == [("ana",)]
    read.says("@brand Back again, where are you now?", id="back", who=BEN)
    read.look()
    assert read.sql("SELECT handle FROM authors WHERE native_id = 'b1'") == [("ben",)]


def test_a_closed_task_loses_its_text_here_and_nothing_is_said_to_the_crm(read: World) -> None:
    read.answers("To all of Portugal.", id="late", to="waiting")
    read.look()
    [standing] = [each for each in read.crm.tasks.values() if each.status == "completed"]
    read.sql("UPDATE tasks SET closed_at = now() - interval '31 days' WHERE wanted <> 'open'")
    read.set(retention_days=30)
    pushes = read.crm.script.count("push_tasks")
    keep(read)
    [task] = read.tasks(wanted="completed")
    assert (task.content["subject"], task.content.get("body"), task.reasons) == (keeping.GONE, None, [])
    assert "Faro" not in f"{task.content} {task.written}"
    assert read.crm.script.count("push_tasks") == pushes
    assert read.crm.tasks[standing.id] == standing


def test_a_text_whose_time_is_past_does_not_come_back_when_it_is_served_again(read: World) -> None:
    read.set(retention_days=30)
    keep(read)
    read.sql("UPDATE streams SET cursor = NULL")
    read.look()
    assert texts(read)["old"] == ""


def test_newer_rules_do_not_take_what_they_cannot_read_for_silence(read: World) -> None:
    read.answers("To all of Portugal.", id="late", to="waiting")
    read.look()
    read.set(retention_days=30)
    keep(read)
    before = read.sql(
        "SELECT mask FROM signals s JOIN engagements e ON e.id = s.engagement_id WHERE e.native_id = 'old'"
    )
    read.sql("UPDATE signals SET rules_version = rules_version - 1")
    read.set(lapse_days=89)
    read.run()
    after = read.sql(
        "SELECT mask FROM signals s JOIN engagements e ON e.id = s.engagement_id WHERE e.native_id = 'old'"
    )
    assert after == before != [(0,)]


def test_a_network_may_have_a_time_of_its_own(read: World) -> None:
    read.set(retention_days=365, retention_by_network=["fakesocial:30"])
    keep(read)
    assert texts(read)["old"] == ""
    for wrong in (["nowhere:3"], ["fakesocial:3", "fakesocial:4"], ["fakesocial:0"], ["fakesocial"]):
        with pytest.raises(ValidationError):
            read.set(retention_by_network=wrong)


def test_a_call_that_is_over_is_kept_as_long_as_the_network_of_its_talk_says(connected: World) -> None:
    connected.knows()
    connected.says("@brand Can we have a call about the Quixotic velodrome?", id="call", ago=timedelta(hours=20))
    connected.answers("Sure. When?", id="answer", to="call", ago=timedelta(hours=19))
    connected.run()
    connected.logs(ActivityKind.CALL, id="k1", at=connected.now, direction=Direction.OUT, outcome="connected")
    connected.look()
    call = connected.task(kind="ready_for_call")
    assert (call.wanted, call.conversation_id, call.push_at) == ("withdrawn", None, None)
    assert "Quixotic" in call.content["body"]
    connected.sql("UPDATE tasks SET closed_at = closed_at - interval '31 days'")
    connected.sql("UPDATE engagements SET posted_at = posted_at - interval '31 days'")
    for general, own, kept in ((30, 365, True), (365, 60, True), (365, 30, False)):
        connected.set(retention_days=general, retention_by_network=[f"fakesocial:{own}"])
        keep(connected)
        assert ("Quixotic" in str(connected.task(kind="ready_for_call").content)) is kept


@pytest.mark.parametrize("parted", [False, True], ids=["still matched", "whose matches are gone"])
def test_of_two_networks_that_a_call_is_about_the_one_that_keeps_the_shortest_says_for_how_long(
    connected: World, parted: bool
) -> None:
    rows = Rows(connected.runtime.db, connected.workspace_id, connected.now)
    contact = rows.contact(connected.connection("crm").id, "Ana Ferrer")
    for connection in (connected.connection("social").id, rows.connection(provider="x", streams=())):
        author = rows.author("ana")
        rows.match(author, contact, state="confirmed")
        rows.conversation(connection, author)
    rows.task(kind="ready_for_call", contact=contact, wanted="completed", closed_at=real_now() - timedelta(days=31))
    if parted:
        connected.sql(
            "INSERT INTO task_authors (workspace_id, task_id, author_id) SELECT a.workspace_id, t.id, a.id FROM tasks t, authors a"
        )
        connected.sql("DELETE FROM matches")
    for days, goes in ((60, 0), (30, 1)):
        connected.set(retention_days=365, retention_by_network=["fakesocial:365", f"x:{days}"])
        with connected.runtime.db.tenant(connected.workspace_id) as session:
            values = settings.current(session, connected.workspace_id).values
            limits = keeping.limits(session, connected.workspace_id, values)
            assert keeping.preview(session, connected.workspace_id, values).tasks == goes
            assert keeping.erase_tasks(session, connected.workspace_id, limits, values) == goes


def test_nothing_is_read_that_would_not_be_kept(connected: World) -> None:
    connected.set(retention_days=7, first_pull_days=90)
    since = []
    before = providers()["fakesocial"]

    def client(access: Any) -> Any:
        since.append(access.since)
        return before.client(access)

    providers()["fakesocial"] = replace(before, client=client)
    connected.run()
    assert set(since) == {connected.now - timedelta(days=7)}


def test_what_is_shown_before_saving_is_what_goes(read: World) -> None:
    read.answers("To all of Portugal.", id="late", to="waiting", ago=timedelta(hours=1))
    read.look()
    read.sql("UPDATE tasks SET closed_at = now() - interval '31 days' WHERE wanted <> 'open'")
    with read.runtime.db.tenant(read.workspace_id) as session:
        row = settings.current(session, read.workspace_id)
        assert keeping.preview(session, read.workspace_id, row.values) == keeping.Preview(0, 0)
        tried = settings.tried(row, {"retention_days": 30})
        shown = keeping.preview(session, read.workspace_id, tried.values)
    read.set(retention_days=30)
    keep(read)
    [(posts,)] = read.sql("SELECT count(*) FROM engagements WHERE text_erased_at IS NOT NULL")
    [(tasks,)] = read.sql("SELECT count(*) FROM tasks WHERE erased_at IS NOT NULL")
    assert shown == keeping.Preview(posts, tasks)
    assert posts > 0 < tasks


def test_more_than_a_batch_goes_in_one_pass(read: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BATCH", 2)
    for number in range(7):
        read.says(f"Number {number}", id=f"n{number}", who=BEN, ago=timedelta(days=50, minutes=number), thread="old")
    read.look()
    read.set(retention_days=30)
    keep(read)
    assert [text for id_, text in texts(read).items() if id_.startswith("n") and text] == []


def test_the_copy_of_a_contact_that_was_deleted_in_the_crm_goes_after_a_month(read: World) -> None:
    read.crm.delete_contact("c1")
    read.look()
    keep(read)
    assert read.sql("SELECT deleted_at IS NULL FROM contacts") == [(False,)]
    read.sql("UPDATE contacts SET deleted_at = deleted_at - interval '31 days'")
    keep(read)
    assert read.sql("SELECT count(*) FROM contacts") == [(0,)]
    assert read.sql("SELECT count(*) FROM key_counts WHERE contacts > 0") == [(0,)]


def test_an_activity_that_was_deleted_in_the_crm_goes_after_a_month(connected: World) -> None:
    connected.knows()
    connected.logs(ActivityKind.CALL, id="k1", at=connected.now)
    connected.run()
    connected.crm.delete_activity("k1")
    connected.look()
    keep(connected)
    assert connected.sql("SELECT deleted_at IS NULL FROM activities") == [(False,)]
    connected.sql("UPDATE activities SET deleted_at = deleted_at - interval '31 days'")
    keep(connected)
    assert connected.sql("SELECT (SELECT count(*) FROM activities), (SELECT count(*) FROM activity_contacts)") == [
        (0, 0)
    ]


@pytest.fixture
def disconnected(connected: World) -> World:
    """Ana asked twice, and somebody called her after the first time; then the CRM was disconnected."""
    connected.knows(emails=("ana@ferrer.test",))
    connected.says("@brand Do you ship to Faro?", id="called", ago=timedelta(days=3))
    connected.logs(
        ActivityKind.CALL, id="k1", at=connected.now - timedelta(days=2), direction=Direction.OUT, outcome="connected"
    )
    connected.says("@brand Do you ship to Porto?", id="waiting", ago=timedelta(days=1))
    connected.run()
    assert waiting(connected) == ["waiting"]
    disconnecting.disconnect(connected.runtime, connected.owner.caller, connected.connection("crm").id)
    connected.run()
    return connected


def waiting(world: World) -> list[str]:
    return [row[0] for row in world.sql("SELECT thread FROM conversations WHERE waiting_since IS NOT NULL")]


def read_of_the_crm(world: World) -> list[int]:
    """How many contacts of it there are, keys of theirs, tokens that are counted, matches and activities."""
    tables, crm = (
        ("contacts", "contact_keys", "key_counts", "matches", "activities"),
        world.connection("crm", provider="fakecrm"),
    )
    count = "SELECT count(*) FROM {table} WHERE connection_id = :c"
    return [world.sql(count.format(table=table), c=crm.id)[0][0] for table in tables]


def disconnected_for(world: World, days: int) -> None:
    """So many days after it was disconnected the hour is over."""
    world.sql(
        "UPDATE connections SET status_at = now() - CAST(:t AS interval) WHERE kind = 'crm'", t=timedelta(days=days)
    )
    keep(world)


def test_what_was_read_of_a_crm_goes_a_month_after_it_was_disconnected(
    disconnected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows(disconnected.runtime.db, disconnected.workspace_id, disconnected.now)
    for number in range(3):
        rows.contact(disconnected.connection("crm").id, f"Number {number}", native_id=f"n{number}")
    other = rows.contact(
        rows.connection(kind="crm", provider="othercrm", streams=(), status="needs_reauth"), "Of another CRM"
    )
    monkeypatch.setattr(dropping, "BATCH", 2)
    disconnected_for(disconnected, 29)
    assert min(read_of_the_crm(disconnected)) > 0
    disconnected_for(disconnected, 31)
    assert read_of_the_crm(disconnected) == [0, 0, 0, 0, 0]
    assert disconnected.sql("SELECT id FROM contacts") == [(other,)]


def test_whoever_waits_then_waits_on_and_nobody_is_taken_to_wait_again_because_a_call_is_not_known_any_more(
    disconnected: World,
) -> None:
    disconnected_for(disconnected, 31)
    assert waiting(disconnected) == ["waiting"]
    [(author,)] = disconnected.sql("SELECT id FROM authors WHERE native_id = 'a1'")
    assert disconnected.task(wanted="open").person == f"author:{author}"


def test_a_crm_that_is_connected_again_after_that_is_read_from_the_beginning(disconnected: World) -> None:
    before = read_of_the_crm(disconnected)
    disconnected_for(disconnected, 31)
    assert read_of_the_crm(disconnected) == [0, 0, 0, 0, 0]
    connect.connect_with_secret(disconnected.runtime, disconnected.owner.caller, "fakecrm", None, {})
    disconnected.run()
    assert read_of_the_crm(disconnected) == before
    assert disconnected.connection("crm").ready_at is not None
