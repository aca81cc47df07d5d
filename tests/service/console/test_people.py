"""People: inviting, joining, roles, removal, and where everybody is signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from service import access, accounts, members, sessions
from service.console import browsers
from service.models import Invitation, SigninLink, SigninSession, User
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import COOKIE, Browser, read, words_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def link_on(page: str, start: str) -> str:
    """The path of the one link that a page shows once."""
    [found] = re.findall(rf"http://warmline\.test(/{start}/[\w=-]+)", page)
    return str(found)


def invite(olga: Browser, email: str = "mia@acme.test", role: str = "member") -> str:
    return link_on(olga.post("/people/invite", {"email": email, "role": role}).text, "join")


@pytest.fixture
def mia(olga: Browser, app: Flask) -> FlaskClient:
    """A member who joined by an invitation."""
    client = app.test_client()
    assert client.post(invite(olga), headers={"User-Agent": FIREFOX}).status_code == 303
    return client


def person(held: Runtime, email: str) -> UUID:
    with held.db.globally() as session:
        return session.scalars(select(User.id).filter_by(email=email)).one()


def csrf(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/people").text)
    assert found
    return found[1]


def test_an_owner_invites_and_whoever_opens_the_link_joins_by_its_button_once(
    olga: Browser, app: Flask, nobody: FlaskClient
) -> None:
    link = invite(olga)
    for _ in range(2):
        asked = nobody.get(link)
        assert "Join Acme" in words_of(asked)
        assert "You are invited as mia@acme.test, in the role of member." in words_of(asked)
    assert "mia@acme.test" in words_of(olga.get("/people"))

    answer = nobody.post(link, headers={"User-Agent": FIREFOX})

    assert (answer.status_code, answer.location) == (303, "/")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert nobody.get("/tasks").status_code == 200
    assert nobody.get("/settings").status_code == 403
    for method in (nobody.get, nobody.post):
        spent = app.test_client().get(link) if method == nobody.get else app.test_client().post(link)
        assert spent.status_code == 410
        assert "This invitation was used already" in words_of(spent)
    page = words_of(olga.get("/people"))
    assert "Member" in page
    assert "Firefox on Linux" in page


def test_the_link_is_shown_once_and_stands_in_no_address(olga: Browser) -> None:
    answer = olga.post("/people/invite", {"email": "mia@acme.test", "role": "viewer"})
    assert answer.status_code == 200
    token = link_on(answer.text, "join").rsplit("/", 1)[1]
    assert token not in olga.get("/people").text


@pytest.mark.parametrize(
    ("email", "role", "sentence"),
    [
        ("mia", "member", "is not an e-mail address"),
        ("mia@acme.test", "boss", "Choose a role: owner, member, viewer."),
        ("olga@acme.test", "member", "olga@acme.test belongs to this workspace already."),
    ],
)
def test_an_invitation_that_cannot_be_is_refused_with_what_was_typed(
    olga: Browser, email: str, role: str, sentence: str
) -> None:
    answer = olga.post("/people/invite", {"email": email, "role": role})
    assert answer.status_code == 400
    assert sentence in words_of(answer)
    typed = [each for tag, each in read(answer.text).tags if tag == "input" and each.get("name") == "email"]
    assert typed[0]["value"] == email


def test_an_invitation_that_is_withdrawn_opens_nothing(olga: Browser, nobody: FlaskClient) -> None:
    link = invite(olga)
    [path] = [a["action"] for tag, a in read(olga.get("/people").text).tags if tag == "form" and "withdraw" in (a["action"] or "")]  # fmt: skip
    assert olga.post(path or "").location == "/people?done=withdrawn_invitation"
    assert nobody.post(link).status_code == 410


def test_joining_from_another_site_is_refused(olga: Browser, nobody: FlaskClient) -> None:
    link = invite(olga)
    assert nobody.post(link, headers={"Origin": "https://evil.test"}).status_code == 400
    assert nobody.post(link).status_code == 303


def test_a_link_opens_nothing_else_of_whom_it_names(
    held: Runtime, olga: Browser, nobody: FlaskClient, stranger: Member
) -> None:
    """An owner invites somebody who has a workspace of their own, and opens the link themselves."""
    nobody.post(invite(olga, stranger.email, "viewer"))
    page = nobody.get("/people").text
    assert "Acme" in page
    assert "Rival" not in page
    answer = nobody.post("/workspace", data={"csrf_token": csrf(nobody), "workspace": str(stranger.workspace_id)})
    assert answer.status_code == 404


def test_whoever_is_signed_in_as_the_one_who_is_invited_keeps_their_session(
    olga: Browser, stranger: Member, signed_in: Callable[[str], Browser]
) -> None:
    link = invite(olga, stranger.email, "viewer")
    rita = signed_in(stranger.email)
    answer = rita.client.post(link)
    assert answer.location == "/?done=joined"
    assert "Set-Cookie" not in answer.headers
    page = rita.get("/").text
    assert "Rival (owner)" in page
    assert "Acme (viewer)" in page


def test_somebody_else_who_is_signed_in_is_told_whom_the_link_signs_in(
    olga: Browser, stranger: Member, signed_in: Callable[[str], Browser]
) -> None:
    link = invite(olga)
    rita = signed_in(stranger.email)
    assert "This browser is signed in as rita@rival.test." in words_of(rita.get(link))
    assert rita.client.post(link).status_code == 303
    assert "Signed in as mia@acme.test" in words_of(rita.get("/"))


def test_roles_are_changed_and_hold_at_once(held: Runtime, olga: Browser, mia: FlaskClient) -> None:
    path = f"/people/{person(held, 'mia@acme.test')}/role"
    assert olga.post(path, {"role": "owner"}).location == "/people?done=role"
    assert mia.get("/settings").status_code == 200
    assert olga.post(path, {"role": "viewer"}).status_code == 303
    assert mia.get("/settings").status_code == 403
    refused = olga.post(path, {"role": "boss"})
    assert refused.status_code == 400
    assert "Choose a role" in words_of(refused)


def test_whoever_is_removed_is_out_at_the_next_click(held: Runtime, olga: Browser, mia: FlaskClient) -> None:
    answer = olga.post(f"/people/{person(held, 'mia@acme.test')}/remove")
    assert answer.location == "/people?done=removed"
    assert mia.get("/").status_code == 401
    assert "mia@acme.test" not in words_of(olga.get("/people"))


@pytest.mark.parametrize("act", [("remove", {}), ("role", {"role": "member"})])
def test_whoever_removes_an_owner_or_makes_them_something_else_reads_what_they_had_made_and_it_opens_nothing(
    held: Runtime, olga: Browser, owner: Member, mia: FlaskClient, nobody: FlaskClient, act: tuple[str, dict[str, str]]
) -> None:
    path = f"/people/{person(held, 'mia@acme.test')}"
    olga.post(f"{path}/role", {"role": "owner"})
    hers = Browser(mia, csrf(mia))
    invitation = invite(hers, "back@door.test", "owner")
    link = link_on(hers.post(f"/people/{owner.user_id}/link").text, "signin")

    told = olga.post(f"{path}/{act[0]}", act[1])

    assert told.status_code == 200
    said = words_of(told)
    assert "opens nothing any more, because they had made it and may know its secret" in said
    assert "The invitation of back@door.test" in said
    assert f"A link to sign in as {owner.email}" in said
    assert nobody.post(invitation).status_code == 410
    assert nobody.post(link).status_code == 410


def test_an_owner_who_steps_down_reads_that_what_they_made_opens_nothing(
    held: Runtime, olga: Browser, owner: Member, mia: FlaskClient, nobody: FlaskClient
) -> None:
    olga.post(f"/people/{person(held, 'mia@acme.test')}/role", {"role": "owner"})
    invitation = invite(olga, "nina@acme.test")
    answer = olga.post(f"/people/{owner.user_id}/role", {"role": "viewer"})
    assert answer.location == "/people?done=stepped_down"
    assert "that you had made open nothing any more" in words_of(olga.get("/people?done=stepped_down"))
    assert nobody.post(invitation).status_code == 410


def test_whoever_is_removed_while_they_invite_leaves_no_invitation_and_no_link(
    held: Runtime, owner: Member, mia: FlaskClient, olga: Browser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door was open to them as their request began, and they were gone before it did anything."""
    who = person(held, "mia@acme.test")
    secret = accounts.create_api_key(held.db, owner.workspace_id, who, "hers", access.SCOPES)
    hers, still_may = Browser(mia, csrf(mia)), members.still_may

    def between(session: Session, caller: accounts.Caller) -> bool:
        change("viewer")
        return still_may(session, caller)

    def change(role: str) -> None:
        with held.db.tenant(owner.workspace_id) as session:
            members.change_role(session, owner.workspace_id, who, role, by="user:olga")

    monkeypatch.setattr(members, "still_may", between)
    bearer, body = {"Authorization": f"Bearer {secret}"}, {"email": "back@door.test", "role": "owner"}
    acts: list[Callable[[], TestResponse]] = [
        lambda: hers.post("/people/invite", body),
        lambda: hers.post(f"/people/{owner.user_id}/link"),
        lambda: app.test_client().post("/v1/invitations", json=body, headers=bearer),
    ]
    for act in acts:
        change("owner")
        assert act().status_code == 403
    with held.db.tenant(owner.workspace_id) as session:
        assert session.scalars(select(Invitation)).all() == []
        assert session.scalars(select(SigninLink).where(SigninLink.made_by == f"user:{who}")).all() == []


def test_the_last_owner_cannot_go_and_reads_why(olga: Browser, owner: Member) -> None:
    for path, data in (("role", {"role": "viewer"}), ("remove", {})):
        answer = olga.post(f"/people/{owner.user_id}/{path}", data)
        assert answer.status_code == 400
        assert "A workspace needs an owner. Make somebody else an owner first." in words_of(answer)


def test_an_owner_who_leaves_is_signed_out(held: Runtime, olga: Browser, owner: Member, mia: FlaskClient) -> None:
    olga.post(f"/people/{person(held, 'mia@acme.test')}/role", {"role": "owner"})
    assert olga.post(f"/people/{owner.user_id}/remove").location == "/signin"
    assert olga.get("/").status_code == 401


def test_an_owner_gives_a_member_a_new_link(held: Runtime, olga: Browser, mia: FlaskClient, app: Flask) -> None:
    answer = olga.post(f"/people/{person(held, 'mia@acme.test')}/link")
    link = link_on(answer.text, "signin")
    other = app.test_client()
    assert other.post(link).status_code == 303
    assert "Signed in as mia@acme.test" in words_of(other.get("/"))
    assert app.test_client().post(link).status_code == 410


def test_sessions_are_listed_and_ended(held: Runtime, olga: Browser, mia: FlaskClient) -> None:
    page = olga.get("/people")
    assert re.search("Where others are signed in .*mia@acme.test Firefox on Linux", words_of(page))
    [path] = [a["action"] for tag, a in read(page.text).tags if tag == "form" and (a["action"] or "").endswith("/end")]
    assert olga.post(path or "").location == "/people?done=ended"
    assert mia.get("/").status_code == 401


def test_everybody_ends_their_own_and_nobody_elses(
    held: Runtime, olga: Browser, owner: Member, mia: FlaskClient
) -> None:
    with held.db.globally() as session:
        hers = sessions.begin(session, person(held, "mia@acme.test"), owner.workspace_id, confined=False, browser="")
    with held.db.globally() as session:
        rows = {row.token_hash: row.id for row in session.scalars(select(SigninSession))}
    assert words_of(mia.get("/account")).count("This browser") == 1
    page = mia.get("/people")
    assert "Where others are signed in" not in words_of(page)
    assert "Invite somebody" not in words_of(page)
    token = csrf(mia)
    other = next(row for digest, row in rows.items() if digest == sessions.digest(olga.client.get_cookie(COOKIE).value))  # type: ignore[union-attr]
    assert mia.post(f"/account/sessions/{other}/end-own", data={"csrf_token": token}).status_code == 404
    assert mia.post(f"/people/sessions/{other}/end", data={"csrf_token": token}).status_code == 403
    answer = mia.post(f"/account/sessions/{rows[sessions.digest(hers)]}/end-own", data={"csrf_token": token})
    assert answer.location == "/account?done=ended"
    assert accounts.caller_of_session(held.db, hers) is None
    assert olga.get("/").status_code == 200


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari on a Mac"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome on an iPhone"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", browsers.UNKNOWN),
        ("", browsers.UNKNOWN),
        ("<script>" * 1000, browsers.UNKNOWN),
    ],
)  # fmt: skip
def test_browsers_are_called_by_names_that_people_know(header: str, name: str) -> None:
    assert browsers.name_of(header) == name
