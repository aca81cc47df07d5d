"""How long texts are kept: their time, what rests on them, and networks that want changes followed by a deadline."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from marshmallow import ValidationError
from sqlalchemy import text

from integrations.errors import TemporaryError
from integrations.provider import Deadline
from integrations.records import ActivityKind, Author, Direction
from integrations.registry import providers
from service import connect, disconnecting, health, settings
from service.clock import real_now
from service.db import raw
from service.rules.redaction import LAPSED
from service.store import dropping, keeping, listing
from service.store.rows import execute
from tests.service.rows import Rows
from tests.workers.conftest import World, edited

BEN = Author("b1", "ben", "Ben Okafor", bio="Rides in Faro", url="https://social.example/ben")
STATED = sorted(key for key, each in providers().items() if each.follow)


def keep(world: World) -> None:
    """The hour is over."""
    world.sql("UPDATE errands SET next_at = now() WHERE name = 'keep'")
    world.run()


def texts(world: World) -> dict[str, str]:
    return dict(world.sql("SELECT native_id, text FROM engagements"))


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


def days_later(world: World, days: int) -> None:
    """So many days later the hour is over."""
    world.passes(timedelta(days=days))
    world.sql("UPDATE errands SET looked_at = looked_at - CAST(:t AS interval)", t=timedelta(days=days))
    keep(world)


def known(world: World) -> list[str]:
    """Handles that are kept, in order."""
    return [row[0] for row in world.sql("SELECT handle FROM authors WHERE handle <> '' ORDER BY handle")]


@pytest.mark.parametrize("how", ["deleted at its source", "not followed in time"])
def test_whoever_has_said_nothing_for_as_long_as_texts_are_kept_is_forgotten_however_the_last_text_went(
    connected: World, how: str
) -> None:
    connected.says("@brand Nice shop in Faro", id="p1", who=BEN, ago=timedelta(days=2))
    connected.answers("Thank you!", id="p2", to="p1", whom=BEN)
    connected.run()
    if how == "deleted at its source":
        connected.social.delete("p1")
        goes_by(connected, timedelta(days=8))
        connected.look(streams=("recheck",))
    else:
        with_deadline(connected, Deadline(timedelta(hours=24), "https://social.example/rules"))
        goes_by(connected, timedelta(hours=25))
    connected.set(retention_days=30)
    keep(connected)
    assert texts(connected)["p1"] == ""
    days_later(connected, 27)
    assert "ben" in known(connected)
    days_later(connected, 2)
    assert "ben" not in known(connected)
    assert connected.sql("SELECT name, bio, url FROM authors WHERE native_id = 'b1'") == [("", "", "")]


def somebody(world: World, handle: str, ago: timedelta = timedelta(days=400), **post: Any) -> UUID:
    """An author with one post, so long ago, that was deleted at its source."""
    rows = Rows(world.runtime.db, world.workspace_id, world.now)
    at = world.now - ago
    author = rows.author(handle, native_id=handle)
    rows.engagement(
        world.connection("social").id, author, at=at, **{"native_id": handle, "text": "", "deleted_at": at, **post}
    )
    return author


def test_profiles_are_looked_through_once_a_day_part_by_part(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(connected)
    monkeypatch.setattr(keeping, "BATCH", 2)
    for number in range(5):
        somebody(connected, f"gone{number}")
    somebody(connected, "ours", ours=True)
    somebody(connected, "kept", timedelta(days=3), text="Nice", deleted_at=None)
    keep(connected)
    assert len(known(connected)) == 7
    days_later(connected, 1)
    assert known(connected) == ["kept", "ours"]


def test_a_worker_that_dies_while_profiles_are_looked_through_is_followed_by_one_that_goes_on(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BATCH", 1)
    connected.run()
    for number in range(3):
        somebody(connected, f"gone{number}")
    looked: list[UUID | None] = []
    look = keeping.past_profiles

    def dies(*args: Any) -> Any:
        looked.append(args[-1])
        if len(looked) == 2:
            raise RuntimeError("the worker dies")
        return look(*args)

    monkeypatch.setattr(keeping, "past_profiles", dies)
    days_later(connected, 1)
    assert known(connected) == ["gone1", "gone2"]
    keep(connected)
    assert known(connected) == []
    assert looked[1] == looked[2] is not None


def test_whom_a_crm_knew_is_forgotten_when_it_knows_them_no_more(connected: World) -> None:
    connected.run()
    rows = Rows(connected.runtime.db, connected.workspace_id, connected.now)
    contact = rows.contact(connected.connection("crm").id, "Ana Ferrer")
    rows.match(somebody(connected, "ana"), contact, state="confirmed")
    days_later(connected, 1)
    assert known(connected) == ["ana"]
    connected.sql("UPDATE contacts SET deleted_at = now() - interval '31 days'")
    days_later(connected, 1)
    assert known(connected) == []


@pytest.mark.own_database
def test_profiles_are_looked_through_by_indexes_under_row_level_security(connected: World) -> None:
    some, social = somebody(connected, "one"), connected.connection("social").id
    connected.sql(
        "INSERT INTO engagements (workspace_id, id, connection_id, brand_id, native_id, kind, ours, author_id, thread, mentions, text, url,"
        " is_repost, posted_at, received_at, checked_at, parent_missing) SELECT e.workspace_id, gen_random_uuid(), e.connection_id, e.brand_id,"
        " n::text, e.kind, e.ours, gen_random_uuid(), n::text, e.mentions, e.text, e.url, false, e.posted_at, e.received_at, e.checked_at, false"
        " FROM engagements e, generate_series(1, 2000) n"
    )
    connected.sql("ANALYZE engagements")  # whatever other tests have left there
    params = {
        "w": connected.workspace_id, "after": UUID(int=0), "n": 1000, "ids": [some], "connections": [social],
        "befores": [connected.now], "created": connected.now,
    }  # fmt: skip
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        for way in ("seqscan", "bitmapscan"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))
        looked, past = (
            "\n".join(row[0] for row in execute(raw(session), f"EXPLAIN {statement}", params))
            for statement in (keeping._PROFILES, keeping._PAST)
        )
    assert "using ix_authors_known" in looked
    assert "id >" in looked.partition("Index Cond")[2]
    assert past.count("using ix_engagements_author") == 2


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


# --- deadlines ------------------------------------------------------------------------------------------------


def with_deadline(world: World, deadline: Deadline | None, **more: Any) -> None:
    providers()["fakesocial"] = replace(providers()["fakesocial"], follow=deadline, **more)


def goes_by(world: World, time: timedelta) -> None:
    """Real time: what was served is so much older."""
    world.sql("UPDATE engagements SET checked_at = checked_at - CAST(:t AS interval)", t=time)


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
