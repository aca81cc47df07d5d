"""A second factor: how it is set up, looked after, lost and found again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from service import entering, factors, housekeeping, recovery, secondstep, sessions, totp
from service.clock import real_now
from service.console.factor import _qr
from service.models import FactorSetup, PendingSignin, SecondFactor
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import COOKIE, Browser, member, read, words_of
from tests.service.console.factor.app import (
    App,
    actions,
    codes_on,
    count,
    give,
    key_on,
    opens,
    set_up,
)
from tests.service.console.password.pages import GOOD, csrf, enter

# --- setting it up ---------------------------------------------------------------------------------------------------


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


# --- looking after it ------------------------------------------------------------------------------------------------


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


# --- whoever has lost it ---------------------------------------------------------------------------------------------


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


# --- what is kept ----------------------------------------------------------------------------------------------------


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
