"""Signing in with a password: set, changed, forgotten, guessed at."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, event, select, text, update
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from service import accounts, entering, members, passwords, sessions, signin
from service.clock import real_now
from service.models import Audit, Identity, KnownDevice, Password, SigninSession
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import COOKIE, Browser, read, words_of
from tests.service.console.test_single_sign_on import only_way_in

GOOD = "two plums and a bag of rain"
BETTER = "four pears below a warm bench"
WRONG = "two plums and a bag of hail"
DEVICE = "warmline_device"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def set_password(browser: Browser, password: str = GOOD, present: str = "") -> TestResponse:
    form = {"password": password, "again": password, "present": present}
    answer = browser.post("/account/password", form, headers={"User-Agent": FIREFOX})
    if answer.status_code == 303:
        browser.csrf = csrf(browser.client)
    return answer


def csrf(client: FlaskClient) -> str:
    return next(
        str(each["value"]) for tag, each in read(client.get("/account").text).tags if each.get("name") == "csrf_token"
    )


def enter(client: FlaskClient, email: str, password: str, *, address: str = "", **form: str) -> TestResponse:
    headers = {"User-Agent": FIREFOX, **({"X-Forwarded-For": address} if address else {})}
    with client.post("/signin", data={"email": email, "password": password, **form}, headers=headers) as answer:
        return answer  # closed, as a server does once it has been sent


def trail(held: Runtime, who: Member) -> list[str]:
    with held.db.tenant(who.workspace_id) as session:
        rows = session.scalars(select(Audit).order_by(Audit.created_at, Audit.id))
        return [
            f"{row.actor} {row.action} {row.subject}" for row in rows if row.action.startswith(("signin", "password"))
        ]


@pytest.fixture
def with_password(olga: Browser, owner: Member) -> Browser:
    """Olga, who has set a password."""
    assert set_password(olga).location == "/account?done=password"
    return olga


# --- setting and using one ----------------------------------------------------------------------------------------


def test_after_a_link_somebody_sets_a_password_and_signs_in_with_it_from_then_on(
    olga: Browser, owner: Member, app: Flask, held: Runtime
) -> None:
    asked = olga.get("/account")
    assert "Set a password" in words_of(asked)
    types = {each.get("name"): each.get("type") for tag, each in read(asked.text).tags if tag == "input"}
    assert (types["password"], types["again"]) == ("password", "password")
    assert "present" not in types
    assert set_password(olga).location == "/account?done=password"
    assert "Everywhere else you are signed out now." in words_of(olga.get("/account?done=password"))

    other = app.test_client()
    page = other.get("/signin")
    assert page.status_code == 200
    answer = enter(other, " Olga@ACME.test ", GOOD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert other.get("/tasks").status_code == 200
    assert "Change your password" in words_of(other.get("/account"))
    me = f"user:{owner.user_id}"
    assert trail(held, owner)[-2:] == [f"{me} password.set {me}", f"{me} signin.by_password {me}"]


def test_fields_let_password_managers_and_pasting_be(nobody: FlaskClient, with_password: Browser) -> None:
    fields = {each["name"]: each for tag, each in read(nobody.get("/signin").text).tags if tag == "input"}
    assert (fields["password"]["type"], fields["password"]["autocomplete"]) == ("password", "current-password")
    assert (fields["email"]["type"], fields["email"]["autocomplete"]) == ("email", "username")
    with time_machine.travel(real_now() + timedelta(hours=1), tick=False):
        account = {each["name"]: each for tag, each in read(with_password.get("/account").text).tags if tag == "input"}
    assert (account["present"]["autocomplete"], account["password"]["autocomplete"]) == (
        "current-password",
        "new-password",
    )
    for each in [*fields.values(), *account.values()]:
        assert not [name for name in each if name.startswith("on") or name == "pattern"]


REFUSED = (
    ("short", "short", "Take at least 15 characters."),
    ("plums for olga and the rain", "plums for olga and the rain", "Leave out"),
    ("thisismypassword", "thisismypassword", "lists of stolen ones"),
    (GOOD, BETTER, "The two new passwords are not the same."),
)


def test_what_cannot_be_chosen_is_refused_in_a_sentence_and_never_shown_again(olga: Browser) -> None:
    for password, again, sentence in REFUSED:
        answer = olga.post("/account/password", {"password": password, "again": again})
        assert answer.status_code == 400
        assert sentence in words_of(answer)
        assert f'value="{password}"' not in answer.text
        assert "Set a password" in words_of(answer)


def test_changing_it_takes_the_present_one_and_signs_everybody_else_out(
    with_password: Browser, owner: Member, app: Flask, held: Runtime
) -> None:
    olga = with_password
    elsewhere, link = app.test_client(), accounts.signin_link(held.db, owner.email, "")
    enter(elsewhere, owner.email, GOOD)
    before = olga.client.get_cookie(COOKIE)
    assert before

    assert "Present password" in words_of(olga.get("/account"))
    refused = set_password(olga, BETTER, present=WRONG)
    assert refused.status_code == 400
    assert "The present password is not right." in words_of(refused)
    assert elsewhere.get("/").status_code == 200

    assert set_password(olga, BETTER, present=GOOD).location == "/account?done=password"
    after = olga.client.get_cookie(COOKIE)
    assert after
    assert after.value != before.value
    assert accounts.caller_of_session(held.db, before.value) is None
    assert olga.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 401
    assert app.test_client().post(link).status_code == 410  # a link that lay about
    assert enter(app.test_client(), owner.email, GOOD).status_code == 400
    assert enter(app.test_client(), owner.email, BETTER).status_code == 303
    with held.db.globally() as session:
        devices = session.scalars(select(KnownDevice)).all()
    assert len(devices) == 2  # this one and the last; the one before is known no more
    assert [each.split()[1] for each in trail(held, owner)] == [
        "signin.by_link", "signin.by_link", "password.set", "signin.by_password", "password.refused", "password.changed",
        "signin.failed", "signin.by_password",
    ]  # fmt: skip


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Something happens once, when the next password has been judged and nothing has come of that yet."""
    judged = passwords.is_right

    def arrange(act: Callable[[], object]) -> None:
        def is_right(password: str, kept: str | None) -> bool:
            found = judged(password, kept)
            monkeypatch.setattr(passwords, "is_right", judged)
            act()
            return found

        monkeypatch.setattr(passwords, "is_right", is_right)

    return arrange


@pytest.mark.parametrize("how", ["changed", "gone", "of another workspace"])
def test_a_password_that_is_changed_while_it_is_judged_opens_nothing(
    with_password: Browser,
    owner: Member,
    stranger: Member,
    app: Flask,
    held: Runtime,
    meanwhile: Callable[[Callable[[], object]], None],
    how: str,
) -> None:
    def changes(statement: Any) -> None:
        with held.db.globally() as session:
            session.execute(statement)

    meanwhile(
        {
            "changed": lambda: set_password(with_password, BETTER, present=GOOD),
            "gone": lambda: changes(delete(Password)),
            "of another workspace": lambda: changes(update(Password).values(workspace_id=stranger.workspace_id)),
        }[how]
    )
    late = app.test_client()
    answer = enter(late, owner.email, GOOD)
    assert answer.status_code == 400
    assert "That address and password do not belong together." in words_of(answer)
    assert late.get("/").status_code == 401
    assert late.get_cookie(DEVICE) is None
    assert trail(held, owner)[-1] == f"system signin.failed user:{owner.user_id}"


def test_whoever_changes_a_password_waits_for_a_session_that_begins_by_it_and_ends_that_too(
    with_password: Browser, owner: Member, app: Flask, held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, tried = entering.enter, []

    def changes() -> None:
        with held.db.globally() as session:
            session.execute(text("SET LOCAL lock_timeout = '20ms'"))
            session.execute(update(Password).values(hash="another"))

    def enters(*arguments: Any, **options: Any) -> entering.Entered:
        with pytest.raises(OperationalError, match="lock timeout"):
            changes()
        tried.append(True)
        return begin(*arguments, **options)

    monkeypatch.setattr(entering, "enter", enters)
    client = app.test_client()
    assert enter(client, owner.email, GOOD).status_code == 303
    assert tried
    assert set_password(with_password, BETTER, present=GOOD).status_code == 303
    assert client.get("/").status_code == 401


def test_a_hash_that_is_made_anew_while_its_password_is_judged_keeps_nobody_out(
    with_password: Browser,
    owner: Member,
    app: Flask,
    held: Runtime,
    meanwhile: Callable[[Callable[[], object]], None],
) -> None:
    older = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(GOOD)
    with held.db.globally() as session:
        session.execute(update(Password).values(hash=older))
    meanwhile(lambda: enter(app.test_client(), owner.email, GOOD))
    assert enter(app.test_client(), owner.email, GOOD).status_code == 303


def test_guessing_the_present_one_is_slowed_down_too(with_password: Browser, held: Runtime) -> None:
    with time_machine.travel(real_now(), tick=False):
        answers = [set_password(with_password, BETTER, present=WRONG) for _ in range(6)]
    assert [each.status_code for each in answers] == [400] * 5 + [429]


def test_passwords_that_cannot_be_chosen_are_no_tries_at_the_present_one(with_password: Browser) -> None:
    for _ in range(7):
        assert set_password(with_password, "short", GOOD).status_code == 400
    assert set_password(with_password, BETTER, GOOD).status_code == 303


def test_a_forgotten_one_is_replaced_within_half_an_hour_of_a_new_link(
    with_password: Browser, owner: Member, held: Runtime, signed_in: Callable[[str], Browser], app: Flask
) -> None:
    late = signed_in(owner.email)
    with time_machine.travel(real_now() + timedelta(minutes=31), tick=False):
        assert "Present password" in words_of(late.get("/account"))
        assert set_password(late, BETTER).status_code == 400
    fresh = signed_in(owner.email)
    assert "Present password" not in words_of(fresh.get("/account"))
    assert set_password(fresh, BETTER).status_code == 303
    assert enter(app.test_client(), owner.email, BETTER).status_code == 303
    # The link has done what it was for: once more takes the present one.
    assert "Present password" in words_of(fresh.get("/account"))


def test_a_hash_under_older_parameters_is_made_anew_at_the_next_sign_in(
    with_password: Browser, owner: Member, held: Runtime, app: Flask
) -> None:
    older = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(GOOD)
    with held.db.globally() as session:
        session.execute(update(Password).values(hash=older))
    assert enter(app.test_client(), owner.email, WRONG).status_code == 400
    assert enter(app.test_client(), owner.email, GOOD).status_code == 303
    with held.db.globally() as session:
        kept = session.scalars(select(Password.hash)).one()
    assert kept != older
    assert "m=8,t=1" in kept
    assert enter(app.test_client(), owner.email, GOOD).status_code == 303


def test_a_new_session_takes_the_place_of_the_browsers_old_one(
    with_password: Browser, owner: Member, held: Runtime
) -> None:
    client = with_password.client
    before = client.get_cookie(COOKIE)
    assert before
    enter(client, owner.email, GOOD)
    after = client.get_cookie(COOKIE)
    assert after
    assert before.value != after.value
    assert accounts.caller_of_session(held.db, before.value) is None
    link = accounts.signin_link(held.db, owner.email, "")
    client.post(link)
    assert accounts.caller_of_session(held.db, after.value) is None


def test_a_cookie_that_somebody_planted_is_never_taken_for_a_session(
    with_password: Browser, owner: Member, app: Flask
) -> None:
    victim = app.test_client()
    victim.set_cookie(COOKIE, "planted-by-an-attacker")
    assert enter(victim, owner.email, GOOD).status_code == 303
    attacker = app.test_client()
    attacker.set_cookie(COOKIE, "planted-by-an-attacker")
    assert attacker.get("/").status_code == 401


# --- who may be behind a link -------------------------------------------------------------------------------------


def invite(held: Runtime, owner: Member, email: str) -> str:
    with held.db.tenant(owner.workspace_id) as session:
        _, token = members.invite(session, owner.workspace_id, email, "member", by="user:olga")
    return f"/join/{token}"


def test_a_password_set_after_an_invitation_opens_that_workspace_alone(
    held: Runtime, owner: Member, stranger: Member, app: Flask
) -> None:
    """Olga invites Rita, who has a workspace of her own, and opens the link herself."""
    behind = app.test_client()
    behind.post(invite(held, owner, stranger.email))
    who = Browser(behind, csrf(behind))
    assert "It opens this workspace alone" in words_of(who.get("/account"))
    assert set_password(who).status_code == 303
    again = app.test_client()
    assert enter(again, stranger.email, GOOD).status_code == 303
    page = again.get("/people").text
    assert "Acme" in page
    assert "Rival" not in page
    switched = again.post("/workspace", data={"csrf_token": csrf(again), "workspace": str(stranger.workspace_id)})
    assert switched.status_code == 404
    with held.db.tenant(owner.workspace_id) as session:
        members.remove(session, owner.workspace_id, stranger.user_id, by="user:olga")
    assert enter(app.test_client(), stranger.email, GOOD).status_code == 400
    assert accounts.caller_of_session(held.db, "x") is None


def test_a_link_of_one_workspace_never_replaces_a_password_that_opens_more(
    held: Runtime, owner: Member, stranger: Member, signed_in: Callable[[str], Browser], app: Flask
) -> None:
    rita = signed_in(stranger.email)
    assert set_password(rita, BETTER).status_code == 303
    behind = app.test_client()
    behind.post(invite(held, owner, stranger.email))
    who = Browser(behind, csrf(behind))
    refused = set_password(who, GOOD)
    assert refused.status_code == 400
    assert "Your password also opens other workspaces" in words_of(refused)
    assert "Browsers that are known" not in words_of(who.get("/account"))
    assert rita.get("/").status_code == 200
    assert enter(app.test_client(), stranger.email, BETTER).status_code == 303
    assert (
        set_password(who, "three more plums and the rain", present=BETTER).status_code == 303
    )  # whoever knows it is her
    both = app.test_client()
    enter(both, stranger.email, "three more plums and the rain")
    assert "Rival" in both.get("/people").text


# --- guessing -----------------------------------------------------------------------------------------------------


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


# --- sessions -----------------------------------------------------------------------------------------------------


def test_a_session_ends_when_nobody_uses_it_and_at_last_in_any_case(olga: Browser, held: Runtime) -> None:
    start = real_now()
    with time_machine.travel(start + sessions.IDLE - timedelta(minutes=1), tick=False) as clock:
        assert olga.get("/").status_code == 200
        for days in (7, 10, 13):
            clock.move_to(start + timedelta(days=days))
            assert olga.get("/").status_code == 200
        clock.move_to(start + sessions.LIFETIME + timedelta(seconds=1))
        assert olga.get("/").status_code == 401
    with time_machine.travel(start, tick=False), held.db.globally() as session:
        session.execute(update(SigninSession).values(last_seen_at=start - sessions.IDLE - timedelta(minutes=1)))
    with time_machine.travel(start, tick=False):
        assert olga.get("/").status_code == 401


def test_all_other_sessions_are_ended_with_one_press(
    with_password: Browser, owner: Member, app: Flask, held: Runtime
) -> None:
    others = [app.test_client() for _ in range(2)]
    for each in others:
        enter(each, owner.email, GOOD)
    assert words_of(with_password.get("/account")).count("Firefox on Linux") >= 2
    assert with_password.post("/account/sessions/end-others").location == "/account?done=others_ended"
    assert [each.get("/").status_code for each in others] == [401, 401]
    assert with_password.get("/").status_code == 200
    assert "session.others_ended" in _actions(held, owner)


LATER = sessions.FRESH + timedelta(minutes=1)


@pytest.fixture
def changes(with_password: Browser, owner: Member, app: Flask, held: Runtime) -> dict[str, Any]:
    """What one may do about signing in, by its form, and what there is to lose."""
    other = app.test_client()
    enter(other, owner.email, GOOD)
    page = with_password.get("/account").text
    with held.db.globally() as session:
        session.add(Identity(issuer="https://id.test", subject="olga", user_id=owner.user_id, last_used_at=real_now()))
        session.flush()
        identity = session.scalars(select(Identity.id)).one()
    [*_, device] = re.findall(r"/account/devices/[\w-]+/forget", page)
    [session_of] = set(re.findall(r"/account/sessions/[\w-]{36}/end-own", page))
    paths = (session_of, "/account/sessions/end-others", device, f"/account/identities/{identity}/untie")
    return {"paths": paths, "other": other}


def test_what_is_about_signing_in_changes_only_where_somebody_has_just_shown_who_they_are(
    with_password: Browser, changes: dict[str, Any], held: Runtime, owner: Member
) -> None:
    """A browser that was left open signs nobody out, unties nothing and forgets nothing."""
    with time_machine.travel(real_now() + LATER, tick=False):
        before = trail(held, owner)
        for path in changes["paths"]:
            answer = with_password.post(path)
            assert (answer.status_code, answer.location) == (303, "/account/confirm"), path
        assert changes["other"].get("/").status_code == 200
        assert trail(held, owner) == before
        asked = words_of(with_password.get("/account/confirm"))
        assert "Nothing was changed yet." in asked
        assert with_password.post("/account/confirm", {"present": WRONG}).status_code == 400
        assert with_password.post(changes["paths"][1]).location == "/account/confirm"
        assert with_password.post("/account/confirm", {"present": GOOD}).location == "/account?done=proven"
        done = [with_password.post(path).location for path in changes["paths"]]
        assert [each.partition("=")[2] for each in done] == ["ended", "others_ended", "forgotten", "untied"]
    with time_machine.travel(real_now() + 2 * LATER, tick=False):  # and not for ever
        assert with_password.post("/account/sessions/end-others").location == "/account/confirm"


def test_whoever_guesses_there_waits_like_anywhere(with_password: Browser) -> None:
    with time_machine.travel(real_now() + LATER, tick=False):
        statuses = [with_password.post("/account/confirm", {"present": WRONG}).status_code for _ in range(6)]
        assert statuses == [400] * 5 + [429]
        assert with_password.post("/account/confirm", {"present": GOOD}).status_code == 429


def test_whoever_has_no_password_is_told_how_to_show_who_they_are(olga: Browser) -> None:
    with time_machine.travel(real_now() + LATER, tick=False):
        assert olga.post("/account/sessions/end-others").location == "/account/confirm"
        asked = olga.get("/account/confirm")
        assert "You have no password here. Sign in with a new one-time link" in words_of(asked)
        assert 'type="password"' not in asked.text
        assert olga.post("/account/confirm", {"present": ""}).status_code == 400


def _actions(held: Runtime, who: Member) -> list[str]:
    with held.db.tenant(who.workspace_id) as session:
        return list(session.scalars(select(Audit.action)))


# --- nothing is told ----------------------------------------------------------------------------------------------


def test_a_password_is_nowhere_but_hashed(
    with_password: Browser, owner: Member, app: Flask, held: Runtime, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = enter(app.test_client(), owner.email, GOOD)
    wrong = enter(app.test_client(), owner.email, WRONG)
    kept = str(answer.headers) + wrong.text + "".join(capfd.readouterr())
    with held.db.tenant(owner.workspace_id) as session:
        for table in ("passwords", "known_devices", "signin_tries", "sessions", "audit", "users"):
            kept += "".join(session.scalars(text(f"SELECT t::text FROM {table} t")))
    for secret in (GOOD, WRONG):
        assert secret not in kept
        assert secret.encode().hex() not in kept
    assert GOOD not in repr(entering.Visitor(device=GOOD, session=GOOD)) + repr(entering.Entered(GOOD, GOOD, GOOD))


def test_where_single_sign_on_is_the_only_way_in_nothing_else_is(
    with_password: Browser, owner: Member, app: Flask, held: Runtime
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        passed_on = members.link_for(session, owner.workspace_id, owner.user_id, by="user:x")
    by_password = app.test_client()
    enter(by_password, owner.email, GOOD)
    with only_way_in(app, held):
        assert by_password.get("/").status_code == 401  # also what began before
        page = app.test_client().get("/signin")
        assert "Sign in with id.test" in words_of(page)
        assert 'name="password"' not in page.text
        assert enter(app.test_client(), owner.email, GOOD).status_code == 403
        assert app.test_client().post(f"/signin/{passed_on}").status_code == 410
        operators = app.test_client()  # whoever runs Warmline can still let somebody in
        assert operators.post(accounts.signin_link(held.db, owner.email, "")).status_code == 303
        assert 'name="password"' not in operators.get("/account").text
        token = csrf_of(operators)
        assert operators.post("/account/password", data={"csrf_token": token}).status_code == 403
        assert operators.post(f"/people/{owner.user_id}/link", data={"csrf_token": token}).status_code == 403
    assert by_password.get("/").status_code == 200


def csrf_of(client: FlaskClient) -> str:
    return next(str(each["value"]) for _, each in read(client.get("/").text).tags if each.get("name") == "csrf_token")
