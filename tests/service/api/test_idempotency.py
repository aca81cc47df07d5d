"""`Idempotency-Key`: the same key with the same request is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from service import access
from service.api import idempotency
from service.clock import real_now
from service.models import Audit, Brand, IdempotencyKey
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.api.checking import check
from tests.service.api.conftest import Client, World, client_of
from tests.service.rows import Rows

KEY = {"Idempotency-Key": "6f1d7a52-0b2f-4a57-9a2e-1c1d0f6b8a11"}


def names(rows: Rows) -> list[str]:
    with rows.db.tenant(rows.workspace_id) as session:
        return list(session.scalars(select(Brand.name).order_by(Brand.name)))


def change_key(rows: Rows, **values: Any) -> None:
    with rows.db.tenant(rows.workspace_id) as session:
        session.execute(update(IdempotencyKey).values(**values))


def keys(rows: Rows) -> list[tuple[str, int | None]]:
    with rows.db.tenant(rows.workspace_id) as session:
        return [(row.key, row.status) for row in session.scalars(select(IdempotencyKey))]


def test_a_repeat_gets_the_first_answer_and_does_nothing(client: Client, rows: Rows) -> None:
    first = client.post("/brands", {"name": "Labs"}, headers=KEY)
    again = client.post("/brands", {"name": "Labs"}, headers=KEY)

    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.content_type == first.content_type
    assert "Idempotency-Replayed" not in first.headers
    assert names(rows) == ["Acme", "Labs"]


def test_an_answer_without_a_body_is_repeated_too(client: Client, world: World, rows: Rows, providers: Any) -> None:
    for _ in range(2):
        gone = client.delete(f"/connections/{world.social}", headers=KEY)
        assert (gone.status_code, gone.get_data()) == (204, b"")
    with rows.db.tenant(rows.workspace_id) as session:
        done = session.scalars(select(Audit.action).where(Audit.action == "connection.disconnected")).all()
    assert len(done) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/brands", {"name": "Other"}), ("POST", "/invitations", {"name": "Labs"}), ("PUT", "/settings", {})],
)
def test_a_key_serves_one_request_only(
    client: Client, rows: Rows, method: str, path: str, body: dict[str, Any]
) -> None:
    client.post("/brands", {"name": "Labs"}, headers=KEY)
    assert "another request" in check(client.call(method, path, json=body, headers=KEY), 422)
    assert names(rows) == ["Acme", "Labs"]


def test_another_api_key_does_not_get_the_answer(
    app: Flask, held: Runtime, owner: Member, client: Client, rows: Rows
) -> None:
    client.post("/brands", {"name": "Labs"}, headers=KEY)
    other = client_of(app, held, owner, *access.SCOPES)
    check(other.post("/brands", {"name": "Labs"}, headers=KEY), 422)


def test_another_workspace_may_use_the_same_key(client: Client, rival: Client) -> None:
    assert client.post("/brands", {"name": "Labs"}, headers=KEY).status_code == 201
    assert rival.post("/brands", {"name": "Labs"}, headers=KEY).status_code == 201


def test_a_request_that_was_refused_may_be_mended(client: Client, rows: Rows) -> None:
    check(client.post("/brands", {"name": ""}, headers=KEY), 422)
    check(client.post("/brands", {"name": "Acme"}, headers=KEY), 409)
    assert keys(rows) == []
    assert client.post("/brands", {"name": "Labs"}, headers=KEY).status_code == 201


def test_a_request_that_failed_may_be_sent_again(
    app: Flask, client: Client, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["TESTING"] = False
    with monkeypatch.context() as broken:
        broken.setattr("service.store.paging.one", lambda *_: 1 / 0)
        check(client.post("/brands", {"name": "Labs"}, headers=KEY), 500)
    assert names(rows) == ["Acme"]
    assert client.post("/brands", {"name": "Labs"}, headers=KEY).status_code == 201


def test_a_request_that_blew_up_lets_go_of_its_key(client: Client, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.paging.one", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.post("/brands", {"name": "Labs"}, headers=KEY)
    assert keys(rows) == []


def test_a_request_under_way_is_not_begun_again_until_it_must_be_lost(client: Client, rows: Rows) -> None:
    client.post("/brands", {"name": "Labs"}, headers=KEY)
    change_key(rows, status=None, sealed=None)
    assert "under way" in check(client.post("/brands", {"name": "Labs"}, headers=KEY), 409)

    change_key(rows, created_at=real_now() - idempotency.LOST * 1.1)
    check(client.post("/brands", {"name": "Other"}, headers=KEY), 422)
    assert "already" in check(client.post("/brands", {"name": "Labs"}, headers=KEY), 409)  # it was done


def test_a_key_is_forgotten_after_a_day(client: Client, rows: Rows) -> None:
    client.post("/brands", {"name": "Labs"}, headers=KEY)
    change_key(rows, created_at=real_now() - idempotency.KEPT - timedelta(minutes=1))
    assert client.post("/brands", {"name": "Other"}, headers=KEY).status_code == 201
    assert len(keys(rows)) == 1


def test_old_keys_are_swept_away(client: Client, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    client.post("/brands", {"name": "Labs"}, headers=KEY)
    change_key(rows, created_at=real_now() - timedelta(days=2))
    monkeypatch.setattr(idempotency, "_fingerprint", lambda _: "00ab")
    client.post("/brands", {"name": "Other"}, headers={"Idempotency-Key": "new"})
    assert keys(rows) == [("new", 201)]


def test_answers_rest_sealed_and_one_that_cannot_be_opened_is_not_done_again(client: Client, rows: Rows) -> None:
    client.post("/brands", {"name": "Labs"}, headers=KEY)
    with rows.db.tenant(rows.workspace_id) as session:
        (answer,) = session.scalars(select(IdempotencyKey.sealed))
    assert answer
    assert b"Labs" not in answer

    change_key(rows, sealed=b"not ours")
    assert "can no longer be read" in check(client.post("/brands", {"name": "Labs"}, headers=KEY), 409)
    assert names(rows) == ["Acme", "Labs"]


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256])
def test_a_key_of_another_shape_is_refused(client: Client, key: str) -> None:
    assert "255" in check(client.post("/brands", {"name": "Labs"}, headers={"Idempotency-Key": key}), 400)


def test_reading_takes_no_notice_of_a_key(client: Client, rows: Rows) -> None:
    assert client.get("/brands", headers=KEY).status_code == 200
    assert keys(rows) == []
