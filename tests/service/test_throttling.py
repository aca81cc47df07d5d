"""Tries that fail cost time, and more of it each; nobody is locked out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text

from service import throttling
from service.clock import real_now
from service.models import SigninTry
from service.runtime import Runtime
from service.throttling import Door

ACCOUNT = throttling.account("olga@acme.test")


def charge(held: Runtime, *doors: Door) -> datetime | None:
    with held.db.globally() as session:
        return throttling.charge(session, doors)


def fail(held: Runtime, door: Door, times: int) -> timedelta:
    """Fails so often, each time as soon as the door opens. Returns how long it is closed then."""
    with time_machine.travel(real_now(), tick=False) as clock:
        for _ in range(times):
            opens = charge(held, door)
            while opens is not None:
                clock.move_to(opens)
                opens = charge(held, door)
        return (charge(held, door) or real_now()) - real_now()


@pytest.mark.parametrize(
    ("tries", "closed"),
    [(1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (16, 2048), (17, 3600), (200, 3600), (10**6, 3600)],
)
def test_the_delay_doubles_up_to_an_hour(tries: int, closed: int) -> None:
    assert ACCOUNT.closed_after(tries) == timedelta(seconds=closed)


def test_a_door_closes_after_five_failures_and_for_longer_after_each(held: Runtime) -> None:
    assert fail(held, ACCOUNT, 5) == timedelta(seconds=1)
    with held.db.globally() as session:
        throttling.settle(session, ACCOUNT)
    assert fail(held, ACCOUNT, 8) == timedelta(seconds=8)


def test_what_comes_while_it_is_closed_is_not_counted(held: Runtime) -> None:
    with time_machine.travel(real_now(), tick=False):
        for _ in range(5):
            assert charge(held, ACCOUNT) is None
        for _ in range(50):
            opens = charge(held, ACCOUNT)
            assert opens == real_now() + timedelta(seconds=1)


def test_a_thousand_at_once_are_a_thousand_tries(held: Runtime) -> None:
    """Charged before it is judged, and under a lock: no two slip through one gap."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: charge(held, ACCOUNT), range(40)))
    assert answers.count(None) <= 6  # five, and one more should a second pass meanwhile


def test_a_day_without_failures_is_forgotten(held: Runtime) -> None:
    closed = fail(held, ACCOUNT, 9)
    assert closed > timedelta(0)
    with time_machine.travel(real_now() + timedelta(days=2), tick=False):
        assert charge(held, ACCOUNT) is None
        with held.db.globally() as session:
            assert session.scalar(select(SigninTry.tries)) == 1
    with time_machine.travel(real_now() + timedelta(days=4), tick=False), held.db.globally() as session:
        throttling.sweep(session)
        assert session.scalar(select(func.count()).select_from(SigninTry)) == 0


def test_one_closed_door_counts_at_no_other(held: Runtime) -> None:
    place = throttling.address("203.0.113.7")
    assert place
    with time_machine.travel(real_now(), tick=False):
        for _ in range(5):
            charge(held, ACCOUNT)
        for _ in range(9):
            assert charge(held, ACCOUNT, place) is not None
        with held.db.globally() as session:
            assert session.scalars(select(SigninTry.key)).all() == [ACCOUNT.key]


def test_what_is_given_back_opens_the_door_again(held: Runtime) -> None:
    place = throttling.address("203.0.113.7")
    assert place
    with time_machine.travel(real_now(), tick=False):
        for _ in range(20):
            assert charge(held, place) is None
        assert charge(held, place) is not None
        with held.db.globally() as session:
            throttling.give_back(session, place)
        assert charge(held, place) is None


def test_a_try_that_comes_while_another_turns_out_good_is_counted(held: Runtime) -> None:
    """The good one takes the row away under the hands of the one that waits for it."""
    charge(held, ACCOUNT)
    with ThreadPoolExecutor(1) as pool:
        with held.db.globally() as session:
            throttling.settle(session, ACCOUNT)
            waiting = pool.submit(charge, held, ACCOUNT)
            while not waits_for_a_lock(held):
                assert not waiting.done()
        assert waiting.result() is None
    with held.db.globally() as session:
        assert session.scalar(select(SigninTry.tries)) == 1


def waits_for_a_lock(held: Runtime) -> bool:
    with held.db.globally() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_good_tries_and_others_lock_in_one_order(held: Runtime) -> None:
    """Else one that settles and one that is charged at the same doors wait for each other."""
    for number in range(8):  # the order of two keys is chance
        own, place = throttling.account(f"olga{number}@acme.test"), throttling.address(f"203.0.113.{number}")
        assert place
        charge(held, own, place)
        first, second = sorted((own, place), key=lambda each: each.key)
        with ThreadPoolExecutor(1) as pool:
            with held.db.globally() as session:
                session.execute(select(SigninTry).filter_by(key=first.key).with_for_update())
                waiting = pool.submit(settle, held, own, place)
                while not waits_for_a_lock(held):
                    assert not waiting.done()
                # Nothing that comes after it is held by whoever waits.
                session.execute(select(SigninTry).filter_by(key=second.key).with_for_update(nowait=True))
            waiting.result()


def settle(held: Runtime, *doors: Door) -> None:
    with held.db.globally() as session:
        throttling.settle(session, *doors)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2:3::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_an_address_is_one_of_ipv4_or_a_network_of_ipv6(one: str, other: str, same: bool) -> None:
    first, second = throttling.address(one), throttling.address(other)
    assert first
    assert second
    assert (first.key == second.key) == same


@pytest.mark.parametrize("name", ["", "unknown", "203.0.113.7:8080", "203.0.113"])
def test_what_is_no_address_has_no_door(name: str) -> None:
    assert throttling.address(name) is None


def test_names_are_not_kept(held: Runtime) -> None:
    charge(held, ACCOUNT)
    with held.db.globally() as session:
        [row] = session.scalars(select(SigninTry))
    assert b"olga" not in row.key
    assert len(row.key) == 32
