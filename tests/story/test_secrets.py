"""The whole main job with secrets that are known, and then a search for them wherever they might have been left."""

from __future__ import annotations

import base64
import hashlib
import importlib
import inspect
import io
import json
import pkgutil
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from flask import Flask, Response, request

from integrations import consents, http
from integrations.provider import Access, Account, App, Begun, Setting
from integrations.records import Author
from integrations.registry import providers
from sandbox.hints import signature
from service import accounts, credentials, embedded, queue, registrations
from service.accounts import Caller
from service.app import create_app
from service.arrivals import Arrival
from service.config import Config
from service.runtime import Runtime
from service.store import feeds
from service.vault import Vault
from tests.conftest import BASE_URL
from tests.secrecy import OURS, Planted, everything_logged, forget
from tests.story.conftest import CLIENT, THURSDAY, Story

pytestmark = pytest.mark.story

TOKENS = ("access_token", "refresh_token")
SOME = ("mentions", "messages", "tasks", "contacts")  # streams: one call after another of both vendors
FEED = "https://calendar.invalid/private-a-calendar-that-nobody-else-knows/basic.ics"
TYPED = {"host": "crm.example.com", "text": "somebody.example.com", "secret": ""}
OUR_OWN = ("our ",)  # what a page or an answer of ours is there to give to whom it belongs


@dataclass
class Vendors:
    """The sandbox's calls: every token that it gives and every code and verifier that it gets is planted, and it can be made to quote what it
    was sent in its refusals."""

    planted: Planted
    serve: Callable[..., Iterable[bytes]]
    quoting: str = ""  # the start of the paths that refuse
    quoted: int = 0
    looked: int = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        path, form = environ["PATH_INFO"], parse_qs(body.decode("utf-8", "replace"))
        for name in ("code", "code_verifier"):
            for number, value in enumerate(form.get(name, ())):
                self.planted.plant(f"{name} of {path} {len(self.planted.secrets)}.{number}", value)
        if self.quoting and path.startswith(self.quoting):
            self.quoted += 1
            said = f"{environ.get('HTTP_AUTHORIZATION', '')} {body.decode('utf-8', 'replace')} {environ.get('QUERY_STRING', '')}"
            told = {
                "error": "server_error",
                "error_description": said,
                "title": said,
                "detail": said,
                "message": said,
                "errors": [{"message": said}],
            }
            start_response("503 Service Unavailable", [("Content-Type", "application/json")])
            return [json.dumps(told).encode()]
        answer = b"".join(self.serve(environ, start_response))
        if "token" in path:
            given = json.loads(answer) if answer.startswith(b"{") else {}
            for name in TOKENS:
                if given.get(name):
                    self.planted.plant(f"{name} {len(self.planted.secrets)}", given[name])
        if environ.get("HTTP_AUTHORIZATION") and self.looked < 12:
            self.looked += 1
            self.planted.look_at_objects()  # somebody waits for our answer: client, session and credentials are alive
        return [answer]


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> None:
    forget()


@pytest.fixture
def planted() -> Planted:
    return Planted()


@pytest.fixture
def logged(held: Runtime) -> Iterator[io.StringIO]:
    with everything_logged() as out:
        yield out


@pytest.fixture
def vendors(story: Story, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> Vendors:
    ask = socket.getaddrinfo

    def only_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in ("127.0.0.1", "localhost"):
            raise socket.gaierror(socket.EAI_NONAME, "nobody leaves this machine")
        return ask(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    found = Vendors(planted, story.outside.app.wsgi_app)
    story.outside.app.wsgi_app = found  # type: ignore[method-assign]
    for provider in ("x", "hubspot"):
        secret = planted.plant(
            f"client secret of {provider}", f"{hashlib.sha256(provider.encode()).hexdigest()}-client-secret"
        )
        story.outside.register(provider, CLIENT, secret, registrations.callback_url(story.runtime.config, provider))
        host = f"{story.outside.url}/{provider}"
        registrations.set_app(story.runtime, provider, CLIENT, secret, {"api": host, "web": host})
    return found


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """One of this test's own, since its answers are looked into."""
    made = create_app(config)
    yield made
    made.extensions["warmline"].db.engine.dispose()
    made.extensions["warmline"].redis.close()


@pytest.fixture
def shown(app: Flask, planted: Planted) -> list[str]:
    """Searches every answer of console and API; their addresses, in order."""
    seen: list[str] = []

    def look(response: Response) -> Response:
        seen.append(f"{request.path} {response.status_code}")
        planted.look(f"answer of {request.endpoint}", response.get_data(), leave=OUR_OWN)
        return response

    app.after_request(look)
    return seen


def enqueued(story: Story, planted: Planted) -> None:
    """What is due now goes on the queue as the scheduler puts it there; what stands there is searched; then it is worked off."""
    for _ in range(60):
        found = story.claim()
        queue.enqueue(story.runtime.redis, [(each.job, each.ids) for each in found])
        planted.look_into_valkey(story.runtime.redis)
        for each in found:
            story.work(each)
        if not found:
            return


def begins(story: Story, planted: Planted) -> None:
    """Somebody waits on the network, whom the CRM knows; both accounts are connected, by the console."""
    story.outside.load(
        accounts=[{"id": 11, "handle": "acme", "name": "Acme", "brand": True}, {"id": 21, "handle": "ana", "name": "Ana Ferrer"}],
        posts=[{"id": 100, "author_id": 21, "text": "@acme Do you ship?", "created_at": (THURSDAY - timedelta(hours=20)).isoformat()}],
        owners=[{"id": 71, "email": "olga@acme.test"}],
    )  # fmt: skip
    story.set(preview=False)
    story.connects("x", "acme")
    story.connects("hubspot")
    cookie = story.browser.get_cookie("warmline_session")
    planted.plant("our session cookie", cookie.value if cookie else "")


def calls_the_api(story: Story, planted: Planted, app: Flask) -> None:
    """A key, a repeated write whose answer holds a ticket, and refusals that could quote what they were sent."""
    key = planted.plant(
        "our API key",
        accounts.create_api_key(
            story.runtime.db, story.workspace_id, story.owner.user_id, "k", ["read", "write", "admin"]
        ),
    )
    client, headers = app.test_client(), {"Authorization": f"Bearer {key}", "Idempotency-Key": "once"}
    answers = [client.post("/v1/connections", json={"provider": "x"}, headers=headers) for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    planted.plant("our ticket", answers[0].json["authorize_url"].rsplit("/", 1)[1])
    bad = {"Authorization": f"Bearer {key}x"}
    assert client.get("/v1/tasks", headers=bad).status_code == 401
    assert client.get("/v1/nothing", headers={"Authorization": f"Bearer {key}"}).status_code == 404
    assert client.post(
        "/v1/calendars", json={"email": "x", "url": FEED}, headers={"Authorization": f"Bearer {key}"}
    ).status_code in (400, 422)


def signs_in_again(story: Story, planted: Planted, app: Flask) -> None:
    link = urlsplit(accounts.signin_link(story.runtime.db, story.owner.email, BASE_URL)).path
    planted.plant("our sign-in link", link.rsplit("/", 1)[1])
    other = app.test_client()
    assert other.get(link).status_code == 200
    assert other.post(link).status_code == 303
    assert other.post(link).status_code >= 400  # used: an error page
    story.browser.get(
        "/oauth/x/callback?" + f"state={planted.plant('our state', 'a-state-that-was-never-given-' + 'x' * 20)}&code=c"
    )


def has_a_calendar(story: Story, planted: Planted) -> None:
    planted.plant("calendar's address", urlsplit(FEED).path)
    story.presses("/calendars", email="olga@acme.test", url=FEED)
    assert "calendar.invalid" in story.reads("/calendars")


def types_keys(story: Story, planted: Planted) -> None:
    """Into every form that takes one, for a server that cannot be reached: the form comes back with the reason."""
    asked = [
        way
        for provider in providers().values()
        for way in consents.ways(provider)
        if any(field.type == "secret" for field in way.form)
    ]
    assert len(asked) > 3
    for way in asked:
        typed = {field.name: TYPED[field.type] for field in way.form if not field.choices}
        for field in way.form:
            if field.type == "secret":
                typed[field.name] = planted.plant(
                    f"typed {field.name} of {way.provider.name}",
                    f"typed-{len(planted.secrets)}-{field.name}-{'x' * 20}",
                )
        answer = story.browser.post(
            f"/connect/new/{way.provider.key}", data={"csrf_token": story.csrf, "way": way.key, **typed}
        )
        assert answer.status_code == 400, way.provider.name


def is_told_by_webhook(story: Story, planted: Planted, app: Flask) -> None:
    secret, body = (
        planted.secrets["client secret of x"],
        json.dumps({"for_user_id": "11", "tweet_create_events": []}).encode(),
    )
    client, headers = app.test_client(), {"X-Twitter-Webhooks-Signature": signature(secret, body)}
    assert client.post("/hooks/x", data=body, headers=headers, content_type="application/json").status_code == 204
    assert (
        client.post("/hooks/x", data=secret.encode(), headers=headers, content_type="application/json").status_code
        == 401
    )
    assert client.get("/hooks/x?crc_token=question").status_code == 200


def is_refused_with_quotes(story: Story, vendors: Vendors) -> None:
    """Every kind of call is refused once in words that hold what was sent: tokens, client secrets, refresh tokens."""
    for provider in ("x", "hubspot"):
        vendors.quoting = f"/{provider}/"
        story.look(streams=SOME)
        vendors.quoting = ""
    assert vendors.quoted >= 4
    for page in ("/", "/connections", "/tasks", "/calendars"):
        story.reads(page)
    story.sql("UPDATE streams SET next_pull_at = now(), failures = 0")


def renews(story: Story, vendors: Vendors) -> None:
    """Both tokens run out; the first try at renewing is refused with quotes, the second goes through."""
    before = len(vendors.planted.secrets)
    for provider, path in (("x", "/x/2/oauth2/token"), ("hubspot", "/hubspot/oauth")):
        story.outside.fails(provider, "expire_tokens")
        vendors.quoting = path
        story.look(streams=SOME)
        vendors.quoting = ""
        story.look(streams=SOME)
    assert len(vendors.planted.secrets) > before  # tokens that were not there before


def test_no_secret_is_left_anywhere(shown: list[str], story: Story, vendors: Vendors, planted: Planted, app: Flask, logged: io.StringIO, template: embedded.Postgres, database: str) -> None:  # fmt: skip
    begins(story, planted)
    calls_the_api(story, planted, app)
    signs_in_again(story, planted, app)
    has_a_calendar(story, planted)
    types_keys(story, planted)
    enqueued(story, planted)
    assert story.outside.open_tasks()
    is_told_by_webhook(story, planted, app)
    enqueued(story, planted)
    is_refused_with_quotes(story, vendors)
    renews(story, vendors)
    story.presses(f"/connections/{story.connection('social').id}/disconnect")
    enqueued(story, planted)

    with template.connect(database=database) as connection:
        planted.look_into_database(connection)
    planted.look_into_valkey(story.runtime.redis)
    planted.look("logs", logged.getvalue(), leave=())
    planted.look_at_objects()

    assert planted.found == set()
    kinds = {re.split(r" of | \d", what)[0] for what in planted.secrets}
    assert kinds >= {
        "access_token",
        "refresh_token",
        "client secret",
        "code",
        "code_verifier",
        "calendar's address",
        "our API key",
        "our session cookie",
        "our ticket",
    }
    assert vendors.looked == 12
    assert {
        "valkey",
        "logs",
        "table credentials",
        "table oauth_states",
        "table idempotency_keys",
        "repr Access",
        "repr Setting",
        "answer of console.connections.show",
    } <= set(planted.searched)
    assert any(status.endswith((" 400", " 401", " 404")) for status in shown)


# --- what says itself --------------------------------------------------------------------------------------------

# Names of fields that hold what nobody may see, in whichever dataclass of ours.
SECRET_FIELDS = frozenset(
    [
        "access_token",
        "refresh_token",
        "client_secret",
        "secret",
        "secrets",
        "secret_keys",
        "password",
        "cookie",
        "csrf_token",
        "credentials",
        "sealed",
        "kept",
        "dpop_key",
        "verifier",
        "database_url",
        "database_admin_url",
        "database_scheduler_url",
        "database_backup_url",
        "redis_url",
        "metrics_token",
    ]
)


def dataclasses_of_ours() -> Iterator[type]:
    for name in OURS:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if ".migrations" in module.name or module.name.endswith(".__main__"):
                continue
            for each in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(each) and is_dataclass(each) and each.__module__ == module.name:
                    yield each


def test_no_field_whose_name_says_secret_is_told_by_repr() -> None:
    told = {
        (each, one.name)
        for each in dataclasses_of_ours()
        for one in fields(each)
        if one.name in SECRET_FIELDS and one.repr
    }  # type: ignore[arg-type]
    assert told == set()


def test_no_object_that_the_program_hands_about_says_what_it_holds(held: Runtime) -> None:
    planted = Planted()
    token = planted.plant("token", SECRET)
    app = App("client", token, options={"consumer_secret": token})
    way = next(way for provider in providers().values() for way in consents.ways(provider))
    setting = Setting(app, {}, {"api_key": token})
    who = Author("1", "me", "Me")
    config = replace(
        held.config,
        secret_keys={"k": token.encode().ljust(32)[:32]},
        database_url=f"postgresql://u:{token}@h/d",
        redis_url=f"redis://:{token}@h",
    )
    objects = [
        app, setting, config, Runtime(config), Vault({"k": b"x" * 32}), Begun("https://a.example", {"verifier": token}), Account(who, {"access_token": token}),
        Access({}, {"access_token": token}, app=app), Arrival(way, setting, {"access_token": token}, None), credentials.Held({"access_token": token}, 1),
        feeds.Held("o@acme.test", "calendar.example", f"https://calendar.example/{token}", 0), Caller(uuid4(), "user:1", frozenset(), csrf_token=token),
        http.Session("https://a.example", token=token, secrets=[token]), http.Session("https://a.example", token=token).http,
    ]  # fmt: skip
    for each in objects:
        planted.look(type(each).__name__, f"{each!r} {each}")
    assert planted.found == set()


# --- the search itself --------------------------------------------------------------------------------------------

SECRET = "a-token/that+nobody=may~see"
WRITTEN = {
    "in clear": SECRET,
    "in JSON": json.dumps({"detail": f"you sent {SECRET}"}),
    "percent-encoded": "?token=a-token%2Fthat%2Bnobody%3Dmay~see&x=1",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_secret_that_stands_in_a_text_is_found(text: str) -> None:
    planted = Planted()
    planted.plant("token", SECRET)
    planted.look("here", f"before {text} after")
    assert planted.found == {("token", "here")}


@pytest.mark.own_database
def test_a_secret_that_rests_in_a_database_is_found_whatever_the_column(
    template: embedded.Postgres, database: str
) -> None:
    planted = Planted()
    planted.plant("token", SECRET)
    columns = {
        "text": SECRET,
        "bytea": SECRET.encode(),
        "jsonb": json.dumps({"form": {"token": SECRET}}),
        "text[]": ["x", SECRET],
        "varchar": base64.b64encode(b"ab" + SECRET.encode()).decode(),
    }
    with template.connect(database=database) as connection:
        for number, (kind, value) in enumerate(columns.items()):
            connection.execute(f"CREATE TABLE planted_{number} (held {kind})".encode())
            connection.execute(f"INSERT INTO planted_{number} VALUES (%s)".encode(), [value])
        planted.look_into_database(connection)
    assert planted.found == {("token", f"table planted_{number}") for number in range(len(columns))}


def test_a_secret_in_a_jobs_arguments_or_any_value_of_valkey_is_found(held: Runtime) -> None:
    values: dict[str, Callable[[], object]] = {
        "job": lambda: queue.enqueue(held.redis, [("pull", (SECRET, SECRET, SECRET))]),  # type: ignore[list-item]  # as nobody should
        "string": lambda: held.redis.set("a", f"x{SECRET}"),
        "hash": lambda: held.redis.hset("a", SECRET, "x"),
        "list": lambda: held.redis.rpush("a", SECRET),
        "set": lambda: held.redis.sadd("a", SECRET),
        "zset": lambda: held.redis.zadd("a", {SECRET: 1}),
        "stream": lambda: held.redis.xadd("a", {"x": SECRET}),
        "key": lambda: held.redis.set(SECRET, "x"),
    }
    for name, put in values.items():
        planted = Planted()
        planted.plant("token", SECRET)
        held.redis.flushall()
        put()
        planted.look_into_valkey(held.redis)
        assert planted.found == {("token", "valkey")}, name


def test_an_object_of_ours_that_says_its_secret_is_found() -> None:
    planted = Planted()
    planted.plant("token", SECRET)

    @dataclass
    class Careless:
        token: str

    Careless.__module__ = "service.careless"
    kept = [Careless(SECRET)]
    planted.look_at_objects()
    assert planted.found == {("token", "repr Careless")}
    assert kept
