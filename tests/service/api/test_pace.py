"""One workspace may call so many times a second; whoever asks faster is told when to come back, and nobody else notices."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask
from redis import Redis

from service import accounts, serving
from service.api import auth, pace
from service.api.pace import Pace
from service.config import Config
from service.db import Database
from service.runtime import Runtime
from tests.conftest import Member

MOST = 3


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, api_per_second=MOST)


@pytest.fixture
def still(app: Flask, held: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time that the doors see, which a test moves on. Nobody waits."""
    now = [1_000.25]
    monkeypatch.setattr(pace.time, "time", lambda: now[0])
    with app.app_context():
        pace._pace().rest = lambda _: None
    yield now
    if found := app.extensions.get("warmline.pace"):
        found.redis.close()


def ask(app: Flask, held: Runtime, who: Member, number: int = 1) -> list[int]:
    secret = accounts.create_api_key(held.db, who.workspace_id, who.user_id, "k", ["read"])
    headers = {"Authorization": f"Bearer {secret}"}
    return [app.test_client().get("/v1/me", headers=headers).status_code for _ in range(number)]


def test_whoever_calls_too_fast_is_told_when_to_come_back(
    app: Flask, held: Runtime, owner: Member, still: list[float]
) -> None:
    assert ask(app, held, owner, MOST) == [200] * MOST
    secret = accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, "k", ["read"])
    refused = app.test_client().get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json is not None
    assert refused.json["detail"].startswith(
        f"Your workspace may call {MOST} times a second, all of its keys together."
    )
    still[0] += 1
    assert ask(app, held, owner) == [200]


def test_another_workspace_does_not_notice(
    app: Flask, held: Runtime, owner: Member, stranger: Member, still: list[float]
) -> None:
    assert ask(app, held, owner, MOST + 2)[-1] == 429
    assert ask(app, held, stranger, MOST) == [200] * MOST


def test_web_processes_count_together(held: Runtime, owner: Member, config: Config) -> None:
    mine, other = (Pace(held.redis, MOST) for _ in range(2))
    found = [each.is_over(owner.workspace_id, 50.0) for each in (mine, other, mine, other, mine)]
    assert found == [False, False, False, True, True]


def test_a_second_that_is_used_up_asks_nobody_any_more(held: Runtime, owner: Member) -> None:
    one = Pace(held.redis, MOST)
    assert [one.is_over(owner.workspace_id, 50.0) for _ in range(MOST + 1)][-1]
    held.redis.flushall()
    assert one.is_over(owner.workspace_id, 50.9)
    assert not one.is_over(owner.workspace_id, 51.0)


def test_where_valkey_is_away_nothing_is_counted_and_it_is_not_asked_at_every_call(owner: Member) -> None:
    with Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.25) as nowhere:
        one = Pace(nowhere, MOST)
        assert [one.is_over(owner.workspace_id, 50.0) for _ in range(MOST + 1)] == [False] * (MOST + 1)
        assert one._away_until == 50.0 + pace.ASKED_AGAIN


def test_without_a_limit_nobody_is_asked(owner: Member) -> None:
    with Redis(host="127.0.0.1", port=1) as nowhere:
        assert not Pace(nowhere, 0).is_over(owner.workspace_id, 50.0)


# --- a program that asks without a pause ------------------------------------------------------------------------


def test_a_refusal_comes_when_its_second_is_over(app: Flask, held: Runtime, owner: Member, still: list[float]) -> None:
    waited: list[float] = []
    with app.app_context():
        pace._pace().rest = waited.append
    assert ask(app, held, owner, MOST + 2)[-2:] == [429, 429]
    assert waited == [0.75, 0.75]


@pytest.mark.parametrize(
    ("rested", "retry_after"),
    [(0.75, "0"), (0.8, "0"), (0.7, "1"), (0.0, "1")],
    ids=[
        "until the second is over",
        "and a little longer",
        "woken too early, as clocks are set back",
        "without a seat",
    ],
)
def test_whoever_comes_back_as_soon_as_they_are_told_comes_neither_too_early_nor_too_late(
    app: Flask, held: Runtime, owner: Member, still: list[float], rested: float, retry_after: str
) -> None:
    def rest(_: float) -> None:
        still[0] += rested

    with app.app_context():
        pace._pace().rest = rest
    secret = accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, "k", ["read"])
    headers = {"Authorization": f"Bearer {secret}"}
    answers = [app.test_client().get("/v1/me", headers=headers) for _ in range(MOST + 1)]
    assert (answers[-1].status_code, answers[-1].headers["Retry-After"]) == (429, retry_after)
    still[0] += float(retry_after)
    assert app.test_client().get("/v1/me", headers=headers).status_code == 200


def test_those_who_wait_leave_half_of_the_threads_to_others(held: Runtime) -> None:
    one, waiting = Pace(held.redis, MOST), threading.Semaphore(0)
    over = threading.Event()

    def rest(_: float) -> None:
        waiting.release()
        over.wait(30)

    one.rest = rest
    with ThreadPoolExecutor(pace.SEATS) as threads:
        sitting = [threads.submit(one.sit, 50.0) for _ in range(pace.SEATS)]
        try:
            assert all(waiting.acquire(timeout=30) for _ in sitting)
            one.sit(50.0)  # no seat is left, and it comes back at once
        finally:
            over.set()
    one.rest = over.wait
    one.sit(50.0)
    assert serving.threads >= 2 * pace.SEATS


def test_a_key_that_was_refused_is_not_sought_again_in_that_second(
    app: Flask, held: Runtime, owner: Member, still: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, "k", ["read"])
    sought: list[str] = []

    def seek(db: Database, key: str) -> accounts.Caller | None:
        sought.append(key)
        return accounts.caller_of_key(db, key)

    monkeypatch.setattr(auth, "caller_of_key", seek)
    client, headers = app.test_client(), {"Authorization": f"Bearer {secret}"}
    found = [client.get("/v1/me", headers=headers).status_code for _ in range(MOST + 5)]
    assert found == [200] * MOST + [429] * 5
    assert len(sought) == MOST + 1
    still[0] += 1
    assert client.get("/v1/me", headers=headers).status_code == 200
