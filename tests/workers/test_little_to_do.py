"""Most jobs find nothing: what one of those asks PostgreSQL is what each poll of each account costs whoever runs Warmline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from service.clock import real_now
from service.store import due, freezing
from tests.workers.conftest import World
from workers import jobs

Count = Callable[[str], list[int]]


@pytest.fixture
def quiet(connected: World) -> World:
    """All has been read, decided and pushed."""
    connected.knows()
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    connected.look()
    assert len(connected.in_crm()) == 1
    connected.run()
    return connected


@pytest.fixture
def transactions(quiet: World, monkeypatch: pytest.MonkeyPatch) -> Count:
    """How many transactions each of these jobs took that are due now."""
    number = [0]
    commit = psycopg.Connection.commit

    def counted(self: Any) -> None:
        number[0] += 1
        commit(self)

    monkeypatch.setattr(psycopg.Connection, "commit", counted)

    def count(job: str) -> list[int]:
        found = []
        for claim in quiet.claim():
            before = number[0]
            getattr(jobs, claim.job)(*map(str, claim.ids))
            if claim.job == job:
                found.append(number[0] - before)
        return found

    return count


def test_a_pull_that_finds_nothing_takes_one_transaction_before_it_asks_and_one_after(
    quiet: World, transactions: Count
) -> None:
    quiet.due("mentions", "own", "contacts")
    assert transactions("pull") == [2, 2, 2]
    assert quiet.stream("mentions").last_pulled_at is not None
    assert quiet.sql("SELECT count(*) FROM streams WHERE lease_id IS NOT NULL") == [(0,)]


def test_one_transaction_of_a_decision_matches_nobody_and_one_tells_that_nothing_else_is_due(
    quiet: World, transactions: Count
) -> None:
    with quiet.runtime.db.tenant(quiet.workspace_id) as session:
        due.decide_soon(session, quiet.workspace_id)
    assert transactions("decide") == [2]
    assert quiet.sql("SELECT lease_id, decide_at IS NOT NULL FROM workspace_schedule") == [(None, True)]


def test_a_push_of_nothing_takes_one_transaction(quiet: World, transactions: Count) -> None:
    quiet.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    assert transactions("push") == [1]
    assert quiet.sql("SELECT push_lease_id, next_push_at FROM connections WHERE kind = 'crm'") == [(None, None)]


def test_a_page_on_which_nothing_is_new_but_its_cursor_is_stored(quiet: World) -> None:
    quiet.sql("UPDATE streams SET cursor = 'at:9' WHERE name = 'mentions'")
    quiet.look(streams=("mentions",))
    assert quiet.stream("mentions").cursor == "at:1"


def test_what_stops_a_stream_stops_it_also_where_nothing_was_new(quiet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = quiet.social.pull

    def paused(*args: Any) -> Any:
        quiet.sql("UPDATE connections SET paused_at = now() WHERE kind = 'social'")
        return pages(*args)

    monkeypatch.setattr(quiet.social, "pull", paused)
    quiet.look(streams=("mentions",))
    stream = quiet.stream("mentions")
    assert stream.lease_id is None
    assert stream.next_pull_at is not None
    assert stream.next_pull_at - real_now() > freezing.LOOK_AGAIN / 2
