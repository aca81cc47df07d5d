"""Checks requests against Mastodon's published contract, where that is at hand."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

FILE = "vendor-specs/mastodon/schema.json"
_MOST = re.compile(r"Max (\d+) ")
_READ = {"integer": int, "boolean": {"true": True, "false": False}.__getitem__, "string": str}


class Contract:
    """The document of Mastodon 4.7."""

    def __init__(self, path: Path) -> None:
        self._document: dict[str, Any] = json.loads(path.read_text())

    def check(self, request: requests.PreparedRequest) -> None:
        """Raises AssertionError where Mastodon would not know the call, one of its parameters, or one of their values."""
        call = urlsplit(str(request.url))
        operation = self._operation(call.path, str(request.method).lower())
        known = {each["name"]: each for each in map(self._resolved, operation.get("parameters", ()))}
        for sent, values in parse_qs(call.query, keep_blank_values=True).items():
            name = sent.removesuffix("[]")
            assert name in known, f"{call.path} takes no {sent}"
            self._check(f"{call.path} {sent}", known[name]["schema"], values, many=sent.endswith("[]"))
        if operation.get("security"):
            assert str(request.headers["Authorization"]).startswith("Bearer "), f"{call.path} wants a token"

    def scopes(self, path: str) -> set[str]:
        """Any of these lets one GET the path; none at all where everybody may."""
        return {each for way in self._operation(path, "get").get("security") or () for each in way.get("OAuth2", ())}

    def fields(self, path: str) -> set[str]:
        """What the body of a POST may hold."""
        body = self._operation(path, "post")["requestBody"]["content"]["application/json"]["schema"]
        return set(self._resolved(body)["properties"])

    def conforms(self, name: str, value: Any) -> None:
        """Raises AssertionError where `value` is not what the contract calls by this name."""
        schema = {"$ref": f"#/components/schemas/{name}", "components": self._document["components"]}
        try:
            Draft202012Validator(schema).validate(value)
        except ValidationError as error:
            raise AssertionError(f"{name}: {error.message[:300]} at {error.json_path}") from None

    def _check(self, what: str, schema: dict[str, Any], values: list[str], *, many: bool) -> None:
        assert many == (schema.get("type") == "array"), f"{what} is {'not ' * many}a list"
        of = self._resolved(schema["items"] if many else schema)
        assert many or len(values) == 1, f"{what} stands there twice"
        for value in values:
            read = _READ[of["type"]](value)
            assert read in of.get("enum", [read]), f"{what} may not be {value}"
            most = _MOST.search(of.get("description", ""))
            assert most is None or int(value) <= int(most[1]), f"{what} may be at most {most and most[1]}"

    def _operation(self, path: str, method: str) -> dict[str, Any]:
        parts, paths = path.split("/"), self._document["paths"]
        for template in (path, *paths):  # what is written out goes before what is a placeholder
            operations = paths.get(template, {})
            names = template.split("/")
            fits = len(names) == len(parts) and all(
                a == b or a.startswith("{") for a, b in zip(names, parts, strict=True)
            )
            if fits and method in operations:
                return operations[method]  # type: ignore[no-any-return]
        raise AssertionError(f"{method} {path} is not in the contract")

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in value:
            found: Any = self._document
            for step in value["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            value = found
        return value


@cache
def contract(folder: Path) -> Contract | None:
    """The contract in the shared folder, or None where it is absent."""
    path = folder / FILE
    return Contract(path) if path.is_file() else None
