"""Checks requests and answers against what an Odoo says of its own models (`fields_get`): which fields there are, of which type, and what
may stand in them. Odoo publishes nothing else of that: models and fields are each database's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.live.odoo import RealOdoo

ATTRIBUTES = ["type", "relation", "selection", "readonly", "store"]
OPERATORS = {
    "=",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "like",
    "ilike",
    "not ilike",
    "=like",
    "=ilike",
    "in",
    "not in",
    "child_of",
}
LOGIC = {"&", "|", "!"}
OWN = {"id", "create_date", "write_date", "create_uid", "write_uid", "display_name"}  # which fields_get may leave out

Fields = Mapping[str, Mapping[str, Any]]


@dataclass
class Contract:
    """The models of one database, each described by itself when it is first asked about."""

    odoo: RealOdoo
    _models: dict[str, Fields] = field(default_factory=dict)

    def fields(self, model: str) -> Fields:
        if model not in self._models:
            self._models[model] = self.odoo.act(model, "fields_get", [], attributes=ATTRIBUTES)
        return self._models[model]

    def check(self, call: Call) -> None:
        """Raises AssertionError where a call names what its model does not have, or an answer holds what the model does not say."""
        names = call.named.get("fields") or ()
        if call.method in ("search_read", "read"):
            self._there(call.model, names or (call.words[1] if len(call.words) > 1 else ()))
            self._answer(call)
        for leaf in _leaves(call.named.get("domain") or ()):
            self._leaf(call.model, leaf)
        for values in call.written():
            for name, value in values.items():
                self._written(call.model, name, value)

    def _there(self, model: str, names: Sequence[str]) -> None:
        unknown = set(names) - self.fields(model).keys() - OWN
        assert not unknown, f"{model} has no {sorted(unknown)}"

    def _leaf(self, model: str, leaf: Sequence[Any]) -> None:
        path, operator, value = leaf
        assert operator in OPERATORS, f"{operator} is no operator"
        *through, last = str(path).split(".")
        for name in through:
            self._there(model, [name])
            model = self.fields(model)[name]["relation"]
        self._there(model, [last])
        kind = self.fields(model).get(last, {}).get("type", "")
        for each in value if operator in ("in", "not in") else [value]:
            assert _SOUGHT.get(kind, _anything)(each), f"{model}.{path} is a {kind}, and {each!r} is sought in it"

    def _written(self, model: str, name: str, value: Any) -> None:
        self._there(model, [name])
        described = self.fields(model)[name]
        assert described["type"] in _WRITTEN, f"{model}.{name} is a {described['type']}"
        assert _WRITTEN[described["type"]](value), f"{model}.{name} is a {described['type']}, and takes no {value!r}"
        assert name not in OWN, f"{model}.{name} is Odoo's own"

    def _answer(self, call: Call) -> None:
        for row in call.result:
            for name, value in row.items():
                described = self.fields(call.model).get(name)
                if described is None:
                    assert name in OWN, f"{call.model} answers with {name}, of which it does not say anything"
                    continue
                kind = described["type"]
                assert _READ[kind](value), f"{call.model}.{name} is a {kind}, and is {value!r}"
                choices = {each[0] for each in described.get("selection") or ()}
                assert kind != "selection" or value is False or value in choices, f"{call.model}.{name} is {value!r}"


@dataclass(frozen=True)
class Call:
    """A method of a model that was called, and what came of it."""

    model: str
    method: str
    words: Sequence[Any]
    named: Mapping[str, Any]
    result: Any

    def written(self) -> list[Mapping[str, Any]]:
        """The values that it sets, of one record or several."""
        given = {"create": self.words[:1], "write": self.words[1:2]}.get(self.method, ())
        return [each for some in given for each in (some if isinstance(some, list) else [some])]


def calls(heard: Sequence[tuple[requests.PreparedRequest, requests.Response]]) -> Iterator[Call]:
    """The calls of models among what was said, those that came to something."""
    for request, answer in heard:
        asked = json.loads(request.body or b"{}")
        path = urlsplit(str(request.url)).path
        found = _by_json2(path, asked, answer) if path.startswith("/json/2/") else _by_rpc(asked, answer)
        if found:
            yield found


def _by_json2(path: str, asked: dict[str, Any], answer: requests.Response) -> Call | None:
    """All goes by name, and the values of a record as the second of what goes by place."""
    model, method = path.split("/")[3:]
    words = (
        [asked["vals_list"]]
        if method == "create"
        else [asked.get("ids"), asked.get("vals")]
        if method == "write"
        else []
    )
    return Call(model, method, words, asked, answer.json()) if answer.ok else None


def _by_rpc(asked: dict[str, Any], answer: requests.Response) -> Call | None:
    params, told = asked.get("params", {}), answer.json()
    if params.get("method") != "execute_kw" or "result" not in told:
        return None
    _, _, _, model, method, words, *named = params["args"]
    return Call(model, method, words, named[0] if named else {}, told["result"])


def _leaves(domain: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for part in domain:
        if isinstance(part, str):
            assert part in LOGIC, f"{part} joins nothing in a domain"
        else:
            assert len(part) == 3, f"{part} is no part of a domain"
            yield part


# --- what may stand in a field of each type -------------------------------------------------------------------------


def _anything(value: Any) -> bool:
    return value is not None


def _text(value: Any) -> bool:
    return value is False or isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not (isinstance(value, bool) and value)


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _day(value: Any) -> bool:
    return value is False or (isinstance(value, str) and date.fromisoformat(value) is not None)


def _moment(value: Any) -> bool:
    return value is False or (
        isinstance(value, str) and datetime.strptime(value, "%Y-%m-%d %H:%M:%S") is not None  # noqa: DTZ007
    )


def _one(value: Any) -> bool:
    return value is False or (isinstance(value, list) and len(value) == 2 and isinstance(value[0], int))


def _id(value: Any) -> bool:
    return value is False or (isinstance(value, int) and not isinstance(value, bool))


def _ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, int) for each in value)


def _commands(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, list) and isinstance(each[0], int) for each in value)


_PLAIN: Mapping[str, Callable[[Any], bool]] = {
    "char": _text, "text": _text, "html": _text, "selection": _text, "reference": _text, "integer": _number, "float": _number,
    "monetary": _number, "boolean": _truth, "date": _day, "datetime": _moment, "binary": _text,
}  # fmt: skip
_READ = {**_PLAIN, "many2one": _one, "one2many": _ids, "many2many": _ids, "many2one_reference": _number}
_WRITTEN = {**_PLAIN, "many2one": _id, "one2many": _commands, "many2many": _commands, "many2one_reference": _number}
_SOUGHT = {**_PLAIN, "many2one": _id}
