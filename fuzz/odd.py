"""Values that somebody may send in place of those that we expect, and the words of a provider to put them under."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

# Each has broken a parser somewhere: other types, bounds of what databases and dates hold, half characters, what JSON lets through.
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 1e308, float("inf"), float("nan"), "", " ", "0", "-1", "null", "\x00", "a\x00b", "\ud800",
    "\U0001f9ba", "\u202e", "x" * 300, "9" * 30, "9" * 5000, "1e999", "²", "٣", "2026-13-45T99:99:99Z", "0000-00-00", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-02-30", "http://[", "https://", "https://a.example:99999/", "javascript:alert(1)", "at://", "did:", "//", "@", "a@b", "<", "<p>&#xd800;&#99999999999;</p>",
    "&#x110000;", "<![", "<" * 500, "&" * 500, [], {}, [None], [[]], [{}], {"": None}, {"id": None}, [[[[[[]]]]]], {"a": {"b": {"c": []}}},
)  # fmt: skip
DEEP = "[" * 20_000
RAW = ("", "<html>it works</html>", "{", "[1", "17", "null", '"x"', "\x00", "\xff\xfe{}", "\xef\xbb\xbf{}", DEEP, '{"a":' * 5_000, "NaN", "1" * 10_000, '{"a":1,"a":2}')  # fmt: skip
HEADERS = (
    "Retry-After", "Content-Type", "Content-Encoding", "Link", "Location", "ETag", "Date", "X-RateLimit-Reset", "X-RateLimit-Remaining", "x-rate-limit-reset", "x-rate-limit-remaining",
    "ratelimit-reset", "X-App-Usage", "X-Business-Use-Case-Usage", "X-Page-Usage", "DPoP-Nonce", "WWW-Authenticate", "Sforce-Limit-Info", "X-HubSpot-RateLimit-Remaining",
)  # fmt: skip
STATUSES = (200, 201, 202, 204, 206, 299, 300, 302, 304, 400, 401, 402, 403, 404, 405, 408, 409, 410, 412, 413, 422, 423, 429, 431, 500, 502, 503, 599)  # fmt: skip

# As they come over a line: one character a byte.
octets = st.one_of(
    st.sampled_from(RAW), st.binary(max_size=60).map(lambda value: value.decode("latin-1")), st.text(max_size=60).map(
        lambda value: value.encode("utf-8", "replace").decode("latin-1"))
)  # fmt: skip
header_value = st.one_of(
    st.sampled_from(("", "0", "-1", "9" * 40, "soon", "1e9", "{", "[]", '{"1":[{"call_count":"x"}]}', "<https://elsewhere.example/?page=2>; rel=\"next\"", "<", 'DPoP error="use_dpop_nonce"', "application/json; charset=utf-99", "gzip",
                     "api-usage=x/y", "Thu, 31 Dec 9999 23:59:59 GMT", "Thu, 32 Foo 0000 99:99:99 +9999")),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
)  # fmt: skip
headers = st.dictionaries(st.sampled_from(HEADERS), header_value, max_size=3)
text = st.one_of(st.sampled_from([each for each in ODD if isinstance(each, str)]), st.text(max_size=20))
scalar = st.one_of(st.sampled_from(ODD), st.text(max_size=20), st.integers(), st.floats())


@cache
def values(words: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """Any JSON, with these words for names and some of the values."""
    name = st.one_of(st.sampled_from(words), st.text(max_size=5)) if words else st.text(max_size=5)
    leaf = st.one_of(scalar, st.sampled_from(words)) if words else scalar
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(name, inner, max_size=6),
        max_leaves=20,
    )


def edits(words: tuple[str, ...] = ()) -> st.SearchStrategy[list[list[Any]]]:
    """What to change in a JSON value: [place, what stands there instead], or [place] to take it out."""
    place = st.integers(0, 2_000)
    one = st.one_of(
        st.tuples(place), st.tuples(place, st.sampled_from(ODD)), st.tuples(place, values(words)),
        st.tuples(place, st.text(max_size=40)),
    )  # fmt: skip
    return st.lists(one.map(list), min_size=1, max_size=3)


def edited(value: Any, changes: Sequence[Sequence[Any]]) -> Any:
    """The value with these changes. Places are counted over all that it holds, and go round."""
    box = [copy.deepcopy(value)]
    for place, *instead in changes:
        places = list(_places(box))
        if not places:
            break
        holder, key = places[place % len(places)]
        if instead:
            holder[key] = copy.deepcopy(instead[0])
        elif holder is not box:
            del holder[key]
    return box[0]


def _places(holder: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
    for key in keys:
        yield holder, key
        yield from _places(holder[key])


def as_bytes(value: Any) -> bytes:
    """JSON as a stranger may write it: with half characters and numbers that are none."""
    return json.dumps(value).encode()


def about(packages: Sequence[str], made: Callable[[tuple[str, ...]], st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """What `made` makes of the words of these packages. They are read when it is first drawn from: most who list what there is draw from nothing."""
    return st.deferred(lambda: made(words_of(*packages)))


@cache
def words_of(*packages: str) -> tuple[str, ...]:
    """The short strings that stand in the source of these packages: names of members, values that mean something there."""
    return tuple(sorted(set().union(*map(_words_of, packages))))


@cache  # most providers share some
def _words_of(package: str) -> set[str]:
    nodes = (
        node
        for path in _sources(import_module(package))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {each for each in texts if 0 < len(each) <= 40 and " " not in each}


def _sources(module: ModuleType) -> list[Path]:
    paths = getattr(module, "__path__", None)
    return (
        sorted(path for each in paths for path in Path(each).rglob("*.py")) if paths else [Path(str(module.__file__))]
    )
