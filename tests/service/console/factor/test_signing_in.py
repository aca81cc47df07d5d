"""A second factor is asked for at every way in, and each code is good once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service import accounts, invitations, members, passwords, secondstep, sessions, totp
from service.clock import real_now
from service.entering import Visitor
from service.models import PendingSignin, SecondFactor
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import COOKIE, Browser, member, read, words_of
from tests.service.console.factor.app import (
    HALF_A_MINUTE,
    PENDING,
    App,
    actions,
    give,
    key_on,
    opens,
)
from tests.service.console.password.pages import BETTER, DEVICE, GOOD, WRONG, enter, set_password

# --- signing in ------------------------------------------------------------------------------------------------------


def test_after_the_password_a_code_is_asked_for_and_then_one_is_where_one_wanted_to_be(
    phone: App, owner: Member, app: Flask, held: Runtime
) -> None:
    client = app.test_client()
    halfway = enter(client, owner.email, GOOD, next="/tasks?show=held")
    assert (halfway.status_code, halfway.location) == (303, "/signin/code")
    assert client.get_cookie(COOKIE) is None
    assert client.get_cookie(DEVICE) is None  # nor is the browser known yet
    page = client.get("/signin/code")
    field = next(each for tag, each in read(page.text).tags if each.get("id") == "code")
    assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")
    assert owner.email not in page.text
    before = actions(held, owner)
    done = give(client, phone.code())
    assert (done.status_code, done.location) == (303, "/tasks?show=held")
    assert opens(client)
    assert client.get_cookie(PENDING) is None
    assert actions(held, owner) == [*before, "user signin.by_password"]


def test_after_a_link_and_after_an_invitation_as_well(
    phone: App, owner: Member, stranger: Member, app: Flask, held: Runtime, signed_in: Callable[[str], Browser]
) -> None:
    link, client = accounts.signin_link(held.db, owner.email, ""), app.test_client()
    assert client.post(link).location == "/signin/code"
    assert not opens(client)
    assert give(client, phone.code()).location == "/"
    assert opens(client)
    assert client.post(link).status_code == 410

    with held.db.tenant(stranger.workspace_id) as session:
        _, token = invitations.invite(session, stranger.workspace_id, owner.email, "member", by="user:rita")
    client = app.test_client()
    assert client.post(f"/join/{token}").location == "/signin/code"
    assert not opens(client)
    give(client, phone.code(1))
    assert "Rival" in client.get("/people").text


def test_an_owner_who_makes_a_link_for_somebody_gets_no_further_than_their_second_factor(
    phone: App, owner: Member, app: Flask, held: Runtime
) -> None:
    member(held, owner.workspace_id, "second@acme.test", "owner")
    with held.db.tenant(owner.workspace_id) as session:
        token = members.link_for(session, owner.workspace_id, owner.user_id, by="user:second")
    client = app.test_client()
    assert client.post(f"/signin/{token}").location == "/signin/code"
    assert not opens(client)


def test_a_known_browser_does_not_spare_the_code(phone: App, with_password: Browser, owner: Member) -> None:
    with_password.post("/signout")
    assert with_password.client.get_cookie(DEVICE)
    assert enter(with_password.client, owner.email, GOOD).location == "/signin/code"
    assert not opens(with_password.client)


def test_a_sign_in_that_waits_for_a_code_ends_when_the_password_is_changed(
    phone: App, with_password: Browser, owner: Member, app: Flask, held: Runtime, at_the_door: Callable[[], FlaskClient]
) -> None:
    by_password, by_link = at_the_door(), app.test_client()
    by_link.post(accounts.signin_link(held.db, owner.email, ""))
    assert set_password(with_password, BETTER, present=GOOD).status_code == 303
    for client in (by_password, by_link):
        assert "This sign-in took longer than ten minutes" in words_of(give(client, phone.code()))
        assert not opens(client)
    assert enter(by_password, owner.email, BETTER).location == "/signin/code"
    give(by_password, phone.code())
    assert opens(by_password)


def test_no_code_is_waited_for_where_the_password_is_changed_while_it_is_judged(
    phone: App, with_password: Browser, owner: Member, app: Flask, held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = passwords.is_right

    def is_right(password: str, kept: str | None) -> bool:
        monkeypatch.setattr(passwords, "is_right", judged)
        set_password(with_password, BETTER, present=GOOD)
        return judged(password, kept)

    monkeypatch.setattr(passwords, "is_right", is_right)
    assert enter(app.test_client(), owner.email, GOOD).status_code == 400
    with held.db.globally() as session:
        assert session.scalars(select(PendingSignin)).all() == []


def test_a_session_that_began_while_it_was_set_up_opens_nothing(
    phone: App, owner: Member, held: Runtime, app: Flask
) -> None:
    """A thief's sign-in may have looked for a second factor a moment before there was one."""
    with held.db.globally() as session:
        cookie = sessions.begin(
            session, owner.user_id, owner.workspace_id, confined=False, browser="", began="password"
        )
    client = app.test_client()
    client.set_cookie(COOKIE, cookie)
    assert not opens(client)


def test_single_sign_on_keeps_its_issuers(phone: App, owner: Member, held: Runtime, app: Flask) -> None:
    with held.db.globally() as session:
        cookie = sessions.begin(
            session, owner.user_id, owner.workspace_id, confined=False, browser="", began=sessions.OPENID
        )
    client = app.test_client()
    client.set_cookie(COOKIE, cookie)
    assert opens(client)


def test_without_one_nothing_is_asked(with_password: Browser, owner: Member, app: Flask) -> None:
    client = app.test_client()
    assert enter(client, owner.email, GOOD).location == "/"
    assert opens(client)


def test_nobody_learns_whether_somebody_has_one_before_the_password_is_right(
    phone: App, owner: Member, stranger: Member, app: Flask
) -> None:
    answers = [enter(app.test_client(), email, WRONG) for email in (owner.email, stranger.email, "nobody@acme.test")]
    assert len({(each.status_code, each.text.replace(owner.email, "").replace(stranger.email, "").replace("nobody@acme.test", "")) for each in answers}) == 1  # fmt: skip
    assert all("Set-Cookie" not in each.headers for each in answers)


# --- a code is good once, and in its time ----------------------------------------------------------------------------


def test_no_code_works_twice_nor_does_one_from_before_it(
    phone: App, at_the_door: Callable[[], FlaskClient], clock: Any
) -> None:
    clock.shift(3 * HALF_A_MINUTE)
    assert give(at_the_door(), phone.code()).status_code == 303
    for older in (0, -1):
        refused = give(at_the_door(), phone.code(older))
        assert refused.status_code == 400
        assert "was used already" in words_of(refused)
    assert give(at_the_door(), phone.code(1)).status_code == 303


def test_the_code_that_confirmed_it_signs_nobody_in(with_password: Browser, owner: Member, app: Flask) -> None:
    with_password.post("/account/factor/begin")
    secret = key_on(with_password.get("/account/factor"))
    code = totp.code_of(secret, totp.step_at(real_now()))
    with_password.post("/account/factor/confirm", {"code": code})
    client = app.test_client()
    enter(client, owner.email, GOOD)
    assert give(client, code).status_code == 400


def test_of_many_at_once_with_the_same_code_one_gets_in(
    phone: App, at_the_door: Callable[[], FlaskClient], held: Runtime, app: Flask
) -> None:
    tokens = [at_the_door().get_cookie(PENDING) for _ in range(4)]
    code, start = phone.code(), threading.Barrier(4)

    def try_it(each: Any) -> str:
        start.wait()
        try:
            return secondstep.finish(held, each.value, code, Visitor()).session
        except (secondstep.WrongCodeError, secondstep.LostError):
            return ""

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(try_it, tokens))
    assert len([each for each in got if each]) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(-3, 3), min_size=1, max_size=6))
def test_whatever_is_tried_in_whatever_order_no_code_works_twice_and_none_outside_its_time(
    steps: list[int], phone: App, owner: Member, held: Runtime, clock: Any
) -> None:
    """The law, against a table of what was used: (the half minute that a code is of, how far it is from now)."""
    clock.shift(10 * HALF_A_MINUTE)
    here, factor = totp.step_at(real_now()), only_factor(held)
    used = here - 10
    for off in steps:
        with held.db.globally() as session:
            by = secondstep.factors.spend(session, held.vault, factor, phone.code(off), real_now())
        fits = max((each for each in (-1, 0, 1) if phone.code(each) == phone.code(off)), default=None)
        expected = fits is not None and here + fits > used
        assert (by is not None) == expected
        if by:
            used = here + (fits or 0)


def only_factor(held: Runtime) -> UUID:
    with held.db.globally() as session:
        return session.scalars(select(SecondFactor.id)).one()


def test_a_recovery_code_signs_in_once_and_says_so(
    phone: App, at_the_door: Callable[[], FlaskClient], held: Runtime, owner: Member
) -> None:
    client = at_the_door()
    done = give(client, phone.codes[3].lower().replace("-", " "))
    assert done.location == "/?done=recovered"
    assert "That recovery code is used up." in words_of(client.get(done.location))
    assert "9 recovery codes left." in words_of(client.get("/account/factor"))
    assert give(at_the_door(), phone.codes[3]).status_code == 400
    assert give(at_the_door(), phone.codes[4]).status_code == 303
    assert actions(held, owner)[-2:] == ["user signin.by_password", "user factor.code_used"]
