"""A new connection's first view: what was read, what it cost, and the tasks that it would make, before anything is decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from integrations.provider import Price
from integrations.records import Author
from integrations.registry import providers
from service import connect, firstview
from service.db import scheduler_engine
from service.firstview import FirstView, first_view
from service.store import claims
from tests.service.api.checking import check
from tests.service.api.conftest import client_of
from tests.workers.conftest import World
from tests.workers.holding import people_ask
from tests.workers.test_tryout import everything

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def seen(world: World, **options: Any) -> FirstView:
    found = first_view(world.runtime, world.workspace_id, world.connection("social").id, now=world.now, **options)
    assert found is not None
    return found


@pytest.fixture
def read(world: World) -> World:
    """A social account alone, of which the mentions and its own posts were read: no CRM, and nothing decided yet."""
    manifest = providers()["fakesocial"]
    providers()["fakesocial"] = replace(manifest, prices=(Price("post", 0.005, "the price list"),))  # type: ignore[arg-type]
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
    people_ask(world, 3)
    ana = Author("a1", "ana", "Ana Ferrer")
    world.says("@brand Can we have a call next week?", id="w", who=ana, ago=20 * HOUR)
    world.answers("Sure.", id="r", to="w", ago=19 * HOUR)
    claimed = world.claim()
    now = [each for each in claimed if each.job == "pull" and _stream(world, each) in ("mentions", "own")]
    for each in now:
        world.work(each)
    with scheduler_engine(world.runtime.config.need("database_scheduler_url")).begin() as connection:
        claims.release(connection, [each for each in claimed if each not in now], world.now)
    return world


def _stream(world: World, claim: claims.Claim) -> str:
    [(name,)] = world.sql("SELECT name FROM streams WHERE id = :id", id=claim.ids[1])
    return str(name)


def test_it_shows_what_was_read_and_what_that_cost_while_the_first_pull_is_under_way(read: World) -> None:
    view = seen(read)
    assert view.connection["ready_at"] is None
    assert (view.posts, view.theirs, view.ours, view.people) == (5, 4, 1, 4)
    assert view.dollars == pytest.approx(5 * 0.005)
    assert view.oldest_at == read.now - 20 * HOUR


def test_it_shows_the_tasks_of_both_kinds_with_reasons_before_any_crm_is_connected(read: World) -> None:
    view = seen(read)
    assert view.tasks == {"unanswered": 3, "ready_for_call": 1}
    assert view.complete
    assert {each.kind for each in view.examples} == {"unanswered", "ready_for_call"}
    assert all(each.subject and each.reasons for each in view.examples)
    assert [each.urgency for each in view.examples] == sorted((each.urgency for each in view.examples), reverse=True)


def test_it_agrees_with_what_is_decided_afterwards(read: World) -> None:
    before = seen(read).tasks
    read.run()
    assert seen(read).tasks == before
    assert {kind: len(read.tasks(kind=kind)) for kind in before} == before


def test_looking_stores_nothing(read: World) -> None:
    before = everything(read)
    seen(read)
    assert everything(read) == before


def test_batches_count_nobody_twice(read: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read.says("@brand And could we have a call soon?", id="w2", who=Author("a1", "ana", "Ana Ferrer"), ago=2 * HOUR)
    read.look()
    whole = seen(read)
    monkeypatch.setattr(firstview, "BATCH", 1)
    assert seen(read).tasks == whole.tasks


def test_time_that_runs_out_is_said(read: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firstview, "BATCH", 1)
    seconds = iter(range(100))
    view = seen(read, budget=3, clock=lambda: float(next(seconds)))
    assert 0 < view.looked < view.total
    assert not view.complete


def test_the_api_shows_it_and_a_crm_has_none(read: World, app: Flask) -> None:
    client = client_of(app, read.runtime, read.owner, "read")
    shown = client.get(f"/connections/{read.connection('social').id}/found").get_json()
    assert shown["tasks"] == {"unanswered": 3, "ready_for_call": 1}
    assert (shown["first_pull_done"], shown["dollars"]) == (False, pytest.approx(0.025))
    [crm] = connect.connect_with_secret(read.runtime, read.owner.caller, "fakecrm", None, {})
    check(client.get(f"/connections/{crm}/found"), 404)


def test_a_connection_that_is_not_there_has_no_view(world: World) -> None:
    assert first_view(world.runtime, world.workspace_id, UUID(int=7), now=world.now) is None
