"""A sign-in that waits for its code ends with the sessions that it would have stood beside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service import accounts, members
from service.models import Membership, PendingSignin
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, member, words_of
from tests.service.console.factor.app import App, count, give, opens, set_up
from tests.service.console.password.pages import BETTER, GOOD, csrf, enter, invite, set_password

CHANGED = {"password": BETTER, "again": BETTER, "present": GOOD}


def waiting_after(link: str, app: Flask) -> FlaskClient:
    """A new browser in which this link was opened."""
    client = app.test_client()
    assert client.post(link).location == "/signin/code"
    return client


@pytest.mark.parametrize(
    ("path", "form"), [("/account/password", CHANGED), ("/account/sessions/end-others", {})], ids=["changed", "ended"]
)
def test_none_outlives_a_change_of_password_or_the_end_of_all_other_sessions(
    phone: App, at_the_door: Callable[[], FlaskClient], with_password: Browser, held: Runtime, owner: Member, app: Flask,
    path: str, form: dict[str, str],
) -> None:  # fmt: skip
    strangers = [at_the_door(), waiting_after(accounts.signin_link(held.db, owner.email, ""), app)]
    assert with_password.post(path, form).status_code == 303
    for each in strangers:
        lost = give(each, phone.code())
        assert lost.status_code == 410
        assert "was ended meanwhile" in words_of(lost)
        assert not opens(each)
    assert count(held, PendingSignin) == [0]


def test_none_outlives_a_password_that_was_forgotten_and_chosen_anew_after_a_link(
    phone: App, at_the_door: Callable[[], FlaskClient], held: Runtime, owner: Member, app: Flask
) -> None:
    client = waiting_after(accounts.signin_link(held.db, owner.email, ""), app)
    assert give(client, phone.code()).location == "/"
    thief = at_the_door()
    assert set_password(Browser(client, csrf(client)), BETTER).status_code == 303
    assert give(thief, phone.code(1)).status_code == 410


def test_whoever_is_removed_and_comes_back_finishes_none_that_was_begun_before(
    phone: App, at_the_door: Callable[[], FlaskClient], held: Runtime, owner: Member
) -> None:
    client = at_the_door()
    member(held, owner.workspace_id, "other@acme.test", "owner")
    with held.db.tenant(owner.workspace_id) as session:
        members.remove(session, owner.workspace_id, owner.user_id, by="user:x")
    with held.db.globally() as session:
        session.add(Membership(workspace_id=owner.workspace_id, user_id=owner.user_id, role="member"))
    assert give(client, phone.code()).status_code == 410


@pytest.fixture
def rita(stranger: Member, signed_in: Callable[[str], Browser]) -> tuple[Browser, App]:
    """Rita, in a workspace of her own, with a password and a second factor."""
    browser = signed_in(stranger.email)
    assert set_password(browser).status_code == 303
    return browser, set_up(browser)


def test_what_is_done_behind_a_link_ends_none_elsewhere_but_those_by_the_password_that_was_changed(
    rita: tuple[Browser, App], held: Runtime, owner: Member, stranger: Member, app: Flask
) -> None:
    """Olga has invited Rita. That session is confined to Olga's workspace; the password opens Rita's own as well."""
    phone = rita[1]
    client = waiting_after(invite(held, owner, stranger.email), app)
    assert give(client, phone.code()).location == "/"
    behind = Browser(client, csrf(client))
    elsewhere = waiting_after(accounts.signin_link(held.db, stranger.email, ""), app)
    thief = app.test_client()
    assert enter(thief, stranger.email, GOOD).location == "/signin/code"

    assert behind.post("/account/sessions/end-others").status_code == 303
    assert count(held, PendingSignin) == [2]
    assert behind.post("/account/password", CHANGED).status_code == 303
    assert give(thief, phone.code(1)).status_code == 410
    assert give(elsewhere, phone.code(1)).location == "/"


def test_one_that_waits_in_the_session_that_stays_is_finished_there_and_no_other_is(
    behind_a_link: tuple[Browser, App], held: Runtime, owner: Member, stranger: Member, app: Flask,
    signed_in: Callable[[str], Browser],
) -> None:  # fmt: skip
    """Rita goes over to Olga's workspace, for which Olga has made a link in her name."""
    rita, phone = signed_in(stranger.email), behind_a_link[1]
    with held.db.tenant(owner.workspace_id) as session:
        token = members.link_for(session, owner.workspace_id, stranger.user_id, by="user:olga")
    another = waiting_after(f"/signin/{token}", app)
    assert rita.post("/workspace", {"workspace": str(owner.workspace_id)}).location == "/signin/code"
    assert rita.post("/account/sessions/end-others").status_code == 303
    assert give(another, phone.code()).status_code == 410
    assert give(rita.client, phone.code()).location == "/"
    assert "Acme" in rita.get("/people").text
