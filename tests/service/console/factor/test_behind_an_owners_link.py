"""What was begun and set behind a sign-in link ends with the rights of the owner who made it: they may have opened it themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from service import accounts, factors, members, totp
from service.clock import real_now
from service.models import Password, PendingSignin, SecondFactor, User
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, member, words_of
from tests.service.console.factor.app import actions, count, give, key_on, opens, set_up
from tests.service.console.password.pages import BETTER, GOOD, csrf, enter, set_password

RITA, MIA = "rita@acme.test", "mia@acme.test"
ENDS = {"removed": ("remove", {}), "demoted": ("role", {"role": "member"})}


def person(held: Runtime, email: str) -> UUID:
    with held.db.globally() as session:
        return session.scalars(select(User.id).filter_by(email=email)).one()


@pytest.fixture(autouse=True)
def rita(held: Runtime, owner: Member) -> UUID:
    """Another owner; Mia, a member, has no password."""
    member(held, owner.workspace_id, RITA, "owner")
    member(held, owner.workspace_id, MIA, "member")
    return person(held, RITA)


@pytest.fixture
def linked(held: Runtime, owner: Member, app: Flask, rita: UUID) -> Callable[..., Browser]:
    """A new browser in which a link was opened that an owner (Rita) made for somebody."""

    def open_link(email: str = MIA, by: UUID = rita) -> Browser:
        with held.db.tenant(owner.workspace_id) as session:
            token = members.link_for(session, owner.workspace_id, person(held, email), by=f"user:{by}")
        client = app.test_client()
        client.post(f"/signin/{token}")
        return Browser(client, csrf(client) if opens(client) else "")

    return open_link


@pytest.fixture
def end(olga: Browser, rita: UUID) -> Callable[..., str]:
    """Olga, or whoever sits in this browser, removes Rita or makes her something else, and reads this."""

    def act(how: str = "removed", browser: Browser = olga) -> str:
        path, form = ENDS[how]
        return words_of(browser.post(f"/people/{rita}/{path}", form, follow_redirects=True))

    return act


@pytest.mark.parametrize("how", ENDS)
def test_what_was_begun_and_set_behind_an_owners_link_ends_as_they_are_one_no_more(
    held: Runtime, owner: Member, app: Flask, linked: Callable[..., Browser], end: Callable[..., str], how: str,
    signed_in: Callable[[str], Browser],
) -> None:  # fmt: skip
    behind = linked()
    phone = set_up(behind)
    assert set_password(behind).status_code == 303
    by_password, waits = app.test_client(), app.test_client()
    assert enter(by_password, MIA, GOOD).location == enter(waits, MIA, GOOD).location == "/signin/code"
    by_link, waits_too = linked().client, linked().client
    for client, code in ((by_password, phone.code()), (by_link, phone.code(1))):
        assert give(client, code).location == "/"
        assert opens(client)

    said = end(how)

    assert "What was signed in as mia@acme.test by such a link" in said
    assert "The password of mia@acme.test, set behind such a link" in said
    assert "The second factor of mia@acme.test, set up behind such a link" in said
    assert not [each for each in (behind.client, by_password, by_link) if opens(each)]
    assert [give(each, phone.codes[0]).status_code for each in (waits, waits_too)] == [410, 410]
    assert enter(app.test_client(), MIA, GOOD).status_code == 400
    assert count(held, Password, SecondFactor, PendingSignin) == [0, 0, 0]
    done = actions(held, owner)
    for each, times in (("session.ended", 3), ("member.password_ended", 1), ("member.factor_ended", 1)):
        assert done.count(f"user {each}") == times
    mia = signed_in(MIA)  # sets it anew
    assert set_password(mia, BETTER).status_code == 303
    assert enter(app.test_client(), MIA, BETTER).location == "/"


def test_what_is_behind_no_link_of_theirs_stands(
    owner: Member, app: Flask, linked: Callable[..., Browser], end: Callable[..., str]
) -> None:
    mia = linked(by=owner.user_id)
    assert set_password(mia).status_code == 303
    end()
    assert opens(mia.client)
    assert enter(app.test_client(), MIA, GOOD).location == "/"


@pytest.mark.parametrize("before", ["by a link of Warmline's operator", "by a link of Olga's"])
def test_what_its_person_had_before_stands_also_where_they_changed_it_behind_the_link(
    held: Runtime, owner: Member, app: Flask, linked: Callable[..., Browser], end: Callable[..., str], signed_in: Callable[[str], Browser],
    before: str,
) -> None:  # fmt: skip
    """Whoever gave the present password, or a code, has shown more than the link."""
    own = linked(by=owner.user_id) if "Olga" in before else signed_in(MIA)
    set_password(own)
    phone = set_up(own)
    behind = linked()
    assert give(behind.client, phone.code()).location == "/"
    with held.db.globally() as session:  # so that the present one is asked for in any case
        session.execute(text("UPDATE sessions SET created_at = now() - interval '2 hours'"))
    behind.csrf = csrf(behind.client)
    assert set_password(behind, BETTER, present=GOOD).status_code == 303
    behind.post("/account/factor/begin", {"code": phone.code(1)})
    key = key_on(behind.get("/account/factor"))
    code = totp.code_of(key, totp.step_at(real_now()))
    assert behind.post("/account/factor/confirm", {"code": code}).status_code == 200

    said = end()

    assert "What was signed in as mia@acme.test" in said
    assert "The password of" not in said
    assert "The second factor of" not in said
    assert not opens(behind.client)
    assert enter(app.test_client(), MIA, BETTER).location == "/signin/code"
    assert count(held, Password, SecondFactor) == [1, 1]


def test_a_link_of_theirs_from_another_workspace_is_another_matter(
    held: Runtime, rita: UUID, app: Flask, end: Callable[..., str]
) -> None:
    elsewhere, _ = accounts.ensure_workspace(held.db, "Elsewhere", RITA)
    member(held, elsewhere, "tom@acme.test", "member")
    with held.db.tenant(elsewhere) as session:
        token = members.link_for(session, elsewhere, person(held, "tom@acme.test"), by=f"user:{rita}")
    client = app.test_client()
    client.post(f"/signin/{token}")
    assert set_password(Browser(client, csrf(client))).status_code == 303
    end()
    assert opens(client)
    assert enter(app.test_client(), "tom@acme.test", GOOD).location == "/"


def test_an_owner_who_becomes_a_member_keeps_what_is_their_own(
    app: Flask, linked: Callable[..., Browser], end: Callable[..., str]
) -> None:
    hers = linked(RITA)
    assert set_password(hers).status_code == 303
    end("demoted")
    assert opens(hers.client)
    assert enter(app.test_client(), RITA, GOOD).location == "/"


@pytest.mark.parametrize("how", ENDS)
def test_whoever_does_it_goes_on_in_this_session_and_no_other_behind_such_a_link_and_sets_a_password_anew(
    owner: Member, app: Flask, linked: Callable[..., Browser], end: Callable[..., str], how: str
) -> None:
    here = linked(owner.email)
    assert set_password(here).status_code == 303
    there = linked(owner.email)
    said = end(how, here)
    assert "The password of olga@acme.test" in said
    assert opens(here.client)
    assert not opens(there.client)
    assert set_password(here, BETTER).status_code == 303
    assert enter(app.test_client(), owner.email, BETTER).location == "/"


@pytest.fixture(params=["password", "factor"])
def sets(request: pytest.FixtureRequest, linked: Callable[..., Browser]) -> Callable[[], TestResponse]:
    """A password, or a second factor, is set behind Rita's link."""
    behind = linked()
    if request.param == "password":
        return lambda: set_password(behind)
    behind.post("/account/factor/begin")
    code = totp.code_of(key_on(behind.get("/account/factor")), totp.step_at(real_now()))
    return lambda: behind.post("/account/factor/confirm", {"code": code})


def test_what_is_sent_before_the_session_ends_and_carried_out_after_sets_nothing(
    held: Runtime, sets: Callable[[], TestResponse], end: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = members.stay

    def late(session: Session, who: accounts.Caller) -> None:
        end()
        stay(session, who)

    monkeypatch.setattr(members, "stay", late)
    answer = sets()
    assert answer.status_code == 401
    assert "You are not signed in, or have been signed out." in words_of(answer)
    assert count(held, Password, SecondFactor) == [0, 0]


def test_setting_up_is_not_begun_in_a_session_that_has_just_ended(
    linked: Callable[..., Browser], end: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    behind, keep = linked(), factors._keep_secret

    def late(*arguments: Any) -> None:
        end()
        keep(*arguments)

    monkeypatch.setattr(factors, "_keep_secret", late)
    assert behind.post("/account/factor/begin", {}).status_code == 401


def test_whoever_removes_an_owner_waits_for_what_is_being_set_behind_their_link_and_ends_that_too(
    held: Runtime, owner: Member, rita: UUID, sets: Callable[[], TestResponse], end: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    stay, tried = members.stay, []

    def removes() -> None:
        with held.db.tenant(owner.workspace_id) as session:
            session.execute(text("SET LOCAL lock_timeout = '20ms'"))
            members.remove(session, owner.workspace_id, rita, by="user:olga")

    def early(session: Session, who: accounts.Caller) -> None:
        stay(session, who)
        with pytest.raises(OperationalError, match="lock timeout"):
            removes()
        tried.append(True)

    monkeypatch.setattr(members, "stay", early)
    assert sets().status_code < 400
    assert tried
    end()
    assert count(held, Password, SecondFactor) == [0, 0]
