"""A browser of the console without the browser: Flask's client, and providers that answer from memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from integrations.provider import Access, FormField, OAuth2, Price, Provider, Secret, Stream
from integrations.records import Author
from integrations.registry import providers
from service import accounts, registrations
from service.models import Membership, User
from service.runtime import Runtime

CHIRP_API = "https://api.chirp.test"
CHIRP_WEB = "https://chirp.test"
COOKIE = "warmline_session"


class _Client:
    """Knows one account, whose name the access token holds."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def whoami(self) -> Author:
        handle = str(self.access.credentials.get("access_token") or self.access.credentials.get("key"))
        return Author(id=f"id-{handle}", handle=handle, name=handle.title(), url=f"https://chirp.test/{handle}")


class _CRMClient(_Client):
    def prepare(self) -> Mapping[str, Any]:
        return {}


_STREAMS = (
    Stream("mentions", "mentions", timedelta(minutes=2), limits="Only the newest 800 mentions are served."),
    Stream("messages", "direct messages", timedelta(minutes=5), scopes=("dm.read",)),
)
_OAUTH = OAuth2(
    authorize_url="{web}/authorize", token_url="{api}/token", scopes=("read",), client_auth="client_secret_post"
)
_HOSTS = {"api": CHIRP_API, "web": CHIRP_WEB}
PROVIDERS: tuple[Provider[Any], ...] = (
    Provider("chirp", "social", "Chirp", _HOSTS, _OAUTH, _Client, _STREAMS, prices=(Price("post", 0.005, "Chirp's price list"),),
             about="Mentions, replies and direct messages of one account."),
    Provider("rolodex", "crm", "Rolodex", {"api": "https://api.rolodex.test", "web": "https://rolodex.test"}, _OAUTH, _CRMClient,
             (Stream("contacts", "contacts", timedelta(minutes=5)),), about="Contacts, activities and tasks."),
    Provider("keyed", "social", "Keyed", {"api": "https://keyed.test"}, Secret(), _Client, _STREAMS[:1],
             form=(FormField("key", "App password", "Made in Keyed under Settings.", "secret"), FormField("server", "Server", required=False)),
             about="Posts of one account."),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _providers(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in PROVIDERS:
        monkeypatch.setitem(providers(), each.key, each)


@pytest.fixture
def registered(held: Runtime) -> Runtime:
    """Warmline has its registrations with the providers."""
    for each in PROVIDERS:
        if isinstance(each.auth, OAuth2):
            registrations.set_app(held, each.key, f"{each.key}-client", "not-a-secret")
    return held


@dataclass
class Browser:
    """Somebody at the console."""

    client: FlaskClient
    csrf: str = ""
    visited: list[TestResponse] = field(default_factory=list)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, data: Mapping[str, Any] | None = None, **options: Any) -> TestResponse:
        """A form of ours, token and all."""
        return self.client.post(path, data={"csrf_token": self.csrf, **(data or {})}, **options)


@pytest.fixture
def signed_in(app: Flask, held: Runtime) -> Callable[[str], Browser]:
    """A browser in which this person has opened a sign-in link."""

    def sign_in(email: str) -> Browser:
        client = app.test_client()
        cookie = accounts.sign_in(held.db, accounts.signin_link(held.db, email, "").rsplit("/", 1)[1])
        assert cookie
        client.set_cookie(COOKIE, cookie)
        who = accounts.caller_of_session(held.db, cookie)
        return Browser(client, who.csrf_token if who else "")

    return sign_in


@pytest.fixture
def olga(signed_in: Callable[[str], Browser], owner: Any) -> Browser:
    """The owner of the workspace, signed in."""
    return signed_in(owner.email)


@pytest.fixture
def nobody(app: Flask) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.skip = 0
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside.append((tag, ""))

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.inside and data.strip():
            self.inside[-1] = (self.inside[-1][0], self.inside[-1][1] + data)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def words_of(response: TestResponse) -> str:
    """What a person reads on a page, in one line."""
    return re.sub(r"\s+", " ", "".join(read(response.text).words)).strip()


def member(held: Runtime, workspace_id: Any, email: str, role: str) -> None:
    with held.db.globally() as session:
        user = User(email=email)
        session.add(user)
        session.flush()
        session.add(Membership(workspace_id=workspace_id, user_id=user.id, role=role))
