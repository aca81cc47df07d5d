"""What holds for all pages alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from service import accounts, links
from service.models import Engagement
from service.runtime import Runtime
from tests.service.console.conftest import Browser, member, read, words_of
from tests.service.console.scenes import Scene, busy_day


@pytest.fixture
def scene(held: Runtime, owner: Any) -> Scene:
    return busy_day(held, owner.workspace_id, preview=True)


def pages(scene: Scene) -> list[str]:
    """Every page that a signed-in owner may open, the ones with nothing to show among them."""
    return [
        "/", "/connections", f"/connections/{scene.crm}/preview", f"/connections/{scene.crm}/handles", f"/connections/{scene.social}/found", f"/connections/{scene.social}/disconnect", "/connect/new/chirp",
        "/connect/new/keyed", "/connections/chirp/about", "/connections/rolodex/about", "/connections/keyed/about", "/add", "/tasks", "/tasks?show=held", "/tasks?show=done", "/tasks?show=withdrawn&kind=ready_for_call",
        "/conversations", f"/conversations/{scene.waiting}", "/relationships", "/relationships?stage=met&q=nobody", f"/relationships/{scene.relationship}", "/matches", "/matches?show=confirmed", "/matches?show=rejected", f"/matches/{scene.suggested}/somebody?q=Ada", "/sources", "/brands",
        "/calendars", "/figures", "/figures?days=90", "/people", "/account", "/account/confirm", "/account/factor", "/settings", "/settings/keys", f"/changes/{scene.run}", "/signin/abc", "/trail", "/settings/leave", "/comparisons",
        "/persons", "/persons?q=@mara", *(f"/persons/{scene.person}{action}" for action in ("", "/erase")),
    ]  # fmt: skip


def forms(scene: Scene) -> list[str]:
    """Everything that a form posts to."""
    return [
        "/signout", "/trail/file", "/settings/leave", "/settings/leave/keep", "/workspace", "/connect/new/chirp", "/connect/new/keyed", "/add", "/brands", f"/brands/{scene.brand}", "/settings", "/settings/tryout", "/settings/keys",
        f"/changes/{scene.run}/approve", f"/changes/{scene.run}/undo",
        "/calendars", f"/calendars/{uuid4()}/refresh", f"/calendars/{uuid4()}/remove", f"/settings/keys/{uuid4()}/revoke", f"/tasks/{scene.task}/dismiss",
        *(f"/matches/{scene.suggested}/{action}" for action in ("confirm", "reject", "undo", "somebody")), "/sources/attest", "/sources/withdraw",
        *(f"/connections/{scene.social}/{action}" for action in ("pull", "responder", "disconnect", "reconnect", "pause", "resume", "ceiling")),
        f"/connections/{scene.crm}/approve", f"/connections/{scene.crm}/handles", "/people/invite", f"/people/invitations/{uuid4()}/withdraw",
        *(f"/people/{uuid4()}/{action}" for action in ("role", "remove", "link")), *(f"/people/sessions/{uuid4()}/{action}" for action in ("end",)),
        "/account/password", "/account/confirm", *(f"/account/factor/{action}" for action in ("begin", "confirm", "codes", "off")), "/people/second-factor", "/account/sessions/end-others", f"/account/sessions/{uuid4()}/end-own", f"/account/devices/{uuid4()}/forget", f"/account/identities/{uuid4()}/untie",
        f"/tasks/{scene.task}/retry", f"/tasks/{scene.task}/undo", *(f"/persons/{scene.person}/{action}" for action in ("erase", "objection", "objection/lift")),
    ]  # fmt: skip


def console_endpoints(app: Flask) -> set[str]:
    return {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console.")} - {
        "console.static"
    }


def test_the_lists_of_this_test_name_every_route(app: Flask, scene: Scene) -> None:
    adapter = app.url_map.bind("")
    found = {adapter.match(path.partition("?")[0], method="GET")[0] for path in pages(scene)}
    found |= {adapter.match(path, method="POST")[0] for path in forms(scene)}
    assert console_endpoints(app) - found == {
        "console.answered.ask", "console.answered.dismiss", "console.signin.spend", "console.signin.show", "console.signin.enter", "console.secondstep.show", "console.secondstep.enter", "console.openid.start", "console.openid.callback", "console.consent.leave",
        "console.consent.callback", "console.consent.accounts", "console.consent.choose", "console.joining.ask", "console.joining.join", "console.departing.receipt",
        "console.persons.download", "console.persons.request_of", "console.operator.show", "console.operator.retry",  # a file; a page of a request; the operator's
    }  # fmt: skip


def assert_protected(response: TestResponse) -> None:
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'"} <= set(policy)
    assert {"frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"


def assert_no_inline(html: str) -> None:
    for tag, attributes in read(html).tags:
        assert tag != "style"
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        assert not [value for value in attributes.values() if value and value.strip().lower().startswith("javascript:")]
        if tag == "script":
            assert (attributes.get("src") or "").startswith("/static/")


def assert_usable(html: str) -> None:
    """One heading of the first rank, a language, a title, a name for every field, no id twice."""
    reader = read(html)
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    assert ("html", {"lang": "en"}) in reader.tags
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert sorted(ids, key=str) == sorted(set(ids), key=str)
    named = {attributes["for"] for tag, attributes in reader.tags if tag == "label"}
    for tag, attributes in reader.tags:
        if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden":
            assert attributes["id"] in named, attributes
        for reference in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(reference) or "").split()) <= set(ids), attributes


def test_pages_are_protected_have_nothing_inline_and_name_what_they_hold(olga: Browser, scene: Scene) -> None:
    for path in pages(scene):
        response = olga.get(path)
        assert response.status_code == 200, path
        assert_protected(response)
        assert_no_inline(response.text)
        assert_usable(response.text)


def test_pages_of_an_empty_workspace_say_what_will_stand_there(olga: Browser) -> None:
    says = {
        "/": "No account is connected yet. Connect the account that people write to",
        "/tasks": "No task is open.",
        "/tasks?show=held": "Nothing is held.",
        "/matches": "Nothing to decide.",
        "/conversations": "Nobody has written yet.",
        "/relationships": "Nobody has written yet.",
        "/figures": "No account is connected yet.",
        "/connections": "No account is connected yet.",
        "/settings/keys": "No key opens this workspace.",
    }
    for path, sentence in says.items():
        response = olga.get(path)
        assert sentence in words_of(response), path
        assert_usable(response.text)


def test_nobody_reads_a_page_without_signing_in(nobody: FlaskClient, scene: Scene) -> None:
    for path in pages(scene):
        if path.startswith("/signin"):
            continue
        response = nobody.get(path)
        assert response.status_code == 401, path
        assert "You are not signed in" in words_of(response)
        assert "Mara" not in response.text
        assert_protected(response)
    for path in forms(scene):
        assert nobody.post(path).status_code == 401, path


def test_every_form_wants_its_token(olga: Browser, scene: Scene) -> None:
    for path in forms(scene):
        for data in ({}, {"csrf_token": "wrong"}, {"csrf_token": "ü"}):
            response = olga.client.post(path, data=data)
            assert response.status_code == 400, path
            assert "This page was open for too long" in words_of(response)
    assert "5 people are waiting" in words_of(olga.get("/"))


def test_a_form_on_another_site_is_refused_even_with_the_token(olga: Browser, scene: Scene) -> None:
    path = f"/tasks/{scene.task}/dismiss"
    for origin in ("https://evil.test", "null", "http://warmline.test.evil.test"):
        response = olga.post(path, headers={"Origin": origin})
        assert response.status_code == 400
        assert "sent from another site" in words_of(response)
    assert olga.post(path, headers={"Origin": "http://warmline.test"}).status_code == 303


def test_a_viewer_sees_what_waits_and_no_button_that_would_refuse(
    held: Runtime, scene: Scene, signed_in: Callable[[str], Browser]
) -> None:
    member(held, scene.workspace_id, "vera@acme.test", "viewer")
    vera = signed_in("vera@acme.test")
    for path in ("/", "/tasks", "/matches", "/connections", "/brands", f"/conversations/{scene.waiting}"):
        page = vera.get(path)
        assert page.status_code == 200
        actions = {attributes["action"] for tag, attributes in read(page.text).tags if tag == "form" and attributes.get("method") == "post"}  # fmt: skip
        assert actions == {"/signout"}, path
    for path in ("/settings", "/settings/keys", "/connect/new/chirp", f"/connections/{scene.social}/disconnect"):
        assert vera.get(path).status_code == 403


def test_another_workspace_finds_none_of_it(
    scene: Scene, stranger: Any, signed_in: Callable[[str], Browser], olga: Browser
) -> None:
    rita = signed_in(stranger.email)
    for path in pages(scene):
        response = rita.get(path)
        assert response.status_code in (200, 404), path
        assert "Mara" not in response.text, path
        assert "Acme" not in response.text, path
    for path in forms(scene):
        if str(scene.brand) in path or path.startswith(("/matches", "/tasks", "/connections", "/persons")):
            data = {"name": "Mine", "email": "rita@rival.test"}
            assert rita.post(path, data).status_code == 404, path
    words = words_of(olga.get("/"))
    assert "5 people are waiting" in words


def test_what_people_wrote_is_data(olga: Browser, scene: Scene) -> None:
    page = olga.get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert ("blockquote", {"dir": "auto"}) in read(page).tags
    assert "שלום" in page


def test_a_link_that_is_no_web_address_is_no_link(held: Runtime, olga: Browser, scene: Scene) -> None:
    from sqlalchemy import update

    from service.models import Engagement

    with held.db.tenant(scene.workspace_id) as session:
        session.execute(update(Engagement).values(url="javascript:alert(1)"))
    for path in ("/", "/tasks", f"/conversations/{scene.waiting}"):
        assert "javascript:" not in olga.get(path).text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
        "/nowhere",
        "matches",
        "/\r\nX: y",
        "",
    ],
)
def test_a_form_leads_back_to_our_own_pages_only(olga: Browser, scene: Scene, wanted: str) -> None:
    answer = olga.post(f"/matches/{scene.suggested}/reject", {"back": wanted})
    assert answer.location == "/matches?done=rejected"


def test_a_form_leads_back_to_the_page_it_stood_on(olga: Browser, scene: Scene) -> None:
    answer = olga.post(f"/tasks/{scene.task}/dismiss", {"back": "/tasks?show=open&kind=unanswered"})
    assert answer.location == "/tasks?show=open&kind=unanswered&done=dismissed"
    assert "Noted: nothing needed." in words_of(olga.get(answer.location))


def test_a_task_that_the_crm_refuses_has_a_button_that_tries_it_again(olga: Browser, scene: Scene) -> None:
    page = words_of(olga.get("/tasks?show=parked"))
    assert "The CRM refused it: Owner 7 may not own tasks." in page
    [path] = re.findall(r"/tasks/[0-9a-f-]+/retry", olga.get("/tasks?show=parked").text)
    answer = olga.post(path)
    assert answer.location == "/tasks?show=parked&done=retried"
    assert "The CRM refuses no task." in words_of(olga.get("/tasks?show=parked"))


def test_a_notice_is_one_of_ours(olga: Browser) -> None:
    assert "You have won" not in olga.get("/?done=You+have+won").text


def test_errors_are_pages_with_one_sentence_and_a_way_on(olga: Browser, nobody: FlaskClient) -> None:
    for client in (olga.client, nobody):
        missing = client.get("/nowhere")
        assert missing.status_code == 404
        assert "There is nothing at this address." in words_of(missing)
        assert "To the overview" in words_of(missing)
        assert_protected(missing)
        assert_usable(missing.text)
        wrong = client.put("/tasks")
        assert wrong.status_code == 405
        assert "GET" in wrong.headers["Allow"]
        assert "cannot be used that way" in words_of(wrong)


def test_too_much_at_once_is_refused_in_words(olga: Browser) -> None:
    response = olga.post("/brands", {"name": "x" * 3_000_000})
    assert response.status_code == 413
    assert "Send less than 2 MB." in words_of(response)


def test_a_mistake_of_ours_is_a_page_that_tells_nothing(olga: Browser, app: Flask, monkeypatch: Any) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise ValueError("the password is hunter2")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("service.store.listing.conversations", broken)
    response = olga.get("/")
    assert response.status_code == 500
    assert "Something went wrong here, and has been written to the log." in words_of(response)
    assert "hunter2" not in response.text
    assert_protected(response)


def test_a_database_that_is_away_is_a_sentence(olga: Browser, monkeypatch: Any) -> None:
    def away(*_: object, **__: object) -> Any:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(accounts, "caller_of_session", away)
    response = olga.get("/")
    assert response.status_code == 503
    assert "The database cannot be reached at the moment." in words_of(response)


def test_the_api_keeps_its_own_errors(nobody: FlaskClient) -> None:
    assert nobody.get("/v1/nowhere").mimetype == "application/problem+json"


def test_static_files_may_be_kept_because_their_address_changes_with_them(olga: Browser) -> None:
    sheet = next(a["href"] for tag, a in read(olga.get("/").text).tags if tag == "link" and a["rel"] == "stylesheet")
    assert sheet
    kept = olga.get(sheet)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    kept.close()
    other = olga.get("/static/console.css?v=older")
    assert "immutable" not in other.headers["Cache-Control"]
    other.close()


def test_signing_out_ends_the_session(olga: Browser) -> None:
    assert olga.get("/signin").location == "/"
    assert olga.post("/signout").location == "/signin"
    assert "You are signed out." in words_of(olga.get("/signin"))
    assert olga.get("/").status_code == 401


def test_somebody_with_two_workspaces_may_switch_and_nobody_else(
    held: Runtime, olga: Browser, owner: Any, stranger: Any, scene: Scene
) -> None:
    assert olga.post("/workspace", {"workspace": str(stranger.workspace_id)}).status_code == 404
    other, _ = accounts.ensure_workspace(held.db, "Second", owner.email)
    assert "Second (owner)" in words_of(olga.get("/"))
    assert olga.post("/workspace", {"workspace": str(other)}).location == "/?done=switched"
    assert "No account is connected yet." in words_of(olga.get("/"))
    assert olga.post("/workspace", {"workspace": "nonsense"}).status_code == 404


def test_instants_stand_in_the_workspaces_zone(held: Runtime, olga: Browser, owner: Any, scene: Scene) -> None:
    from service import settings

    with held.db.tenant(owner.workspace_id) as session:
        settings.change(session, owner.workspace_id, {"timezone": "Asia/Tokyo"}, by="test")
    times = [attributes for tag, attributes in read(olga.get("/").text).tags if tag == "time"]
    assert times
    assert all((each["title"] or "").endswith(" JST") for each in times)


# --- the signed link in a CRM task ------------------------------------------------------------------------------


def signed(held: Runtime, scene: Scene) -> str:
    return links.done_link(held.config, scene.workspace_id, scene.task).removeprefix(held.config.base_url)


def test_the_link_in_a_task_asks_first_and_then_closes_that_task(
    nobody: FlaskClient, held: Runtime, scene: Scene, olga: Browser
) -> None:
    link = signed(held, scene)
    for _ in range(2):
        asked = nobody.get(link)
        assert "No reply needed?" in words_of(asked)
        assert "The wait began" in words_of(asked)
        assert "Answer Mara Lind on Chirp" in words_of(asked)
        assert_protected(asked)
        assert_no_inline(asked.text)
        assert_usable(asked.text)
    for _ in range(2):
        closed = nobody.post(link)
        assert closed.status_code == 200
        assert "This one is closed" in words_of(closed)
    assert "Mara Lind" in words_of(olga.get("/tasks?show=done"))
    assert "This one is closed" in words_of(nobody.get(link))


def test_a_link_that_we_did_not_sign_is_not_found(nobody: FlaskClient, held: Runtime, scene: Scene) -> None:
    good = signed(held, scene)
    swapped = good[:-1] + ("A" if good[-1] != "A" else "B")
    for link in (good[:-4], swapped, "/t/", "/t/abc", "/t/" + "A" * 64, "/t/ünïcode", "/t/%00"):
        for method in (nobody.get, nobody.post):
            response = method(link)
            assert response.status_code == 404, link
            assert "Mara" not in response.text


def test_no_date_stands_behind_a_word_that_it_brings_along(held: Runtime, scene: Scene, olga: Browser) -> None:
    """What lies further back than two weeks is put as "on 3 May"."""
    with held.db.tenant(scene.workspace_id) as session:
        session.execute(update(Engagement).values(posted_at=Engagement.posted_at - timedelta(days=30)))
    words = " ".join(words_of(olga.get(path)) for path in pages(scene))
    assert re.findall(r"\b(?:from|since|on|at|until|by|of) on \d+ [A-Z]\w+", words) == []
