"""As much of SOQL as a server needs to answer us: one kind, AND and OR, comparisons, IN, ORDER BY, LIMIT. What it cannot read it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_SHAPE = re.compile(
    r"SELECT (?P<fields>.+?) FROM (?P<kind>\w+)(?: WHERE (?P<where>.+?))?(?: ORDER BY (?P<order>[\w, ]+?))?(?: LIMIT (?P<limit>\d+))?"
)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z)|(?P<number>\d+)|(?P<mark>>=|<=|!=|[()=<>,])|(?P<word>[\w.]+))"
)
_ESCAPES = re.compile(r"\\(.)")

Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class MalformedError(Exception):
    """A query that Salesforce would refuse."""


@dataclass(frozen=True)
class Query:
    """A query, taken apart. `columns` are all fields that it names, wherever it does."""

    fields: list[str]
    children: list[str]  # relations that a query inside asks for
    kind: str
    test: Test
    order: list[str]
    limit: int | None
    columns: set[str]


def parse(text: str) -> Query:
    """Raises MalformedError."""
    children = re.findall(r"\(SELECT RelationId FROM (\w+)\)", text)
    match = _SHAPE.fullmatch(re.sub(r", \(SELECT RelationId FROM \w+\)", "", text))
    if match is None:
        raise MalformedError(text)
    names = match["fields"].split(", ")
    order = match["order"].split(", ") if match["order"] else []
    reader = _Reader(match["where"] or "")
    test = reader.whole() if match["where"] else lambda row: True
    limit = int(match["limit"]) if match["limit"] else None
    return Query(names, children, match["kind"], test, order, limit, {*names, *order, *reader.columns})


def comparable(value: Any) -> Any:
    """A value as it is compared and sorted: instants as instants."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value)
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.columns: set[str] = set()
        self._tokens = list(_tokens(text))
        self._at = 0

    def whole(self) -> Test:
        test = self._either()
        if self._at != len(self._tokens):
            raise MalformedError(self._tokens[self._at])
        return test

    def _either(self) -> Test:
        """Tests joined by AND, or by OR: Salesforce wants brackets where they are mixed."""
        tests, words = [self._one()], set()
        while self._peek() in ("AND", "OR"):
            words.add(self._next())
            tests.append(self._one())
        if len(words) > 1:
            raise MalformedError("AND and OR without brackets")
        join = any if words == {"OR"} else all
        return lambda row: join(test(row) for test in tests)

    def _one(self) -> Test:
        if self._peek() == "(":
            self._next()
            test = self._either()
            self._expect(")")
            return test
        name = self._next()
        self.columns.add(name)
        sign = self._next()
        if sign == "IN":
            return self._among(name)
        wanted = _value(self._next())
        return lambda row: _compare(comparable(row.get(name)), sign, comparable(wanted))

    def _among(self, name: str) -> Test:
        self._expect("(")
        values = [_value(self._next())]
        while self._peek() == ",":
            self._next()
            values.append(_value(self._next()))
        self._expect(")")
        return lambda row: row.get(name) in values

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        found = self._peek()
        if not found:
            raise MalformedError("it ends too early")
        self._at += 1
        return found

    def _expect(self, mark: str) -> None:
        if self._next() != mark:
            raise MalformedError(f"no {mark}")


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise MalformedError(text[at:])
        at = match.end()
        yield match[0].strip()


def _value(token: str) -> Any:
    if token.startswith("'"):
        return _ESCAPES.sub(lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]), token[1:-1])
    words = {"true": True, "false": False, "null": None}
    if token in words:
        return words[token]
    return int(token) if token.isdigit() else token


def _compare(have: Any, sign: str, want: Any) -> bool:
    if sign in ("=", "!="):
        return (have == want) is (sign == "=")
    if have is None or want is None:
        return False
    return {">": have > want, ">=": have >= want, "<": have < want, "<=": have <= want}[sign]  # type: ignore[no-any-return]
