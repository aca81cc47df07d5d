"""Leaving for good: stopped at once, kept if somebody thinks again, and then nothing is left but a receipt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from integrations.errors import TemporaryError
from integrations.provider import Secret
from integrations.registry import providers
from service import accounts, credentials, departing, embedded, entering
from service.errors import PlainError
from service.models import Base, RecoveryCode, SecondFactor
from service.store import departures, freezing, trail
from tests.conftest import Member, make_member
from tests.workers.conftest import World
from workers import depart

CANARY = "kanarienvogel"
OWNED = {each.name for each in Base.metadata.sorted_tables if "workspace_id" in each.c} - {"departures"}


@pytest.fixture
def superuser(template: embedded.Postgres, database: str) -> Iterator[psycopg.Connection[Any]]:
    with template.connect(database=database) as connection:
        yield connection


@pytest.fixture
def busy(connected: World) -> World:
    """A workspace with somebody who waits, and a task in the CRM, all with a canary in it."""
    connected.knows(company=CANARY)
    connected.says(f"@brand Do you ship the {CANARY} to Faro?", id="p1")
    connected.run()
    assert len(connected.in_crm()) == 1
    return connected


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, busy: World) -> list[str]:
    """Accounts whose consents were given back."""
    gone: list[str] = []
    for key in ("fakecrm", "fakesocial"):
        auth = Secret(revoke=lambda setting, credentials, key=key: gone.append(key))  # type: ignore[misc]
        monkeypatch.setitem(providers(), key, replace(providers()[key], auth=auth))
    with busy.runtime.db.tenant(busy.workspace_id) as session:
        for each in departures.connections(session, busy.workspace_id):
            credentials.store_new(session, busy.runtime.vault, busy.workspace_id, each.id, {"token": CANARY})
    return gone


def protect(world: World) -> None:
    """Its owner has second factors: one for all that is theirs, and one for this workspace."""
    olga, ours = world.owner.user_id, world.workspace_id
    with world.runtime.db.globally() as session:
        factors = [SecondFactor(user_id=olga, workspace_id=each, sealed=b"", last_step=0) for each in (None, ours)]
        session.add_all(factors)
        session.flush()
        session.add(RecoveryCode(factor_id=factors[0].id, code_hash=b"x"))
        entering.wait(session, olga, ours, factors[1].id, began="link", confined=False)


def ask(world: World, *, purge: bool = False, days: int | None = 0) -> str:
    token, _ = departing.ask(world.runtime, world.workspace_id, by=world.owner.caller.actor, purge=purge, days=days)
    return token


def works(world: World, rounds: int = 6) -> None:
    """Schedulers and workers go on, and what puts itself off is due again."""
    for _ in range(rounds):
        world.run()
        world.sql("UPDATE errands SET next_at = now() WHERE name = 'depart' AND next_at < now() + interval '1 hour'")


def rows_of(superuser: psycopg.Connection[Any], workspace_id: Any) -> dict[str, int]:
    """How many rows of the workspace there are, by table."""
    found = {}
    for table in sorted(OWNED):
        row = superuser.execute(
            f"SELECT count(*) FROM {table} WHERE workspace_id = %s".encode(), [workspace_id]
        ).fetchone()
        if row and row[0]:
            found[table] = row[0]
    return found


def dump(superuser: psycopg.Connection[Any]) -> str:
    """Everything that stands in the database."""
    return "\n".join(
        str(row)
        for table in Base.metadata.sorted_tables
        for row in superuser.execute(f"SELECT t::text FROM {table.name} t".encode())
    )


def receipt(world: World, token: str) -> departing.Receipt:
    found = departing.receipt(world.runtime, token)
    assert found is not None
    return found


# --- the whole way --------------------------------------------------------------------------------------------


def test_nothing_of_a_workspace_is_left_but_a_receipt(
    busy: World, told: list[str], superuser: psycopg.Connection[Any]
) -> None:
    other = make_member(busy.runtime, "Rival", "rita@rival.test")
    theirs = rows_of(superuser, other.workspace_id)
    protect(busy)
    assert {
        "engagements",
        "tasks",
        "credentials",
        "memberships",
        "sessions",
        "audit",
        "second_factors",
        "pending_signins",
    } <= set(rows_of(superuser, busy.workspace_id))
    assert CANARY in dump(superuser)

    token = ask(busy, purge=True)
    works(busy)

    assert rows_of(superuser, busy.workspace_id) == {}
    assert superuser.execute("SELECT count(*) FROM workspaces").fetchone() == (1,)
    assert CANARY not in dump(superuser)
    assert "olga@acme.test" not in dump(superuser)
    for table in ("second_factors", "recovery_codes"):
        assert superuser.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)
    assert busy.crm.tasks == {}
    assert sorted(told) == ["fakecrm", "fakesocial"]
    assert rows_of(superuser, other.workspace_id) == theirs

    found = receipt(busy, token)
    assert found.done_at is not None
    assert found.rows > 20
    words = "\n".join(found.lines)
    assert "Example CRM: 1 open task was withdrawn." in found.lines
    assert "Example Social: Example Social was told that we left." in found.lines
    assert "Backups made before today hold it until whoever runs Warmline discards them." in found.lines
    assert "The audit trail went with it:" in words
    for name in (CANARY, "Acme", "olga", "@brand", "Ana"):
        assert name not in words


def test_tasks_that_were_not_to_be_taken_back_are_named(busy: World) -> None:
    token = ask(busy)
    works(busy)
    assert len(busy.crm.tasks) == 1
    assert (
        "Example CRM: 1 open task of ours could not be taken back, or were not to be: delete them there."
        in receipt(busy, token).lines
    )


def test_whoever_belongs_elsewhere_too_stays_there_and_signs_in_again(
    busy: World, superuser: psycopg.Connection[Any]
) -> None:
    elsewhere, _ = accounts.ensure_workspace(busy.runtime.db, "Other", "olga@acme.test")
    ask(busy)
    works(busy)
    assert superuser.execute("SELECT count(*) FROM users WHERE email = 'olga@acme.test'").fetchone() == (1,)
    assert superuser.execute("SELECT count(*) FROM memberships WHERE workspace_id = %s", [elsewhere]).fetchone() == (1,)


def test_every_table_of_a_workspace_is_emptied_and_what_refers_goes_first() -> None:
    every = {*departures.tables(), *(each.name for each in departures.shared_tables())}
    assert every | {"audit", "audit_heads", "errands"} == OWNED
    order = departures.tables()
    for table in order:
        for key in Base.metadata.tables[table].foreign_keys:
            if key.column.table.name in order and key.column.table.name != table:
                assert order.index(table) < order.index(key.column.table.name), table


# --- thinking again -------------------------------------------------------------------------------------------


def test_reading_and_writing_stop_at_once_and_go_on_when_it_is_kept(busy: World) -> None:
    ask(busy, days=7)
    read, written = len(busy.social.script.calls), len(busy.crm.script.calls)
    busy.says("@brand And to Porto?", id="p2")
    busy.look()
    assert (len(busy.social.script.calls), len(busy.crm.script.calls)) == (read, written)
    with busy.runtime.db.tenant(busy.workspace_id) as session:
        assert "is to be deleted on" in freezing.closing(session, busy.workspace_id)

    assert departing.keep(busy.runtime, busy.workspace_id, by="user:1")
    busy.look()
    assert len(busy.social.script.calls) > read
    assert busy.sql("SELECT count(*) FROM engagements WHERE native_id = 'p2'") == [(1,)]
    with busy.runtime.db.tenant(busy.workspace_id) as session:
        assert freezing.closing(session, busy.workspace_id) == ""
        kept = [row.action for row in trail.since(session, busy.workspace_id)]
    assert kept[-2:] == ["workspace.leaving", "workspace.kept"]


def test_nothing_is_deleted_before_its_day(busy: World, superuser: psycopg.Connection[Any]) -> None:
    before = rows_of(superuser, busy.workspace_id)["engagements"]
    ask(busy, days=7)
    busy.sql("UPDATE errands SET next_at = now() WHERE name = 'depart'")  # woken too early
    busy.run()
    assert rows_of(superuser, busy.workspace_id)["engagements"] == before
    [(days,)] = busy.sql("SELECT extract(epoch FROM next_at - now()) / 86400 FROM errands WHERE name = 'depart'")
    assert 6.9 < days < 7.1


def test_asked_again_the_newest_wish_stands_and_the_older_link_shows_nothing(busy: World) -> None:
    first = ask(busy, days=7)
    second = ask(busy, days=30)
    assert departing.receipt(busy.runtime, first) is None
    assert receipt(busy, second).begun is False
    [(days,)] = busy.sql("SELECT extract(epoch FROM next_at - now()) / 86400 FROM errands WHERE name = 'depart'")
    assert days > 29


def test_once_it_has_begun_nothing_undoes_it(busy: World) -> None:
    busy.crm.script.fail(TemporaryError("the CRM is away"), on="push_tasks")
    ask(busy, purge=True)
    busy.work(*busy.claim())
    assert not departing.keep(busy.runtime, busy.workspace_id, by="user:1")
    assert "is being deleted already" in departing.why_not_kept(busy.runtime, busy.workspace_id)
    with pytest.raises(PlainError, match="being deleted already"):
        ask(busy)
    busy.crm.script.forgive()
    works(busy)
    assert "is deleted already" in departing.why_not_kept(busy.runtime, busy.workspace_id)


def test_nobody_has_asked_for_what_is_not_there(busy: World, stranger: Member) -> None:
    assert not departing.keep(busy.runtime, stranger.workspace_id, by="user:1")
    assert departing.receipt(busy.runtime, "made-up") is None
    assert "Nobody has asked" in departing.why_not_kept(busy.runtime, stranger.workspace_id)
    unknown = uuid4()
    assert departing.why_not_kept(busy.runtime, unknown).startswith(f"There is no workspace {unknown} here.")


# --- faults ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [7, 40])
def test_a_worker_that_dies_in_the_middle_is_taken_over(
    busy: World, superuser: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    calls, delete_some = 0, departures.delete_some

    def dying(*args: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == at:
            raise RuntimeError("the power is gone")
        return delete_some(*args)

    monkeypatch.setattr(departures, "delete_some", dying)
    token = ask(busy)
    works(busy)
    assert calls >= at
    assert rows_of(superuser, busy.workspace_id) == {}
    assert receipt(busy, token).done_at is not None


def test_a_transaction_deletes_no_more_than_a_batch_and_a_turn_ends(
    busy: World, superuser: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        busy.says("Nice.", id=f"n{number}", ago=timedelta(hours=5))
    busy.look()
    monkeypatch.setattr(departures, "BATCH", 7)
    monkeypatch.setattr(depart, "BUDGET", 0.0)
    gone: list[int] = []
    delete_some = departures.delete_some

    def counted(*args: Any) -> int:
        gone.append(delete_some(*args))
        return gone[-1]

    monkeypatch.setattr(departures, "delete_some", counted)
    ask(busy)
    works(busy, rounds=3)
    assert max(gone) == 7
    assert rows_of(superuser, busy.workspace_id) == {}


def test_a_crm_that_stays_away_is_waited_for_a_day_and_then_left_as_it_is(busy: World) -> None:
    for at in range(1, 20):
        busy.crm.script.fail(TemporaryError("the CRM is away"), on="push_tasks", at=at)
    token = ask(busy, purge=True)
    for _ in range(3):
        for claim in busy.claim():
            busy.work(claim)
        busy.sql("UPDATE errands SET next_at = now() WHERE name = 'depart'")
    assert receipt(busy, token).done_at is None
    assert busy.connection("crm").status == "leaving"

    busy.sql("UPDATE departures SET begun_at = now() - interval '25 hours'")
    for _ in range(3):
        for claim in busy.claim():
            busy.work(claim)
        busy.sql("UPDATE errands SET next_at = now() WHERE name = 'depart'")
    found = receipt(busy, token)
    assert found.done_at is not None
    assert any("could not be taken back" in line for line in found.lines)


def test_receipts_are_forgotten_in_time(busy: World) -> None:
    token = ask(busy)
    works(busy)
    with busy.runtime.db.globally() as session:
        done = receipt(busy, token).done_at
        assert done is not None
        departures.sweep(session, done - timedelta(days=1))
    receipt(busy, token)
    with busy.runtime.db.globally() as session:
        departures.sweep(session, done + timedelta(days=1))
    assert departing.receipt(busy.runtime, token) is None
