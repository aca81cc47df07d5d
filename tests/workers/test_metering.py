"""The meter of a job: the ledger is too high for a moment, never too low, whatever is charged together."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from integrations.errors import SpendingLimitError
from integrations.provider import Price
from service import connect, settings
from service.leases import LeaseLostError
from service.store import ledger, ruling
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
    meter.end()
    assert (charged(world), aside(world)) == (100, 0)


def test_a_refused_call_is_cut_off_what_stands_aside(world: World, meter: StreamMeter) -> None:
    call(meter, 1)
    meter.ask("post", 100)
    meter.void("post")
    assert aside(world) == 900
    for number in range(2, 14):
        call(meter, number)
        assert charged(world) + aside(world) >= 100 * number
    meter.end()
    assert (charged(world), aside(world)) == (1300, 0)


def test_a_refusal_does_not_tell_what_the_call_before_it_brought_whose_answer_was_lost(
    world: World, meter: StreamMeter
) -> None:
    meter.ask("post", 100)
    meter.end()
    later = StreamMeter(world.runtime, meter.payer, PRICES)
    for _ in range(12):
        later.ask("post", 50)
        later.void("post")
    later.end()
    assert aside(world) == 100
    call(later, 1)
    later.end()
    assert (charged(world), aside(world)) == (100, 0)


@pytest.mark.parametrize("most", [5, 100])
def test_a_refusal_leaves_aside_all_that_was_lost_though_the_refused_call_is_much_smaller(
    world: World, meter: StreamMeter, most: int
) -> None:
    call(meter, 1)
    meter.ask("post", 100)  # and the worker dies, before anything is charged
    later = StreamMeter(world.runtime, meter.payer, PRICES)
    for _ in range(3):
        later.ask("post", most)
        later.void("post")
    later.end()
    assert aside(world) == 1000


@pytest.mark.parametrize("most", [50, 100])
def test_under_a_ceiling_too_a_refusal_leaves_aside_what_the_call_before_it_may_have_brought(
    world: World, meter: StreamMeter, most: int
) -> None:
    ceiling(world, 10)
    meter.ask("post", 100)
    meter.end()
    later = StreamMeter(world.runtime, meter.payer, PRICES)
    for _ in range(3):
        assert later.ask("post", most) == most
        later.void("post")
    later.end()
    assert aside(world) == 100
    call(later, 1)
    assert (charged(world), aside(world)) == (100, 0)
    later.ask("post", most)
    later.void("post")
    assert aside(world) == 0


def test_what_could_not_be_charged_stays_aside_and_is_charged_as_soon_as_it_can_be(
    world: World, meter: StreamMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **more: Any) -> int:
        raise ConnectionError

    call(meter, 1)
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "settle", away)
        with pytest.raises(ConnectionError):
            meter.end()
    assert aside(world) == 1000
    meter.end()
    assert (charged(world), aside(world)) == (100, 0)


def test_what_another_job_of_the_stream_has_aside_by_now_is_not_given_back(
    world: World, meter: StreamMeter, clock: Clock
) -> None:
    """The lease was lost, and whoever has it now is in the middle of a call."""
    call(meter, 1)
    clock.forward(seconds=1)
    other = StreamMeter(world.runtime, meter.payer, PRICES)
    other.ask("post", 100)
    meter.end()
    assert (charged(world), aside(world)) == (100, 1000)
    other.tell("post", ["1-0", "2-0"])
    other.end()
    assert (charged(world), aside(world)) == (101, 0)


def ceiling(world: World, dollars: int) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        values = {**settings.current(session, world.workspace_id).values, "monthly_ceiling": dollars}
        ruling.change_settings(session, world.workspace_id, values, by="system")


def test_once_there_is_a_ceiling_nothing_stands_aside_for_more_than_one_call(world: World, meter: StreamMeter) -> None:
    call(meter, 1)
    assert meter.ask("user", 100) == 100
    meter.tell("user", ["u1"])
    assert aside(world) == 2000
    ceiling(world, 10)
    assert meter.ask("post", 100) == 100
    assert (charged(world), aside(world)) == (101, 100)


def test_a_stream_that_was_refused_for_what_another_had_aside_looks_again_once_that_is_free(
    world: World, meter: StreamMeter
) -> None:
    call(meter, 1)
    ceiling(world, 5)  # as much as stands aside for ten calls
    other = StreamMeter(world.runtime, replace(meter.payer, stream="own"), PRICES)
    with pytest.raises(SpendingLimitError):
        other.ask("post", 100)
    world.sql("UPDATE streams SET waits_for = 'ceiling', next_pull_at = now() + interval '20 days' WHERE name = 'own'")

    call(meter, 2)

    [(soon,)] = world.sql("SELECT next_pull_at <= now() FROM streams WHERE name = 'own'")
    assert soon
    assert other.ask("post", 100) == 100


def test_what_another_thread_is_charging_is_spent_before_anybody_asks_what_is_left(
    world: World, meter: StreamMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader asks for the next page while what the last ones brought is charged, and a ceiling is there by now."""
    call(meter, 1)
    call(meter, 2)
    settle = ledger.settle
    asked: list[Future[int]] = []

    def while_charging(*arguments: Any, **more: Any) -> int:
        if not asked:
            asked.append(reader.submit(meter.ask, "post", 100))
            wait(asked, timeout=0.3)
        return settle(*arguments, **more)

    monkeypatch.setattr(ledger, "settle", while_charging)
    ceiling(world, 1)
    with ThreadPoolExecutor(1) as reader:
        meter.flush()
    with pytest.raises(SpendingLimitError):
        asked[0].result()
    assert charged(world) == 200


def test_under_a_ceiling_what_another_job_of_the_stream_has_aside_stays_when_a_call_of_before_is_told_or_refused(
    world: World, meter: StreamMeter, clock: Clock
) -> None:
    """The lease was lost in the middle of a call, and whoever has it now is in the middle of one, too."""
    ceiling(world, 10)
    meter.ask("post", 100)
    clock.forward(seconds=1)
    other = StreamMeter(world.runtime, meter.payer, PRICES)
    other.ask("post", 50)

    meter.tell("post", ["1-0"])
    assert (charged(world), aside(world)) == (1, 100)
    meter.void("post")
    meter.end()
    assert aside(world) == 100

    other.tell("post", ["1-0", "2-0"])
    other.end()
    assert (charged(world), aside(world)) == (2, 0)


def test_who_has_lost_the_lease_sets_nothing_aside_any_more_and_makes_no_call(
    world: World, meter: StreamMeter, clock: Clock
) -> None:
    ceiling(world, 10)
    lease, next_one = uuid4(), uuid4()
    world.sql("UPDATE streams SET lease_id = :lease WHERE name = 'mentions' RETURNING 1", lease=lease)
    first = StreamMeter(world.runtime, replace(meter.payer, lease_id=lease), PRICES)
    call(first, 1)
    world.sql("UPDATE streams SET lease_id = :lease WHERE name = 'mentions' RETURNING 1", lease=next_one)
    clock.forward(seconds=1)
    other = StreamMeter(world.runtime, replace(meter.payer, lease_id=next_one), PRICES)
    other.ask("post", 50)

    with pytest.raises(LeaseLostError):
        first.ask("post", 100)
    first.end()

    assert (charged(world), aside(world)) == (100, 50)
    other.tell("post", ["2-0"])
    assert (charged(world), aside(world)) == (101, 0)
