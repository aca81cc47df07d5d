"""A second factor and workspaces: what one that a link set up guards, and where one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from service import accounts, invitations, members, sessions, totp
from service.clock import real_now
from service.models import SecondFactor, Workspace
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import COOKIE, Browser, member, words_of
from tests.service.console.factor.app import (
    PENDING,
    App,
    actions,
    count,
    give,
    key_on,
    opens,
    set_up,
)
from tests.service.console.password.pages import csrf, set_password

# --- what one that a link set up guards ------------------------------------------------------------------------------


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
        _, token = invitations.invite(session, owner.workspace_id, "nina@acme.test", "member", by="user:olga")
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


# --- where a workspace asks for one ----------------------------------------------------------------------------------


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
