"""What the database does to whoever asks it looks the same whichever way it was asked."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service import embedded
from service.db import Database, plainly, raw, scheduler_engine
from service.pooling import giving_up
from service.runtime import Runtime
from service.store.rows import execute
from tests.conftest import Member


def test_a_deadlock_of_a_statement_of_our_own_is_tried_again(held: Runtime, owner: Member) -> None:
    tries = count(1)

    def work(session: Session) -> int:
        if next(tries) == 1:
            execute(raw(session), "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'deadlock_detected'; END $$", {})
        return int(session.execute(text("SELECT 7")).scalar_one())

    assert held.db.retried(owner.workspace_id, work) == 7
    assert next(tries) == 3


def test_a_connection_that_is_ended_in_the_middle_is_one_kind_of_error_however_it_was_used(
    held: Runtime, owner: Member, template: embedded.Postgres
) -> None:
    def cut_off() -> None:
        with held.db.tenant(owner.workspace_id) as session:
            [(pid,)] = execute(raw(session), "SELECT pg_backend_pid()", {})
            with template.connect() as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            execute(raw(session), "SELECT 1", {})

    with pytest.raises(OperationalError):
        cut_off()
    with held.db.tenant(owner.workspace_id) as session:  # the next one gets a connection that works
        assert session.execute(text("SELECT 1")).scalar_one() == 1


def test_a_silent_network_is_given_up_within_a_minute(held: Runtime) -> None:
    url = "postgresql+psycopg://warmline@db.example/warmline"
    engines: list[Any] = [held.db.engine, scheduler_engine(held.config.need("database_scheduler_url"))]
    for engine in engines:
        with engine.connect() as connection:
            driver: psycopg.Connection = connection.connection.driver_connection
            said = {each.keyword.decode(): each.val for each in driver.pgconn.info}
            for name, value in giving_up(url).items():
                assert said[name] == str(value).encode(), name
    limits = giving_up(url)
    assert limits["keepalives_idle"] + limits["keepalives_interval"] * limits["keepalives_count"] < 60
    assert limits["tcp_user_timeout"] < 60_000
    assert held.redis.connection_pool.connection_kwargs["socket_timeout"] < 60
    engines[1].dispose()


def test_an_address_says_itself_how_long_it_waits() -> None:
    said = giving_up("postgresql+psycopg://warmline@db.example/warmline?connect_timeout=3")
    assert "connect_timeout" not in said
    assert "tcp_user_timeout" in said


def test_whoever_falls_silent_with_rows_locked_keeps_nobody_from_them_for_longer_than_a_lease(
    held: Runtime, owner: Member, template: embedded.Postgres
) -> None:
    mine = Database(held.config.need("database_url"), lease=timedelta(seconds=1))

    def fall_silent() -> None:
        with mine.tenant(owner.workspace_id) as session:
            session.execute(text("SELECT 1 FROM workspace_schedule FOR UPDATE"))
            [(pid,)] = execute(raw(session), "SELECT pg_backend_pid()", {})
            with template.connect() as admin:  # waits as long as it takes, without a look at our own clock
                admin.execute(
                    f"DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid}) LOOP PERFORM pg_sleep(0.05),"
                    " pg_stat_clear_snapshot(); END LOOP; END $$"
                )
            session.execute(text("SELECT 1"))

    with pytest.raises(OperationalError):
        fall_silent()
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(text("SELECT 1 FROM workspace_schedule FOR UPDATE NOWAIT"))
    mine.engine.dispose()


def test_a_full_disk_below_postgresql_is_not_told_as_a_server_that_is_away() -> None:
    full = psycopg.errors.DiskFull('could not write to file "pg_snapshots/7.tmp": No space left on device')
    told = str(plainly(OperationalError("SELECT pg_export_snapshot()", {}, full)))
    assert told == "No room is left on PostgreSQL's disk. Make some, and run the command again."
