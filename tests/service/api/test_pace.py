"""One workspace may call so many times a second; whoever asks faster is told when to come back, and nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from redis import Redis

from service import accounts
from service.api import pace
from service.api.pace import Pace
from service.config import Config
from service.runtime import Runtime
from tests.conftest import Member

MOST = 3


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, api_per_second=MOST)


@pytest.fixture
def still(app: Flask, held: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time that the doors see, which a test moves on."""
    now = [1_000.25]
    monkeypatch.setattr(pace.time, "time", lambda: now[0])
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
    found = [each.wait(owner.workspace_id, 50.0) for each in (mine, other, mine, other, mine)]
    assert found == [None, None, None, 1, 1]


def test_a_second_that_is_used_up_asks_nobody_any_more(held: Runtime, owner: Member) -> None:
    one = Pace(held.redis, MOST)
    assert [one.wait(owner.workspace_id, 50.0) for _ in range(MOST + 1)][-1] == 1
    held.redis.flushall()
    assert one.wait(owner.workspace_id, 50.9) == 1
    assert one.wait(owner.workspace_id, 51.0) is None


def test_where_valkey_is_away_nothing_is_counted_and_it_is_not_asked_at_every_call(owner: Member) -> None:
    with Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.25) as nowhere:
        one = Pace(nowhere, MOST)
        assert [one.wait(owner.workspace_id, 50.0) for _ in range(MOST + 1)] == [None] * (MOST + 1)
        assert one._away_until == 50.0 + pace.ASKED_AGAIN


def test_without_a_limit_nobody_is_asked(owner: Member) -> None:
    with Redis(host="127.0.0.1", port=1) as nowhere:
        assert Pace(nowhere, 0).wait(owner.workspace_id, 50.0) is None
