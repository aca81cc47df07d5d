"""Nobody waits behind somebody who has very much to do: how due rows are claimed, which queue a job goes to, who does it."""

from __future__ import annotations

import math
import os
import sys
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

import pytest
from rq import Queue
from sqlalchemy import text, update

from service import queue
from service.clock import business_now, real_now
from service.db import scheduler_engine
from service.ids import new_id
from service.models import Connection, Errand, Stream
from service.pooling import driver, pooled
from service.runtime import Runtime
from service.store import claims
from tests.conftest import Member
from tests.workers.conftest import ANA, World
from workers import __main__ as processes
from workers import giving_way, keep, persons, scheduler, stopping

MANY = 3 * claims.SHARE


def streams(held: Runtime, owner: Member, number: int, *, due: timedelta) -> None:
    """An account with so many streams that have been due for so long."""
    with held.db.tenant(owner.workspace_id) as session:
        row = Connection(workspace_id=owner.workspace_id, provider="example", kind="social", account_id="1")
        session.add(row)
        session.flush()
        session.add_all(
            Stream(
                workspace_id=owner.workspace_id, connection_id=row.id, name=f"s{each}", next_pull_at=real_now() - due, reads={}
            )
            for each in range(number)
        )  # fmt: skip


def claimed(held: Runtime, limit: int = 200) -> list[claims.Claim]:
    with scheduler_engine(held.config.need("database_scheduler_url")).begin() as connection:
        return [each for each in claims.claim(connection, business_now(), limit) if each.job == "pull"]


def of(owner: Member, found: list[claims.Claim]) -> int:
    return sum(each.ids[0] == owner.workspace_id for each in found)


@pytest.fixture
def noisy(held: Runtime, owner: Member) -> Member:
    streams(held, owner, MANY, due=timedelta(hours=1))
    return owner


def test_whoever_has_much_due_hides_nobody_elses_row(held: Runtime, noisy: Member, stranger: Member) -> None:
    streams(held, stranger, 1, due=timedelta(seconds=1))
    found = claimed(held, limit=2)
    assert (of(noisy, found), of(stranger, found)) == (1, 1)


def test_one_workspace_has_no_more_than_its_share_claimed_at_a_time(held: Runtime, noisy: Member) -> None:
    first = claimed(held)
    assert of(noisy, first) == claims.SHARE
    assert claimed(held) == []
    with held.db.tenant(noisy.workspace_id) as session:  # one of them is done
        session.execute(update(Stream).where(Stream.id == first[0].ids[1]).values(lease_id=None, lease_until=None))
    assert of(noisy, claimed(held)) == 1


def test_a_lease_that_ran_out_counts_for_nobodys_share(held: Runtime, noisy: Member) -> None:
    claimed(held)
    with held.db.tenant(noisy.workspace_id) as session:
        session.execute(
            update(Stream).where(Stream.lease_id.is_not(None)).values(lease_until=real_now() - timedelta(seconds=1))
        )
    assert of(noisy, claimed(held)) == claims.SHARE


# --- two queues -----------------------------------------------------------------------------------------------


def jobs_of(held: Runtime, name: str) -> list[tuple[str, str]]:
    """The jobs that wait in this queue, by name, with the row that each is about."""
    return [(each.func_name.rpartition(".")[2], each.args[-2]) for each in Queue(name, connection=held.redis).jobs]


def test_what_had_more_to_do_than_its_turn_allowed_waits_where_it_keeps_nobody_waiting(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = connected.runtime
    connected.run()
    connected.says("@brand do you ship?", id="q", who=ANA)
    connected.due("mentions")
    [mentions] = connected.claim()
    monkeypatch.setattr(queue, "turn", lambda: 0.0)

    connected.work(mentions)  # the first page, and its turn is over
    engine = scheduler_engine(held.config.need("database_scheduler_url"))
    scheduler.tick(engine, held.redis)

    assert ("pull", str(mentions.ids[1])) in jobs_of(held, queue.LONG)
    assert ("pull", str(mentions.ids[1])) not in jobs_of(held, queue.QUEUE)


def test_keeping_and_erasing_take_no_longer_than_their_turn(held: Runtime, owner: Member) -> None:
    works = (
        lambda: keep.keep(held, owner.workspace_id, lambda _: Errand()),
        lambda: persons.person(held, owner.workspace_id, new_id(), new_id()),
    )
    for work in works:
        stopping.begun(lambda: None, -1.0)
        try:
            work()
            assert stopping.ran_out()
        finally:
            stopping.ended()


def test_a_long_job_that_has_ended_is_a_short_one_again(held: Runtime) -> None:
    job = ("decide", (new_id(), new_id()))
    queue.took(held.redis, job[0], str(job[1][0]), long=True)
    queue.enqueue(held.redis, [job])
    assert len(jobs_of(held, queue.LONG)) == 1
    assert queue.turn() == math.inf  # no short one, as here
    queue.took(held.redis, job[0], str(job[1][0]), long=False)
    queue.enqueue(held.redis, [job])
    assert len(jobs_of(held, queue.QUEUE)) == 1
    assert queue.waiting(held.redis) == 2


def test_long_jobs_for_which_there_is_no_room_are_due_again_and_keep_no_short_one_waiting(
    held: Runtime, owner: Member, stranger: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ENOUGH_LONG", 2)
    streams(held, owner, 5, due=timedelta(hours=1))
    streams(held, stranger, 1, due=timedelta(seconds=1))
    with held.db.tenant(owner.workspace_id) as session:
        rows: list[UUID] = [each.id for each in session.query(Stream)]
    for row in rows:
        queue.took(held.redis, "pull", str(row), long=True)

    scheduler.tick(scheduler_engine(held.config.need("database_scheduler_url")), held.redis)

    assert len(jobs_of(held, queue.LONG)) == 2
    assert [each for each in jobs_of(held, queue.QUEUE) if each[0] == "pull"] != []
    with held.db.tenant(owner.workspace_id) as session:
        free = session.query(Stream).filter(Stream.lease_id.is_(None), Stream.next_pull_at.is_not(None)).count()
    assert free == 3


def test_short_jobs_and_long_ones_have_workers_of_their_own_also_after_one_was_replaced(held: Runtime) -> None:
    pool = processes.Pool(
        [queue.QUEUE], connection=held.redis, num_workers=5, long=2, worker_class=processes.MortalWorker
    )

    def begin(name: str) -> list[str]:
        process = pool.get_worker_process(name, burst=True)
        pool.worker_dict[name] = process  # type: ignore[assignment]  # what the pool keeps of one that was started
        queues: list[str] = process._args[1]  # type: ignore[attr-defined]
        return queues

    assert [begin(name) for name in "abcde"] == [[queue.LONG]] * 2 + [[queue.QUEUE]] * 3
    del pool.worker_dict["c"]
    assert begin("f") == [queue.QUEUE]
    del pool.worker_dict["b"]
    assert begin("g") == [queue.LONG]


@pytest.mark.skipif(not giving_way.AUTOGROUP.exists(), reason="this system shares processors out among processes alone")
def test_whoever_does_long_jobs_gives_way_as_a_session_of_its_own(tmp_path: Path) -> None:
    """Else the time that it uses is taken from those of its session who do short ones."""
    before = giving_way.AUTOGROUP.read_text()
    told = tmp_path / "told"

    def work() -> None:
        giving_way.give_way()
        told.write_text(f"{os.getsid(0) == os.getpid()} {os.nice(0)} {giving_way.AUTOGROUP.read_text()}")

    forked = get_context("fork").Process(target=work)
    forked.start()
    forked.join(30)
    own, nice, group = told.read_text().split(" ", 2)
    assert (own, nice, group.rstrip().rpartition(" nice ")[2]) == ("True", str(giving_way.NICE), str(giving_way.NICE))
    assert giving_way.AUTOGROUP.read_text() == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who listens")
def test_what_works_for_long_jobs_in_postgresql_gives_way_too(held: Runtime) -> None:
    usual, long = (pooled(held.config.need("database_url"), size=1, overflow=0) for _ in range(2))
    giving_way.have_servers_give_way(long)
    with usual.connect() as one, long.connect() as other:
        here, there = (os.getpriority(os.PRIO_PROCESS, driver(each).info.backend_pid) for each in (one, other))
    for engine in (usual, long):
        engine.dispose()
    assert (here, there) == (os.getpriority(os.PRIO_PROCESS, 0), giving_way.NICE)


def test_a_process_of_this_machine_with_the_number_of_a_server_elsewhere_is_left_alone(
    held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, ...]] = []
    monkeypatch.setattr(os, "setpriority", lambda *said: told.append(said))
    elsewhere = pooled(held.config.need("database_url"), size=1, overflow=0)
    giving_way.have_servers_give_way(elsewhere)
    monkeypatch.setattr(giving_way, "_listener", lambda _: os.getpid())  # as if another process had answered
    with elsewhere.connect():
        assert told == []
    elsewhere.dispose()


def test_what_has_fallen_silent_counts_for_nobodys_share(held: Runtime, noisy: Member) -> None:
    """A queue that was emptied lost eight jobs: what else is due there does not wait until their leases end."""
    claimed(held)
    with held.db.tenant(noisy.workspace_id) as session:
        session.execute(
            text("UPDATE streams SET lease_until = now() + interval '3 minutes' WHERE lease_id IS NOT NULL")
        )
    assert of(noisy, claimed(held)) == claims.SHARE
