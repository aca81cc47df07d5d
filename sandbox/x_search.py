"""The query language of X's recent search, as far as we serve it, turned into SQL.

    query := any ; any := all ("OR" all)* ; all := one+ ; one := ["-"] ( "(" any ")" | operator | "words" )

AND binds closer than OR, as X says. Operators: conversation_id, in_reply_to_tweet_id, quotes_of_tweet_id, from, to, url,
@handle, is:reply, is:quote, is:retweet, has:links, has:mentions; anything else is a word sought in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.x_render import STATUS

LONGEST = 512  # characters, for an app without a contract with X
_LEXEME = re.compile(r'\s+|(?P<token>-?\(|\)|-?[a-z_]+:"[^"]*"|-?"[^"]*"|[^\s()"]+)')

SQL = tuple[str, list[Any]]


class QueryError(ValueError):
    """The query isn't one; the message is for the developer who wrote it."""


def _id(column: str) -> Callable[[str], SQL]:
    def build(value: str) -> SQL:
        if not (value.isascii() and value.isdigit() and len(value) <= 19):
            raise QueryError(f"{value!r} is not a numeric id")
        return f"p.{column} IN (?)", [min(int(value), 2**63 - 1)]

    return build


def _account(column: str) -> Callable[[str], SQL]:
    def build(value: str) -> SQL:
        name = value.removeprefix("@").lower()
        by = "id = ?" if name.isdigit() else "handle_key = ?"
        return f"p.{column} IN (SELECT id FROM accounts WHERE {by} OR handle_key = ?)", [name, name]  # noqa: S608

    return build


def _mentions(value: str) -> SQL:
    return (
        "p.id IN (SELECT post_id FROM mentions WHERE account_id = (SELECT id FROM accounts WHERE handle_key = ?))",
        [value.lower()],
    )


def _words(value: str) -> SQL:
    escaped = re.sub(r"([%_\\])", r"\\\1", value)
    return r"p.text LIKE ? ESCAPE '\'", [f"%{escaped}%"]


def _url(value: str) -> SQL:
    status = STATUS.search(value)
    return ("p.quotes IN (?)", [int(status.group(2))]) if status else _words(value)


_FLAGS = {
    "is:reply": "p.in_reply_to IS NOT NULL",
    "is:quote": "p.quotes IS NOT NULL",
    "is:retweet": "p.reposts IS NOT NULL",
    "has:links": "p.text LIKE '%http%://%'",
    "has:mentions": "p.text LIKE '%@%'",
}
_OPERATORS: dict[str, Callable[[str], SQL]] = {
    "conversation_id": _id("root"),
    "in_reply_to_tweet_id": _id("in_reply_to"),
    "quotes_of_tweet_id": _id("quotes"),
    "from": _account("author_id"),
    "to": _account("reply_author"),
    "url": _url,
}


def _one(token: str) -> SQL:
    if token.startswith("-"):
        sql, values = _one(token[1:])
        return f"NOT ({sql})", values
    if token in _FLAGS:
        return _FLAGS[token], []
    name, colon, value = token.partition(":")
    if colon and name in _OPERATORS:
        return _OPERATORS[name](value.strip('"'))
    if colon and re.fullmatch(r"[a-z_]+", name) and not value.startswith("//"):
        raise QueryError(f"there is no operator {name!r}")
    if token.startswith("@") and len(token) > 1:
        return _mentions(token[1:])
    if not token.strip('"'):
        raise QueryError("a word is empty")
    return _words(token.strip('"'))


def _join(parts: list[SQL], word: str) -> SQL:
    """OR of `column IN (?)` terms becomes one IN, which finds its index whatever else the planner thinks of ORs."""
    if word == "OR":
        merged: dict[str, list[Any]] = {}
        for sql, values in parts:
            merged.setdefault(sql, []).extend(values)
        parts = [
            (sql.replace("(?)", "(" + ", ".join("?" * len(values)) + ")"), values)
            if sql.endswith(" IN (?)")
            else (" OR ".join([sql] * (len(values) // (sql.count("?") or 1) or 1)), values)
            for sql, values in merged.items()
        ]
    if len(parts) == 1:
        return parts[0]
    return f" {word} ".join(f"({sql})" for sql, _ in parts), [value for _, values in parts for value in values]


def compile_query(query: str) -> SQL:
    """A condition on posts `p`, and its values. Raises QueryError."""
    if not query.strip():
        raise QueryError("the query is empty")
    if len(query) > LONGEST:
        raise QueryError(f"the query is {len(query)} characters long; at most {LONGEST} are allowed")
    tokens, position = [], 0
    while position < len(query):
        match = _LEXEME.match(query, position)
        if match is None:
            raise QueryError("a quotation mark has no partner")
        if match["token"]:
            tokens.append(match["token"])
        position = match.end()
    sql, values = _any(tokens)
    if tokens:
        raise QueryError("a parenthesis has no partner")
    return sql, values


def _any(tokens: list[str]) -> SQL:
    parts = [_all(tokens)]
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        parts.append(_all(tokens))
    return _join(parts, "OR")


def _all(tokens: list[str]) -> SQL:
    parts: list[SQL] = []
    while tokens and tokens[0] not in (")", "OR"):
        token = tokens.pop(0)
        if token in ("(", "-("):
            part = _any(tokens)
            if not tokens or tokens.pop(0) != ")":
                raise QueryError("a parenthesis has no partner")
            negation = "NOT " if token.startswith("-") else ""
            parts.append((f"{negation}({part[0]})", part[1]))
        else:
            parts.append(_one(token))
    if not parts:
        raise QueryError("something is missing beside OR, or between parentheses")
    return _join(parts, "AND")
