"""From the connect button to a task and its end, with two pages of which one is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from integrations.graph.hooks import verify_token
from integrations.records import Owner
from integrations.registry import providers
from service import connect, registrations
from service.runtime import Runtime
from service.settings_parts import AROUND_THE_CLOCK
from tests.conftest import make_member
from tests.fakes import crm as fake_crm
from tests.fakes.crm import FakeCRM
from tests.integrations.graph.wire import APP, NOW, TOKEN, USER_TOKEN
from tests.integrations.social.facebook import wire as people
from tests.integrations.social.facebook.wire import ADA, BEN, US, Facebook
from tests.world import Work
from workers import jobs

pytestmark = pytest.mark.story


@pytest.fixture
def crm() -> Iterator[FakeCRM]:
    crm = FakeCRM()
    crm.add(Owner("o1", "olga@acme.test", "Olga"))
    fake = fake_crm.manifest(crm)
    providers()[fake.key] = fake
    yield crm
    providers().pop(fake.key)


@pytest.fixture
def work(held: Runtime, crm: FakeCRM, page: Facebook, monkeypatch: pytest.MonkeyPatch) -> Work:
    """A workspace whose CRM is connected, and somebody who manages two pages."""
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    monkeypatch.setenv("WARMLINE_NOW", NOW.isoformat())
    made = Work(runtime=held, owner=make_member(held, "Acme", "olga@acme.test"), monkeypatch=monkeypatch, now=NOW)
    made.set(
        hours=AROUND_THE_CLOCK,
        patience={"direct": 60, "question": 60, "other": 60},
        preview=False,
        meeting_shield=False,
    )
    connect.connect_with_secret(held, made.owner.caller, "fakecrm", None, {})
    registrations.set_app(held, "facebook", APP.client_id, APP.client_secret)
    page.wire.tokens[USER_TOKEN] = page.wire.put("55")
    page.wire.put("p1", "55/permissions", permission="pages_show_list", status="granted")
    for number, scope in enumerate(
        ("pages_read_engagement", "pages_read_user_content", "pages_messaging", "pages_manage_metadata")
    ):
        page.wire.put(f"p2{number}", "55/permissions", permission=scope, status="granted")
    page.wire.nodes[US.id]["access_token"] = TOKEN
    page.wire.put("701", name="Another page", access_token="another-token-for-tests")
    page.wire.edges["55/accounts"] = [US.id, "701"]
    page.wire.put("debug_token", data={"is_valid": True})
    return made


def _connect(work: Work) -> None:
    """Presses the button, consents, and chooses the first of two pages."""
    ticket = connect.start(work.runtime, work.owner.caller, provider="facebook").rpartition("/")[2]
    away = urlsplit(connect.open_ticket(work.runtime, work.owner.caller, ticket))
    query = parse_qs(away.query)
    assert f"{away.scheme}://{away.netloc}{away.path}" == "https://www.facebook.com/dialog/oauth"
    assert query["client_id"] == [APP.client_id]
    assert "pages_messaging" in query["scope"][0].split()
    back = connect.finish(work.runtime, work.owner.caller, "facebook", {"state": query["state"][0], "code": "c"})
    offered = connect.choice(work.runtime, work.owner.caller, back.choice)
    assert {author.name for author in offered.authors} == {"Acme", "Another page"}
    assert len(connect.choose(work.runtime, work.owner.caller, back.choice, [US.id])) == 1


def _open(crm: FakeCRM) -> list[str]:
    return sorted(task.subject for task in crm.tasks.values() if task.status == "open")


def test_a_comment_and_a_message_become_tasks_that_close_when_we_answer_on_facebook(
    work: Work, crm: FakeCRM, page: Facebook
) -> None:
    post, talk = page.post(at=NOW - timedelta(days=2)), page.talk()
    asked = page.comment(post, ADA, "Do you ship to Norway? I need ten pairs.", NOW - timedelta(hours=3))
    page.message(talk, BEN, "When will my order arrive?", NOW - timedelta(hours=2))
    _connect(work)
    work.look()
    assert len(_open(crm)) == 2
    assert any("Ada Example" in subject for subject in _open(crm))
    (message,) = [task for task in crm.tasks.values() if "Ben Example" in task.subject]
    assert message.due_at is not None
    assert message.due_at <= NOW + timedelta(hours=22)  # 24 hours after the message nobody can answer it

    page.comment(post, people.PAGE, "We do.", NOW - timedelta(minutes=2), parent=asked)
    page.message(talk, people.PAGE, "Tomorrow.", NOW - timedelta(minutes=1))
    work.look()
    assert _open(crm) == []


def test_a_hint_of_metas_is_taken_by_the_address_that_was_subscribed(work: Work, page: Facebook, app: Flask) -> None:
    _connect(work)
    client = app.test_client()
    question = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": verify_token(APP, "page")}
    answer = client.get("/hooks/facebook", query_string=question)
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "1158201444", "text/plain")
    assert client.get("/hooks/facebook", query_string={**question, "hub.verify_token": "x"}).status_code == 400
    assert client.post("/hooks/facebook", json={}, headers={"X-Hub-Signature-256": "sha256=00"}).status_code == 401
