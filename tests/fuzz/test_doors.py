"""Garbage at every route of the web server, with a database behind it."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from flask import Flask

from fuzz import doors, engine
from fuzz.target import Target, plain
from service import access, accounts
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.api.conftest import client_of

INPUTS = 60


@pytest.fixture
def check(app: Flask, held: Runtime, owner: Member) -> Any:
    cookie = accounts.sign_in(held.db, accounts.signin_link(held.db, owner.email, "").rsplit("/", 1)[1])
    assert cookie
    who = accounts.caller_of_session(held.db, cookie)
    assert who
    key = client_of(app, held, owner, *access.SCOPES).key
    return doors.checker(app, key, cookie, who.csrf_token)


def test_garbage_at_any_route_is_answered_below_500(check: Any) -> None:
    target = Target("doors/every route", doors.inputs(), plain(check))
    with responses.RequestsMock(assert_all_requests_are_fired=False):
        tried, found = engine.attempt(target, check, INPUTS, seed=None)
    assert found is None, found.error
    assert tried >= INPUTS
