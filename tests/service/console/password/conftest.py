"""Somebody with a password."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from service import passwords
from tests.conftest import Member
from tests.service.console.conftest import Browser
from tests.service.console.password.pages import set_password


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def with_password(olga: Browser, owner: Member) -> Browser:
    """Olga, who has set a password."""
    assert set_password(olga).location == "/account?done=password"
    return olga
