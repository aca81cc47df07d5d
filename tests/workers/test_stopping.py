"""Told to stop, no process loses a job, cuts a request, or leaves a lease to run out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psycopg
import pytest
from rq import Queue
from rq.worker_pool import WorkerData, WorkerPool
from sqlalchemy import text

from integrations.registry import providers
from service import accounts, connect, queue
from service.config import Config
from service.db import scheduler_engine
from service.models import Stream
from service.runtime import Runtime
from service.store import claims
from tests.conftest import Member
from tests.processes import PATIENCE, answers, get, running, wait_for, web
from tests.workers.conftest import World
from tests.workers.slow_host import manifest
from workers import jobs, stopping
from workers.__main__ import HeedfulQueue, Pool

# --- workers ------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(held: Runtime, owner: Member, tmp_path: Path) -> Iterator[Path]:
    """An account of a network that answers when it is let; the job that reads it is in the queue."""
    providers()["slow"] = manifest(tmp_path)
    connect.connect_with_secret(held, owner.caller, "slow", None, {})
    engine = scheduler_engine(held.config.need("database_scheduler_url"))
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(text("UPDATE streams SET next_pull_at = NULL WHERE name <> 'mentions'"))
    with engine.begin() as connection:
        found = [each for each in claims.claim(connection, jobs.business_now(), 10) if each.job == "pull"]
    assert len(found) == 1
    queue.enqueue(held.redis, [(each.job, each.ids) for each in found])
    yield tmp_path
    providers().pop("slow")


def stream(held: Runtime, owner: Member) -> Stream:
    with held.db.tenant(owner.workspace_id) as session:
        return session.query(Stream).filter_by(name="mentions").one()


def is_due(held: Runtime, owner: Member) -> bool:
    """Whether a scheduler would claim the stream now."""
    with held.db.tenant(owner.workspace_id) as session:
        return bool(
            session.scalar(
                text("SELECT lease_id IS NULL AND next_pull_at <= now() FROM streams WHERE name = 'mentions'")
            )
        )


def test_a_worker_that_is_told_to_stop_ends_at_the_next_page_and_the_rest_is_due_at_once(
    held: Runtime, owner: Member, config: Config, slow: Path
) -> None:
    with running(config, "-m", "tests.workers.slow_host", str(slow), WARMLINE_WORKERS="1") as host:
        wait_for((slow / "page-1").exists, host, "the first page")
        host.terminate()
        wait_for(
            (slow / "heard").exists, host, "that the worker heard of it"
        )  # or it asks for a page more, which never comes
        (slow / "let-1").touch()
        assert host.wait(PATIENCE) == 0
    found = stream(held, owner)
    assert found.items == 1
    assert found.failures == 0
    assert is_due(held, owner)


def test_a_job_that_cannot_be_ended_in_time_is_handed_back(
    held: Runtime, owner: Member, config: Config, slow: Path
) -> None:
    more = {"WARMLINE_WORKERS": "1", "WARMLINE_STOP_WITHIN": "1"}
    with running(config, "-m", "tests.workers.slow_host", str(slow), **more) as host:
        wait_for((slow / "page-1").exists, host, "the first page")
        assert stream(held, owner).lease_id is not None
        host.terminate()
        assert host.wait(PATIENCE) == 0
    assert stream(held, owner).items == 0
    assert is_due(held, owner)


def test_a_worker_with_nothing_to_do_ends_at_once(held: Runtime, owner: Member, config: Config) -> None:
    with running(config, "-m", "workers", "worker", WARMLINE_WORKERS="1", WARMLINE_STOP_WITHIN="300") as host:
        wait_for(lambda: queue.alive(held.redis, "worker"), host, "a worker that lives")
        host.terminate()
        assert host.wait(PATIENCE) == 0


def test_a_worker_that_is_being_begun_hears_that_it_is_to_stop_once_it_can_and_its_pool_once_it_knows_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In between it would have its pool's handler, which ends no worker."""
    deaf_to: list[set[signal.Signals]] = []
    monkeypatch.setattr(WorkerPool, "start_worker", lambda *_, **__: deaf_to.append(blocked()))

    Pool.start_worker(cast(Pool, object.__new__(Pool)))

    assert {signal.SIGTERM, signal.SIGINT} <= deaf_to[0]
    assert not blocked() & {signal.SIGTERM, signal.SIGINT}


@pytest.fixture
def own_signals() -> Iterator[None]:
    """What a test listens to is listened to as before after it."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@dataclass
class Begun:
    """What a pool knows of a worker that it has begun. It ends when it is waited for."""

    pid: int
    name: str = "one"
    ended: bool = False

    @property
    def process(self) -> Begun:
        return self

    def join(self) -> None:
        self.ended = True


@pytest.mark.usefixtures("own_signals")
def test_a_pool_that_is_told_to_stop_while_it_begins_its_workers_tells_those_begins_no_more_and_ends_after_them(
    held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RQ would not hear it yet: the pool would be gone at once, and whoever ended it would end its workers in the middle of their jobs."""
    told: list[int] = []

    def begin(pool: Pool, number: int, **_: object) -> None:
        pool.worker_dict[str(number)] = cast(WorkerData, Begun(number))
        if number == 2:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(WorkerPool, "start_worker", begin)
    monkeypatch.setattr(WorkerPool, "stop_worker", lambda _, worker: told.append(worker.pid))
    pool = Pool(["any"], connection=held.redis, num_workers=3, long=1)

    with pytest.raises(SystemExit) as ended:
        pool.start(logging_level="WARNING")

    begun = cast("list[Begun]", list(pool.worker_dict.values()))
    assert ended.value.code == 0
    assert told == [1, 2]
    assert [each.ended for each in begun] == [True, True]


def blocked() -> set[signal.Signals]:
    return {signal.Signals(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, ())}


@pytest.fixture
def told_to_stop() -> Iterator[None]:
    stopping._asked.set()
    yield
    stopping._asked.clear()


@pytest.mark.usefixtures("told_to_stop")
def test_a_job_in_the_queue_stays_there(held: Runtime, owner: Member) -> None:
    queue.enqueue(held.redis, [("decide", (owner.workspace_id, owner.workspace_id))])
    assert HeedfulQueue.dequeue_any([Queue(queue.QUEUE, connection=held.redis)], 1, connection=held.redis) is None
    assert queue.waiting(held.redis) == 1


@pytest.mark.usefixtures("told_to_stop")
def test_a_job_that_comes_too_late_is_not_begun(
    held: Runtime, owner: Member, slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    found = stream(held, owner)
    jobs.pull(str(owner.workspace_id), str(found.id), str(found.lease_id))
    assert not (slow / "page-1").exists()
    assert is_due(held, owner)


def test_a_push_that_was_broken_off_comes_again_when_its_call_has_settled(connected: World) -> None:
    lease = connected.workspace_id  # any id
    taken = "UPDATE connections SET next_push_at = NULL, push_lease_id = :lease, push_lease_until = now() + interval '5 minutes'"
    connected.sql(f"{taken} WHERE kind = 'crm'", lease=lease)
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        claims.hand_back(session, "push", lease, connected.now)
    [(waits,)] = connected.sql(
        "SELECT next_push_at > now() + interval '20 seconds' AND push_lease_id IS NULL FROM connections WHERE kind = 'crm'"
    )
    assert waits


# --- web ----------------------------------------------------------------------------------------------------------


def test_a_request_that_is_under_way_is_answered_and_the_next_is_refused(
    held: Runtime, owner: Member, config: Config
) -> None:
    key = accounts.create_api_key(held.db, owner.workspace_id, None, "test", ["read"])
    with web(config) as (process, address), ThreadPoolExecutor(1) as other:
        with psycopg.connect(_dsn(config)) as blocking:
            blocking.execute("LOCK TABLE api_keys")
            answer = other.submit(get, f"{address}/v1/me", key)
            wait_for(lambda: _waits(blocking), process, "a request that waits for the database")
            process.terminate()
            wait_for(lambda: not answers(address), process, "that it takes no more")
            assert not answer.done()
        assert answer.result(PATIENCE).status_code == 200
        assert process.wait(PATIENCE) == 0


def _dsn(config: Config) -> str:
    return config.need("database_admin_url").replace("+psycopg", "")


def _waits(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_locks l WHERE NOT granted AND relation = 'api_keys'::regclass"
    ).fetchone()
    return bool(row and row[0])


# --- scheduler ----------------------------------------------------------------------------------------------------


def test_a_scheduler_that_is_told_to_stop_leaves_no_row_claimed_and_not_in_the_queue(
    held: Runtime, owner: Member, config: Config
) -> None:
    with running(config, "-m", "workers", "scheduler") as scheduler:
        wait_for(lambda: queue.alive(held.redis, "scheduler"), scheduler, "a scheduler that lives")
        scheduler.terminate()
        assert scheduler.wait(PATIENCE) == 0
    with held.db.tenant(owner.workspace_id) as session:
        leased = session.scalar(text("SELECT count(*) FROM workspace_schedule WHERE lease_id IS NOT NULL"))
    assert leased == queue.waiting(held.redis)


def test_asking_twice_starts_one_alarm() -> None:
    ends: list[int] = []
    try:
        stopping.ask(0.0, ends.append)
        stopping.ask(0.0, ends.append)
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join(PATIENCE)
        assert ends == [0]
        assert stopping.Turn(1000).over
    finally:
        stopping._asked.clear()
    assert not stopping.Turn(1000).over
