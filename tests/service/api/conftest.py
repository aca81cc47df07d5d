"""A workspace with a little of everything, and clients with API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from integrations import registry
from integrations.provider import FormField, OAuth2, Provider, Secret, Stream
from service import access, accounts, registrations
from service.runtime import Runtime
from tests.conftest import Member
from tests.fakes.crm import FakeCRM
from tests.fakes.social import FakeSocial
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Client:
    """A client that holds an API key."""

    http: FlaskClient
    key: str = ""

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {**({"Authorization": f"Bearer {self.key}"} if self.key else {}), **kwargs.pop("headers", {})}
        return self.http.open(f"/v1{path}", method=method, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        return self.call("POST", path, json={} if json is None else json, **kwargs)

    def patch(self, path: str, json: Any, **kwargs: Any) -> TestResponse:
        return self.call("PATCH", path, json=json, **kwargs)

    def put(self, path: str, json: Any, **kwargs: Any) -> TestResponse:
        return self.call("PUT", path, json=json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("DELETE", path, **kwargs)


def client_of(app: Flask, held: Runtime, member: Member, *scopes: str) -> Client:
    """A client with a key of this member's workspace."""
    secret = accounts.create_api_key(held.db, member.workspace_id, member.user_id, "test", scopes)
    return Client(app.test_client(), secret)


@pytest.fixture
def client(app: Flask, held: Runtime, owner: Member) -> Client:
    """May do everything in Acme."""
    return client_of(app, held, owner, *access.SCOPES)


@pytest.fixture
def reader(app: Flask, held: Runtime, owner: Member) -> Client:
    """May only look at Acme."""
    return client_of(app, held, owner, "read")


@pytest.fixture
def rival(app: Flask, held: Runtime, stranger: Member) -> Client:
    """May do everything in another workspace."""
    return client_of(app, held, stranger, *access.SCOPES)


@pytest.fixture
def nobody(app: Flask) -> Client:
    """Has no key."""
    return Client(app.test_client())


@pytest.fixture
def rows(held: Runtime, owner: Member) -> Rows:
    return Rows(held.db, owner.workspace_id, NOW)


@dataclass(frozen=True)
class World:
    """One of each, by id."""

    brand: UUID
    social: UUID
    crm: UUID
    author: UUID
    engagement: UUID
    conversation: UUID
    contact: UUID
    match: UUID
    task: UUID
    held: UUID
    run: UUID
    calendar: UUID
    relationship: UUID
    member: UUID
    invitation: UUID
    session: UUID
    person_request: UUID


@pytest.fixture
def world(rows: Rows) -> World:
    """Ada asks Acme something; the CRM may know her; a task stands there, and another one is held."""
    return populate(rows)


def populate(
    rows: Rows,
    *,
    person: str = "Ada Lovelace",
    asks: str = "Does it run on steam? 🚂",
    company: str = "Analytical Engines",
    domain: str = "acme.test",
) -> World:
    """One of each, in the workspace of these rows."""
    social = rows.connection()
    crm = rows.connection(provider="fakecrm", kind="crm", brand=False, preview=True, handle="crm.example")
    author = rows.author(person.split()[0].lower(), name=person)
    engagement = rows.engagement(social, author, text=asks, at=NOW - timedelta(hours=2))
    conversation = rows.conversation(social, author, waiting_since=NOW - timedelta(hours=2))
    contact = rows.contact(crm, person, company=company)
    match = rows.match(author, contact)
    rows.owner(crm, "77", f"olga@{domain}")
    shared = {"crm": crm, "author": author, "contact": contact, "conversation": conversation}
    task = rows.task(**shared, state="open", external_id="501", external_url="https://crm.example/tasks/501")
    later = rows.task(**shared, kind="ready_for_call", held_reason="Olga has 5 new tasks today.", held_until=NOW)
    relationship = rows.relationship(
        f"contact:{contact}",
        contact_id=contact,
        stage="conversing",
        decided_at=NOW,
        reasons=["Nothing in it needs a call yet."],
    )
    return World(
        rows.brand,
        social,
        crm,
        author,
        engagement,
        conversation,
        contact,
        match,
        task,
        later,
        rows.run(),
        rows.calendar(f"omar@{domain}"),
        relationship,
        *rows.colleague(f"mia@{domain}"),
        rows.person_request(),
    )


@pytest.fixture
def providers(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One network with a consent page and one CRM with a key, both ours alone."""
    return set_up(held, monkeypatch)


def set_up(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The same, wherever there is a runtime."""
    social, crm = FakeSocial(), FakeCRM()
    auth = OAuth2("{web}/authorize", "{web}/token", scopes=("read",))
    consent: Provider[Any] = Provider(
        key="fakesocial",
        kind="social",
        name="Fake Social",
        hosts={"web": "http://127.0.0.1:9"},
        auth=auth,
        also=Secret(),
        also_form=(FormField("password", "Password", type="secret"),),
        client=lambda _: social,
        streams=(Stream("mentions", "mentions", timedelta(minutes=5)),),
    )
    typed: Provider[Any] = Provider(
        key="fakecrm",
        kind="crm",
        name="Fake CRM",
        hosts={},
        auth=Secret(),
        client=lambda _: crm,
        streams=(Stream("contacts", "contacts", timedelta(minutes=5)),),
        form=(FormField("token", "Token", type="secret"),),
    )
    for each in (consent, typed):
        monkeypatch.setitem(registry.providers(), each.key, each)
    registrations.set_app(held, "fakesocial", "client", "secret")
    return {each.key: each for each in (consent, typed)}
