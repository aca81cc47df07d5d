"""Everything that the web server answers: pages, forms, sign-in, callbacks, webhooks and the API, with garbage in path, query, form, body,
headers and cookies. Every route is found in the map of routes, with each method that it takes.

Whatever comes, from nobody and from somebody who is signed in, it is answered with a status below 500, and nothing is raised.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from flask import Flask
from hypothesis import strategies as st
from werkzeug.routing import Rule

from fuzz import engine, odd, pages
from fuzz.place import place
from fuzz.target import Find, Target, bounded, plain
from integrations.registry import providers
from service import access, accounts, operators, registrations
from service.accounts import Caller
from service.app import create_app
from service.config import Config
from service.console import cookies, guard
from service.runtime import Runtime
from tests.conftest import BASE_URL, KEY, Member, make_member
from tests.service.api.conftest import NOW, client_of, populate
from tests.service.rows import Rows

HEADERS = ("X-Request-Id", "traceparent", "tracestate", "Idempotency-Key", "If-Match", "If-None-Match", "Authorization", "Content-Type", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Hub-Signature-256", "Accept",
           "Accept-Language", "Origin", "Referer", "User-Agent", "Range", "HX-Request", "Sec-Fetch-Site", "Host")  # fmt: skip
VALUES = ("00-" + "0" * 32 + "-" + "0" * 16 + "-01", "Bearer x", "Bearer ", "Basic !", '"', 'W/"1"', "*", "http://[", "sha256=", "x" * 5000, "application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain",
          "application/x-www-form-urlencoded; charset=utf-99", "")  # fmt: skip
COOKIES = tuple(each for each in odd.words_of(cookies.__name__) if each.startswith("warmline_"))
# Where a method is not said, the door's own: HEAD runs what GET does, OPTIONS nothing but what comes before every view.
METHODS = (*[""] * 20, "HEAD", "OPTIONS", "PUT", "TRACE")
AUTOMATIC = {"HEAD", "OPTIONS"}
NOT_READY = 503  # what /readyz says where no worker runs
NOBODY = -1  # in place of the number of an id: one that nobody has

_PART = re.compile(r"<(?:(\w+)(?:\((.*?)\))?:)?(\w+)>")  # of a route: converter, what it is given, name
ROUND = 10  # inputs of one door before it is the next one's turn

_known_or_odd = st.one_of(st.integers(0, 9), odd.text)


@dataclass(frozen=True)
class Door:
    """A route and a method that it takes."""

    rule: Rule
    method: str

    @property
    def name(self) -> str:
        return f"doors/{self.method} {self.rule.rule}"

    @property
    def by_key(self) -> bool:
        """Whether programs use it, which hold a key and send JSON, and not browsers, which hold a cookie and send forms."""
        return not self.rule.endpoint.startswith("console.")


def doors(app: Flask) -> list[Door]:
    """Every one, but for static files."""
    rules = [each for each in app.url_map.iter_rules() if not each.endpoint.endswith("static")]
    found = [Door(rule, method) for rule in rules for method in (rule.methods or set()) - AUTOMATIC]
    return sorted(found, key=lambda each: each.name)


def inputs(door: Door, view: Callable[..., Any], fields: Collection[str]) -> st.SearchStrategy[Any]:
    """One request at this door. Names are fields of its form, and like some values words of its view's module."""
    words = odd.words_of(view.__module__)
    word, value = st.sampled_from(words), st.one_of(odd.text, st.sampled_from(words))
    name = st.one_of(st.sampled_from(sorted(fields)), word) if fields else word
    written = st.dictionaries(name, st.lists(value, min_size=1, max_size=2), max_size=4)
    as_page = st.sampled_from((True, True, False))
    # A strategy that stands there twice is drawn no more often than another: each is made anew.
    forms = [st.fixed_dictionaries({"form": written, "as_page": as_page, "multipart": st.just(each == 0)}) for each in range(5)]  # fmt: skip
    sent = [st.fixed_dictionaries({"json": odd.values(words)}), st.fixed_dictionaries({"raw": odd.octets})]
    header = st.one_of(odd.header_value, st.sampled_from(VALUES), odd.text)
    return st.fixed_dictionaries(
        {"at": st.fixed_dictionaries(_parts(door.rule)), "query": st.one_of(written, odd.octets), "body": st.one_of(sent + forms[:2] if door.by_key else forms[::-1] + sent), "method": st.sampled_from(METHODS),
         "headers": st.dictionaries(st.sampled_from(HEADERS), header, max_size=2), "cookies": st.lists(st.tuples(st.sampled_from(COOKIES), odd.octets), max_size=2)}
    )  # fmt: skip


def _parts(rule: Rule) -> dict[str, st.SearchStrategy[Any]]:
    """For each part of the path what may stand there; a number stands for a real one. Raises KeyError for a kind that is new."""
    kinds: Mapping[str, Callable[[str], st.SearchStrategy[Any]]] = {
        "": lambda _: _known_or_odd,
        "path": lambda _: _known_or_odd,
        "uuid": lambda _: st.integers(NOBODY, 9),
        "any": lambda choices: st.sampled_from(choices.split(", ")),
    }
    return {name: kinds[kind](given) for kind, given, name in _PART.findall(rule.rule)}


@dataclass
class Somebody:
    """Who owns a workspace with a little of everything, runs Warmline, and is signed in with a cookie and an API key."""

    app: Flask
    held: Runtime
    member: Member
    cookie: str = ""
    caller: Caller | None = None

    @classmethod
    def new(cls, app: Flask, held: Runtime, number: int) -> Somebody:
        domain = f"acme{number}.test"
        member = make_member(held, f"Acme {number}", f"olga@{domain}")
        operators.mark(held.db, member.email, True)
        populate(Rows(held.db, member.workspace_id, NOW), domain=domain)
        made = cls(app, held, member)
        made.enter()
        return made

    def enter(self) -> bool:
        """Signs in anew. False for somebody who gets no longer to where they were: another second factor, role or workspace."""
        link = accounts.signin_link(self.held.db, self.member.email, "")
        self.cookie = accounts.sign_in(self.held.db, link.rsplit("/", 1)[1]) or ""
        was, self.caller = self.caller, self._now()
        return self.caller is not None and (was is None or _may(was) == _may(self.caller))

    def is_in(self) -> bool:
        """Whether the session is as it was."""
        return self._now() == self.caller

    def has_key(self) -> bool:
        """Whether the key opens what it did."""
        found = accounts.caller_of_key(self.held.db, self.key)
        return found is not None and found.scopes == frozenset(access.SCOPES)

    @cached_property
    def key(self) -> str:
        return client_of(self.app, self.held, self.member, *access.SCOPES).key

    @cached_property
    def known(self) -> pages.Known:
        """What their pages lead to."""
        client = self.app.test_client(use_cookies=False)
        headers = {"Cookie": f"{cookies.SESSION}={self.cookie}"}
        return pages.walk(self.app.url_map, lambda path: client.get(path, headers=headers).get_data(as_text=True))

    def _now(self) -> Caller | None:
        return accounts.caller_of_session(self.held.db, self.cookie)


def _may(caller: Caller) -> tuple[Any, ...]:
    return caller.workspace_id, caller.scopes, caller.confined, caller.owes_factor


@dataclass
class Visits:
    """Tries requests on an application, and counts them by door and by whether somebody is signed in. Whoever was signed out, demoted or
    thrown out by a request is somebody else for the next one."""

    app: Flask
    held: Runtime
    tried: Counter[tuple[str, bool]] = field(default_factory=Counter)
    people: int = 0

    def __post_init__(self) -> None:
        for each in providers().values():
            if each.webhook is not None:
                registrations.set_app(self.held, each.key, "client", "secret")
        self.begin()

    def target(self, door: Door) -> Target:
        """The door as what can be fuzzed."""
        view = self.app.view_functions[door.rule.endpoint]
        fields = self.somebody.known.forms.get(door.rule.endpoint, {})
        return Target(door.name, inputs(door, view, fields), plain(partial(self.check, door)))

    def again(self, case: Mapping[str, Any]) -> None:
        """Tries a find that was kept. Raises Find where it holds no better than it did."""
        door = next(each for each in doors(self.app) if each.name == case["target"])
        self.check(door, case["input"])

    def check(self, door: Door, given: Any) -> None:
        """Sends the request as nobody, and as somebody. Raises Find for an answer of 500 or more."""
        self._send(door, given, signed_in=False)
        self._be_in(door)
        self._send(door, given, signed_in=True)

    def begin(self) -> None:
        """From now on somebody new is signed in, in a workspace of their own."""
        self.people += 1
        self.somebody = Somebody.new(self.app, self.held, self.people)

    def _be_in(self, door: Door) -> None:
        somebody = self.somebody
        if not (somebody.has_key() if door.by_key else somebody.is_in() or somebody.enter()):
            self.begin()

    def _send(self, door: Door, given: Any, *, signed_in: bool) -> None:
        number = self.tried.total()
        self.tried[door.name, signed_in] += 1
        method, path = given["method"] or door.method, self._path(door.rule, given["at"])
        body, kind = self._body(door, given["body"])
        headers = {"Content-Type": kind, **self._shown(door, signed_in), **_sendable(given["headers"])}
        jar = [(cookies.SESSION, self.somebody.cookie)] if signed_in else []
        headers["Cookie"] = _line("; ".join(f"{name}={value}" for name, value in (*jar, *given["cookies"])))
        query = given["query"] if isinstance(given["query"], str) else urlencode(_bytes(given["query"]), doseq=True)
        # From another address each time: who fails often at one is kept waiting there.
        peer = {"REMOTE_ADDR": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
        client = self.app.test_client(use_cookies=False)
        with bounded(lambda: 0):
            response = client.open(path, method=method, query_string=quote(query, safe="=&+%;"), data=body, headers=headers, environ_overrides=peer)  # fmt: skip
            response.get_data()
            response.close()
        if response.status_code >= 500 and not (door.rule.rule == "/readyz" and response.status_code == NOT_READY):
            raise Find(f"{method} {door.rule.rule} was answered {response.status_code}")

    def _path(self, rule: Rule, at: Mapping[str, int | str]) -> str:
        return _PART.sub(lambda part: self._part(part[1], part[3], at[part[3]]), rule.rule)

    def _part(self, kind: str | None, name: str, given: int | str) -> str:
        """What stands in the path: what is given itself, or the real one with this number."""
        if isinstance(given, str):
            return quote(given.encode("utf-8", "surrogatepass"), safe="/" if kind == "path" else "") or "x"
        real = self.somebody.known.parts.get(name, []) if given != NOBODY else []
        instead = str(UUID(int=0)) if kind == "uuid" else "x"
        return quote(real[given % len(real)] if real else instead)

    def _body(self, door: Door, given: Any) -> tuple[bytes, str]:
        """What is sent, and what it is called."""
        if "json" in given:
            return odd.as_bytes(given["json"]), "application/json"
        if "raw" in given:
            return given["raw"].encode("latin-1"), "application/json" if door.by_key else "text/plain"
        page = self.somebody.known.forms.get(door.rule.endpoint, {}) if given["as_page"] else {}
        token = self.somebody.caller.csrf_token if self.somebody.caller else ""
        fields = {**{name: [value] for name, value in page.items()}, **given["form"], guard.CSRF_FIELD: [token]}
        if given["multipart"]:
            return _multipart(fields), "multipart/form-data; boundary=x"
        return urlencode(_bytes(fields), doseq=True).encode(), "application/x-www-form-urlencoded"

    def _shown(self, door: Door, signed_in: bool) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.somebody.key}"} if signed_in and door.by_key else {}


def _bytes(fields: Mapping[str, Iterable[str]]) -> dict[str, list[bytes]]:
    """Half characters are sent as they are: they are no UTF-8."""
    return {name: [each.encode("utf-8", "surrogatepass") for each in values] for name, values in fields.items()}


def _multipart(fields: Mapping[str, Iterable[str]]) -> bytes:
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
        for name, values in _bytes(fields).items() for value in values
    ]  # fmt: skip
    return b"".join(parts) + b"--x--\r\n"


def _sendable(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: _line(value) for name, value in headers.items()}


def _line(value: str) -> str:
    """As much of it as a web server takes for a header: one character a byte, and no line's end."""
    return re.sub(r"[\r\n\0]", "", value.encode("utf-8", "replace").decode("latin-1"))


def names() -> list[str]:
    """Of all doors, from an application without a database."""
    nowhere: dict[str, Any] = dict.fromkeys(
        ("database_url", "database_admin_url", "database_scheduler_url", "redis_url")
    )
    home = Path(tempfile.gettempdir())
    config = Config(home=home, base_url=BASE_URL, port=0, host="127.0.0.1", secret_keys=KEY, testing=True, **nowhere)
    return [each.name for each in doors(create_app(config))]


def once(visits: Visits, chosen: Sequence[Door], each: int, seed: int | None) -> list[engine.Found]:
    """Tries every one of these doors with `each` inputs, always the same ones where there is no seed. Returns what was found."""
    finds = []
    for door in chosen:
        target = visits.target(door)
        with target.open() as check:
            _, found = engine.attempt(target, check, each, seed)
        finds += [found] if found else []
    return finds


def run(requests: int, seed: int, say: Callable[[str], None], chosen: Collection[str]) -> tuple[int, list[engine.Found]]:  # fmt: skip
    """Goes round the doors of these names until so many requests are made, each time in another order and as somebody new, whose workspace
    nobody has taken apart yet. A door is tried at least once, and no more after its first find. Returns how many were made, and what was found."""
    finds: list[engine.Found] = []
    with place() as here:
        visits = Visits(here.app, here.held)
        left = [each for each in doors(here.app) if each.name in chosen]
        while left and visits.tried.total() < requests:
            each = min(ROUND, -(-(requests - visits.tried.total()) // (2 * len(left))))
            found = once(visits, random.Random(seed).sample(left, len(left)), each, seed)
            for one in found:
                say(f"{one.target}: FOUND with seed {seed}: {one.error.splitlines()[-1]}")
            finds += found
            left = [door for door in left if door.name not in {each.target for each in finds}]
            say(f"{visits.tried.total():,} requests, {len(left)} of {len(chosen)} doors stand")
            seed += 1
            visits.begin()
        return visits.tried.total(), finds
