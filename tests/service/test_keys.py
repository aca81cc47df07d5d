"""Keys come and go while everything runs: nothing that was sealed is lost, and nothing is said to be free that is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import LargeBinary, Table, select, update

from integrations import consents
from service import accounts, calendars, credentials, factors, links, registrations, rekeying, tickets, totp
from service.clock import real_now
from service.config import Config
from service.models import Base, Connection, Credential, IdempotencyKey, SuppressionKey
from service.rekeying import LINKS
from service.runtime import Runtime
from service.sealed import ANSWERS, CREDENTIALS, SEALED, SUPPRESSION
from service.store import feeds
from service.store.factors import spend
from service.vault import SealBrokenError, Vault, key_of
from tests.conftest import KEY, Member
from tests.service.test_credentials import PROVIDER, SETTING

NEW = {"k2": b"fedcba9876543210fedcba9876543210", **KEY}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def after(config: Config) -> Iterator[Runtime]:
    """A process that started with a new key in front of the old one."""
    runtime = Runtime(replace(config, secret_keys=NEW))
    yield runtime
    runtime.db.engine.dispose()
    runtime.redis.close()


def stored(runtime: Runtime, who: Member, values: dict[str, str] | None = None) -> UUID:
    """A connection with credentials."""
    with runtime.db.tenant(who.workspace_id) as session:
        row = Connection(workspace_id=who.workspace_id, provider="example", kind="social", account_id=uuid4().hex)
        session.add(row)
        session.flush()
        credentials.store_new(session, runtime.vault, who.workspace_id, row.id, values or {"access_token": "a"})
        return row.id


def opened(runtime: Runtime, who: Member, connection_id: UUID) -> tuple[str, dict[str, object]]:
    """Which key sealed them, and what they are."""
    with runtime.db.tenant(who.workspace_id) as session:
        row = session.get_one(Credential, (who.workspace_id, connection_id))
    return key_of(row.sealed), runtime.vault.open(row.sealed, *CREDENTIALS.place(who.workspace_id, connection_id))


# --- the table --------------------------------------------------------------------------------------------------

DIGESTS = re.compile(r".*hash|key|previous")  # there is nothing in them to open


def test_the_table_names_every_column_in_which_something_rests_sealed() -> None:
    """A column of bytes is a digest, or it is sealed; and keys are what a value is bound to."""
    found = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and not DIGESTS.fullmatch(column.name)
    }
    assert found == {(each.table, each.column) for each in SEALED}
    for each in SEALED:
        table: Table = Base.metadata.tables[each.table]
        assert tuple(column.name for column in table.primary_key.columns) == each.keys
        assert ("workspace_id" in each.keys) == each.tenants


def test_nobody_seals_for_a_place_that_is_not_in_the_table() -> None:
    """A place is made by the table, or it is one of its rows written out."""
    written = re.compile(r'return "(\w+)", "(\w+)", workspace_id')
    for path in (ROOT / "service").rglob("*.py"):
        source = path.read_text()
        for call in re.findall(r"vault\.(?:seal|open)\(([^\n]*)", source):
            assert re.search(r"\*[A-Z]+\.place\(|\*_place\(|\*place", call) or '"credentials", "sealed"' in call, (
                f"{path}: {call}"
            )
        assert {*written.findall(source)} <= {(each.table, each.column) for each in SEALED}


def secret_in_an_app(held: Runtime, who: Member) -> tuple[UUID, str]:
    """(id, secret) of a second factor, with another one that is being set up in its place."""
    now = totp.step_at(real_now())
    factors.begin(held, who.caller)
    secret = factors.standing(held, who.caller).secret
    made = factors.confirm(held, who.caller, totp.code_of(secret, now))
    caller = accounts.caller_of_session(held.db, made.session)
    assert caller
    assert caller.factor_id
    factors.begin(held, caller, made.codes[0])
    return caller.factor_id, secret


def assert_it_still_signs_in(runtime: Runtime, factor: tuple[UUID, str]) -> None:
    factor_id, secret = factor
    later = real_now() + timedelta(minutes=5)
    with runtime.db.globally() as session:
        assert spend(session, runtime.vault, factor_id, totp.code_of(secret, totp.step_at(later)), later) == "app"
        session.rollback()


# --- rotating ---------------------------------------------------------------------------------------------------


def test_everything_that_the_program_seals_is_sealed_anew_and_still_opens(
    held: Runtime, after: Runtime, owner: Member, app: Flask
) -> None:
    connection_id = stored(held, owner, {"access_token": "the-token"})
    registrations.set_app(held, "x", "client", "the-secret")
    with held.db.tenant(owner.workspace_id) as session:
        feed_id = calendars.add(
            held, session, owner.workspace_id, email="o@acme.test", address="https://cal.example/x", by="user:1"
        )
    app_of = secret_in_an_app(held, owner)
    token = tickets.new()
    tickets.issue(held, owner.caller, "ticket", token, "x", sealed={"form": {"a": "b"}}, brand_id=None)
    listed = held.vault.seal({"key": "00"}, *SUPPRESSION.place(owner.workspace_id))
    answer = held.vault.seal({"text": "{}", "headers": {}}, *ANSWERS.place(owner.workspace_id, "k"))
    with held.db.tenant(owner.workspace_id) as session:
        session.add(SuppressionKey(workspace_id=owner.workspace_id, sealed=listed))
        session.add(
            IdempotencyKey(workspace_id=owner.workspace_id, key="k", request_hash="h", status=201, sealed=answer)
        )

    before = rekeying.resting(after)
    assert {table: dict(counts) for table, counts in before.rows.items()} == {
        **{each.table: {"test": 1} for each in SEALED},
        LINKS: {},
    }
    assert before.may_go == []

    told: list[tuple[int, int]] = []
    found = rekeying.rotate(after, lambda done, of: told.append((done, of)))

    assert found.anew == {each.table: 1 for each in SEALED}
    assert found.broken.total() == 0
    assert told == [(0, 1), (1, 1)]
    left = rekeying.resting(after)
    assert (left.may_go, left.under("test"), left.under("k2")) == (["test"], 0, len(SEALED))

    alone = replace(after.config, secret_keys={"k2": NEW["k2"]})  # the old key is taken out
    later = Runtime(alone)
    assert opened(later, owner, connection_id) == ("k2", {"access_token": "the-token"})
    assert registrations.app_for(later, registrations.provider_named("x")).client_secret == "the-secret"
    assert tickets.unseal(later, token, tickets.spend(later, "ticket", token)) == {"form": {"a": "b"}}
    with later.db.tenant(owner.workspace_id) as session:
        row = session.get_one(feeds.CalendarFeed, (owner.workspace_id, feed_id))
        assert later.vault.open(row.sealed, *feeds._place(owner.workspace_id, feed_id)) == {
            "address": "https://cal.example/x"
        }
        answered = session.get_one(IdempotencyKey, (owner.workspace_id, "k")).sealed
    assert later.vault.open(answered or b"", *ANSWERS.place(owner.workspace_id, "k"))["text"] == "{}"
    assert_it_still_signs_in(later, app_of)
    later.db.engine.dispose()


def test_what_is_renewed_while_keys_rotate_stays_as_it_was_renewed(
    held: Runtime, after: Runtime, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading a row and storing it anew, somebody else stores a fresh token there."""
    renewed, other = stored(held, owner, {"refresh_token": "spent"}), stored(held, owner)
    seal, fresh = (
        Vault.seal,
        held.vault.seal({"refresh_token": "fresh"}, *CREDENTIALS.place(owner.workspace_id, renewed)),
    )

    def slow(self: Vault, value: dict[str, str], *place: object) -> bytes:
        if renewed in place:
            with held.db.tenant(owner.workspace_id) as session:
                session.execute(
                    update(Credential).where(Credential.connection_id == renewed).values(sealed=fresh, version=2)
                )
        return seal(self, value, *place)

    monkeypatch.setattr(Vault, "seal", slow)
    found = rekeying.rotate(after)
    assert opened(after, owner, renewed) == ("test", {"refresh_token": "fresh"})
    assert found.anew["credentials"] == 1
    assert opened(after, owner, other)[0] == "k2"
    assert rekeying.resting(after).may_go == []  # so nobody takes the old key out

    monkeypatch.undo()
    assert rekeying.rotate(after).anew["credentials"] == 1
    assert opened(after, owner, renewed) == ("k2", {"refresh_token": "fresh"})


def test_broken_off_it_goes_on_and_what_does_not_open_is_counted_and_passed_over(
    held: Runtime, after: Runtime, owner: Member, stranger: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rekeying, "BATCH", 2)
    ids = sorted(stored(held, who) for who in (owner,) * 7 + (stranger,))
    lost = Vault({"k0": b"x" * 32}).seal({}, *CREDENTIALS.place(owner.workspace_id, ids[0]))
    with held.db.tenant(owner.workspace_id) as session:
        moved = session.scalars(select(Credential.connection_id).order_by(Credential.connection_id)).first()
        session.execute(update(Credential).where(Credential.connection_id == moved).values(sealed=lost))

    swap, batches = rekeying._swap, iter(range(3))

    def killed(*args: object) -> int:
        if args[2] and next(batches) == 1:
            raise KeyboardInterrupt
        return swap(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(rekeying, "_swap", killed)
    with pytest.raises(KeyboardInterrupt):
        rekeying.rotate(after)
    monkeypatch.setattr(rekeying, "_swap", swap)
    first = rekeying.resting(after).rows["credentials"]["k2"]
    assert 0 < first < 7

    found = rekeying.rotate(after)
    assert found.anew["credentials"] == 7 - first
    assert found.broken["credentials"] == 1
    left = rekeying.resting(after)
    assert (left.rows["credentials"], left.lost, left.may_go) == ({"k2": 7, "k0": 1}, {"k0": 1}, ["test"])


def test_a_process_that_has_the_old_key_behind_opens_what_others_seal_with_the_new_one(
    held: Runtime, owner: Member
) -> None:
    """Why a new key goes behind the old one first where processes restart one after another."""
    behind = Vault({**KEY, "k2": NEW["k2"]})
    place = CREDENTIALS.place(owner.workspace_id, owner.user_id)
    assert behind.open(Vault(NEW).seal({"a": "b"}, *place), *place) == {"a": "b"}
    with pytest.raises(SealBrokenError):
        held.vault.open(Vault(NEW).seal({"a": "b"}, *place), *place)


# --- links ------------------------------------------------------------------------------------------------------


def test_a_link_opens_as_long_as_its_key_is_there_and_no_longer(config: Config) -> None:
    workspace_id, task_id = uuid4(), uuid4()
    token = links.done_link(config, workspace_id, task_id).rsplit("/", 1)[1]
    both, gone = replace(config, secret_keys=NEW), replace(config, secret_keys={"k2": NEW["k2"]})
    assert links.read(both, token) == (workspace_id, task_id)
    assert (links.signed_by(both, token), links.signed_by(config, token), links.signed_by(gone, token)) == (
        "test",
        "test",
        None,
    )
    assert links.read(gone, token) is None


@pytest.mark.parametrize("token", ["", "é", "short", "=" * 64, "A" * 64, "A" * 5000])
def test_a_link_that_is_none_of_ours_is_signed_by_nobody(config: Config, token: str) -> None:
    assert links.signed_by(config, token) is None
    assert links.read(config, token) is None


def test_a_link_that_stands_in_a_task_stays_as_it_is_when_another_key_signs(config: Config) -> None:
    workspace_id, task_id = uuid4(), uuid4()
    link, both = links.done_link(config, workspace_id, task_id), replace(config, secret_keys=NEW)
    assert links.done_link(both, workspace_id, task_id) != link
    assert links.standing_link(both, f"Ana asks.\n\nNo reply needed: {link}\n", workspace_id, task_id) == link
    assert links.standing_link(both, f"No reply needed: {link}", workspace_id, uuid4()) is None
    assert links.standing_link(both, "No link at all", workspace_id, task_id) is None
    assert links.standing_link(replace(both, secret_keys={"k2": NEW["k2"]}), link, workspace_id, task_id) is None


def test_a_renewal_under_way_while_keys_rotate_is_stored(
    held: Runtime, after: Runtime, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider has taken the old token and not answered yet; meanwhile what stands there is sealed anew."""
    past = (real_now() - timedelta(seconds=1)).isoformat()
    connection_id = stored(held, owner, {"access_token": "old", "refresh_token": "once", "expires_at": past})
    renewed = {"access_token": "new", "refresh_token": "next"}

    def slowly(*_: object) -> dict[str, str]:
        assert rekeying.rotate(after).anew["credentials"] == 1
        return renewed

    monkeypatch.setattr(consents, "refresh", slowly)
    way = consents.way(PROVIDER)
    found = credentials.fresh(after, way, SETTING, owner.workspace_id, connection_id)
    assert dict(found.values) == renewed
    assert opened(after, owner, connection_id) == ("k2", renewed)
