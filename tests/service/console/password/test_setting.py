"""Signing in with a password: set, changed, forgotten, and nowhere but hashed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import OperationalError

from service import accounts, entering, members, passwords
from service.clock import real_now
from service.models import KnownDevice, Password
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import COOKIE, Browser, read, words_of
from tests.service.console.password.pages import BETTER, DEVICE, GOOD, WRONG, csrf, enter, invite, set_password, trail
from tests.service.console.test_single_sign_on import only_way_in

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
