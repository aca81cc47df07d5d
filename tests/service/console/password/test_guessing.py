"""Passwords that somebody guesses at: nobody learns anything, and whoever hammers waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from service import passwords, signin
from service.clock import real_now
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, read, words_of
from tests.service.console.password.pages import BETTER, DEVICE, GOOD, WRONG, enter, set_password, trail


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        said.append(statement)

    engine = app.extensions["warmline"].db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def test_nobody_learns_who_has_an_account_or_a_password(
    with_password: Browser, owner: Member, stranger: Member, app: Flask, statements: list[str], monkeypatch: Any
) -> None:
    """The same words, status and headers, the same statements, one password hashed each time; what goes into the trail goes there
    once the answer is out."""
    hashed: list[bool] = []
    monkeypatch.setattr(signin.passwords, "is_right", lambda *_: hashed.append(True))
    seen = []
    for email in (owner.email, stranger.email, "nobody@acme.test", "no address", "", "x" * 5000, "a@b.c' OR 1=1 --"):
        statements.clear()
        answer = app.test_client().post("/signin", data={"email": email, "password": WRONG})
        seen.append((answer.status_code, sorted(answer.headers.keys()), list(statements)))
        said = words_of(answer)
        assert "That address and password do not belong together." in said
        answer.close()
    assert all(each == seen[0] for each in seen)
    assert len(hashed) == len(seen)
    assert seen[0][0] == 400


def test_failures_are_in_the_trail_of_each_workspace_by_id(
    with_password: Browser, owner: Member, stranger: Member, app: Flask, held: Runtime
) -> None:
    enter(app.test_client(), owner.email, WRONG)
    enter(app.test_client(), "nobody@acme.test", WRONG)
    assert trail(held, owner)[-1] == f"system signin.failed user:{owner.user_id}"
    assert not [each for each in trail(held, stranger) if "failed" in each]


def test_whoever_hammers_an_account_waits_longer_and_longer_and_its_owner_does_not(
    with_password: Browser, owner: Member, app: Flask
) -> None:
    attacker, address = app.test_client(), "203.0.113.7"
    with time_machine.travel(real_now(), tick=False) as clock:
        for _ in range(5):
            assert enter(attacker, owner.email, WRONG, address=address).status_code == 400
        waits = []
        for _ in range(4):
            closed = enter(attacker, owner.email, GOOD, address=address)  # even the right one is not judged
            assert closed.status_code == 429
            assert "Too many tries have failed." in words_of(closed)
            waits.append(int(closed.headers["Retry-After"]))
            clock.shift(waits[-1])
            assert enter(attacker, owner.email, WRONG, address=address).status_code == 400
        assert waits == [1, 2, 4, 8]
        # Olga, at the same address, in the browser in which she set her password.
        with_password.post("/signout")
        assert enter(with_password.client, owner.email, GOOD, address=address).status_code == 303
        # And in one that is new to us, she waits like anybody, or takes a link.
        assert enter(app.test_client(), owner.email, GOOD).status_code == 429


def test_an_account_that_there_is_not_closes_like_any(with_password: Browser, owner: Member, app: Flask) -> None:
    with time_machine.travel(real_now(), tick=False):
        for email in (owner.email, "nobody@acme.test"):
            answers = [enter(app.test_client(), email, WRONG) for _ in range(7)]
            assert [each.status_code for each in answers] == [400] * 5 + [429] * 2


def test_a_try_that_nobody_had_time_to_judge_is_not_held_against_anybody(
    with_password: Browser, owner: Member, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = threading.BoundedSemaphore(1)
    monkeypatch.setattr(passwords, "_turns", turns)
    monkeypatch.setattr(passwords, "WAIT", 0.01)
    with turns:
        for _ in range(6):
            assert enter(app.test_client(), owner.email, GOOD).status_code == 503
            assert set_password(with_password, BETTER, GOOD).status_code == 503
    assert enter(app.test_client(), owner.email, GOOD).status_code == 303
    assert set_password(with_password, BETTER, GOOD).status_code == 303


@pytest.mark.parametrize("odd", ["\ud800@acme.test", "x" * 5000, "@", ""])
def test_odd_addresses_are_nobodys(nobody: FlaskClient, odd: str) -> None:
    form = urlencode({"email": odd, "password": odd}, errors="surrogatepass")
    answer = nobody.post("/signin", data=form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert "do not belong together" in words_of(answer)


def test_a_known_browser_gets_five_tries_too_and_is_known_for_its_person_alone(
    with_password: Browser, owner: Member, stranger: Member, app: Flask, signed_in: Callable[[str], Browser]
) -> None:
    device = with_password.client.get_cookie(DEVICE)
    assert device
    thief = app.test_client()
    thief.set_cookie(DEVICE, device.value)
    assert thief.get("/").status_code == 401  # it opens nothing by itself
    with time_machine.travel(real_now(), tick=False):
        answers = [enter(thief, owner.email, WRONG) for _ in range(7)]
        assert [each.status_code for each in answers] == [400] * 5 + [429] * 2
        for _ in range(5):
            enter(app.test_client(), stranger.email, WRONG)
        assert enter(thief, stranger.email, WRONG).status_code == 429  # to Rita's account, it is no known browser


def test_one_address_that_tries_many_accounts_is_slowed_down_and_others_are_not(
    with_password: Browser, owner: Member, app: Flask
) -> None:
    with time_machine.travel(real_now(), tick=False):
        answers = [enter(app.test_client(), f"p{n}@acme.test", WRONG, address="203.0.113.7") for n in range(21)]
        assert [each.status_code for each in answers] == [400] * 20 + [429]
        forged = enter(app.test_client(), "q@acme.test", WRONG, address="198.51.100.1, 203.0.113.7")
        assert forged.status_code == 429  # what stands before the last one anybody may have written
        assert enter(app.test_client(), owner.email, GOOD, address="203.0.113.8").status_code == 303


def test_many_who_sign_in_rightly_from_one_address_never_wait(
    with_password: Browser, owner: Member, app: Flask
) -> None:
    with time_machine.travel(real_now(), tick=False):
        for _ in range(25):
            assert enter(app.test_client(), owner.email, GOOD, address="203.0.113.7").status_code == 303


def test_a_browser_that_is_forgotten_counts_like_anybodys(with_password: Browser, owner: Member, app: Flask) -> None:
    page = with_password.get("/account")
    assert "Firefox on Linux (this one)" in words_of(page)
    [path] = [
        each["action"] for tag, each in read(page.text).tags if tag == "form" and "/devices/" in (each["action"] or "")
    ]
    assert with_password.post(path or "").location == "/account?done=forgotten"
    with time_machine.travel(real_now(), tick=False):
        for _ in range(5):
            enter(app.test_client(), owner.email, WRONG)
        assert enter(with_password.client, owner.email, GOOD).status_code == 429
