"""Everything real but the clock: the sandbox over sockets, both providers, the console, PostgreSQL and Valkey. Schedulers
and workers act in turn, when the story says so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service import accounts, registrations
from service.runtime import Runtime
from tests.conftest import BASE_URL, make_member
from tests.sandbox_server import Outside, outside
from tests.service.console.conftest import words_of
from tests.world import Work
from workers import jobs

THURSDAY = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)
CLIENT, SECRET = "warmline-client", "not-a-secret"


@dataclass(kw_only=True)
class Story(Work):
    outside: Outside
    browser: FlaskClient
    csrf: str

    def passes(self, time: timedelta) -> None:
        """Business time goes on, for everybody."""
        super().passes(time)
        self.outside.time_is(self.now)

    # --- at the console ---------------------------------------------------------------------------------------

    def reads(self, path: str) -> str:
        """The words of a page."""
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return words_of(answer)

    def presses(self, path: str, **fields: Any) -> TestResponse:
        """Sends one of the console's forms."""
        answer = self.browser.post(path, data={"csrf_token": self.csrf, **fields})
        assert answer.status_code == 303, words_of(answer)
        return answer

    def connects(self, provider: str, account: str = "portal", **fields: Any) -> str:
        """The whole way: button, consent page of the provider, and back. Returns the words of the page that it ends on."""
        return self.through_consent(f"/connect/new/{provider}", account, **fields)

    def through_consent(self, button: str, account: str, **fields: Any) -> str:
        ticket = self.presses(button, **fields).location
        away = self.browser.get(ticket)
        assert away.status_code == 302, words_of(away)
        back = urlsplit(self.outside.consents(away.location, account))
        arrived = self.browser.get(f"{back.path}?{back.query}")
        assert arrived.status_code == 303, words_of(arrived)
        return self.reads(arrived.location)

    # --- workers side by side ---------------------------------------------------------------------------------

    def run_side_by_side(self) -> None:
        """All jobs of one look of the scheduler at once, as several workers would; then whatever follows from them."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.work, self.claim()))
        self.run()

    def health(self, kind: str, **where: Any) -> tuple[str, str]:
        row = self.connection(kind, **where)
        return row.status, row.status_reason


@pytest.fixture
def story(held: Runtime, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """A workspace with the default settings and nothing connected, its owner signed in at the console."""
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    with outside(tmp_path / "sandbox", THURSDAY) as world:
        world.set(rate_limits=False)  # they are in real time, which the story does not wait for
        for provider in ("x", "hubspot"):
            world.register(provider, CLIENT, SECRET, registrations.callback_url(held.config, provider))
            host = f"{world.url}/{provider}"
            registrations.set_app(held, provider, CLIENT, SECRET, {"api": host, "web": host})
        owner = make_member(held, "Acme", "olga@acme.test")
        browser = app.test_client()
        link = accounts.signin_link(held.db, owner.email, BASE_URL)
        assert browser.post(urlsplit(link).path).status_code == 303
        cookie = browser.get_cookie("warmline_session")
        who = accounts.caller_of_session(held.db, cookie.value if cookie else "")
        assert who
        made = Story(
            runtime=held, owner=owner, monkeypatch=monkeypatch, now=THURSDAY, outside=world, browser=browser, csrf=who.csrf_token
        )  # fmt: skip
        made.passes(timedelta(0))
        yield made
