"""Webhooks: anybody may call, so what is not signed costs nothing; what is signed is followed once."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import event, select, text, update
from werkzeug.test import TestResponse

from integrations import registry
from integrations.provider import App, Hint, Webhook
from service import connect, hooks, registrations
from service.clock import business_now, real_now
from service.db import scheduler_engine
from service.models import ConnectedAccount, Stream
from service.runtime import Runtime
from service.store import claims, due
from service.watch import meters
from tests.conftest import Member
from tests.fakes import social as fake_social
from tests.fakes.social import FakeSocial

SECRET = "the-secret-of-our-registration"
LATER = timedelta(hours=3)


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(app: App, headers: Mapping[str, str], body: bytes) -> Sequence[Hint] | None:
    if not hmac.compare_digest(headers.get("x-signature", "").encode(), signature(body, app.client_secret).encode()):
        return None
    said = json.loads(body)
    sent = said.get("sent")
    accounts = said.get("accounts") or [said["account"]]
    return [
        Hint(account, tuple(said.get("streams", ())), datetime.fromisoformat(sent) if sent else None)
        for account in accounts
    ]


@pytest.fixture
def door(held: Runtime, owner: Member, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Door:
    made = replace(fake_social.manifest(FakeSocial()), webhook=Webhook(lambda app, query: None, verify))
    monkeypatch.setitem(registry.providers(), "fakesocial", made)
    registrations.set_app(held, "fakesocial", "client", SECRET)
    (connection_id,) = connect.connect_with_secret(held, owner.caller, "fakesocial", None, {})
    with held.db.globally() as session:
        session.execute(update(ConnectedAccount).values(account_id="a1"))
    found = Door(held, app, owner, connection_id)
    found.send(b"{}", signed="wrong")  # the registration has been read
    found.rest()
    return found


class Door:
    """The address that a provider calls, and what comes of it."""

    def __init__(self, held: Runtime, app: Flask, owner: Member, connection_id: UUID) -> None:
        self.held, self.app, self.owner, self.connection_id = held, app, owner, connection_id

    def send(self, body: bytes | dict[str, Any], *, signed: str | None = None, **more: Any) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-Signature": signature(raw) if signed is None else signed}
        answer: TestResponse = self.app.test_client().post(
            "/hooks/fakesocial", data=raw, headers=headers, **{"content_type": "application/json", **more}
        )
        assert answer.get_data() == b""
        return answer.status_code

    def rest(self) -> None:
        """Nothing is due for a while."""
        with self.held.db.tenant(self.owner.workspace_id) as session:
            session.execute(update(Stream).values(next_pull_at=real_now() + LATER))

    def due(self) -> list[str]:
        """Streams that are due."""
        with self.held.db.tenant(self.owner.workspace_id) as session:
            return sorted(session.scalars(select(Stream.name).where(Stream.next_pull_at <= real_now())))

    def claimed_first(self) -> str:
        """Which stream a scheduler takes that takes one. It gives it back."""
        with scheduler_engine(self.held.config.need("database_scheduler_url")).begin() as connection:
            [found] = [each for each in claims.claim(connection, business_now(), 1) if each.job == "pull"]
            claims.release(connection, [found], business_now())
        with self.held.db.tenant(self.owner.workspace_id) as session:
            return session.scalars(select(Stream.name).where(Stream.id == found.ids[1])).one()

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The statements of the web process meanwhile."""
        seen: list[str] = []
        engine = self.app.extensions["warmline"].db.engine

        def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", count)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", count)


# --- what is not signed -----------------------------------------------------------------------------------------


BODY = b'{"account": "a1"}'
UNSIGNED: Sequence[tuple[bytes, dict[str, Any], int]] = (
    (BODY, {"signed": ""}, 401),
    (BODY, {"signed": "é".encode().decode("latin-1")}, 401),
    (BODY, {"signed": signature(b'{"account": "a2"}')}, 401),
    (BODY, {"signed": signature(BODY, "another secret")}, 401),
    (BODY, {"content_type": "text/plain"}, 415),
    (b"account=a1", {"content_type": "application/x-www-form-urlencoded"}, 415),
    (BODY, {"content_type": ""}, 415),
    (b"x" * (hooks.MAX_HINT + 1), {}, 413),
)


def test_what_is_not_a_signed_delivery_costs_no_statement_and_does_nothing(door: Door) -> None:
    with door.statements() as seen:
        for body, more, status in UNSIGNED:
            assert door.send(body, **more) == status
    assert seen == []
    assert door.due() == []
    assert door.held.redis.keys("warmline:hints*") == []


def test_a_body_that_is_too_large_is_not_read(door: Door) -> None:
    class Watched(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            found = super().read(-1 if size is None else size)
            Watched.taken += len(found)
            return found

    sent = Watched(b" " * (4 * hooks.MAX_HINT))
    call = {"input_stream": sent, "content_type": "application/json"}
    client = door.app.test_client()
    assert client.post("/hooks/fakesocial", content_length=4 * hooks.MAX_HINT, **call).status_code == 413
    assert Watched.taken == 0
    told_nothing = client.post("/hooks/fakesocial", environ_overrides={"wsgi.input_terminated": True}, **call)
    assert told_nothing.status_code == 413
    assert Watched.taken <= 2 * hooks.MAX_HINT


def test_where_nobody_is_registered_there_is_no_such_address(door: Door) -> None:
    assert door.app.test_client().post("/hooks/nobody").status_code == 404
    assert door.app.test_client().post("/hooks/fakecrm").status_code == 404  # has no webhook


def test_a_registration_is_read_now_and_then_however_many_call_and_a_new_secret_counts_soon(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    registrations.set_app(door.held, "fakesocial", "client", "a new secret")
    body = b'{"account": "a1"}'
    with door.statements() as seen:
        for _ in range(20):
            assert door.send(body, signed=signature(body, "a new secret")) == 401
    assert seen == []
    passed = hooks.time.monotonic() + hooks.FRESH
    monkeypatch.setattr(hooks.time, "monotonic", lambda: passed)
    assert door.send(body, signed=signature(body, "a new secret")) == 204


# --- what is signed ---------------------------------------------------------------------------------------------


def test_a_signed_delivery_makes_due_what_it_hints_at(door: Door) -> None:
    assert door.send({"account": "a1", "streams": ["mentions"]}) == 204
    assert door.due() == ["mentions"]


def test_what_is_hinted_at_goes_before_what_has_merely_been_due_for_longer(door: Door) -> None:
    """Also where it was due already, and waited its turn."""
    for ago in (timedelta(seconds=-60), timedelta(seconds=60)):
        with door.held.db.tenant(door.owner.workspace_id) as session:
            session.execute(update(Stream).values(next_pull_at=real_now() - timedelta(minutes=4), urgent=False))
            session.execute(update(Stream).where(Stream.name == "mentions").values(next_pull_at=real_now() - ago))
        assert door.claimed_first() != "mentions"
        assert door.send({"account": "a1", "streams": ["mentions"], "id": str(ago)}) == 204
        assert door.claimed_first() == "mentions"


def test_a_delivery_that_is_repeated_does_no_second_work(door: Door) -> None:
    assert door.send({"account": "a1", "id": 1}) == 204
    door.rest()
    with door.statements() as seen:
        assert door.send({"account": "a1", "id": 1}) == 204
    assert seen == []
    assert door.due() == []
    assert door.send({"account": "a1", "id": 2}) == 204  # another one
    assert door.due()


def test_what_is_remembered_of_deliveries_is_bounded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "REMEMBERED", 5)
    for number in range(20):
        door.send({"account": "a1", "id": number})
    assert door.held.redis.zcard(hooks._SEEN) == 5


def test_a_delivery_whose_work_broke_off_is_followed_when_it_is_sent_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(due, "pull_soon", broken)
        with pytest.raises(RuntimeError):
            door.send({"account": "a1"})
    assert door.send({"account": "a1"}) == 204
    assert door.due()


def test_where_valkey_is_away_a_delivery_is_followed_all_the_same(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise RedisError("away")

    redis = door.app.extensions["warmline"].redis
    monkeypatch.setattr(redis, "zscore", away)
    monkeypatch.setattr(redis, "pipeline", away)
    assert door.send({"account": "a1"}) == 204
    assert door.due()


def test_a_flood_of_signed_deliveries_makes_due_once_and_writes_once(door: Door) -> None:
    with door.held.db.tenant(door.owner.workspace_id) as session:
        rows = text("SELECT array_agg(xmin::text) FROM streams")  # the transactions that wrote them last
        door.send({"account": "a1", "id": 0})
        first = session.scalar(rows)
        for number in range(1, 30):
            assert door.send({"account": "a1", "id": number}) == 204
        assert session.scalar(rows) == first


def test_a_delivery_that_was_sent_long_ago_or_in_the_future_is_not_followed(door: Door) -> None:
    for ago in (timedelta(days=3), timedelta(hours=-2)):
        assert door.send({"account": "a1", "sent": (real_now() - ago).isoformat()}) == 204
        assert door.due() == []
    for ago in (timedelta(0), timedelta(hours=36)):
        assert door.send({"account": "a1", "sent": (real_now() - ago).isoformat()}) == 204
        assert door.due()
        door.rest()


def _as_meta(body: bytes) -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={signature(body)}"}


def _as_x(body: bytes) -> dict[str, str]:
    return {"X-Twitter-Webhooks-Signature": f"sha256={b64encode(bytes.fromhex(signature(body))).decode()}"}


# A provider, how it signs, and its delivery about an account.
DELIVERIES: Sequence[tuple[str, Callable[[bytes], dict[str, str]], Callable[[str], dict[str, Any]]]] = (
    ("x", _as_x, lambda account: {"for_user_id": account}),
    ("x", _as_x, lambda account: {"data": {"filter": {"user_id": account}, "event_type": "dm.received"}}),
    ("facebook", _as_meta, lambda account: {"object": "page", "entry": [{"id": account, "messaging": [{}]}]}),
    ("instagram", _as_meta, lambda account: {"object": "instagram", "entry": [{"id": account, "messaging": [{}]}]}),
)


def test_an_id_that_nobody_can_have_is_answered_as_anybodys_is_and_keeps_no_other_hint_from_being_followed(
    door: Door,
) -> None:
    for key in ("x", "facebook", "instagram"):
        registrations.set_app(door.held, key, "client", SECRET)
    client = door.app.test_client()
    for key, signed, about in DELIVERIES:
        for account in ("7000", "a\0b", "\0", "\ud800", "7" * 4000):
            body = json.dumps(about(account)).encode()
            answer = client.post(f"/hooks/{key}", data=body, headers=signed(body), content_type="application/json")
            assert (answer.status_code, answer.get_data()) == (204, b""), (key, account)
    assert door.send({"accounts": ["a\0b", "\ud800", "a1"]}) == 204
    assert door.due()


def test_a_stream_that_was_asked_to_wait_is_not_pulled_for_a_hint(door: Door) -> None:
    with door.held.db.tenant(door.owner.workspace_id) as session:
        session.execute(update(Stream).where(Stream.name == "mentions").values(waits_for="rate_limit"))
    door.send({"account": "a1"})
    assert door.due()
    assert "mentions" not in door.due()


# --- what is counted --------------------------------------------------------------------------------------------


def test_calls_are_counted_by_their_verdict_and_never_by_what_somebody_typed(door: Door) -> None:
    meters._begin_anew()
    door.send({"account": "a1", "id": 7})
    door.send(BODY, signed="wrong")
    door.send(BODY, content_type="text/plain")
    door.send(b"x" * (hooks.MAX_HINT + 1))
    door.app.test_client().post("/hooks/nobody-knows-this", data=BODY)
    meters.flush(door.held.redis)
    found = {each.labels: each.count for each in meters.read(door.held.redis) if each.meter is meters.WEBHOOKS}
    mine = "fakesocial"
    assert found == {
        (mine, "accepted"): 1, (mine, "refused"): 1, (mine, "malformed"): 1, (mine, "too large"): 1, ("other", "unknown"): 1,
    }  # fmt: skip
