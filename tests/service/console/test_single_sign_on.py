"""Single sign-on, from the button to the issuer and back: who is let in, and every way in which that goes wrong."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import responses
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from service import accounts, invitations
from service.app import create_app
from service.clock import real_now
from service.config import SingleSignOn
from service.models import Audit, Identity, OpenIDState, User
from service.openid import LOST
from service.runtime import Runtime
from tests.conftest import Member
from tests.integrations import issuer as fake
from tests.integrations.issuer import CLIENT, ISSUER, SECRET, Issuer
from tests.service.console.conftest import COOKIE, read, words_of

SETTING = SingleSignOn(ISSUER, CLIENT, SECRET)


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return fake.rsa()


@pytest.fixture
def there(key: RSAKey) -> Iterator[Issuer]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found = Issuer(key)
        found.answer(mock)
        yield found


@pytest.fixture
def config(config: Any) -> Any:
    return replace(config, single_sign_on=SETTING)


@contextmanager
def only_way_in(app: Flask, held: Runtime) -> Iterator[None]:
    """While this lasts, single sign-on is the only way in."""
    before = app.extensions["warmline"]
    app.extensions["warmline"] = now = Runtime(replace(held.config, single_sign_on=replace(SETTING, only=True)))
    try:
        yield
    finally:
        app.extensions["warmline"] = before
        now.db.engine.dispose()
        now.redis.close()


def start(client: FlaskClient, path: str = "/signin/openid", **form: str) -> str:
    """Presses the button; returns the issuer's address."""
    away = client.post(path, data=form)
    assert away.status_code == 302, words_of(away)
    return str(away.location)


def back(client: FlaskClient, query: dict[str, str]) -> TestResponse:
    return client.get("/signin/openid/callback", query_string=query)


def sign_in(client: FlaskClient, there: Issuer, **form: str) -> TestResponse:
    return back(client, there.consent(start(client, **form)))


def actions(held: Runtime, who: Member) -> list[str]:
    with held.db.tenant(who.workspace_id) as session:
        return list(session.scalars(select(Audit.action).order_by(Audit.created_at, Audit.id)))


def test_a_member_signs_in_and_is_tied_to_the_issuers_name_for_them(
    nobody: FlaskClient, there: Issuer, owner: Member, held: Runtime, app: Flask
) -> None:
    assert "Sign in with id.test" in words_of(nobody.get("/signin"))
    answer = sign_in(nobody, there, next="/tasks?show=held")
    assert (answer.status_code, answer.location) == (303, "/tasks?show=held")
    assert "Signed in as olga@acme.test" in words_of(nobody.get("/"))
    assert actions(held, owner)[-2:] == ["identity.linked", "signin.by_openid"]
    # From then on the address there is of no matter: it may have been given to somebody else.
    there.email, there.email_verified = "olga@elsewhere.test", False
    again = app.test_client()
    assert sign_in(again, there).status_code == 303
    assert "Signed in as olga@acme.test" in words_of(again.get("/"))
    assert "https://id.test · tied" in words_of(again.get("/account"))


def test_a_letter_that_only_looks_alike_in_lower_case_is_another_letter(
    nobody: FlaskClient, there: Issuer, owner: Member, held: Runtime
) -> None:
    with held.db.globally() as session:
        session.execute(update(User).values(email="kolga@acme.test"))
    there.email = "\N{KELVIN SIGN}olga@acme.test"
    assert there.email.lower() == "kolga@acme.test"
    assert sign_in(nobody, there).status_code == 400
    there.email = "KOlga@Acme.test"
    assert sign_in(nobody, there).status_code == 303


def test_an_address_that_was_given_to_somebody_else_there_lets_them_in_nowhere(
    nobody: FlaskClient, there: Issuer, owner: Member, app: Flask
) -> None:
    sign_in(nobody, there)
    there.subject = "sub-successor"
    other = app.test_client()
    refused = sign_in(other, there)
    assert refused.status_code == 400
    assert "tied to another account at id.test" in words_of(refused)
    assert other.get("/").status_code == 401
    # Once Olga unties it, whoever has the address is her.
    page = nobody.get("/account").text
    [path] = [each["action"] for tag, each in read(page).tags if tag == "form" and "/untie" in (each["action"] or "")]
    token = next(each["value"] for _, each in read(page).tags if each.get("name") == "csrf_token")
    assert nobody.post(path or "", data={"csrf_token": token}).location == "/account?done=untied"
    assert sign_in(app.test_client(), there).status_code == 303


STRANGERS = (
    ("nobody@acme.test", True, "no workspace here has you as a member"),
    ("olga@acme.test", False, "has not verified your e-mail address"),
    ("olga@acme.test", "true", "has not verified your e-mail address"),
    ("", True, "has not verified your e-mail address"),
    ("olga@acme.test.evil.test", True, "no workspace here has you as a member"),
    ("ＯＬＧＡ@acme.test", True, "no workspace here has you as a member"),
)


def test_nobody_is_let_in_who_is_not_a_member(nobody: FlaskClient, there: Issuer, owner: Member, held: Runtime) -> None:
    for email, verified, sentence in STRANGERS:
        there.email, there.email_verified = email, verified
        refused = sign_in(nobody, there)
        assert refused.status_code == 400
        assert sentence in words_of(refused), email
        assert nobody.get("/").status_code == 401
    with held.db.globally() as session:
        assert session.scalars(select(Identity)).all() == []
        assert session.scalars(select(User.email)).all() == ["olga@acme.test"]


def test_somebody_who_belongs_nowhere_any_more_is_let_in_no_longer(
    nobody: FlaskClient, there: Issuer, owner: Member, held: Runtime
) -> None:
    sign_in(nobody, there)
    with held.db.globally() as session:
        session.execute(text("DELETE FROM memberships"))
    assert nobody.get("/").status_code == 401
    assert sign_in(nobody, there).status_code == 400


def test_whoever_is_invited_joins_as_whom_the_issuer_knows(
    there: Issuer, owner: Member, held: Runtime, app: Flask
) -> None:
    link = invite(held, owner, "mia@acme.test")
    there.subject, there.email = "sub-mia", "mia@acme.test"
    mia = app.test_client()
    assert "Join with id.test" in words_of(mia.get(link))
    assert back(mia, there.consent(start(mia, link, openid="1"))).status_code == 303
    assert "Signed in as mia@acme.test" in words_of(mia.get("/"))
    assert app.test_client().get(link).status_code == 410
    assert actions(held, owner)[-3:] == ["member.joined", "identity.linked", "signin.by_openid"]


def test_an_invitation_lets_in_nobody_whom_it_does_not_name(
    there: Issuer, owner: Member, held: Runtime, app: Flask
) -> None:
    link = invite(held, owner, "mia@acme.test")
    there.subject, there.email = "sub-eve", "eve@evil.test"
    eve = app.test_client()
    refused = back(eve, there.consent(start(eve, link, openid="1")))
    assert refused.status_code == 400
    assert "This invitation is for another address" in words_of(refused)
    assert eve.get("/").status_code == 401
    assert app.test_client().get(link).status_code == 200  # and it is still good


def test_where_it_is_the_only_way_in_an_invitation_leads_there_too(
    there: Issuer, owner: Member, held: Runtime, app: Flask
) -> None:
    link = invite(held, owner, "mia@acme.test")
    there.subject, there.email = "sub-mia", "mia@acme.test"
    mia = app.test_client()
    with only_way_in(app, held):
        page = mia.get(link)
        assert [each for tag, each in read(page.text).tags if tag == "button"] == [
            {"class": "primary", "name": "openid", "value": "1", "autofocus": None}
        ]
        assert back(mia, there.consent(start(mia, link))).status_code == 303
        assert mia.get("/tasks").status_code == 200


def test_a_link_that_nobody_made_leads_to_no_issuer(nobody: FlaskClient, there: Issuer, owner: Member) -> None:
    """Of a workspace that is there, and of one that is not."""
    for workspace in (owner.workspace_id.bytes, bytes(16)):
        token = urlsafe_b64encode(workspace + bytes(32)).decode()
        answer = nobody.post(f"/join/{token}", data={"openid": "1"})
        assert answer.status_code == 410
        assert "This invitation was used already" in words_of(answer)


def invite(held: Runtime, owner: Member, email: str) -> str:
    with held.db.tenant(owner.workspace_id) as session:
        _, token = invitations.invite(session, owner.workspace_id, email, "member", by="user:olga")
    return f"/join/{token}"


# --- attacks ------------------------------------------------------------------------------------------------------


def test_an_attackers_answer_in_the_victims_browser_signs_nobody_in(
    there: Issuer, owner: Member, stranger: Member, app: Flask
) -> None:
    """Fixation: the victim would work on in the attacker's account."""
    attacker, victim = app.test_client(), app.test_client()
    there.subject, there.email = "sub-rita", stranger.email
    answer = there.consent(start(attacker))
    for begin_one_too in (False, True):
        if begin_one_too:
            start(victim)
        refused = back(victim, answer)
        assert refused.status_code == 400
        assert LOST in words_of(refused)
        assert victim.get("/").status_code == 401
    assert back(attacker, answer).status_code == 303  # it has not been spent by that


def test_a_callback_that_comes_twice_signs_in_once(nobody: FlaskClient, there: Issuer, owner: Member) -> None:
    answer = there.consent(start(nobody))
    first = nobody.get_cookie("warmline_openid")
    assert first
    assert back(nobody, answer).status_code == 303
    nobody.set_cookie("warmline_openid", first.value)
    assert LOST in words_of(back(nobody, answer))
    assert len(there.spent) == 1


def test_a_stolen_code_is_worth_nothing_in_another_sign_in(there: Issuer, owner: Member, app: Flask) -> None:
    """Injection: the attacker puts the victim's code into a sign-in of their own."""
    victim, attacker = app.test_client(), app.test_client()
    stolen = there.consent(start(victim))["code"]
    own = there.consent(start(attacker))
    refused = back(attacker, {"code": stolen, "state": own["state"]})
    assert refused.status_code == 400
    assert attacker.get("/").status_code == 401
    assert there.spent == []


def test_a_state_that_we_never_gave_signs_nobody_in(nobody: FlaskClient, there: Issuer) -> None:
    start(nobody)
    for state in ("", "forged", "é", "x" * 5000):
        assert LOST in words_of(back(nobody, {"state": state, "code": "code-0"}))
    assert there.spent == []


def test_a_sign_in_that_took_too_long_is_over(nobody: FlaskClient, there: Issuer, owner: Member) -> None:
    answer = there.consent(start(nobody))
    with time_machine.travel(real_now() + timedelta(minutes=11), tick=False):
        assert LOST in words_of(back(nobody, answer))


def test_two_windows_of_one_browser_do_not_disturb_each_other(
    nobody: FlaskClient, there: Issuer, owner: Member
) -> None:
    one, other = start(nobody, next="/tasks"), start(nobody, next="/matches")
    assert back(nobody, there.consent(one)).location == "/tasks"
    cookie = nobody.get_cookie("warmline_openid")
    assert cookie is None  # spent; the second window signs in anew, where it is needed at all
    assert nobody.get("/signin").location == "/"
    assert LOST in words_of(back(nobody, there.consent(other)))


def test_the_session_that_the_browser_had_is_over(
    there: Issuer, owner: Member, stranger: Member, app: Flask, held: Runtime
) -> None:
    client = app.test_client()
    client.post(accounts.signin_link(held.db, stranger.email, ""))
    before = client.get_cookie(COOKIE)
    assert before
    sign_in(client, there)
    assert "Signed in as olga@acme.test" in words_of(client.get("/"))
    assert accounts.caller_of_session(held.db, before.value) is None


def test_nothing_of_a_sign_in_under_way_is_kept_but_hashes(
    nobody: FlaskClient, there: Issuer, owner: Member, held: Runtime
) -> None:
    url = start(nobody)
    cookie = nobody.get_cookie("warmline_openid")
    assert cookie
    query = there.consent(url)
    asked = there.asked[0]
    with held.db.globally() as session:
        [row] = session.scalars(text("SELECT t::text FROM openid_states t"))
        assert session.scalars(select(OpenIDState.state_hash)).one()
    for secret in (cookie.value, query["state"], asked["nonce"], asked["code_challenge"]):
        assert secret not in row
        assert secret.encode().hex() not in row
    assert len({cookie.value, query["state"], asked["nonce"], asked["code_challenge"]}) == 4


def test_it_leads_to_pages_of_ours_alone(nobody: FlaskClient, there: Issuer, owner: Member) -> None:
    for wanted in ("https://evil.test/", "//evil.test", "/\\evil.test", "/connect/secret-ticket", "/signout"):
        assert sign_in(nobody, there, next=wanted).location == "/"


def test_a_press_is_needed_and_one_on_another_site_does_not_count(nobody: FlaskClient, there: Issuer) -> None:
    assert nobody.get("/signin/openid").status_code in (200, 404, 405)  # a one-time link's page at most
    assert there.asked == []
    for headers in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert nobody.post("/signin/openid", headers=headers).status_code == 400
    left = nobody.post("/signin/openid", headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"})
    assert left.headers["Refresh"].startswith(f"0; url={ISSUER}/authorize?")


def test_an_issuer_that_is_away_or_refuses_is_a_sentence(nobody: FlaskClient, owner: Member, key: RSAKey) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{ISSUER}/.well-known/openid-configuration", status=503)
        answer = nobody.post("/signin/openid")
        assert (answer.status_code, "id.test is not answering at the moment." in words_of(answer)) == (400, True)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        there = Issuer(key)
        there.answer(mock)
        state = there.consent(start(nobody))["state"]
        answer = back(nobody, {"state": state, "error": "access_denied"})
        assert "id.test did not sign you in (access_denied)." in words_of(answer)
        assert SECRET not in answer.text


def test_without_it_there_is_no_button_and_no_door(held: Runtime, config: Any, there: Issuer) -> None:
    app = create_app(replace(config, single_sign_on=None))
    client = app.test_client()
    assert "Sign in with" not in words_of(client.get("/signin"))
    assert client.post("/signin/openid").status_code == 404
    assert back(client, {"state": "x", "code": "y"}).status_code == 400
    app.extensions["warmline"].db.engine.dispose()


def test_a_name_that_is_tied_by_hand_to_nobody_is_nobody(
    nobody: FlaskClient, there: Issuer, owner: Member, held: Runtime
) -> None:
    """Another issuer's same subject is somebody else."""
    sign_in(nobody, there)
    with held.db.globally() as session:
        session.execute(update(Identity).values(issuer="https://other.test"))
        session.execute(update(User).values(email="moved@acme.test"))
    nobody.delete_cookie(COOKIE)
    assert sign_in(nobody, there).status_code == 400
