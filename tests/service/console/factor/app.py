"""An authenticator app, and what people do with it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from service import totp
from service.clock import real_now
from service.models import Audit
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, words_of
from tests.service.console.password.pages import csrf

PENDING = "warmline_pending"
HALF_A_MINUTE = timedelta(seconds=totp.STEP)


class App:
    """An authenticator app."""

    def __init__(self, secret: str, codes: list[str]) -> None:
        self.secret, self.codes = secret, codes

    def code(self, later: int = 0) -> str:
        return totp.code_of(self.secret, totp.step_at(real_now()) + later)


def key_on(page: TestResponse) -> str:
    [shown] = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    return shown.replace(" ", "")


def codes_on(page: TestResponse) -> list[str]:
    return re.findall(r"<li><code>([0-9A-Z-]+)</code></li>", page.text)


def set_up(browser: Browser) -> App:
    """A second factor, set up as a person does; the code that confirmed it is used, so the next half minute begins."""
    assert browser.post("/account/factor/begin").location == "/account/factor"
    secret = key_on(browser.get("/account/factor"))
    made = browser.post("/account/factor/confirm", {"code": totp.code_of(secret, totp.step_at(real_now()) - 1)})
    assert made.status_code == 200, words_of(made)
    browser.csrf = csrf(browser.client)
    return App(secret, codes_on(made))


def give(client: FlaskClient, code: str, **options: Any) -> TestResponse:
    return client.post("/signin/code", data={"code": code}, **options)


def opens(client: FlaskClient) -> bool:
    return client.get("/").status_code == 200


def actions(held: Runtime, who: Member) -> list[str]:
    with held.db.tenant(who.workspace_id) as session:
        rows = session.scalars(select(Audit).order_by(Audit.created_at, Audit.id))
        return [f"{row.actor.partition(':')[0]} {row.action}" for row in rows]


def count(held: Runtime, *tables: Any) -> list[int]:
    with held.db.globally() as session:
        return [session.scalar(select(func.count()).select_from(each)) or 0 for each in tables]
