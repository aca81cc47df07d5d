"""The meter of a job: the ledger is too high for a moment, never too low, whatever is charged together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.provider import Price
from service import connect
from service.store.ledger import Payer
from tests.fakes.clock import Clock
from tests.workers.conftest import World
from workers import metering
from workers.metering import StreamMeter

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
PRICES = {"post": Price("post", 0.005, "the price list"), "user": Price("user", 0.010, "the price list")}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(NOON)
    monkeypatch.setattr(metering, "real_now", made)
    return made


@pytest.fixture
def meter(world: World, clock: Clock) -> StreamMeter:
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
    return StreamMeter(
        world.runtime, Payer(world.workspace_id, world.connection("social").id, "mentions", "x:"), PRICES
    )


def call(meter: StreamMeter, number: int, count: int = 100) -> None:
    assert meter.ask("post", count) == count
    meter.tell("post", [f"{number}-{index}" for index in range(count)])


def charged(world: World) -> int:
    [(reads,)] = world.sql("SELECT coalesce(sum(reads), 0)::int FROM spend")
    return int(reads)


def aside(world: World) -> int:
    [(reads,)] = world.sql("SELECT coalesce(sum(reads), 0)::int FROM spend_holds")
    return int(reads)


def test_after_every_call_the_ledger_holds_what_was_bought_or_more(world: World, meter: StreamMeter) -> None:
    for number in range(25):
        call(meter, number)
        assert charged(world) + aside(world) >= 100 * (number + 1)
    meter.flush()
    assert charged(world) == 2500
    assert meter.take() == {"post": 2500}


def test_what_calls_brought_is_charged_together(world: World, meter: StreamMeter) -> None:
    for number in range(5):
        call(meter, number)
    assert charged(world) == 0
    meter.flush()
    assert charged(world) == 500


def test_a_call_of_the_next_day_is_charged_on_its_own_day(world: World, meter: StreamMeter, clock: Clock) -> None:
    call(meter, 1)
    clock.forward(days=1)
    call(meter, 2)
    meter.flush()
    days = dict(world.sql("SELECT day::text, reads::int FROM spend"))
    assert days == {"2026-11-10": 100, "2026-11-11": 100}


def test_a_larger_call_than_any_before_is_set_aside_for_anew(world: World, meter: StreamMeter) -> None:
    call(meter, 1, 10)
    call(meter, 2, 5_000)
    assert charged(world) + aside(world) >= 5_010
    meter.flush()
    assert charged(world) == 5_010


def test_nothing_is_set_aside_once_the_job_is_over(world: World, meter: StreamMeter) -> None:
    call(meter, 1)
    meter.flush()
    with world.runtime.db.tenant(world.workspace_id) as session:
        meter.close(session)
    assert (charged(world), aside(world)) == (100, 0)
