"""What is frozen stops cleanly, says why, and goes on with one switch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from integrations.errors import PermissionDeniedError
from integrations.records import Author
from integrations.registry import providers
from service import freezes
from service.errors import PlainError
from service.store import freezing, listing, tending
from tests.workers.conftest import World
from workers import handfuls
from workers import pull as pulling

SENTENCE = "Example Social is frozen here: It closes its API. What was read is kept."


def waiting(world: World, number: int = 1) -> None:
    world.says("@brand Do you ship?", id=f"q{number}", who=Author(f"p{number}", f"p{number}", f"Person {number}"))


def row(world: World, kind: str) -> dict[str, Any]:
    with world.runtime.db.tenant(world.workspace_id) as session:
        [found], _ = listing.connections(session, world.workspace_id, filters={"kind": kind})
    return found


def calls(world: World) -> int:
    return len(world.social.script.calls)


def test_a_frozen_provider_is_not_called_and_goes_on_where_it_stopped(connected: World) -> None:
    connected.run()
    assert freezes.freeze(connected.runtime, "fakesocial", "It closes its API") == 1
    waiting(connected)
    before = calls(connected)

    connected.look()
    connected.look()

    assert calls(connected) == before
    assert row(connected, "social")["frozen"] == SENTENCE
    assert connected.sql("SELECT count(*) FROM engagements") == [(0,)]
    [(soonest,)] = connected.sql(
        "SELECT min(extract(epoch FROM s.next_pull_at - now())) FROM streams s JOIN connections c ON c.id = s.connection_id"
        " WHERE c.kind = 'social'"
    )
    assert soonest > 3000, "nothing loops"

    assert freezes.unfreeze(connected.runtime, "fakesocial") == 1
    connected.run()

    assert row(connected, "social")["frozen"] == ""
    assert len(connected.in_crm()) == 1


def test_open_tasks_say_why_and_no_longer_do_when_it_is_over(connected: World) -> None:
    waiting(connected)
    connected.run()
    [task] = connected.crm.tasks.values()
    freezes.freeze(connected.runtime, "fakesocial", "It closes its API")
    connected.run()
    [task] = connected.crm.tasks.values()
    assert f"{SENTENCE} An answer there is not noticed now" in task.body
    assert connected.task().wanted == "open"

    freezes.unfreeze(connected.runtime, "fakesocial")
    connected.run()
    [task] = connected.crm.tasks.values()
    assert "frozen" not in task.body


def test_a_frozen_crm_is_not_written_to_and_nothing_is_lost(connected: World) -> None:
    connected.run()
    freezes.freeze(connected.runtime, "fakecrm", "We leave it")
    waiting(connected)
    connected.look()
    pushes = connected.jobs_run.count("push")
    assert connected.in_crm() == []
    connected.run()
    assert connected.jobs_run.count("push") == pushes, "nothing loops"
    freezes.unfreeze(connected.runtime, "fakecrm")
    connected.run()
    assert len(connected.in_crm()) == 1


def test_a_paused_account_rests_alone_until_it_is_resumed(connected: World) -> None:
    connected.run()
    social = connected.connection("social").id
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        tending.pause(session, connected.workspace_id, social, "Olga is away", by="user:1")
    waiting(connected)
    crm_calls, before = len(connected.crm.script.calls), calls(connected)
    connected.look()
    assert calls(connected) == before
    assert len(connected.crm.script.calls) > crm_calls
    assert row(connected, "social")["frozen"] == "Paused: Olga is away."

    with connected.runtime.db.tenant(connected.workspace_id) as session:
        tending.resume(session, connected.workspace_id, social, by="user:1")
    connected.run()
    assert len(connected.in_crm()) == 1


def refused(world: World) -> None:
    """The plan has ended: whatever the network is asked for, it refuses, stream by stream."""
    for stream in world.social.streams:
        world.social.script.fail(PermissionDeniedError("The plan has ended"), on="pull")
        world.look(streams=(stream,))
    world.social.script.forgive()


def by_status(world: World, status: str) -> list[str]:
    found = world.sql(
        "SELECT s.name FROM streams s JOIN connections c ON c.id = s.connection_id WHERE c.kind = 'social' AND s.status = :s ORDER BY 1",
        s=status,
    )
    return [name for (name,) in found]


def test_what_was_refused_before_it_was_frozen_goes_on_with_the_same_switch(connected: World) -> None:
    connected.run()
    refused(connected)
    assert by_status(connected, "stopped") == sorted(connected.social.streams)
    freezes.freeze(connected.runtime, "fakesocial", "Our plan has ended")
    waiting(connected)

    freezes.unfreeze(connected.runtime, "fakesocial")
    connected.run()

    assert by_status(connected, "stopped") == []
    assert len(connected.in_crm()) == 1
    assert row(connected, "social")["streams"][0]["error"] == ""


def test_a_switch_that_was_stopped_in_the_middle_brings_all_back_when_it_is_used_again(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.run()
    refused(connected)
    freezes.freeze(connected.runtime, "fakesocial", "Our plan has ended")

    with monkeypatch.context() as broken:
        broken.setattr(freezing, "wake", interrupted)
        with pytest.raises(KeyboardInterrupt):
            freezes.unfreeze(connected.runtime, "fakesocial")
    freezes.unfreeze(connected.runtime, "fakesocial")

    assert by_status(connected, "stopped") == []


def interrupted(*_: Any, **__: Any) -> int:
    raise KeyboardInterrupt


def test_what_the_consent_left_out_is_not_asked_for_when_a_freeze_ends(connected: World) -> None:
    connected.run()
    left_out = {"s": "Example Social did not grant dm.read."}
    connected.sql(
        "UPDATE streams SET status = 'stopped', next_pull_at = NULL, error = :s WHERE name = 'messages'", **left_out
    )
    freezes.freeze(connected.runtime, "fakesocial", "A while")
    freezes.unfreeze(connected.runtime, "fakesocial")
    connected.run()
    assert by_status(connected, "stopped") == ["messages"]


def test_an_account_that_needs_a_new_consent_still_does_when_a_freeze_ends(connected: World) -> None:
    connected.run()
    refused(connected)
    connected.sql("UPDATE connections SET status = 'needs_reauth' WHERE kind = 'social'")
    freezes.freeze(connected.runtime, "fakesocial", "A while")
    before = calls(connected)
    freezes.unfreeze(connected.runtime, "fakesocial")
    connected.run()
    assert by_status(connected, "stopped") == sorted(connected.social.streams)
    assert calls(connected) == before


def test_a_pull_under_way_stops_after_the_page_in_hand(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connected.run()
    monkeypatch.setattr(handfuls, "ENOUGH", 80)  # rows: a handful of many times more is stored in the same way
    connected.social.page_size = 5
    for number in range(150):
        waiting(connected, number)
    stored = pulling.store

    def store_and_freeze(job: Any, page: Any) -> None:
        stored(job, page)
        monkeypatch.setattr(pulling, "store", stored)
        freezes.freeze(connected.runtime, "fakesocial", "It closes its API")

    monkeypatch.setattr(pulling, "store", store_and_freeze)
    connected.look(streams=("mentions",))
    [(read,)] = connected.sql("SELECT count(*) FROM engagements")
    assert 0 < read < 150
    assert connected.stream("mentions").failures == 0

    freezes.unfreeze(connected.runtime, "fakesocial")
    connected.run()
    assert connected.sql("SELECT count(*) FROM engagements") == [(150,)]


def test_a_provider_that_vanished_from_the_code_behaves_as_frozen(connected: World) -> None:
    waiting(connected)
    connected.run()
    manifest = providers().pop("fakesocial")
    before = calls(connected)
    try:
        connected.look()
        assert calls(connected) == before
        assert row(connected, "social")["frozen"].startswith("This Warmline does not know fakesocial any more")
        assert connected.connection("social").status == "active"
    finally:
        providers()["fakesocial"] = manifest
    connected.passes(timedelta(hours=1))
    connected.look()
    assert calls(connected) > before


def test_a_reason_is_needed_and_the_provider_has_to_be_there(connected: World) -> None:
    for key, reason in (("nowhere", "why"), ("fakesocial", "  "), ("fakesocial", "x" * 301)):
        with pytest.raises(PlainError):
            freezes.freeze(connected.runtime, key, reason)
    assert freezes.unfreeze(connected.runtime, "fakesocial") is None
    assert freezes.frozen(connected.runtime) == {}
