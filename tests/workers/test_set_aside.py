"""What a pull has set aside for the calls that it is about to make: nothing of it stays, however the pull ends, but what a lost answer may have brought."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from integrations.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from service import connect, disconnecting
from service.store import tending
from tests.workers.conftest import World
from tests.workers.paying import NOON, Clock, bought, ceiling, during_page, says, stored
from workers import policy, stopping, streamjob

LATER = NOON + timedelta(days=3)


def aside(world: World) -> int:
    """Reads that are set aside for calls."""
    [(reads,)] = world.sql("SELECT coalesce(sum(reads), 0)::int FROM spend_holds")
    return int(reads)


def pause(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        tending.pause(session, world.workspace_id, world.connection("social").id, "", by="system")


def resume(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        tending.resume(session, world.workspace_id, world.connection("social").id, by="system")


def disconnect(world: World) -> None:
    disconnecting.disconnect(world.runtime, world.owner.caller, world.connection("social").id)


def connect_again(world: World) -> None:
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})


def lose_the_lease(world: World) -> None:
    world.sql("UPDATE streams SET lease_id = NULL, lease_until = NULL WHERE name = 'mentions'")


@pytest.mark.parametrize(
    ("end", "again"),
    [(pause, resume), (disconnect, connect_again), (lose_the_lease, lambda _: None)],
    ids=["paused", "disconnected", "the lease is lost"],
)
def test_nothing_stands_aside_once_a_pull_is_stopped_and_later_days_charge_what_was_bought(
    paying: World,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[World], None],
    again: Callable[[World], None],
) -> None:
    paying.run()
    says(paying, 5)
    during_page(paying, 1, lambda: end(paying), monkeypatch)
    paying.look(streams=("mentions",))
    assert (stored(paying), aside(paying), bought(paying)) == (0, 0, {"2026-11-10": 5})
    clock.at = LATER
    again(paying)
    paying.look(streams=("mentions",))
    assert (stored(paying), aside(paying), bought(paying)) == (5, 0, {"2026-11-10": 5, "2026-11-13": 5})


REFUSALS = [
    RateLimitError("later", retry_after=600),
    PermissionDeniedError("not for you"),
    AuthenticationError("gone"),
    NotFoundError("no such page"),
    InvalidRequestError("not like this"),
    TemporaryError("503", refused=True),
]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_nothing_stands_aside_once_a_call_is_refused_and_the_next_day_charges_what_was_bought(
    paying: World, clock: Clock, error: Exception
) -> None:
    paying.run()
    says(paying, 105)
    paying.social.script.fail(error, on="page", at=2)  # type: ignore[arg-type]
    clock.at = datetime(2026, 11, 10, 23, 50, tzinfo=UTC)
    paying.look(streams=("mentions",))
    assert (aside(paying), bought(paying)) == (0, {"2026-11-10": 100})
    clock.at = datetime(2026, 11, 11, 0, 5, tzinfo=UTC)
    connect_again(paying)
    paying.look(streams=("mentions",))
    assert (stored(paying), aside(paying), bought(paying)["2026-11-10"]) == (105, 0, 100)


@pytest.mark.parametrize("error", [KeyError("id"), SystemExit(1)], ids=lambda error: type(error).__name__)
def test_nothing_stands_aside_once_a_pull_breaks_where_nobody_thought_it_would(
    paying: World, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    paying.run()
    says(paying, 5)

    def breaks(*_: object) -> int:
        raise error

    monkeypatch.setattr(streamjob, "_save", breaks)
    monkeypatch.setattr(policy, "tell", lambda *_, **__: None)  # drawing the way to it takes minutes
    if isinstance(error, Exception):
        paying.look(streams=("mentions",))
    else:
        with pytest.raises(SystemExit):
            paying.look(streams=("mentions",))
    assert (aside(paying), bought(paying)) == (0, {"2026-11-10": 5})


def test_nothing_stands_aside_once_a_worker_stops_as_it_was_asked_to(
    paying: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paying.run()
    says(paying, 250)
    asked = Event()
    monkeypatch.setattr(stopping, "_asked", asked)
    during_page(paying, 2, asked.set, monkeypatch)
    paying.due("mentions")
    [pull] = paying.claim()
    paying.work(pull)
    assert (stored(paying), aside(paying), bought(paying)) == (200, 0, {"2026-11-10": 200})


@pytest.mark.parametrize("error", [TemporaryError("broke off"), UnexpectedResponseError("?")], ids=["lost", "unread"])
def test_of_a_call_whose_answer_was_lost_as_much_stays_aside_as_that_call_could_bring(
    paying: World, clock: Clock, error: Exception
) -> None:
    paying.run()
    says(paying, 205)
    paying.social.page_size = 50
    paying.social.script.fail(error, on="page", at=3)  # type: ignore[arg-type]
    paying.look(streams=("mentions",))
    assert (aside(paying), bought(paying)) == (50, {"2026-11-10": 100})
    clock.at = LATER
    paying.look(streams=("mentions",))
    assert (stored(paying), aside(paying)) == (205, 0)
    assert bought(paying) == {"2026-11-10": 150, "2026-11-13": 105}


def test_one_switch_brings_a_paused_account_back_though_a_ceiling_was_set_meanwhile(
    paying: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    paying.run()
    says(paying, 5)
    during_page(paying, 1, lambda: pause(paying), monkeypatch)
    paying.look(streams=("mentions",))
    clock.at = LATER
    ceiling(paying, 5)
    resume(paying)
    paying.run()
    assert (stored(paying), paying.stream("mentions").waits_for) == (5, "")


def test_who_was_refused_for_what_a_pull_had_aside_looks_again_once_that_pull_is_over(
    paying: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paying.run()
    says(paying, 5)

    def meanwhile() -> None:
        ceiling(paying, 5)  # as much as stands aside for ten calls
        paying.sql(
            "UPDATE streams SET waits_for = 'ceiling', next_pull_at = now() + interval '9 days' WHERE name = 'own'"
        )

    during_page(paying, 1, meanwhile, monkeypatch)
    paying.look(streams=("mentions",))
    assert paying.stream("own").waits_for == ""
