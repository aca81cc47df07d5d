"""What opens nothing where there is a second factor, and who guesses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service import accounts, entering, members, totp
from service.clock import real_now
from service.models import PendingSignin, RecoveryCode, SecondFactor, SigninSession
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import COOKIE, Browser, member, words_of
from tests.service.console.factor.app import (
    PENDING,
    App,
    actions,
    count,
    give,
    opens,
)
from tests.service.console.password.pages import GOOD, enter

# --- what opens nothing ----------------------------------------------------------------------------------------------


def test_a_stolen_password_alone_opens_nothing(
    phone: App, at_the_door: Callable[[], FlaskClient], app: Flask, held: Runtime, owner: Member
) -> None:
    """Every address of the console, in a browser that holds the cookie of a sign-in that waits for its code; under the session's name too."""
    from tests.service.test_access import doors

    thief = at_the_door()
    held_cookie = thief.get_cookie(PENDING)
    assert held_cookie
    thief.set_cookie(COOKIE, held_cookie.value)
    for door in doors(app, "console."):
        answer = thief.open(door.path, method=door.method)
        assert (answer.status_code == 401) == (door.needed != "anybody"), door
    key = thief.get("/v1/me", headers={"Authorization": f"Bearer {held_cookie.value}"})
    assert key.status_code == 401


@pytest.mark.parametrize("forged", ["", "x", "a" * 43, "\ud800", "0" * 3000])
def test_a_cookie_that_somebody_made_up_is_no_sign_in_that_waits(phone: App, app: Flask, forged: str) -> None:
    client = app.test_client()
    if forged:
        client.set_cookie(PENDING, forged.encode("utf-8", "replace").decode())
    assert client.get("/signin/code").location == "/signin"
    lost = give(client, phone.code())
    assert lost.status_code == 410
    assert "Start again." in words_of(lost)
    assert not opens(client)


def test_it_waits_for_ten_minutes_and_opens_once(
    phone: App, at_the_door: Callable[[], FlaskClient], clock: Any, app: Flask
) -> None:
    client = at_the_door()
    token = client.get_cookie(PENDING)
    assert token
    clock.shift(entering.LIFETIME - timedelta(seconds=1))
    assert client.get("/signin/code").status_code == 200
    clock.shift(1)
    assert client.get("/signin/code").location == "/signin"
    assert give(client, phone.code()).status_code == 410

    client = at_the_door()
    token = client.get_cookie(PENDING)
    assert token
    assert give(client, phone.code()).status_code == 303
    again = app.test_client()
    again.set_cookie(PENDING, token.value)
    assert give(again, phone.code(1)).status_code == 410


def test_whoever_has_left_the_workspace_meanwhile_is_not_let_in(
    phone: App, at_the_door: Callable[[], FlaskClient], held: Runtime, owner: Member
) -> None:
    client = at_the_door()
    member(held, owner.workspace_id, "other@acme.test", "owner")
    with held.db.tenant(owner.workspace_id) as session:
        members.remove(session, owner.workspace_id, owner.user_id, by="user:x")
    assert give(client, phone.code()).status_code == 410
    assert count(held, SigninSession) == [0]


def test_one_that_is_turned_off_meanwhile_lets_nobody_in_who_waits_for_it(
    phone: App, at_the_door: Callable[[], FlaskClient], with_password: Browser, held: Runtime, owner: Member, app: Flask
) -> None:
    client = at_the_door()
    assert with_password.post("/account/factor/off", {"code": phone.code()}).location == "/account?done=factor_off"
    assert give(client, phone.code(1)).status_code == 410
    assert count(held, SecondFactor, RecoveryCode, PendingSignin) == [0, 0, 0]
    assert enter(app.test_client(), owner.email, GOOD).location == "/"


# --- guessing --------------------------------------------------------------------------------------------------------


def test_whoever_guesses_waits_longer_and_longer_and_the_owner_does_not(
    phone: App, at_the_door: Callable[[], FlaskClient], with_password: Browser, owner: Member, app: Flask, held: Runtime, clock: Any
) -> None:  # fmt: skip
    thief = at_the_door()
    wrong = next(each for each in ("000000", "111111") if totp.step_of(phone.secret, each, real_now()) is None)
    for _ in range(5):
        assert give(thief, wrong).status_code == 400
    closed = give(thief, phone.code())  # even the right one is not judged
    assert closed.status_code == 429
    assert closed.headers["Retry-After"] == "1"
    assert actions(held, owner).count("system signin.code_refused") == 5
    # Nor in another browser, nor with a recovery code.
    assert give(at_the_door(), phone.codes[0]).status_code == 429
    # Olga in the browser that she uses, and by a link in another one.
    with_password.post("/signout")
    enter(with_password.client, owner.email, GOOD)
    assert give(with_password.client, phone.code()).status_code == 303
    by_link = app.test_client()
    by_link.post(accounts.signin_link(held.db, owner.email, ""))
    assert give(by_link, phone.code(1)).status_code == 303
    # And the door closes for twelve hours at last: two guesses a day.
    waits = []
    for _ in range(18):
        clock.shift(int(closed.headers["Retry-After"]))
        thief = at_the_door()
        give(thief, wrong)
        closed = give(thief, wrong)
        waits.append(int(closed.headers["Retry-After"]))
    assert waits[:3] == [2, 4, 8]
    assert waits[-1] == 12 * 3600


def test_guessing_within_a_session_is_slowed_down_too(
    phone: App, with_password: Browser, held: Runtime, owner: Member
) -> None:
    for path in ("codes", "off", "begin", "codes", "off"):
        assert with_password.post(f"/account/factor/{path}", {"code": "12345"}).status_code == 400, path
    assert with_password.post("/account/factor/off", {"code": phone.code()}).status_code == 429
    assert with_password.post("/account/confirm", {"code": phone.code()}).status_code == 429
    assert actions(held, owner).count("user factor.refused") == 5
    assert count(held, SecondFactor) == [1]
