"""A database or a queue that goes away while workers and schedulers run: said once, waited for, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from redis.exceptions import ConnectionError as QueueAwayError
from structlog.testing import capture_logs

from service import embedded, queue
from service.config import Config
from service.db import scheduler_engine
from service.errors import PlainError
from service.store import schedule
from tests.workers.conftest import World
from workers import __main__ as processes
from workers import jobs, pull, scheduler


@pytest.fixture
def cut(template: embedded.Postgres, database: str) -> Any:
    """Ends every connection to this test's database, as a restart of PostgreSQL does."""

    def end() -> None:
        with template.connect(database="postgres") as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])

    return end


def test_a_database_that_goes_away_in_the_middle_of_a_pull_loses_nothing(
    connected: World, cut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.says("@brand Do you ship?", id="q1")
    store, cuts = pull.store, iter([True])

    def breaking_off(*args: Any) -> None:
        if next(cuts, False):
            cut()
        store(*args)

    monkeypatch.setattr(pull, "store", breaking_off)
    connected.run()
    connected.look()

    assert len(connected.in_crm()) == 1
    assert connected.sql("SELECT count(*) FROM streams WHERE failures > 0") == [(0,)]


def test_a_database_that_is_gone_costs_a_job_one_line_and_its_lease_brings_it_back(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.says("@brand Do you ship?", id="q1")
    found = connected.claim()
    db = connected.runtime.db
    with monkeypatch.context() as away, capture_logs() as logs:
        away.setattr(jobs, "PAUSES", ())
        away.setattr(db, "engine", type(db)("postgresql+psycopg://warmline@127.0.0.1:1/warmline").engine)
        for claim in found:
            connected.work(claim)
    assert len(logs) == len(found)
    assert {line["event"] for line in logs} == {"given up; it comes again when its lease ends"}
    assert all(line["why"].startswith("PostgreSQL cannot be reached: ") for line in logs)

    for table, until in (
        ("streams", "lease_until"),
        ("workspace_schedule", "lease_until"),
        ("connections", "push_lease_until"),
    ):
        connected.sql(f"UPDATE {table} SET {until} = now() - interval '1 second' WHERE {until} IS NOT NULL")
    connected.run()
    assert len(connected.in_crm()) == 1


def test_a_database_that_is_back_soon_costs_seconds_and_no_lease(
    connected: World, cut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.says("@brand Do you ship?", id="q1")
    hold, cuts = schedule.holds, iter([True])

    def breaking_off(*args: Any) -> bool:
        if next(cuts, False):
            cut()
        return hold(*args)

    monkeypatch.setattr(schedule, "holds", breaking_off)
    monkeypatch.setattr(jobs, "PAUSES", (0.0,))
    connected.run()

    assert len(connected.in_crm()) == 1


def test_what_cannot_be_enqueued_is_due_again_at_once(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = scheduler_engine(connected.runtime.config.need("database_scheduler_url"))

    def away(*_: object) -> None:
        raise QueueAwayError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(queue, "enqueue", away)
        with pytest.raises(QueueAwayError):
            scheduler.tick(engine, connected.runtime.redis)

    assert scheduler.tick(engine, connected.runtime.redis) > 0


def test_a_queue_that_is_emptied_costs_time_and_no_work(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q1")
    engine = scheduler_engine(connected.runtime.config.need("database_scheduler_url"))
    assert scheduler.tick(engine, connected.runtime.redis) > 0
    connected.runtime.redis.flushall()
    for table, until in (("streams", "lease_until"), ("workspace_schedule", "lease_until")):
        connected.sql(f"UPDATE {table} SET {until} = now() - interval '1 second' WHERE {until} IS NOT NULL")

    connected.run()

    assert len(connected.in_crm()) == 1


@pytest.mark.parametrize(
    ("setting", "url", "sentence"),
    [
        (
            "database_scheduler_url",
            "postgresql+psycopg://warmline@127.0.0.1:1/warmline",
            "PostgreSQL cannot be reached: ",
        ),
        ("redis_url", "redis://127.0.0.1:1", "Redis cannot be reached: "),
    ],
)
def test_a_scheduler_waits_for_what_is_away_and_says_so_once(
    config: Config, setting: str, url: str, sentence: str
) -> None:
    stop, waits = Event(), iter(range(3))

    def wait(seconds: float) -> None:
        assert seconds == scheduler.PATIENCE
        if next(waits) == 2:
            stop.set()

    with capture_logs() as logs:
        scheduler.run(replace(config, **{setting: url}), stop, wait)

    [line] = logs
    assert line["event"] == "waiting for the database or the queue"
    assert line["why"].startswith(sentence)


# --- processes that cannot start ------------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, config: Config, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Runs a process with a changed configuration: its exit code and what it said."""
    monkeypatch.setattr(processes.logs, "configure", lambda _: None)

    def run(name: str, **changes: Any) -> tuple[int, str]:
        monkeypatch.setattr(processes.configuration, "load", lambda: replace(config, **changes))
        return processes.main([name]), capsys.readouterr().err

    yield run
    for each in (config.need("database_scheduler_url"),):
        scheduler_engine(each).dispose()


def test_a_worker_whose_queue_is_away_says_so_and_ends(told: Any) -> None:
    code, said = told("worker", redis_url="redis://127.0.0.1:1")
    assert code == 1
    assert said.startswith("warmline: Redis cannot be reached: ")
    assert said.count("\n") == 1


def test_a_worker_without_a_key_says_so_and_ends(told: Any) -> None:
    assert told("worker", secret_keys={}) == (
        1, "warmline: WARMLINE_SECRET_KEYS is not set, so nothing can be sealed or opened. Set it to the keys that you have, or make the first with `warmline keys new`; `warmline up` keeps its own.\n",
    )  # fmt: skip


def test_a_scheduler_without_an_address_says_so_and_ends(told: Any) -> None:
    code, said = told("scheduler", database_scheduler_url=None)
    assert (code, said.startswith("warmline: DATABASE_SCHEDULER_URL is not set.")) == (1, True)


def test_a_worker_is_known_to_live_again_after_the_queue_was_emptied(connected: World) -> None:
    redis = connected.runtime.redis
    worker = processes.MortalWorker([queue.QUEUE], connection=redis)
    redis.flushall()
    assert not queue.alive(redis, "worker")
    worker.heartbeat()
    assert queue.alive(redis, "worker")


def test_a_scheduler_that_could_see_nothing_that_is_due_does_not_start(config: Config) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(PlainError, match="DATABASE_SCHEDULER_URL signs in as 'warmline_app'"):
        scheduler.run(replace(config, database_scheduler_url=config.database_url), stop)
