"""What stands around a transaction: one way there and back before it, and no question where none is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service import embedded, pooling
from service.db import Database, raw
from service.runtime import Runtime
from service.store.rows import execute
from tests.conftest import Member


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said to PostgreSQL from here on."""
    heard: list[str] = []
    execute_ = psycopg.Cursor.execute

    def hear(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        heard.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute_(self, query, *args, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", hear)
    return heard


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so many seconds go by in which nobody uses a connection."""
    since = [0.0]
    monkeypatch.setattr(pooling, "monotonic", lambda: since[0])

    def wait(seconds: float) -> None:
        since[0] += seconds

    return wait


def _one(held: Runtime, owner: Member) -> int:
    with held.db.tenant(owner.workspace_id) as session:
        return int(session.execute(text("SELECT count(*) FROM brands")).scalar_one())


def test_a_transaction_begins_with_its_workspace_in_one_way_there_and_back(
    held: Runtime, owner: Member, said: list[str]
) -> None:
    assert _one(held, owner) == 1
    assert len(said) == 2
    begun, asked = said
    assert begun.startswith("BEGIN; SET LOCAL app.workspace_id = ")
    assert asked.startswith("SELECT count(*) FROM brands")


def test_a_connection_in_use_is_not_asked_whether_it_is_there_and_one_that_was_left_is(
    held: Runtime, owner: Member, said: list[str], waits: Callable[[float], None]
) -> None:
    _one(held, owner)
    waits(pooling.ASKED_AFTER / 2)
    said.clear()
    _one(held, owner)
    assert "" not in said
    waits(pooling.ASKED_AFTER)
    said.clear()
    _one(held, owner)
    assert said.count("") == 1


def test_connections_that_were_ended_a_moment_ago_are_replaced_before_they_are_used(
    held: Runtime, owner: Member, template: embedded.Postgres, waits: Callable[[float], None]
) -> None:
    with held.db.tenant(owner.workspace_id) as first, held.db.tenant(owner.workspace_id) as second:
        pids = [execute(raw(each), "SELECT pg_backend_pid()", {})[0][0] for each in (first, second)]
    with template.connect() as admin:
        for pid in pids:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with held.db.tenant(owner.workspace_id) as first, held.db.tenant(owner.workspace_id) as second:
        now = [execute(raw(each), "SELECT pg_backend_pid()", {})[0][0] for each in (first, second)]
    assert not {*pids} & {*now}


def test_a_connection_that_was_left_is_replaced_where_nobody_said_that_it_is_gone(
    held: Runtime, owner: Member, waits: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        [(pid,)] = execute(raw(session), "SELECT pg_backend_pid()", {})
    execute_ = psycopg.Connection.execute

    def swallowed(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        if self.info.backend_pid == pid:  # its network answers no more, and the driver gives it up
            raise psycopg.OperationalError("no answer")
        return execute_(self, query, *args, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", swallowed)
    with pytest.raises(OperationalError):
        _one(held, owner)  # nobody asked: it was in use a moment ago, and whoever used it begins anew
    waits(2 * pooling.ASKED_AFTER)
    assert _one(held, owner) == 1


def test_a_transaction_without_a_workspace_is_one_as_well_and_ends_with_all_of_it(held: Runtime, owner: Member) -> None:
    class BrokenOffError(Exception):
        pass

    def break_off() -> None:
        with held.db.globally() as session:
            session.execute(text("UPDATE users SET name = 'nobody'"))
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        break_off()
    with held.db.engine.connect() as connection:
        connection.execute(text("UPDATE users SET name = 'nobody'"))  # never committed
    with held.db.globally() as session:
        assert session.execute(text("SELECT count(*) FROM users WHERE name = 'nobody'")).scalar_one() == 0


def test_what_is_no_id_is_no_workspace(config: Any) -> None:
    database = Database(config.need("database_url"))
    for odd in ("'; DROP TABLE users; --", "", f"{uuid4()}'"):
        with pytest.raises(ValueError, match="badly formed"), database.tenant(odd) as session:  # type: ignore[arg-type]
            session.execute(text("SELECT 1"))
    database.engine.dispose()
