"""What holds for every page, form and parameter alike: whose forms are taken, where one is led, which cookies are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import accounts, passwords
from service.app import create_app
from service.console import onward
from service.console.browsers import address_of
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, read, words_of
from tests.service.console.scenes import Scene, busy_day
from tests.service.console.test_every_page import forms, pages

GOOD = "two plums and a bag of rain"
# Where browsers, or servers, have been led by addresses that looked like paths.
HOSTILE = (
    "https://evil.test", "http://evil.test/", "//evil.test", "///evil.test", "////evil.test/x", "/\\evil.test", "\\\\evil.test", "\\/evil.test",
    "/\\/evil.test", "https:evil.test", "https:/evil.test", "https:\\\\evil.test", "http:///evil.test", "//evil.test\\@warmline.test",
    "//warmline.test@evil.test", "https://warmline.test.evil.test", "https://warmline.test@evil.test", "http://warmline.test:80@evil.test", "/\t/evil.test", "\t//evil.test",
    "/\n/evil.test", "/\r/evil.test", "\n//evil.test", " //evil.test", "/ /evil.test", "/\x0b/evil.test", "/\x00/evil.test", "//\u3002evil.test", "//evil\u3002test", "/%09/evil.test", "/%2f/evil.test",
    "/%5cevil.test", "%2f%2fevil.test", "/..//evil.test", "/.//evil.test", "/tasks/..//evil.test", "//evil.test/%2f..", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:x", "blob:https://evil.test/x", "file:///etc/passwd", "ftp://evil.test", "//[::1]", "//127.0.0.1", "//2130706433", "/\u2044/evil.test",
    "／／evil.test", "/tasks\r\nLocation: https://evil.test", "/tasks%0d%0aSet-Cookie: a=b", "?next=//evil.test", "#//evil.test", ".evil.test", "@evil.test", ":80", "tasks", "/nowhere", "/static/../x",
    "/static/console.css", "/v1/me", "/hooks/x", "/signin", "/signin/abc", "/join/abc", "/connect/abc", "/connect/accounts/abc", "/oauth/chirp/callback?state=x&code=y", "/t/abc", "/signout", "/" + "x" * 5000, "",
)  # fmt: skip
PARAMETERS = (
    "next",
    "back",
    "url",
    "to",
    "return",
    "return_to",
    "redirect",
    "redirect_uri",
    "continue",
    "done",
    "location",
)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def scene(held: Runtime, owner: Any) -> Scene:
    return busy_day(held, owner.workspace_id, preview=True)


def is_here(location: str | None) -> bool:
    """Whether a browser that follows this stays on this site."""
    if location is None:
        return True
    bare = location.replace("\t", "").replace("\r", "").replace("\n", "").strip()
    parts = urlsplit(bare)
    return (
        bare.startswith("/")
        and not bare.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and "\\" not in bare
    )


# --- where one is led ---------------------------------------------------------------------------------------------


def test_no_spelling_leads_to_another_site_or_to_a_page_that_takes_a_secret(app: Flask) -> None:
    with app.test_request_context():
        for wanted in HOSTILE:
            assert onward.ours(wanted, "/") == "/", wanted
            assert is_here(onward.local(wanted) or None), wanted


def test_pages_of_ours_are_led_to(app: Flask) -> None:
    with app.test_request_context():
        for wanted in ("/", "/tasks?show=held&kind=unanswered", "/conversations/0198c0de-0000-7000-8000-000000000000"):
            assert onward.ours(wanted, "/nowhere") == wanted


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="/\\:@?#%.\t\r\n \x00evilhtps", max_size=24))
def test_whatever_is_wanted_one_stays_here(app: Flask, wanted: str) -> None:
    with app.test_request_context():
        assert is_here(onward.ours(wanted, "/"))
        assert is_here(onward.local(wanted) or None)


def test_signing_in_leads_to_pages_of_ours_whatever_is_asked_for(olga: Browser, owner: Member, app: Flask) -> None:
    assert olga.post("/account/password", {"password": GOOD, "again": GOOD}).status_code == 303
    olga.csrf = next(str(a["value"]) for _, a in read(olga.get("/account").text).tags if a.get("name") == "csrf_token")
    for wanted in HOSTILE:
        answer = olga.client.get("/signin", query_string={"next": wanted})
        assert (answer.status_code, answer.location) == ((400, None) if "\0" in wanted else (303, "/")), wanted
    client = app.test_client()
    for wanted in [*HOSTILE[:12], "/tasks?show=held"]:
        shown = client.get("/signin", query_string={"next": wanted})
        assert wanted == "/tasks?show=held" or "evil" not in shown.text
        answer = client.post("/signin", data={"email": owner.email, "password": GOOD, "next": wanted})
        assert answer.location == (wanted if wanted.startswith("/tasks") else "/"), wanted
        client.delete_cookie("warmline_session")
    assert client.get("/tasks?show=held").text.count('href="/signin?next=/tasks?show%3Dheld"') == 1


def test_no_page_and_no_form_leads_elsewhere_whatever_its_parameters_say(olga: Browser, scene: Scene) -> None:
    """Every route, with a hostile address under every name that such a parameter goes by, each time others."""
    spellings = cycle(("https://evil.test/", "//evil.test", "/\\evil.test", "/\t/evil.test", "https:evil.test"))
    for path in [*pages(scene), "/signin"]:
        answer = olga.get(path.partition("?")[0], query_string={name: next(spellings) for name in PARAMETERS})
        assert is_here(answer.location), (path, answer.location)
        assert "evil.test" not in answer.headers.get("Refresh", "")
    for path in [each for each in forms(scene) if each != "/signout"]:
        answer = olga.post(path, {name: next(spellings) for name in PARAMETERS})
        assert is_here(answer.location), (path, answer.location)


# --- whose forms are taken ----------------------------------------------------------------------------------------


def test_every_form_on_every_page_posts_to_a_page_of_ours_with_its_token(
    olga: Browser, nobody: FlaskClient, scene: Scene
) -> None:
    seen = 0
    for path in pages(scene):
        reader, within = read(olga.get(path).text), ""
        for tag, attributes in reader.tags:
            if tag == "form":
                within = attributes.get("action") or ""
                assert (attributes.get("method") or "get") in ("post", "get")
                assert is_here(within or "/"), (path, within)
                posts, has_token = attributes.get("method") == "post", False
                seen += posts
            if tag == "input" and attributes.get("name") == "csrf_token":
                assert posts
                assert attributes["value"] == olga.csrf
                has_token = True
            if tag == "button" and within and posts and not within.startswith("/signin"):
                assert has_token, (path, within)
    assert seen > 50
    assert 'name="csrf_token"' not in nobody.get("/signin").text


ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.test"},
    {"Origin": "http://warmline.test.evil.test"},
    {"Origin": "http://warmline.test:8080"},
    {"Origin": "http://evil.test/?http://warmline.test"},
    {"Origin": "http://sub.warmline.test"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://warmline.test", "Sec-Fetch-Site": "cross-site"},
)


def test_no_form_is_taken_from_another_site(
    olga: Browser, nobody: FlaskClient, scene: Scene, held: Runtime, owner: Member
) -> None:
    link = accounts.signin_link(held.db, owner.email, "")
    turn = cycle(ELSEWHERE)
    for path in forms(scene):
        for headers in (next(turn), next(turn)):
            answer = olga.post(path, headers=headers)
            assert answer.status_code == 400, (path, headers)
            assert "sent from another site" in answer.text
    for path in ("/signin", "/signin/openid", link, "/join/abc", "/t/abc"):
        for headers in ELSEWHERE:
            assert nobody.post(path, headers=headers).status_code == 400, (path, headers)
    assert nobody.post(link).status_code == 303  # nothing was used up by that


@pytest.mark.parametrize(
    "origin",
    ["http://[", "http://[::1", "http://]", "http://a[b]", "http://a:port", "http://a:99999", "//[", "null", "x" * 5000, f"http://{'x' * 5000}"],
)  # fmt: skip
def test_an_origin_that_cannot_be_read_is_another_site(nobody: FlaskClient, olga: Browser, origin: str) -> None:
    for answer in (
        nobody.post("/signin", data={"email": "olga@acme.test", "password": "x"}, headers={"Origin": origin}),
        olga.post("/account/sessions/end-others", headers={"Origin": origin}),
    ):
        assert answer.status_code == 400
        assert "sent from another site" in answer.text


def test_where_nobody_knows_our_host_a_form_from_nowhere_is_not_taken(olga: Browser) -> None:
    answer = olga.post("/account/sessions/end-others", headers={"Host": "[", "Origin": "null"})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["a..b", "x" * 5000, "[", "[::1", "a:port", "\xff\xfe"])
def test_a_host_that_is_none_breaks_no_page(nobody: FlaskClient, host: str) -> None:
    for path in ("/", "/signin", "/static/console.css", "/nowhere", "/v1/tasks", "/livez"):
        with nobody.get(path, headers={"Host": host}) as answer:
            assert answer.status_code in (200, 400, 401, 404), path
    assert nobody.post("/signin", data={"email": "olga@acme.test"}, headers={"Host": host}).status_code == 400


def test_what_nobody_can_type_is_refused_on_every_page(olga: Browser, nobody: FlaskClient) -> None:
    assert nobody.post("/signin", data={"email": "olga\0@acme.test", "password": "x"}).status_code == 400
    assert olga.client.get("/persons", query_string={"q": "\0"}).status_code == 400
    assert olga.post("/people/invite", {"email": "mia\0@acme.test", "role": "member"}).status_code == 400
    assert nobody.get("/oauth/chirp/callback", query_string={"state": "\0", "code": "c"}).status_code == 400
    assert (
        olga.post("/brands?name=", {"name": "\0"}).status_code == 400
    )  # what an address says hides no field of the form


@pytest.mark.parametrize("host", ["x" * 64, "a..b"])
@pytest.mark.parametrize("path", ["/signin", "/connections", "/nowhere", "/v1/me"])
def test_a_host_that_cannot_exist_is_refused_without_a_page(nobody: FlaskClient, path: str, host: str) -> None:
    answer = nobody.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "<a " not in answer.get_data(as_text=True)


def test_over_https_a_form_from_the_same_host_without_it_is_not_taken(config: Any) -> None:
    app = create_app(replace(config, base_url="https://warmline.test"))
    client = app.test_client()
    data = {"email": "olga@acme.test", "password": "x"}
    answers = [
        client.post("/signin", data=data, headers={"Origin": origin})
        for origin in ("http://warmline.test", "https://warmline.test")
    ]
    assert ["another site" in words_of(each) for each in answers] == [True, False]
    app.extensions["warmline"].db.engine.dispose()


# --- cookies ------------------------------------------------------------------------------------------------------


@pytest.fixture
def over_https(config: Any) -> Iterator[FlaskClient]:
    app = create_app(replace(config, base_url="https://warmline.test"))
    yield app.test_client()
    app.extensions["warmline"].db.engine.dispose()


def test_over_https_every_cookie_is_of_this_host_alone_and_out_of_reach(
    over_https: FlaskClient, held: Runtime, owner: Member
) -> None:
    base = "https://warmline.test"
    given = [over_https.post(accounts.signin_link(held.db, owner.email, ""), base_url=base)]
    token = next(
        each["value"]
        for _, each in read(over_https.get("/account", base_url=base).text).tags
        if each.get("name") == "csrf_token"
    )
    form = {"csrf_token": token, "password": GOOD, "again": GOOD}
    given.append(over_https.post("/account/password", data=form, base_url=base))
    given.append(over_https.post("/signin", data={"email": owner.email, "password": GOOD}, base_url=base))
    token = next(
        each["value"]
        for _, each in read(over_https.get("/account", base_url=base).text).tags
        if each.get("name") == "csrf_token"
    )
    given.append(over_https.post("/signout", data={"csrf_token": token}, base_url=base))
    cookies = [each for answer in given for each in answer.headers.getlist("Set-Cookie")]
    assert {each.partition("=")[0] for each in cookies} == {"__Host-warmline_session", "__Host-warmline_device"}
    assert len(cookies) == 6
    for each in cookies:
        parts = {part.strip().lower() for part in each.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts, each
        assert not [part for part in parts if part.startswith("domain")]
    assert over_https.get("/", base_url=base).status_code == 401


def test_over_https_a_cookie_under_the_plain_name_opens_nothing(
    over_https: FlaskClient, held: Runtime, owner: Member
) -> None:
    """A neighbouring host, or somebody on the line, may set one under any name without the prefix."""
    cookie = accounts.sign_in(held.db, accounts.signin_link(held.db, owner.email, "").rsplit("/", 1)[1])
    assert cookie
    over_https.set_cookie("warmline_session", cookie, domain="warmline.test")
    assert over_https.get("/", base_url="https://warmline.test").status_code == 401


# --- where a browser is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("203.0.113.7", "", ("127.0.0.1",), "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", ("127.0.0.1",), "203.0.113.7"),  # nobody whom we trust says so
        ("127.0.0.1", "203.0.113.7", ("127.0.0.1",), "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7", ("127.0.0.1",), "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2", ("127.0.0.1", "10.0.0.2"), "203.0.113.7"),
        ("10.9.9.9", "203.0.113.7", ("*",), "203.0.113.7"),
        ("127.0.0.1", "", ("127.0.0.1",), ""),
        ("127.0.0.1", ", ,", ("127.0.0.1",), ""),
        ("", "", (), ""),
    ],
)
def test_where_a_browser_is_a_proxy_of_ours_says_and_nobody_else(
    peer: str, forwarded: str, trusted: tuple[str, ...], address: str
) -> None:
    assert address_of(peer, forwarded, trusted) == address
