"""Every way in, used and misused with secrets that are known; then a search for them wherever they might have been left.

(What providers are given and give is searched for in `tests/story/test_secrets.py`.)
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from integrations import oauth
from service import accounts, embedded, passwords, queue, signin, totp
from service.clock import real_now
from service.config import SingleSignOn
from service.db import scheduler_engine
from service.runtime import Runtime
from service.store import claims, errands, factors
from tests.conftest import BASE_URL, Member
from tests.integrations import issuer as fake
from tests.integrations.issuer import CLIENT, ISSUER, SECRET, Issuer
from tests.secrecy import Planted, everything_logged, forget
from tests.service.console.conftest import member, read

LINK = re.compile(rf"{BASE_URL}/(?:signin|join|left)/([\w.-]+)")
KINDS = {
    "the client secret", "a sign-in link", "an owner's link", "an invitation", "a receipt's link", "a session", "a known browser", "a password", "a wrong password",
    "an API key", "a single sign-on's browser", "a state", "a code", "a verifier", "a nonce", "an ID token",
    "a key of an app", "a recovery code", "a sign-in that waits",
}  # fmt: skip


@dataclass
class Doors:
    """A browser whose every cookie is planted, and whose every answer is searched: one of success for what it is not there to give, a
    refusal for everything."""

    planted: Planted
    client: FlaskClient
    statuses: list[int] = field(default_factory=list)

    def get(self, path: str, gives: tuple[str, ...] = (), **options: Any) -> TestResponse:
        return self._seen(self.client.get(path, **options), gives)

    def post(self, path: str, gives: tuple[str, ...] = (), **form: Any) -> TestResponse:
        """A form of ours; `gives` is what its answer is there to show."""
        token = next((each["value"] for tag, each in read(self.client.get("/account").text).tags if each.get("name") == "csrf_token"), "")  # fmt: skip
        with self.client.post(path, data={"csrf_token": token, **form}) as answer:  # closed, as a server does
            return self._seen(answer, gives)

    def _seen(self, answer: TestResponse, gives: tuple[str, ...]) -> TestResponse:
        for what, name in (("a session", "warmline_session"), ("a known browser", "warmline_device"), ("a single sign-on's browser", "warmline_openid"), ("a sign-in that waits", "warmline_pending")):  # fmt: skip
            cookie = self.client.get_cookie(name)
            if cookie is not None and cookie.value not in self.planted.secrets.values():
                self.plant(what, cookie.value)
        self.statuses.append(answer.status_code)
        where = f"answers {answer.status_code // 100}xx"
        self.planted.look(where, f"{answer.headers.get('Location', '')}\n{answer.text}", leave=gives)
        return answer

    def plant(self, what: str, secret: str) -> str:
        return self.planted.plant(f"{what}, {len(self.planted.secrets)}", secret)

    def link(self, what: str, answer: TestResponse) -> str:
        """The path of the link that this page shows."""
        [link] = {each[0] for each in LINK.finditer(answer.text)}
        self.plant(what, link.rsplit("/", 1)[1])
        return urlsplit(link).path


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> None:
    forget()


@pytest.fixture
def config(config: Any) -> Any:
    return replace(config, single_sign_on=SingleSignOn(ISSUER, CLIENT, SECRET))


@pytest.fixture
def logged(held: Runtime) -> Iterator[io.StringIO]:
    with everything_logged() as out:
        yield out


@pytest.fixture
def there(doors: Doors) -> Iterator[Quoting]:
    """An issuer whose key is quickly made."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found = Quoting(fake.ec(), alg="ES256", planted=doors.planted)
        found.answer(mock)
        yield found


@pytest.fixture
def doors(app: Flask, held: Runtime, owner: Member, monkeypatch: pytest.MonkeyPatch) -> Doors:
    """Objects of ours are looked at whenever a password is being judged or a token asked for."""
    planted = Planted()
    planted.plant("the client secret, 0", SECRET)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    for module, name in ((signin, "_is_right"), (oauth, "fetch_token"), (factors, "spend")):
        _looked_at(planted, module, name, monkeypatch)
    return Doors(planted, app.test_client())


def _looked_at(planted: Planted, module: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    does, looked = getattr(module, name), False

    def look(*args: Any, **options: Any) -> Any:
        nonlocal looked
        if not looked:  # once each: it asks every object that there is
            looked = True
            planted.look_at_objects()
        return does(*args, **options)

    monkeypatch.setattr(module, name, look)


def by_link(doors: Doors, held: Runtime, owner: Member) -> None:
    link = urlsplit(accounts.signin_link(held.db, owner.email, BASE_URL)).path
    doors.plant("a sign-in link", link.rsplit("/", 1)[1])
    assert doors.post(f"{link}x").status_code == 410
    assert doors.get(link, ("a sign-in link",)).status_code == 200  # its button leads to itself
    assert doors.post(link).status_code == 303
    assert doors.post(link).status_code == 410  # spent


def by_password(doors: Doors, app: Flask, owner: Member) -> None:
    first, second = (doors.plant("a password", f"{each} and a bag of rain") for each in ("two plums", "four pears"))
    wrong = doors.plant("a wrong password", "two plums and a bag of hail")
    assert doors.post("/account/password", password=first, again=wrong).status_code == 400
    assert doors.post("/account/password", password="warmline" + first, again="warmline" + first).status_code == 400
    assert doors.post("/account/password", password=first, again=first).status_code == 303
    assert doors.post("/account/password", password=second, again=second, present=wrong).status_code == 400
    assert doors.post("/account/password", password=second, again=second, present=first).status_code == 303
    other = Doors(doors.planted, app.test_client(), doors.statuses)
    for _ in range(6):  # the sixth finds the door closed
        answer = other.post("/signin", email=owner.email, password=wrong)
    assert answer.status_code == 429
    assert doors.post("/signin", email=owner.email, password=second).status_code == 303


def by_invitation(doors: Doors, app: Flask, held: Runtime, owner: Member) -> None:
    member(held, owner.workspace_id, "milo@acme.test", "member")
    gives = ("an invitation", "an owner's link")
    [milo] = re.findall(r"/people/([\w-]+)/link", doors.get("/people").text)
    passed_on = doors.link("an owner's link", doors.post(f"/people/{milo}/link", gives))
    other = Doors(doors.planted, app.test_client(), doors.statuses)
    assert other.post(passed_on).status_code == 303
    joins = doors.link("an invitation", doors.post("/people/invite", gives, email="nina@acme.test", role="viewer"))
    withdrawn = doors.link("an invitation", doors.post("/people/invite", gives, email="omar@acme.test", role="viewer"))
    [invitation] = re.findall(r"/people/invitations/([\w-]+)/withdraw", doors.get("/people").text)[-1:]
    doors.post(f"/people/invitations/{invitation}/withdraw")
    assert {other.get(each, ("an invitation",)).status_code for each in (withdrawn, joins)} == {200, 410}
    assert {other.post(each).status_code for each in (withdrawn, joins)} == {303, 410}


def by_key(doors: Doors) -> None:
    page = doors.post("/settings/keys", ("an API key",), name="Reports", scope=["read"])
    key = doors.plant("an API key", re.findall(r"wl_[\w-]{30,}", page.text)[0])
    bearer = {"Authorization": f"Bearer {key}"}
    assert doors.get("/v1/me", headers=bearer).status_code == 200
    assert doors.get("/v1/nothing", headers=bearer).status_code == 404
    assert doors.get("/v1/tasks?cursor=x", headers=bearer).status_code >= 400
    [made] = re.findall(r"/settings/keys/([\w-]+)/revoke", doors.get("/settings/keys").text)
    doors.post(f"/settings/keys/{made}/revoke")
    assert doors.get("/v1/me", headers=bearer).status_code == 401


@dataclass
class Quoting(Issuer):
    """An issuer whose first token endpoint quotes what it was sent in its refusal."""

    planted: Planted | None = None
    quotes: bool = True

    def _token(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        assert self.planted is not None
        body = str(request.body)
        self.planted.plant(f"a verifier, {len(self.planted.secrets)}", parse_qs(body)["code_verifier"][0])
        if self.quotes:
            self.quotes = False
            said = f"{request.headers.get('Authorization')} {body}"
            return 400, {}, json.dumps({"error": "invalid_request", "error_description": said})
        answer = super()._token(request)
        self.planted.plant(f"an ID token, {len(self.planted.secrets)}", json.loads(answer[2])["id_token"])
        return answer


def by_single_sign_on(doors: Doors, there: Quoting) -> None:
    for expected in (400, 303):  # quoted at first
        query = dict(parse_qsl(urlsplit(doors.post("/signin/openid").location).query))
        doors.plant("a state", query["state"])
        doors.plant("a nonce", query["nonce"])
        code = doors.plant("a code", f"a-code-that-is-good-once-{expected}")
        there.codes[code] = query
        back = {"code": code, "state": query["state"]}
        assert (
            doors.get("/signin/openid/callback", query_string={**back, "state": f"{query['state']}x"}).status_code
            == 400
        )
        assert doors.get("/signin/openid/callback", query_string=back).status_code == expected
        assert doors.get("/signin/openid/callback", query_string=back).status_code == 400  # spent


def by_second_factor(doors: Doors, app: Flask, held: Runtime, owner: Member) -> None:
    """Set up, used, and begun once more; what comes of a code that is right is in `test_second_factor`."""
    keys, codes = ("a key of an app",), ("a recovery code",)
    assert doors.post("/account/factor/begin").status_code == 303
    secret = _key(doors, doors.get("/account/factor", keys))
    assert doors.post("/account/factor/confirm", keys, code="000 000").status_code == 400
    made = doors.post("/account/factor/confirm", codes, code=totp.code_of(secret, totp.step_at(real_now())))
    found = [doors.plant("a recovery code", each) for each in re.findall(r"<li><code>([0-9A-Z-]+)</code>", made.text)]
    for each in found:
        doors.plant("a recovery code", each.replace("-", ""))
    password = next(each for what, each in doors.planted.secrets.items() if each.startswith("four pears"))
    other, known = Doors(doors.planted, app.test_client(), doors.statuses), doors.client.get_cookie("warmline_device")
    assert known
    other.client.set_cookie("warmline_device", known.value)  # elsewhere the door is closed by now
    assert other.post("/signin", email=owner.email, password=password).location == "/signin/code"
    assert other.post("/signin/code", code=found[0][:-1] + ("0" if found[0][-1] != "0" else "1")).status_code == 400
    assert other.post("/signin/code", code=found[0]).status_code == 303
    assert other.post("/signin/code", code=found[0]).status_code == 410  # spent
    assert other.post("/signin", email=owner.email, password=password).location == "/signin/code"  # and left
    assert doors.post("/account/factor/begin", code=found[1]).status_code == 303  # and left
    _key(doors, doors.get("/account/factor", keys))


def _key(doors: Doors, page: TestResponse) -> str:
    """The key that this page shows, planted as it stands there and as an app holds it."""
    [shown] = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    doors.plant("a key of an app", shown)
    return doors.plant("a key of an app", shown.replace(" ", ""))


def by_a_fault_of_ours(doors: Doors, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks in the middle of signing in leaves a traceback, which holds no values."""

    def breaks(password: str, kept: str | None) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(passwords, "is_right", breaks)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = doors.post(
        "/signin", email="olga@acme.test", password=doors.plant("a password", "six figs in a tin of fog")
    )
    assert answer.status_code == 500


def leaves(doors: Doors) -> None:
    gone = doors.link("a receipt's link", doors.post("/settings/leave", ("a receipt's link",), name="Acme"))
    assert doors.get(gone).status_code == 200
    assert doors.get(f"{gone}x").status_code == 404


def on_the_queue(held: Runtime, owner: Member, planted: Planted) -> None:
    """What is due, as the scheduler puts it there."""
    with held.db.tenant(owner.workspace_id) as session:
        errands.run_at(session, owner.workspace_id, errands.COMPARE, real_now())
    with scheduler_engine(held.config.need("database_scheduler_url")).begin() as connection:
        found = claims.claim(connection, real_now(), 100)
    assert found
    queue.enqueue(held.redis, [(each.job, each.ids) for each in found])
    planted.look_into_valkey(held.redis)


def test_nothing_that_opens_a_door_is_left_anywhere(
    doors: Doors, there: Quoting, app: Flask, held: Runtime, owner: Member, logged: io.StringIO, template: embedded.Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    planted = doors.planted
    by_link(doors, held, owner)
    by_password(doors, app, owner)
    by_invitation(doors, app, held, owner)
    by_key(doors)
    by_single_sign_on(doors, there)
    by_second_factor(doors, app, held, owner)
    on_the_queue(held, owner, planted)
    leaves(doors)
    by_a_fault_of_ours(doors, app, monkeypatch)

    with template.connect(database=database) as connection:
        planted.look_into_database(connection)
    planted.look_into_valkey(held.redis)
    planted.look("logs", logged.getvalue())

    assert planted.found == set()
    assert {what.rpartition(",")[0] for what in planted.secrets} == KINDS
    searched = {"answers 2xx", "answers 3xx", "answers 4xx", "answers 5xx", "valkey", "logs", "repr OpenID", "repr SingleSignOn", "repr Caller", "repr Visitor",
                "table sessions", "table signin_links", "table invitations", "table api_keys", "table passwords", "table known_devices",
                "table second_factors", "table recovery_codes", "table factor_setups", "table pending_signins"}  # fmt: skip
    assert searched <= set(planted.searched)
    assert "broken" in logged.getvalue()
