"""What programs ask: whether the process lives, whether it can serve, and the page that Prometheus reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from service import credentials
from service.app import create_app
from service.config import Config
from service.credentials import Held, LostAnswerError, RefusedError
from service.runtime import Runtime
from service.watch import doors, meters, presence
from tests.conftest import Member
from tests.service.watch.promql import scraped

TOKEN = "a-token-that-only-the-test-knows"


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, metrics_token=TOKEN)


def scrape(app: Flask, **headers: str) -> str:
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers})
    assert answer.status_code == 200
    return answer.text


@pytest.fixture
def broken(config: Config) -> Iterator[Flask]:
    """A process whose database and queue do not answer."""
    away = replace(
        config, database_url="postgresql+psycopg://u:hush@127.0.0.1:1/none", redis_url="redis://:hush@127.0.0.1:1/0",
        database_scheduler_url="postgresql+psycopg://u:hush@127.0.0.1:1/none",
    )  # fmt: skip
    app = create_app(away)
    yield app
    app.extensions["warmline"].db.engine.dispose()
    app.extensions["warmline"].redis.close()


# --- ready ----------------------------------------------------------------------------------------------------


def test_a_process_that_has_what_it_needs_is_ready(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (
        200, {"status": "ready", "failing": [], "database": "ok", "migrations": "ok", "queue": "ok"},
    )  # fmt: skip


def test_what_is_away_is_named_in_a_word_and_without_a_secret(broken: Flask) -> None:
    answer = broken.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "not ready", "failing": ["database", "migrations", "queue"], "database": "away", "migrations": "unknown", "queue": "away",
    }  # fmt: skip
    assert broken.test_client().get("/livez").status_code == 200


@pytest.mark.own_database
def test_a_schema_that_is_older_than_the_code_is_pending(app: Flask, config: Config) -> None:
    engine = create_engine(config.need("database_admin_url"))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    engine.dispose()
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json and answer.json["failing"]) == (503, ["migrations"])
    assert answer.json
    assert answer.json["migrations"] == "pending"


def test_whoever_asks_in_a_loop_does_not_wear_the_database_out(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    look = doors.readiness.look
    monkeypatch.setattr(doors.readiness, "look", lambda config: asked.append(1) or look(config))
    monkeypatch.setattr(doors, "PROBED", 3600.0)
    for _ in range(5):
        assert app.test_client().get("/readyz").status_code == 200
    assert len(asked) == 1


# --- metrics --------------------------------------------------------------------------------------------------


def test_nobody_reads_the_figures_without_the_token(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/metrics").headers["WWW-Authenticate"].startswith("Bearer")
    for wrong in (f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer é"):
        answer = client.get("/metrics", headers={"Authorization": wrong})
        assert (answer.status_code, "warmline_" in answer.text) == (401, False), wrong


def test_where_no_token_is_set_there_are_no_figures(config: Config) -> None:
    app = create_app(replace(config, metrics_token=""))
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert app.test_client().get("/metrics", headers=headers).status_code == 404


def test_both_formats_are_served(app: Flask, held: Runtime) -> None:
    assert "# TYPE warmline_part_up gauge" in scrape(app)
    page = app.test_client().get(
        "/metrics",
        headers={"Authorization": f"Bearer {TOKEN}", "Accept": "application/openmetrics-text; version=1.0.0"},
    )
    assert page.content_type.startswith("application/openmetrics-text")
    assert page.text.endswith("# EOF\n")


def test_with_everything_away_the_page_says_so(broken: Flask) -> None:
    page = scrape(broken)
    for part in ("database", "states", "queue"):
        assert f'warmline_part_up{{part="{part}"}} 0.0' in page
    assert "hush" not in page


def test_requests_are_counted_by_route_never_by_address(app: Flask, held: Runtime, owner: Member) -> None:
    client = app.test_client()
    client.get("/v1/tasks/0198c0de-0000-7000-8000-000000000000?token=secret")
    client.get("/wp-login.php")
    client.open("/v1/tasks", method="PROPFIND")
    page = scrape(app)
    assert 'warmline_http_requests_total{method="GET",route="/v1/tasks/<uuid:task_id>",status="4xx"} 1.0' in page
    assert 'route="unmatched"' in page
    assert 'method="other"' in page
    assert 'warmline_http_request_seconds_count{route="/v1/tasks/<uuid:task_id>"} 1.0' in page
    for never in ("0198c0de", "secret", "wp-login", "PROPFIND"):
        assert never not in page


def test_whatever_is_asked_for_has_a_figure_for_going_wrong_before_it_does(
    app: Flask, held: Runtime, owner: Member
) -> None:
    addresses = ("/", "/v1/tasks", "/v1/tasks/0198c0de-0000-7000-8000-000000000000", "/hooks/x", "/wp-login.php")
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PROPFIND"):
        for address in addresses:
            app.test_client().open(address, method=method)
    counted = {
        (labels["route"], labels["method"], labels["status"]): value
        for name, labels, value in scraped(scrape(app)).samples
        if name == "warmline_http_requests_total"
    }
    asked = {(route, method) for (route, method, _), value in counted.items() if value}
    assert len(asked) > 12
    assert {(route, method): counted[route, method, "5xx"] for route, method in asked} == dict.fromkeys(asked, 0.0)


def test_no_figure_stands_on_the_page_twice(app: Flask, held: Runtime) -> None:
    """Prometheus would refuse the page."""
    meters.count(meters.DIFFERENCES, "hubspot", "task_gone")
    meters.count(meters.DIFFERENCES, "gone", "unheard of")
    series = Counter((name, frozenset(labels.items())) for name, labels, _ in scraped(scrape(app)).samples)
    assert [each for each, times in series.items() if times > 1] == []


def test_every_request_has_an_id_and_keeps_a_fit_one_that_it_came_with(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/livez", headers={"X-Request-Id": "abc-12345678"}).headers["X-Request-Id"] == "abc-12345678"
    made = {client.get("/livez").headers["X-Request-Id"] for _ in range(2)}
    assert len(made) == 2
    for unfit in ("short", "x" * 65, "a b c d e f g h", "<script>alert</script>"):
        given = client.get("/livez", headers={"X-Request-Id": unfit}).headers["X-Request-Id"]
        assert len(given) == 32, unfit


def test_how_full_a_pool_was_is_told_even_if_it_is_empty_by_then(held: Runtime) -> None:
    with held.db.globally() as one, held.db.globally() as two:
        for session in (one, two):
            session.execute(text("SELECT 1"))
    assert held.db.pool() == (2, 16)
    assert held.db.pool() == (0, 16)


# --- counting -------------------------------------------------------------------------------------------------


def test_what_many_processes_count_comes_together(held: Runtime, app: Flask) -> None:
    for _ in range(3):
        meters.count(meters.PUSHES, "x", "created", by=2)
        assert meters.flush(held.redis)
    for seconds in (1.0, 100.0, 1e6):
        meters.observe(meters.READ_DELAY, seconds, "x")
    meters.flush(held.redis)
    page = scrape(app)
    assert 'warmline_pushes_total{outcome="created",provider="x"} 6.0' in page
    assert 'warmline_read_delay_seconds_bucket{le="10",provider="x"} 1.0' in page
    assert 'warmline_read_delay_seconds_bucket{le="120",provider="x"} 2.0' in page
    assert 'warmline_read_delay_seconds_bucket{le="+Inf",provider="x"} 3.0' in page
    assert 'warmline_read_delay_seconds_sum{provider="x"} 1.000101e+06' in page


def test_what_was_counted_while_the_queue_was_away_is_handed_on_later(held: Runtime, broken: Flask) -> None:
    meters._begin_anew()
    meters.count(meters.WEBHOOKS, "x", "accepted")
    assert not meters.flush(broken.extensions["warmline"].redis)
    assert meters.flush(held.redis)
    assert [(each.labels, each.count) for each in meters.read(held.redis)] == [(("x", "accepted"), 1)]


def test_what_another_version_counted_otherwise_is_passed_over(held: Runtime, app: Flask) -> None:
    held.redis.hset(meters.KEY, "warmline_gone\x1fn\x1fx", 1)
    held.redis.hset(meters.KEY, "warmline_pulls\x1fn\x1fone label", 1)
    page = scrape(app)
    assert "warmline_gone" not in page
    assert "warmline_pulls_total" not in page


def test_a_process_of_another_version_is_passed_over(held: Runtime, app: Flask) -> None:
    for number, said in enumerate(("{}", "not json", '{"role": "juggler"}', '{"unheard": 1}')):
        held.redis.hset(presence.KEY, f"host:{number}", said)
    presence.say(held.redis, presence.WEB)
    assert 'warmline_processes{role="web"} 1.0' in scrape(app)


def test_a_provider_that_this_version_does_not_have_is_one_among_others() -> None:
    assert meters.provider_label("../../etc") == "other"
    assert meters.provider_label("mastodon") == "mastodon"


def test_renewals_are_counted_by_what_came_of_them(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    came: dict[str, Held | Exception] = {
        "renewed": Held({}, 2, renewed=True),
        "renewed by another": Held({}, 2),
        "RefusedError": RefusedError("gone", 1),
        "LostAnswerError": LostAnswerError("lost", 1),
    }
    answers = iter(came.values())

    def renew(*_: object) -> Held:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(credentials, "_renew", renew)
    meters._begin_anew()
    way = SimpleNamespace(provider=SimpleNamespace(key="mastodon"))
    for _ in came:
        with suppress(RefusedError):
            credentials._counted(held, way, None, uuid4(), uuid4(), Held({}, 1))  # type: ignore[arg-type]
    meters.flush(held.redis)
    found = {each.labels: each.count for each in meters.read(held.redis)}
    assert found == {("mastodon", outcome): 1 for outcome in came}
