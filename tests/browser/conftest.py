"""A real browser before a real server, both on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Error, Page, sync_playwright
from werkzeug.serving import make_server

from service import accounts
from service.app import create_app
from service.config import Config
from service.runtime import Runtime
from service.watch import doors

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Skips where it is missing, and fails there where WARMLINE_REQUIRE_BROWSER=1 asks for it."""
    path = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")
    if path is None:
        if os.environ.get("WARMLINE_REQUIRE_BROWSER") == "1":
            pytest.fail(
                "Chromium is not installed, and WARMLINE_REQUIRE_BROWSER=1 asks for it: apt-get install chromium"
            )
        pytest.skip("Chromium is not installed, so the pages were not tried in a browser: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serves a WSGI application on a free port; returns its address."""
    servers = []

    def start(application: Any, port: int = 0) -> str:
        server = make_server("127.0.0.1", port, application, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass
class Site:
    """The console, as served to the browser."""

    url: str
    held: Runtime
    app: Flask

    def signin(self, email: str) -> str:
        return accounts.signin_link(self.held.db, email, self.url)


@pytest.fixture
def site(config: Config, held: Runtime, serve: Callable[[Any], str]) -> Iterator[Site]:
    app = create_app(config)
    app.config["TESTING"] = False  # an error is a page here, too
    url = serve(app)
    app.extensions["warmline"] = Runtime(replace(config, base_url=url))
    yield Site(url, held, app)
    doors.teller(app).leave()
    app.extensions["warmline"].db.engine.dispose()
    app.extensions["warmline"].redis.close()


@dataclass
class Visitor:
    """One person at one browser window; whatever the browser complains about is kept."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)
    expected: str = ""  # a page that answers with an error is a complaint too, where it is not what the test is about

    def go(self, path: str) -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def sign_in(self, email: str) -> Page:
        self.page.goto(self.site.signin(email))
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(self.site.url + "/")
        return self.page


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Opens a window. At the end, no window may have complained: no error on its console, no blocked content."""
    opened: list[Visitor] = []

    def open_window(size: dict[str, int] = DESK, **options: Any) -> Visitor:
        context = chromium.new_context(viewport=size, **options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        who = Visitor(context.new_page(), site)
        who.page.on(
            "console", lambda message: message.type in ("error", "warning") and who.complaints.append(message.text)
        )
        who.page.on("pageerror", lambda error: who.complaints.append(str(error)))
        # What a page was still loading when somebody left it is no complaint.
        who.page.on(
            "requestfailed",
            lambda request: (
                "ABORTED" in str(request.failure) or who.complaints.append(f"{request.url}: {request.failure}")
            ),
        )
        opened.append(who)
        return who

    yield open_window
    complaints = [each for who in opened for each in who.complaints if not who.expected or who.expected not in each]
    for who in opened:
        with contextlib.suppress(Error):
            who.page.context.close()
    assert complaints == []
