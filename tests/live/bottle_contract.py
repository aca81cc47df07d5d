"""Checks requests and answers against the contract that a BottleCRM makes of itself: drf-spectacular's description of its own API.

It is made by the installed program (see `tests.live.bottlecrm`) and kept nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

Schema = Mapping[str, Any]
# By which lists are paged and narrowed: the description leaves them out, and the live tests show that they are obeyed.
UNSAID = {"limit", "offset", "slim", "target_model", "include_counts", "name", "tags"}
OF_THEIR_OWN = "cf_"  # fields that an administrator made


@dataclass(frozen=True)
class Contract:
    document: Mapping[str, Any]

    def operation(self, method: str, path: str) -> Schema:
        """The operation that a call is. Raises AssertionError where there is none."""
        for template, operations in sorted(self.document["paths"].items(), key=lambda each: each[0].count("{")):
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
                found: Schema = operations[method.lower()]
                return found
        raise AssertionError(f"{method} {path} is not in the contract")

    def check_request(self, request: requests.PreparedRequest) -> None:
        """Raises AssertionError where BottleCRM says nothing of the call, a parameter, or a member of the body."""
        call = urlsplit(str(request.url))
        operation = self.operation(str(request.method), call.path)
        known = {each["name"] for each in operation.get("parameters", ())} | UNSAID
        unknown = {name for name in parse_qs(call.query) if name not in known and not name.startswith(OF_THEIR_OWN)}
        assert not unknown, f"{call.path} takes no {sorted(unknown)}"
        body = json.loads(request.body) if request.body else {}
        takes = self.members(operation.get("requestBody", {}))
        assert not body.keys() - takes, f"{request.method} {call.path} takes no {sorted(body.keys() - takes)}"

    def check_answer(self, request: requests.PreparedRequest, answer: requests.Response) -> None:
        """Raises AssertionError where a good answer is not of the form that is described."""
        operation = self.operation(str(request.method), urlsplit(str(request.url)).path)
        described = operation.get("responses", {}).get(str(answer.status_code))
        assert described is not None, f"{request.method} {request.url} answers no {answer.status_code}"
        schema = self.resolved(described.get("content", {}).get("application/json", {}).get("schema", {}))
        if schema and answer.content:
            unknown = answer.json().keys() - schema.get("properties", {}).keys()
            assert not unknown, f"{request.method} {request.url} answers with {sorted(unknown)}"

    def members(self, described: Schema) -> set[str]:
        """The members of a body that is described like this."""
        media = described.get("content", {}).get("application/json", {})
        return set(self.resolved(media.get("schema", {})).get("properties", {}))

    def resolved(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        found: Any = self.document
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return self.resolved(found)


@dataclass
class Heard:
    """The calls of ours, each with its answer."""

    calls: list[tuple[requests.PreparedRequest, requests.Response]] = field(default_factory=list)


@contextmanager
def listening(server: str) -> Iterator[Heard]:
    """Hears what is said to this server until the block ends."""
    heard, send = Heard(), requests.Session.send

    def sent(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = send(session, request, **options)
        if str(request.url).startswith(server):
            heard.calls.append((request, answer))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", sent)
        yield heard
