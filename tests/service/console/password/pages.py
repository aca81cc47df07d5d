"""The pages on which somebody sets a password and signs in with it, as a browser uses them."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service import invitations
from service.models import Audit
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, read

GOOD = "two plums and a bag of rain"
BETTER = "four pears below a warm bench"
WRONG = "two plums and a bag of hail"
DEVICE = "warmline_device"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def set_password(browser: Browser, password: str = GOOD, present: str = "") -> TestResponse:
    form = {"password": password, "again": password, "present": present}
    answer = browser.post("/account/password", form, headers={"User-Agent": FIREFOX})
    if answer.status_code == 303:
        browser.csrf = csrf(browser.client)
    return answer


def csrf(client: FlaskClient) -> str:
    return next(
        str(each["value"]) for tag, each in read(client.get("/account").text).tags if each.get("name") == "csrf_token"
    )


def enter(client: FlaskClient, email: str, password: str, *, address: str = "", **form: str) -> TestResponse:
    headers = {"User-Agent": FIREFOX, **({"X-Forwarded-For": address} if address else {})}
    with client.post("/signin", data={"email": email, "password": password, **form}, headers=headers) as answer:
        return answer  # closed, as a server does once it has been sent


def trail(held: Runtime, who: Member) -> list[str]:
    with held.db.tenant(who.workspace_id) as session:
        rows = session.scalars(select(Audit).order_by(Audit.created_at, Audit.id))
        return [
            f"{row.actor} {row.action} {row.subject}" for row in rows if row.action.startswith(("signin", "password"))
        ]


def invite(held: Runtime, owner: Member, email: str) -> str:
    with held.db.tenant(owner.workspace_id) as session:
        _, token = invitations.invite(session, owner.workspace_id, email, "member", by="user:olga")
    return f"/join/{token}"
