"""No page of the console shows or changes what belongs to another workspace, or tells that it is there.

The calls are made from the routes, so a new page is tried as well. One with an id for which nothing stands below fails here
until somebody says whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from service import accounts, devices, sessions
from service.models import Identity, KnownDevice, SigninSession
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser
from tests.service.console.scenes import busy_day
from tests.service.rows import Rows
from tests.service.test_tenancy import ISOLATED

ID = re.compile(r"<uuid:(\w+)>")
FORM = {
    "name": "Mine",
    "email": "rita@rival.test",
    "role": "viewer",
    "dollars": "5",
    "colleagues": "",
    "crm": "",
    "confirm": "erase",
}
# What differs between two answers that say the same: ids, tokens, instants, and how long ago something was.
VARIES = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|<time.*?</time>|csrf_token\" value=\"[^\"]*")
# Ids that stand in forms and queries: (method, address below the rival's own, field, which id of the other workspace).
FIELDS = [
    ("POST", "/brands/{brand}", "crm", "crm"),
    ("POST", "/matches/{match}/somebody", "contact", "contact"),
    ("POST", "/connect/new/keyed", "brand", "brand"),
    ("GET", "/connect/new/chirp", "brand", "brand"),
    ("GET", "/connect/new/keyed", "like", "social"),
    ("GET", "/connections", "connected", "social"),
    ("POST", "/workspace", "workspace", "workspace"),
]


@dataclass(frozen=True)
class Two:
    """The ids of what two workspaces have, by the names that routes give them, and who sits in the second one."""

    acme: Mapping[str, UUID]
    rival: Mapping[str, UUID]
    rita: Browser
    held: Runtime

    @property
    def own(self) -> dict[str, str]:
        """What a form names besides, of the rival's own."""
        return {"contact": str(self.rival["contact"])}

    def standing(self) -> dict[str, list[str]]:
        """All that Acme has."""
        with self.held.db.tenant(self.acme["workspace"]) as session:
            return {
                table: sorted(
                    session.scalars(
                        text(f"SELECT t::text FROM {table} t WHERE workspace_id = :w"), {"w": self.acme["workspace"]}
                    )
                )
                for table in [*ISOLATED, "memberships", "sessions", "api_keys"]
            }


def things(held: Runtime, who: Member, domain: str) -> dict[str, UUID]:
    """A busy day in this workspace: an id of each kind, by the name of the routes' parameters."""
    scene = busy_day(held, who.workspace_id, preview=True)
    rows = Rows(held.db, who.workspace_id, accounts.real_now())
    member, invitation, session_id = rows.colleague(f"mia@{domain}")
    accounts.create_api_key(held.db, who.workspace_id, who.user_id, "Nightly", ["read"])
    with held.db.tenant(who.workspace_id) as session:
        ours = {"w": who.workspace_id}
        key = session.execute(text("SELECT id FROM api_keys WHERE workspace_id = :w"), ours).scalar_one()
        contact = session.execute(text("SELECT id FROM contacts ORDER BY id LIMIT 1")).scalar_one()
        author = session.execute(
            text("SELECT author_id FROM engagements WHERE NOT ours ORDER BY id LIMIT 1")
        ).scalar_one()
        own = sessions.begin(session, who.user_id, who.workspace_id, confined=False, browser="")
        session.flush()
        own_session = session.scalars(select(SigninSession.id).filter_by(token_hash=sessions.digest(own))).one()
    with held.db.globally() as session:
        devices.remember(session, who.user_id, "", "Firefox")
        session.add(
            Identity(issuer="https://id.test", subject=domain, user_id=who.user_id, last_used_at=accounts.real_now())
        )
        session.flush()
        device = session.scalars(select(KnownDevice.id).filter_by(user_id=who.user_id)).one()
        identity = session.scalars(select(Identity.id).filter_by(user_id=who.user_id)).one()
    return {
        "workspace": who.workspace_id,
        "own_session": own_session,
        "device_id": device,
        "identity_id": identity,
        "brand": scene.brand,
        "social": scene.social,
        "crm": scene.crm,
        "match": scene.suggested,
        "contact": contact,
        "connection_id": scene.crm,
        "match_id": scene.suggested,
        "task_id": scene.task,
        "brand_id": scene.brand,
        "run_id": scene.run,
        "conversation_id": scene.waiting,
        "relationship_id": scene.relationship,
        "feed_id": rows.calendar(f"omar@{domain}"),
        "key_id": key,
        "member_id": member,
        "invitation_id": invitation,
        "session_id": session_id,
        "person_id": author,
        "request_id": rows.person_request(),
    }


@pytest.fixture
def two(held: Runtime, owner: Member, stranger: Member, signed_in: Callable[[str], Browser]) -> Two:
    return Two(things(held, owner, "acme.test"), things(held, stranger, "rival.test"), signed_in(stranger.email), held)


def by_id(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(method, address, the name of its id) of every page that is about one thing."""
    for rule in app.url_map.iter_rules():
        found = ID.findall(rule.rule)
        if rule.endpoint.startswith("console.") and found:
            [name] = found
            for method in {"GET", "POST"} & (rule.methods or set()):
                yield method, rule.rule, name


def shape(answer: TestResponse) -> tuple[int, str | None, str]:
    return answer.status_code, answer.location, VARIES.sub("", answer.get_data(as_text=True))


def send(browser: Browser, method: str, path: str, fields: Mapping[str, Any]) -> TestResponse:
    if method == "POST":
        return browser.post(path, {**FORM, **fields})
    return browser.get(path, query_string=fields)


def test_a_page_about_something_of_another_workspace_is_as_if_there_were_nothing(app: Flask, two: Two) -> None:
    before, tried = two.standing(), 0
    for method, rule, name in by_id(app):
        tried += 1
        theirs = send(two.rita, method, ID.sub(str(two.acme[name]), rule), two.own)
        nobodys = send(two.rita, method, ID.sub(str(uuid4()), rule), two.own)
        assert theirs.status_code == 404, (method, rule)
        assert shape(theirs) == shape(nobodys), (method, rule)
    assert tried > 30
    assert two.standing() == before


def test_whoever_it_belongs_to_finds_those_pages(app: Flask, two: Two) -> None:
    """Without this, the test above would hold for pages that nobody finds."""
    last = {"remove": 1, "disconnect": 1}
    pages = sorted(by_id(app), key=lambda each: (last.get(each[1].rsplit("/", 1)[1], 0), each[1], each[0]))
    for method, rule, name in pages:
        found = two.rival["social" if rule.endswith("/found") else "own_session" if rule.endswith("-own") else name]
        assert send(two.rita, method, ID.sub(str(found), rule), two.own).status_code != 404, (method, rule)


@pytest.mark.parametrize(("method", "path", "field", "noun"), FIELDS)
def test_an_id_of_another_workspace_in_a_form_or_a_query_is_as_if_there_were_nothing(
    two: Two, method: str, path: str, field: str, noun: str
) -> None:
    before = two.standing()
    path = path.format(**two.rival)
    theirs = send(two.rita, method, path, {field: str(two.acme[noun])})
    nobodys = send(two.rita, method, path, {field: str(uuid4())})
    assert shape(theirs)[0] == shape(nobodys)[0]
    assert shape(theirs)[2] == shape(nobodys)[2]
    assert "mia@acme.test" not in theirs.text
    assert two.standing() == before
