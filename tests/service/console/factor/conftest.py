"""Somebody with a password and a second factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from service import invitations, passwords
from service.clock import real_now
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, words_of
from tests.service.console.factor.app import App, set_up
from tests.service.console.password.pages import GOOD, csrf, enter, set_password


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    """Real time stands still, so that codes are those of a moment that the test knows."""
    with time_machine.travel(real_now(), tick=False) as found:
        yield found


@pytest.fixture
def with_password(olga: Browser, owner: Member) -> Browser:
    assert set_password(olga).status_code == 303
    return olga


@pytest.fixture
def phone(with_password: Browser) -> App:
    """Olga's, who signs in with a password."""
    return set_up(with_password)


@pytest.fixture
def at_the_door(phone: App, owner: Member, app: Flask) -> Callable[[], FlaskClient]:
    """A new browser, each time, in which Olga's password was given."""

    def come() -> FlaskClient:
        client = app.test_client()
        assert enter(client, owner.email, GOOD).location == "/signin/code"
        return client

    return come


@pytest.fixture
def behind_a_link(held: Runtime, owner: Member, stranger: Member, app: Flask) -> tuple[Browser, App]:
    """Olga invites Rita, who has a workspace of her own, opens the link herself and sets up a second factor there."""
    with held.db.tenant(owner.workspace_id) as session:
        _, token = invitations.invite(session, owner.workspace_id, stranger.email, "member", by="user:olga")
    client = app.test_client()
    client.post(f"/join/{token}")
    browser = Browser(client, csrf(client))
    assert "none of your other workspaces" in words_of(browser.get("/account/factor"))
    return browser, set_up(browser)
