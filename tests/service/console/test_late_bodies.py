"""What counts is what somebody may do once all that they sent is there, and not when they began to send it."""

from __future__ import annotations

import io
from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import access, accounts, invitations, members
from service.models import APIKey, Departure, Membership
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser

FORM = "application/x-www-form-urlencoded"


class Late(io.RawIOBase):
    """A body that is there only once this has happened."""

    def __init__(self, body: bytes, happens: Callable[[], None]) -> None:
        self._body, self._happens = io.BytesIO(body), [happens]

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._body.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._body.seek(offset, whence)

    def readinto(self, into: bytearray) -> int:  # type: ignore[override]
        while self._happens:
            self._happens.pop()()
        return self._body.readinto(into)


def joined(held: Runtime, owner: Member, email: str, role: str) -> UUID:
    with held.db.tenant(owner.workspace_id) as session:
        token = invitations.invite(session, owner.workspace_id, email, role, by="user:olga")[1]
    made = invitations.join(held.db, token)
    assert made
    return made.user_id


def role_of(held: Runtime, owner: Member, user_id: UUID) -> str | None:
    with held.db.globally() as session:
        return session.scalar(select(Membership.role).filter_by(workspace_id=owner.workspace_id, user_id=user_id))


@pytest.fixture
def rita(held: Runtime, owner: Member) -> UUID:
    return joined(held, owner, "rita@acme.test", "owner")


@pytest.fixture
def gone(held: Runtime, owner: Member, rita: UUID) -> Callable[[], None]:
    """Rita is removed."""

    def remove() -> None:
        with held.db.tenant(owner.workspace_id) as session:
            assert members.remove(session, owner.workspace_id, rita, by="user:olga")

    return remove


@pytest.fixture
def hers(held: Runtime, owner: Member, rita: UUID, signed_in: Callable[[str], Browser]) -> Browser:
    return signed_in("rita@acme.test")


def left_behind(held: Runtime, owner: Member, sock: UUID) -> tuple[str | None, list[str], bool]:
    with held.db.globally() as session:
        keys = session.scalars(select(APIKey.name).where(APIKey.revoked_at.is_(None))).all()
        return role_of(held, owner, sock), list(keys), session.get(Departure, owner.workspace_id) is not None


def test_a_key_of_somebody_who_is_removed_before_the_body_is_there_changes_nothing(
    held: Runtime, owner: Member, rita: UUID, gone: Callable[[], None], app: Flask
) -> None:
    sock = joined(held, owner, "sock@acme.test", "viewer")
    key, body = accounts.create_api_key(held.db, owner.workspace_id, rita, "k", ["people"]), b'{"role": "owner"}'
    answer = app.test_client().patch(
        f"/v1/members/{sock}",
        input_stream=Late(body, gone),
        content_length=len(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 401
    assert role_of(held, owner, rita) is None  # as the body was read
    assert left_behind(held, owner, sock) == ("viewer", [], False)


def test_a_form_of_somebody_who_is_removed_before_it_is_there_does_nothing(
    held: Runtime, owner: Member, rita: UUID, gone: Callable[[], None], hers: Browser
) -> None:
    sock = joined(held, owner, "sock@acme.test", "viewer")
    body = urlencode({"csrf_token": hers.csrf, "name": "late", "scope": "people"}).encode()
    answer = hers.client.post(
        "/settings/keys", input_stream=Late(body, gone), content_length=len(body), content_type=FORM
    )
    assert answer.status_code == 401
    assert role_of(held, owner, rita) is None
    assert left_behind(held, owner, sock) == ("viewer", [], False)


def test_whoever_is_removed_as_their_request_is_carried_out_does_nothing_that_outlives_it(
    held: Runtime, owner: Member, rita: UUID, hers: Browser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body was there, and they were gone before anything was written."""
    sock, still_may = joined(held, owner, "sock@acme.test", "viewer"), members.still_may
    key = accounts.create_api_key(held.db, owner.workspace_id, rita, "k", access.SCOPES)

    def change(role: str) -> None:
        with held.db.tenant(owner.workspace_id) as session:
            members.change_role(session, owner.workspace_id, rita, role, by="user:olga")

    def between(session: Session, who: accounts.Caller) -> bool:
        change("viewer")
        return still_may(session, who)

    monkeypatch.setattr(members, "still_may", between)
    client, bearer = app.test_client(), {"Authorization": f"Bearer {key}"}
    for act in (
        lambda: client.patch(f"/v1/members/{sock}", json={"role": "owner"}, headers=bearer),
        lambda: client.delete(f"/v1/members/{sock}", headers=bearer),
        lambda: hers.post(f"/people/{sock}/role", {"role": "owner"}),
        lambda: hers.post(f"/people/{sock}/remove"),
        lambda: hers.post("/settings/keys", {"name": "late", "scope": "people"}),
        lambda: hers.post("/settings/leave", {"name": "Acme"}),
    ):
        change("owner")
        assert act().status_code == 403
    assert left_behind(held, owner, sock) == ("viewer", ["k"], False)
