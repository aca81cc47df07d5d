"""A second factor: set up, asked for at every way in, lost and found again; and what opens nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from service import accounts, entering, factors, housekeeping, members, passwords, recovery, secondstep, sessions, totp
from service.clock import real_now
from service.console.factor import _qr
from service.entering import Visitor
from service.models import Audit, FactorSetup, PendingSignin, RecoveryCode, SecondFactor, SigninSession, Workspace
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import COOKIE, Browser, member, read, words_of
from tests.service.console.test_passwords import DEVICE, GOOD, WRONG, csrf, enter, set_password

PENDING = "warmline_pending"
HALF_A_MINUTE = timedelta(seconds=totp.STEP)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    """Real time stands still, so that codes are those of a moment that the test knows."""
    with time_machine.travel(real_now(), tick=False) as found:
        yield found


class App:
    """An authenticator app."""

    def __init__(self, secret: str, codes: list[str]) -> None:
        self.secret, self.codes = secret, codes

    def code(self, later: int = 0) -> str:
        return totp.code_of(self.secret, totp.step_at(real_now()) + later)


def key_on(page: TestResponse) -> str:
    [shown] = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    return shown.replace(" ", "")


def codes_on(page: TestResponse) -> list[str]:
    return re.findall(r"<li><code>([0-9A-Z-]+)</code></li>", page.text)


def set_up(browser: Browser) -> App:
    """A second factor, set up as a person does; the code that confirmed it is used, so the next half minute begins."""
    assert browser.post("/account/factor/begin").location == "/account/factor"
    secret = key_on(browser.get("/account/factor"))
    made = browser.post("/account/factor/confirm", {"code": totp.code_of(secret, totp.step_at(real_now()) - 1)})
    assert made.status_code == 200, words_of(made)
    browser.csrf = csrf(browser.client)
    return App(secret, codes_on(made))


def give(client: FlaskClient, code: str, **options: Any) -> TestResponse:
    return client.post("/signin/code", data={"code": code}, **options)


def opens(client: FlaskClient) -> bool:
    return client.get("/").status_code == 200


def actions(held: Runtime, who: Member) -> list[str]:
    with held.db.tenant(who.workspace_id) as session:
        rows = session.scalars(select(Audit).order_by(Audit.created_at, Audit.id))
        return [f"{row.actor.partition(':')[0]} {row.action}" for row in rows]


def count(held: Runtime, *tables: Any) -> list[int]:
    with held.db.globally() as session:
        return [session.scalar(select(func.count()).select_from(each)) or 0 for each in tables]


@pytest.fixture
def with_password(olga: Browser, owner: Member) -> Browser:
    assert set_password(olga).status_code == 303
    return olga


@pytest.fixture
def phone(with_password: Browser) -> App:
    """Olga's, who signs in with a password."""
    return set_up(with_password)


# --- setting it up ------------------------------------------------------------------------------------------------


def test_it_counts_once_a_code_was_given_and_ten_recovery_codes_are_shown_once(
    with_password: Browser, owner: Member, app: Flask, held: Runtime
) -> None:
    olga = with_password
    assert "You have none" in words_of(olga.get("/account/factor"))
    olga.post("/account/factor/begin")
    page = olga.get("/account/factor")
    secret = key_on(page)
    [address] = [each["href"] for tag, each in read(page.text).tags if (each.get("href") or "").startswith("otpauth:")]
    assert address == totp.address(secret, owner.email)
    assert page.text.count("<svg") == 1
    assert _qr(str(address)) in page.text
    assert not re.search(r"<svg[^>]*(?:style|onload)=|<script(?![^>]*src)", page.text)
    # Nothing is asked for before a code of it was given.
    assert enter(app.test_client(), owner.email, GOOD).location == "/"
    refused = olga.post("/account/factor/confirm", {"code": "000000"})
    assert refused.status_code == 400
    assert "That code is not right." in words_of(refused)
    assert key_on(refused) == secret  # the same picture: whoever has scanned it need not do so again

    before = olga.client.get_cookie(COOKIE)
    made = olga.post("/account/factor/confirm", {"code": totp.code_of(secret, totp.step_at(real_now()))})
    after = olga.client.get_cookie(COOKIE)
    assert len(set(codes_on(made))) == recovery.NUMBER
    assert before
    assert after
    assert before.value != after.value
    assert made.headers["Cache-Control"] == "no-store"
    assert olga.post("/signout").status_code == 400  # under the older token; the page shown holds the newer one
    page = olga.get("/account/factor")
    assert (codes_on(page), "10 recovery codes left." in words_of(page)) == ([], True)
    assert "type the key" not in words_of(page)
    assert "user factor.set_up" in actions(held, owner)
    assert enter(app.test_client(), owner.email, GOOD).location == "/signin/code"


def test_the_page_after_it_is_set_up_has_forms_that_work(with_password: Browser) -> None:
    with_password.post("/account/factor/begin")
    secret = key_on(with_password.get("/account/factor"))
    made = with_password.post("/account/factor/confirm", {"code": totp.code_of(secret, totp.step_at(real_now()))})
    [token] = {str(each["value"]) for _, each in read(made.text).tags if each.get("name") == "csrf_token"}
    assert with_password.client.post("/signout", data={"csrf_token": token}).status_code == 303


def test_elsewhere_one_is_signed_out_as_it_is_set_up(with_password: Browser, owner: Member, app: Flask) -> None:
    elsewhere = app.test_client()
    enter(elsewhere, owner.email, GOOD)
    assert opens(elsewhere)
    phone = set_up(with_password)
    assert not opens(elsewhere)
    assert opens(with_password.client)
    with_password.post("/account/factor/off", {"code": phone.code()})
    assert not opens(elsewhere)  # for good


def test_a_browser_that_was_left_open_sets_none_up(with_password: Browser, held: Runtime, clock: Any) -> None:
    clock.shift(sessions.FRESH + timedelta(minutes=1))
    assert with_password.post("/account/factor/begin").location == "/account/confirm"
    assert count(held, FactorSetup) == [0]
    assert with_password.post("/account/confirm", {"present": GOOD}).location == "/account?done=proven"
    assert with_password.post("/account/factor/begin").location == "/account/factor"


def test_what_was_begun_in_one_session_is_confirmed_in_no_other_and_not_after_half_an_hour(
    with_password: Browser, owner: Member, app: Flask, clock: Any
) -> None:
    with_password.post("/account/factor/begin")
    secret = key_on(with_password.get("/account/factor"))
    other = app.test_client()
    enter(other, owner.email, GOOD)
    theirs = Browser(other, csrf(other))
    assert "<svg" not in theirs.get("/account/factor").text
    code = totp.code_of(secret, totp.step_at(real_now()))
    assert theirs.post("/account/factor/confirm", {"code": code}).status_code == 400
    clock.shift(factors.SETUP)
    late = with_password.post("/account/factor/confirm", {"code": totp.code_of(secret, totp.step_at(real_now()))})
    assert "took longer than half an hour" in words_of(late)


def test_of_two_that_are_set_up_at_once_the_first_counts(with_password: Browser, owner: Member, app: Flask) -> None:
    """Whoever has not seen the first is not asked for one that they do not know."""
    other = app.test_client()
    enter(other, owner.email, GOOD)
    theirs = Browser(other, csrf(other))
    theirs.post("/account/factor/begin")
    secret = key_on(theirs.get("/account/factor"))
    set_up(with_password)
    answer = theirs.post("/account/factor/confirm", {"code": totp.code_of(secret, totp.step_at(real_now()))})
    assert answer.status_code == 401  # its session has ended
    assert opens(with_password.client)


# --- signing in ---------------------------------------------------------------------------------------------------


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
        _, token = members.invite(session, stranger.workspace_id, owner.email, "member", by="user:rita")
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


# --- a code is good once, and in its time -------------------------------------------------------------------------


@pytest.fixture
def at_the_door(phone: App, owner: Member, app: Flask) -> Callable[[], FlaskClient]:
    """A new browser, each time, in which Olga's password was given."""

    def come() -> FlaskClient:
        client = app.test_client()
        assert enter(client, owner.email, GOOD).location == "/signin/code"
        return client

    return come


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


# --- what opens nothing -------------------------------------------------------------------------------------------


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


# --- guessing -----------------------------------------------------------------------------------------------------


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


# --- looking after it ---------------------------------------------------------------------------------------------


def test_new_recovery_codes_take_a_code_and_end_the_older_ones(
    phone: App, with_password: Browser, at_the_door: Callable[[], FlaskClient], held: Runtime, owner: Member
) -> None:
    assert with_password.post("/account/factor/codes").status_code == 400
    page = with_password.post("/account/factor/codes", {"code": phone.code()})
    fresh = codes_on(page)
    assert len(fresh) == recovery.NUMBER
    assert not set(fresh) & set(phone.codes)
    assert give(at_the_door(), phone.codes[0]).status_code == 400
    assert give(at_the_door(), fresh[0]).status_code == 303
    assert "user factor.codes_made" in actions(held, owner)


def test_turning_it_off_takes_a_code_though_one_has_just_signed_in(
    phone: App, with_password: Browser, held: Runtime
) -> None:
    for form in ({}, {"code": ""}, {"present": GOOD}, {"code": GOOD}):
        assert with_password.post("/account/factor/off", form).status_code == 400
    assert count(held, SecondFactor) == [1]
    assert with_password.post("/account/factor/off", {"code": phone.codes[0]}).status_code == 303
    assert opens(with_password.client)
    assert "Off: your password, or a link, is enough" in words_of(with_password.get("/account"))


def test_another_phone_takes_the_place_of_the_first_once_both_have_given_a_code(
    phone: App, with_password: Browser, at_the_door: Callable[[], FlaskClient], held: Runtime, owner: Member
) -> None:
    assert with_password.post("/account/factor/begin").status_code == 400
    assert with_password.post("/account/factor/begin", {"code": phone.code()}).location == "/account/factor"
    secret = key_on(with_password.get("/account/factor"))
    assert secret != phone.secret
    assert give(at_the_door(), phone.code(1)).status_code == 303  # it works until then
    made = with_password.post("/account/factor/confirm", {"code": totp.code_of(secret, totp.step_at(real_now()))})
    assert len(codes_on(made)) == recovery.NUMBER
    assert opens(with_password.client)
    assert give(at_the_door(), phone.codes[0]).status_code == 400
    assert give(at_the_door(), App(secret, []).code(1)).status_code == 303
    assert count(held, SecondFactor, FactorSetup) == [1, 0]
    assert "user factor.replaced" in actions(held, owner)


def test_a_code_shows_anew_who_one_is_and_a_password_alone_does_too(
    phone: App, with_password: Browser, clock: Any
) -> None:
    clock.shift(sessions.FRESH + timedelta(minutes=1))
    assert with_password.post("/account/sessions/end-others").location == "/account/confirm"
    assert "Or a code of your second factor" in words_of(with_password.get("/account/confirm"))
    assert with_password.post("/account/confirm", {"code": phone.code()}).location == "/account?done=proven"
    assert with_password.post("/account/confirm", {"code": phone.code()}).status_code == 400  # and is used up by it
    assert with_password.post("/account/sessions/end-others").location == "/account?done=others_ended"


def test_a_secret_whose_key_is_gone_is_said_to_be_and_a_recovery_code_still_works(
    phone: App, at_the_door: Callable[[], FlaskClient], held: Runtime
) -> None:
    with held.db.globally() as session:
        session.execute(text("UPDATE second_factors SET sealed = 'v1.gone.x'"))
    client = at_the_door()
    refused = give(client, phone.code())
    assert refused.status_code == 400
    assert "cannot be checked here at the moment" in words_of(refused)
    assert give(client, phone.codes[0]).status_code == 303


# --- what one that a link set up guards ---------------------------------------------------------------------------


@pytest.fixture
def behind_a_link(held: Runtime, owner: Member, stranger: Member, app: Flask) -> tuple[Browser, App]:
    """Olga invites Rita, who has a workspace of her own, opens the link herself and sets up a second factor there."""
    with held.db.tenant(owner.workspace_id) as session:
        _, token = members.invite(session, owner.workspace_id, stranger.email, "member", by="user:olga")
    client = app.test_client()
    client.post(f"/join/{token}")
    browser = Browser(client, csrf(client))
    assert "none of your other workspaces" in words_of(browser.get("/account/factor"))
    return browser, set_up(browser)


def test_what_somebody_sets_up_behind_a_link_locks_its_person_out_nowhere_else(
    behind_a_link: tuple[Browser, App], held: Runtime, owner: Member, stranger: Member, signed_in: Callable[[str], Browser]
) -> None:  # fmt: skip
    rita = signed_in(stranger.email)  # by a link of whoever runs Warmline
    assert rita.get("/").status_code == 200
    halfway = rita.post("/workspace", {"workspace": str(owner.workspace_id)})
    assert halfway.location == "/signin/code"  # in that workspace it guards
    assert "Rival" in rita.get("/people").text
    _, theirs = behind_a_link
    before = rita.client.get_cookie(COOKIE)
    assert give(rita.client, theirs.code()).location == "/"
    assert "Acme" in rita.get("/people").text
    after = rita.client.get_cookie(COOKIE)
    assert before
    assert after
    assert before.value != after.value
    # One of her own guards the rest, and does not open what the other guards.
    rita.csrf = csrf(rita.client)
    rita.post("/workspace", {"workspace": str(stranger.workspace_id)})
    own = set_up(rita)
    assert rita.post("/workspace", {"workspace": str(owner.workspace_id)}).location == "/signin/code"
    assert give(rita.client, own.code(1)).status_code == 400
    assert count(held, SecondFactor) == [2]


def test_nor_does_it_where_that_workspace_is_the_one_that_they_belong_to_longest(
    held: Runtime, owner: Member, app: Flask
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        _, token = members.invite(session, owner.workspace_id, "nina@acme.test", "member", by="user:olga")
    behind = app.test_client()
    behind.post(f"/join/{token}")
    set_up(Browser(behind, csrf(behind)))
    by_operator = app.test_client()
    by_operator.post(accounts.signin_link(held.db, "nina@acme.test", ""))
    assert not opens(by_operator)  # it is her only one
    accounts.ensure_workspace(held.db, "Nina's", "nina@acme.test")
    assert by_operator.post(accounts.signin_link(held.db, "nina@acme.test", "")).location == "/"
    assert "Nina's" in words_of(by_operator.get("/people"))


def test_a_session_that_goes_over_is_as_old_as_it_was(
    behind_a_link: tuple[Browser, App], owner: Member, stranger: Member, signed_in: Callable[[str], Browser], held: Runtime
) -> None:  # fmt: skip
    """A link of long ago is not taken for a fresh one, which could set a password."""
    rita = signed_in(stranger.email)
    set_password(rita)
    late = signed_in(stranger.email)
    with held.db.globally() as session:
        session.execute(text("UPDATE sessions SET created_at = now() - interval '2 hours'"))
    late.post("/workspace", {"workspace": str(owner.workspace_id)})
    assert give(late.client, behind_a_link[1].code()).status_code == 303
    late.csrf = csrf(late.client)
    assert "Present password" in words_of(late.get("/account"))


def test_whoever_came_by_single_sign_on_goes_over_without_a_code(
    behind_a_link: tuple[Browser, App], held: Runtime, owner: Member, stranger: Member, app: Flask
) -> None:
    with held.db.globally() as session:
        cookie = sessions.begin(
            session, stranger.user_id, stranger.workspace_id, confined=False, browser="", began=sessions.OPENID
        )
    client = app.test_client()
    client.set_cookie(COOKIE, cookie)
    gone = client.post("/workspace", data={"csrf_token": csrf(client), "workspace": str(owner.workspace_id)})
    assert gone.location == "/?done=switched"
    assert "Acme" in words_of(client.get("/people"))


def test_one_that_was_begun_where_there_is_none_takes_the_place_of_no_other(
    behind_a_link: tuple[Browser, App], owner: Member, stranger: Member, signed_in: Callable[[str], Browser], held: Runtime
) -> None:  # fmt: skip
    rita = signed_in(stranger.email)
    rita.post("/account/factor/begin")
    secret = key_on(rita.get("/account/factor"))
    rita.post("/workspace", {"workspace": str(owner.workspace_id)})
    give(rita.client, behind_a_link[1].code())
    rita.csrf = csrf(rita.client)
    refused = rita.post("/account/factor/confirm", {"code": totp.code_of(secret, totp.step_at(real_now()))})
    assert refused.status_code == 400
    assert "was changed elsewhere just now" in words_of(refused)
    assert opens(rita.client)
    assert count(held, SecondFactor) == [1]


def test_a_sign_in_that_waits_in_one_browser_turns_no_other_ones_session(
    behind_a_link: tuple[Browser, App], owner: Member, stranger: Member, signed_in: Callable[[str], Browser], app: Flask
) -> None:  # fmt: skip
    rita = signed_in(stranger.email)
    rita.post("/workspace", {"workspace": str(owner.workspace_id)})
    token = rita.client.get_cookie(PENDING)
    assert token
    thief = app.test_client()
    thief.set_cookie(PENDING, token.value)
    assert give(thief, behind_a_link[1].code()).status_code == 410
    assert "Rival" in rita.get("/people").text


def test_whoever_is_removed_and_comes_back_sets_up_another(
    behind_a_link: tuple[Browser, App], held: Runtime, owner: Member, stranger: Member
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        members.remove(session, owner.workspace_id, stranger.user_id, by="user:olga")
    assert count(held, SecondFactor) == [0]


# --- where a workspace asks for one -------------------------------------------------------------------------------


def test_an_owner_asks_everybody_for_one_and_nothing_else_opens_to_whoever_has_none(
    phone: App,
    with_password: Browser,
    owner: Member,
    stranger: Member,
    held: Runtime,
    app: Flask,
    signed_in: Callable[[str], Browser],
) -> None:
    from tests.service.test_access import doors

    member(held, owner.workspace_id, "mia@acme.test", "owner")
    mia = signed_in("mia@acme.test")
    people = words_of(with_password.get("/people"))
    assert "Second factor set up" in people
    assert "No second factor" in people
    assert with_password.post("/people/second-factor", {"required": "yes"}).location == "/people?done=required"
    assert opens(with_password.client)
    assert "user workspace.factor_required" in actions(held, owner)

    led = mia.get("/tasks")
    assert (led.status_code, led.location) == (303, "/account/factor")
    page = words_of(mia.get("/account/factor"))
    assert "Acme asks everybody who signs in with a password or a link for a second factor." in page
    before = actions(held, owner)
    open_ = {"console.factor.show", "console.factor.begin", "console.factor.confirm", "console.account.confirm", "console.account.prove", "console.signin.out", "console.signin.switch"}  # fmt: skip
    for door in doors(app, "console."):
        if door.needed == "anybody" or door.endpoint in open_ or door.needed == "operate":
            continue
        answer = mia.client.open(
            door.path, method=door.method, data={"csrf_token": mia.csrf} if door.method == "POST" else None
        )
        assert (answer.status_code, answer.location) == (303, "/account/factor"), door
    assert actions(held, owner) == before
    set_up(mia)
    assert opens(mia.client)
    assert opens(signed_in(stranger.email).client)  # another workspace asks for nothing


def test_it_is_asked_of_sessions_by_password_and_link_and_not_of_keys_nor_of_single_sign_on(
    phone: App, with_password: Browser, owner: Member, held: Runtime, app: Flask
) -> None:
    member(held, owner.workspace_id, "mia@acme.test", "member")
    secret = accounts.create_api_key(held.db, owner.workspace_id, None, "all", ["read"])
    with_password.post("/people/second-factor", {"required": "yes"})
    with held.db.globally() as session:
        mia = session.execute(text("SELECT id FROM users WHERE email = 'mia@acme.test'")).scalar_one()
        cookies = {
            began: sessions.begin(session, mia, owner.workspace_id, confined=False, browser="", began=began)
            for began in (sessions.LINK, sessions.INVITATION, sessions.PASSWORD, sessions.OPENID)
        }
    led = {}
    for began, cookie in cookies.items():
        client = app.test_client()
        client.set_cookie(COOKIE, cookie)
        led[began] = client.get("/").status_code
    assert led == {"link": 303, "invitation": 303, "password": 303, "openid": 200}
    assert app.test_client().get("/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_whoever_has_none_themselves_does_not_ask_others_and_asking_is_not_for_a_browser_left_open(
    with_password: Browser, held: Runtime, clock: Any
) -> None:
    refused = with_password.post("/people/second-factor", {"required": "yes"})
    assert refused.status_code == 400
    assert "Set up a second factor of your own first" in words_of(refused)
    phone = set_up(with_password)
    clock.shift(sessions.FRESH + timedelta(minutes=1))
    assert with_password.post("/people/second-factor", {"required": "yes"}).location == "/account/confirm"
    with held.db.globally() as session:
        assert session.scalars(select(Workspace.requires_factor)).one() is False
    with_password.post("/account/confirm", {"code": phone.code()})
    with_password.post("/people/second-factor", {"required": "yes"})
    assert with_password.post("/people/second-factor", {"required": "no"}).location == "/people?done=not_required"


def test_whoever_turns_theirs_off_is_led_to_another_where_one_is_asked_for(phone: App, with_password: Browser) -> None:
    with_password.post("/people/second-factor", {"required": "yes"})
    with_password.post("/account/factor/off", {"code": phone.code()})
    assert with_password.get("/").location == "/account/factor"


# --- whoever has lost it ------------------------------------------------------------------------------------------


def test_whoever_runs_warmline_turns_off_what_somebody_has_lost_and_every_workspace_of_theirs_hears_of_it(
    phone: App, behind_a_link: tuple[Browser, App], held: Runtime, owner: Member, stranger: Member, app: Flask
) -> None:
    assert factors.forget(held.db, stranger.email)
    assert not factors.forget(held.db, stranger.email)
    assert count(held, SecondFactor) == [1]  # Olga's stays
    for where in (owner, stranger):
        assert "operator factor.taken_off" in actions(held, where)
    assert factors.forget(held.db, f" {owner.email.upper()}")
    assert enter(app.test_client(), owner.email, GOOD).location == "/"


def test_nobody_turns_off_anothers_in_the_console(
    phone: App, held: Runtime, owner: Member, signed_in: Callable[[str], Browser]
) -> None:
    member(held, owner.workspace_id, "mia@acme.test", "owner")
    mia = signed_in("mia@acme.test")
    for code in (phone.code(), phone.codes[0]):
        assert mia.post("/account/factor/off", {"code": code}).status_code == 400
    assert count(held, SecondFactor) == [1]


# --- what is kept -------------------------------------------------------------------------------------------------


def test_what_was_not_finished_is_forgotten_in_time(
    phone: App, at_the_door: Callable[[], FlaskClient], with_password: Browser, held: Runtime, owner: Member, clock: Any
) -> None:
    at_the_door()
    with_password.post("/account/factor/begin", {"code": phone.code()})
    assert count(held, PendingSignin, FactorSetup) == [1, 1]
    clock.shift(housekeeping.KEPT)
    housekeeping.tidy(held, owner.workspace_id)
    assert count(held, PendingSignin, FactorSetup) == [1, 1]
    clock.shift(timedelta(hours=1))
    held.redis.flushall()
    housekeeping.tidy(held, owner.workspace_id)
    assert count(held, PendingSignin, FactorSetup) == [0, 0]


def test_neither_secret_nor_codes_are_in_what_is_said_of_objects(phone: App, held: Runtime) -> None:
    said = repr(entering.Entered("a-session", "a-pending", "a-device")) + repr(factors.Made("a-session", phone.codes))
    said += repr(factors.Standing(secret=phone.secret)) + repr(secondstep.Finished("a-session", "a-device", "/", "app"))
    for secret in ("a-session", "a-pending", "a-device", phone.secret, *phone.codes):
        assert secret not in said
