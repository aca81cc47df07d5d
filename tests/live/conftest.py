"""What tests against real servers share: a real CRM, a workspace beside it, and servers of the fediverse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from service import accounts, embedded, registrations
from service.db import scheduler_engine
from service.runtime import Runtime
from tests.conftest import BASE_URL, make_member
from tests.live import bottlecrm, espocrm, espocrm_client, gotosocial, takahe
from tests.live.fediverse import Server
from tests.live.odoo import RealOdoo, running
from tests.live.odoo_client import client
from tests.sandbox_server import outside
from tests.story.conftest import CLIENT, SECRET, Story
from workers import jobs

ACCOUNTS = (
    {"id": 11, "handle": "acme", "name": "Acme Cargo", "brand": True},
    {"id": 21, "handle": "ana", "name": "Ana Ferrer"},
)


@pytest.fixture(scope="session")
def bottle() -> Iterator[bottlecrm.Bottle]:
    with bottlecrm.running() as found:
        found.adds_field("twitter_handle", "Twitter handle")
        yield found


@pytest.fixture(scope="session")
def odoo() -> Iterator[RealOdoo]:
    with running() as found:
        values = {"field_description": "Twitter", "ttype": "char", "state": "manual"}
        found.adds("ir.model.fields", name="x_twitter", model_id=found.model("res.partner"), **values)
        yield found


@pytest.fixture
def options(odoo: RealOdoo) -> dict[str, Any]:
    return dict(client(odoo).prepare())


@pytest.fixture(scope="session")
def espo() -> Iterator[espocrm.RealEspo]:
    """An EspoCRM to which an administrator has added fields: for our key, and for handles."""
    with espocrm.running() as found:
        found.adds_field("Task", "warmlineKey")
        for kind in ("Contact", "Lead"):
            found.adds_field(kind, "twitterHandle")
        yield found


@pytest.fixture
def espo_options(espo: espocrm.RealEspo) -> dict[str, Any]:
    return dict(espocrm_client.client(espo).prepare())


@pytest.fixture(scope="session", name="takahe")
def on_takahe(template: embedded.Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with takahe.running(template, tmp_path_factory.mktemp("takahe")) as found:
        yield found


@pytest.fixture(scope="session")
def two(template: embedded.Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[gotosocial.Network]:
    """Two GoToSocials."""
    with gotosocial.running(template, tmp_path_factory.mktemp("gotosocial")) as found:
        yield found


@pytest.fixture(scope="session", name="gotosocial")
def on_gotosocial(two: gotosocial.Network) -> Server:
    return two.here


@pytest.fixture
def story(held: Runtime, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """A workspace whose owner is signed in at the console; X in the sandbox, and a real CRM."""
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    now = datetime.now(UTC)
    with outside(tmp_path / "sandbox", now) as world:
        world.set(rate_limits=False)
        world.register("x", CLIENT, SECRET, registrations.callback_url(held.config, "x"))
        registrations.set_app(held, "x", CLIENT, SECRET, {"api": f"{world.url}/x", "web": f"{world.url}/x"})
        world.load(accounts=list(ACCOUNTS))
        owner = make_member(held, "Acme", "olga@acme.test")
        browser = app.test_client()
        link = accounts.signin_link(held.db, owner.email, BASE_URL)
        assert browser.post(urlsplit(link).path).status_code == 303
        cookie = browser.get_cookie("warmline_session")
        who = accounts.caller_of_session(held.db, cookie.value if cookie else "")
        assert who
        made = Story(
            runtime=held, owner=owner, monkeypatch=monkeypatch, now=now, outside=world, browser=browser, csrf=who.csrf_token
        )  # fmt: skip
        made.passes(timedelta(0))
        yield made
    scheduler_engine(held.config.need("database_scheduler_url")).dispose()
