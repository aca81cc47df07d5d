"""Checks requests and answers against Bluesky's published lexicons, where those are at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

FOLDER = "vendor-specs/bluesky/lexicons"
Json = Mapping[str, Any]


class Lexicons:
    """As much of the lexicon language as our calls and their answers use."""

    def __init__(self, folder: Path) -> None:
        documents = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
        self._defs: dict[str, dict[str, Json]] = {each["id"]: each["defs"] for each in documents}

    def check(self, request: requests.PreparedRequest) -> None:
        """Raises AssertionError for a query that is not in the lexicons, or has a parameter that it does not take."""
        call = urlsplit(str(request.url))
        method = call.path.removeprefix("/xrpc/")
        main = self._defs.get(method, {}).get("main")
        assert main, f"{method} is not in the lexicons"
        kind = {"query": "GET", "procedure": "POST"}[main["type"]]
        assert request.method == kind
        takes = main.get("parameters", {})
        given = parse_qs(call.query, keep_blank_values=True)
        unknown = given.keys() - takes.get("properties", {}).keys()
        assert not unknown, f"{method} takes no {sorted(unknown)}"
        missing = set(takes.get("required", ())) - given.keys()
        assert not missing, f"{method} wants {sorted(missing)}"
        for name, values in given.items():
            self._parameter(f"{method}?{name}", takes["properties"][name], values)

    def _parameter(self, where: str, rule: Json, values: list[str]) -> None:
        if rule["type"] == "array":
            assert len(values) <= rule.get("maxLength", 1 << 30), f"{where}: too many"
            return
        assert len(values) == 1, f"{where}: more than one"
        if rule["type"] == "integer":
            number = int(values[0])
            assert rule.get("minimum", number) <= number <= rule.get("maximum", number), f"{where}: {number}"

    def answer(self, method: str, body: Any) -> None:
        """Raises AssertionError for an answer that the lexicons would not have."""
        self._value(method, method, self._defs[method]["main"]["output"]["schema"], body)

    def record(self, name: str, body: Any) -> None:
        """Raises AssertionError for a record that is not one of this kind."""
        self._value(name, name, self._defs[name]["main"]["record"], body)

    def _value(self, where: str, home: str, rule: Json, value: Any) -> None:
        if rule["type"] == "ref":
            self._referred(where, home, rule["ref"], value)
        elif rule["type"] == "union":
            self._union(where, home, rule, value)
        elif rule["type"] == "object":
            assert isinstance(value, dict), f"{where}: no object"
            missing = [name for name in rule.get("required", ()) if name not in value]
            assert not missing, f"{where}: lacks {missing}"
            for name, each in rule.get("properties", {}).items():
                if name in value:
                    self._value(f"{where}.{name}", home, each, value[name])
        elif rule["type"] == "array":
            assert isinstance(value, list), f"{where}: no list"
            for each in value:
                self._value(f"{where}[]", home, rule["items"], each)
        else:
            wanted = {"string": str, "integer": int, "boolean": bool}.get(rule["type"], object)
            assert isinstance(value, wanted), f"{where}: {value!r}"

    def _union(self, where: str, home: str, rule: Json, value: Any) -> None:
        kinds = {self._name(home, ref): ref for ref in rule["refs"]}
        kind = value.get("$type")
        assert kind in kinds or not rule.get("closed"), f"{where}: {kind}"
        if kind in kinds:
            self._referred(where, home, kinds[kind], value)

    def _referred(self, where: str, home: str, ref: str, value: Any) -> None:
        document, _, name = self._name(home, ref).partition("#")
        if document in self._defs:  # not all of them are in the collection
            self._value(where, document, self._defs[document][name or "main"], value)

    def _name(self, home: str, ref: str) -> str:
        return home + ref if ref.startswith("#") else ref


@cache
def contract(folder: Path) -> Lexicons | None:
    """The lexicons in the shared folder, or None where they are absent."""
    found = folder / FOLDER
    return Lexicons(found) if found.is_dir() else None
