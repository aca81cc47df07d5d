"""The ceiling, and what is bought under it, with schedulers and workers at work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import (
    RateLimitError,
    TemporaryError,
)
from integrations.provider import RECHECK
from service import spending
from service.clock import real_now
from service.db import scheduler_engine
from service.store import claims, due, listing, tending
from tests.workers.conftest import World
from tests.workers.paying import NOON, Clock, bought, ceiling, during_page, says, stored
from workers import streamjob


def test_reading_stops_at_the_ceiling_says_so_and_goes_on_when_it_is_raised(paying: World) -> None:
    says(paying, 450)
    ceiling(paying, 1)

    paying.run()

    assert stored(paying) == 200
    assert bought(paying) == {"2026-11-10": 200}
    mentions = paying.stream("mentions")
    assert (mentions.waits_for, mentions.failures, mentions.status) == ("ceiling", 0, "active")
    assert (
        mentions.error
        == "The ceiling of $1 for November is reached; reading goes on on 1 December. Raise it in Settings."
    )
    assert paying.connection("social").status == "active"

    ceiling(paying, 3)
    paying.run()

    assert stored(paying) == 450
    assert (paying.stream("mentions").waits_for, paying.stream("mentions").error) == ("", "")
    assert sum(bought(paying).values()) == 450


def own_ceiling(world: World, dollars: int | None) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        tending.set_ceiling(session, world.workspace_id, world.connection("social").id, dollars, by="system")


@pytest.mark.parametrize("limit", [ceiling, own_ceiling])
@pytest.mark.parametrize(("dollars", "posts"), [(2, 400), (1, 300)])
def test_a_ceiling_that_is_set_while_a_pull_runs_holds_from_the_next_call_on(
    paying: World, monkeypatch: pytest.MonkeyPatch, limit: Callable[[World, int | None], None], dollars: int, posts: int
) -> None:
    says(paying, 900)
    during_page(paying, 3, lambda: limit(paying, dollars), monkeypatch)

    paying.look(streams=("mentions",))

    assert (stored(paying), bought(paying)) == (posts, {"2026-11-10": posts})
    assert paying.stream("mentions").waits_for == "ceiling"
    assert paying.sql("SELECT * FROM spend_holds") == []


@pytest.mark.parametrize("limit", [ceiling, own_ceiling])
def test_a_ceiling_that_is_lowered_while_a_pull_runs_holds_from_the_next_call_on(
    paying: World, monkeypatch: pytest.MonkeyPatch, limit: Callable[[World, int | None], None]
) -> None:
    says(paying, 900)
    limit(paying, 50)
    during_page(paying, 3, lambda: limit(paying, 1), monkeypatch)
    paying.look(streams=("mentions",))
    assert (stored(paying), bought(paying)) == (300, {"2026-11-10": 300})
    assert paying.stream("mentions").waits_for == "ceiling"


def test_a_ceiling_that_was_set_while_a_pull_ran_and_is_taken_away_lets_it_go_on(
    paying: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(paying, 400)
    during_page(paying, 3, lambda: ceiling(paying, 1), monkeypatch)
    paying.look(streams=("mentions",))
    assert (stored(paying), paying.stream("mentions").waits_for) == (300, "ceiling")

    ceiling(paying, None)
    paying.run()

    assert (stored(paying), bought(paying)) == (400, {"2026-11-10": 400})
    assert paying.stream("mentions").waits_for == ""


def test_a_new_month_goes_on_by_itself(paying: World, clock: Clock) -> None:
    says(paying, 300)
    ceiling(paying, 1)
    paying.run()
    clock.at = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)
    paying.look(streams=("mentions",))
    assert stored(paying) == 300
    assert bought(paying) == {"2026-11-10": 200, "2026-12-01": 100}


def test_a_ceiling_of_nothing_reads_nothing_and_loops_over_nothing(paying: World) -> None:
    says(paying, 3)
    ceiling(paying, 0)
    paying.run(at_most=20)
    assert stored(paying) == 0
    assert paying.social.script.count("page") == 0
    assert paying.stream("mentions").error == "The ceiling is $0, so nothing that costs is read. Raise it in Settings."


def test_a_page_that_was_bought_and_lost_is_not_charged_again_on_the_same_day(paying: World) -> None:
    says(paying, 5)
    paying.social.script.fail(TemporaryError("broke off"), on="page", at=1)
    paying.run()
    paying.look(streams=("mentions",))
    assert stored(paying) == 5
    assert bought(paying) == {"2026-11-10": 5}


def test_what_was_bought_is_charged_though_the_account_is_paused_before_it_is_stored(
    paying: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(paying, 5)

    def paused(*_: object) -> int:
        raise streamjob.StoppedError

    monkeypatch.setattr(streamjob, "_save", paused)
    paying.look(streams=("mentions",))
    assert (stored(paying), bought(paying)) == (0, {"2026-11-10": 5})


def test_the_sweep_buys_again_a_small_share_at_most_and_what_was_bought_today_for_nothing(
    paying: World, clock: Clock
) -> None:
    says(paying, 40)
    paying.run()
    paying.look(streams=(RECHECK,))
    assert bought(paying) == {"2026-11-10": 40}  # whoever waits was asked for, and cost nothing today
    before = len(_asked(paying))
    assert before == 40
    clock.at += timedelta(days=1)
    paying.look(streams=(RECHECK,))
    assert bought(paying) == {"2026-11-10": 40, "2026-11-11": 2}
    paying.look(streams=(RECHECK,))
    assert bought(paying)["2026-11-11"] == 2


def test_a_sweep_over_more_posts_than_a_job_asks_for_comes_to_an_end(paying: World) -> None:
    says(paying, 900)
    paying.run(at_most=20)
    before = paying.social.script.count("recheck")
    paying.look(streams=(RECHECK,))
    assert paying.social.script.count("recheck") - before == 3
    assert paying.stream(RECHECK).cursor is None


def _asked(world: World) -> list[str]:
    calls = [arguments[0] for method, arguments in world.social.script.calls if method == "recheck"]
    return list(calls[-1]) if calls else []


def test_a_wait_of_a_year_is_tried_after_a_day(paying: World) -> None:
    paying.run()
    paying.social.script.fail(RateLimitError("later", retry_after=365 * 86_400), on="pull")
    paying.look(streams=("mentions",))
    [(hours,)] = paying.sql(
        "SELECT extract(epoch FROM next_pull_at - now()) / 3600 FROM streams WHERE name = 'mentions'"
    )
    assert 23.9 < hours < 24.2
    assert paying.stream("mentions").waits_for == "rate_limit"


def test_the_connection_says_what_it_cost(paying: World) -> None:
    says(paying, 3)
    paying.run()
    with paying.runtime.db.tenant(paying.workspace_id) as session:
        rows, _ = listing.connections(session, paying.workspace_id)
        [found] = spending.of(session, paying.workspace_id, rows, now=NOON).values()
    assert found.sentence == "This month: $0.02 for 3 posts."
    assert (found.ceiling, found.left) == (None, None)


def test_where_somebody_waits_is_looked_at_first_and_at_full_pace(paying: World) -> None:
    says(paying, 1)
    paying.run()
    paying.look(streams=("mentions",))
    assert paying.stream("mentions").urgent is True
    quiet, urgent = paying.stream("own").id, paying.stream("mentions").id
    paying.sql("UPDATE streams SET next_pull_at = NULL")
    paying.sql(
        "UPDATE streams SET next_pull_at = now() - interval '3 minutes', urgent = false WHERE id = :id", id=quiet
    )
    paying.sql("UPDATE streams SET next_pull_at = now() - interval '1 second' WHERE id = :id", id=urgent)
    assert _first(paying) == urgent
    # Nobody starves: who has been due for longer than the head start goes first.
    paying.sql("UPDATE streams SET next_pull_at = now() - interval '9 minutes' WHERE id = :id", id=quiet)
    paying.sql("UPDATE streams SET next_pull_at = now() WHERE id = :id", id=urgent)
    assert _first(paying) == quiet


@pytest.mark.parametrize("waits", [True, False])
def test_who_asks_for_a_pull_while_one_is_under_way_gets_another_as_soon(paying: World, waits: bool) -> None:
    """The one under way may have read what they ask about before it was there."""
    paying.run()
    paying.due("own")
    [under_way] = paying.claim()
    with paying.runtime.db.tenant(paying.workspace_id) as session:
        connection = paying.stream("own").connection_id
        due.pull_soon(session, paying.workspace_id, connection, ["own"], urgent=waits)
    paying.work(under_way)
    stream = paying.stream("own")
    assert (stream.urgent, stream.next_pull_at is not None and stream.next_pull_at <= real_now()) == (waits, True)
    paying.run()
    assert paying.stream("own").urgent is False


def _first(world: World) -> Any:
    """Which stream a scheduler takes that takes one."""
    with scheduler_engine(world.runtime.config.need("database_scheduler_url")).begin() as connection:
        found = claims.claim(connection, world.now, 1)
        claims.release(connection, found, world.now)
    [stream] = [each.ids[1] for each in found if each.job == "pull"]
    return stream
