"""Everything that the web server answers beside the API: pages, forms, sign-in, callbacks, webhooks, with garbage in path, query, form, headers
and cookies. Every route is found in the map of routes.

Whatever comes, it is answered with a status below 500, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Flask
from hypothesis import strategies as st

from fuzz import odd
from fuzz.target import Find, bounded

HEADERS = ("X-Request-Id", "traceparent", "tracestate", "Idempotency-Key", "If-Match", "If-None-Match", "Authorization", "Cookie", "Content-Type", "X-Forwarded-For", "X-Hub-Signature-256", "Accept", "Origin", "Referer", "User-Agent", "Range",
           "HX-Request", "Sec-Fetch-Site")  # fmt: skip
TYPES = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "application/json; charset=utf-99", "")  # fmt: skip
NOT_READY = 503  # what /readyz says where no worker runs


def inputs() -> st.SearchStrategy[Any]:
    """One request."""
    words = odd.words_of("service.console", "service.hooks")
    visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
    value = st.one_of(visible, st.sampled_from(("00-" + "0" * 32 + "-" + "0" * 16 + "-01", "Bearer x", "Bearer ", "Basic !", '"', 'W/"1"', "*", "warmline_session=x", "warmline_session=\x00", "=;=", "x" * 5000, *TYPES)))  # fmt: skip
    fields = st.dictionaries(st.sampled_from(words), odd.text, max_size=6)
    return st.fixed_dictionaries(
        {"route": st.integers(0, 500), "method": st.sampled_from(("GET", "POST", "POST", "HEAD", "PUT", "OPTIONS")), "parts": st.lists(odd.text, max_size=2), "query": fields, "form": fields, "raw": st.one_of(st.none(), st.none(), odd.octets),
         "headers": st.dictionaries(st.sampled_from(HEADERS), value, max_size=3), "signed_in": st.booleans(), "csrf": st.booleans()}
    )  # fmt: skip


def checker(app: Flask, key: str, cookie: str, csrf: str) -> Callable[[Any], None]:
    """What tries one request on this application, as somebody who is signed in or as nobody."""
    rules = sorted((rule for rule in app.url_map.iter_rules()), key=lambda rule: rule.rule)

    def check(given: Any) -> None:
        rule = rules[given["route"] % len(rules)]
        client = app.test_client()
        if given["signed_in"]:
            client.set_cookie("warmline_session", cookie)
        headers = {name: each for name, each in given["headers"].items() if each.isprintable()}
        if rule.rule.startswith("/v1") and given["signed_in"]:
            headers["Authorization"] = f"Bearer {key}"
        form = {**given["form"], **({"csrf_token": csrf} if given["csrf"] else {})}
        body: dict[str, Any] = (
            {"data": _written(form)} if given["raw"] is None else {"data": given["raw"].encode("latin-1")}
        )
        with bounded(lambda: 0):
            response = client.open(_path(rule, given["parts"]), method=given["method"], query_string=_written(given["query"]), headers=headers, **body)  # fmt: skip
            response.get_data()
        if response.status_code >= 500 and not (rule.rule == "/readyz" and response.status_code == NOT_READY):
            raise Find(f"{given['method']} {rule.rule} was answered {response.status_code}")

    return check


def _path(rule: Any, parts: list[str]) -> str:
    """The route's path, with these parts for its strings and an id that nobody has for its ids."""
    import re
    from urllib.parse import quote

    given = iter(parts)

    def part(match: Any) -> str:
        if match[1] == "uuid:":
            return str(uuid4())
        return quote(next(given, "chirp").encode("utf-8", "surrogatepass"), safe="") or "x"

    return re.sub(r"<(\w+:)?\w+>", part, rule.rule)


def _written(fields: dict[str, str]) -> dict[str, str]:
    """As a form writes them: half characters are none."""
    return {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
