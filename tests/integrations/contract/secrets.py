"""What a client sends in confidence, and all that it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import pytest
import requests

from tests.integrations.contract.line import WORDS

_CONFIDENTIAL = re.compile(r"auth|token|secret|passw|api[-_]?key|cookie|dpop|proof", re.IGNORECASE)
SHORTEST = 12  # letters: what is shorter is found in any sentence


def secrets_in(sent: Sequence[requests.PreparedRequest], actor: Any = None) -> set[str]:
    """Values that these calls sent in headers, queries, forms and JSON under names that speak of a secret, and the `secrets` of a world or
    harness whose provider sends them under other names. Skips where there is none that could be looked for."""
    found = {value for request in sent for value in _values(request)} | set(getattr(actor, "secrets", ()))
    found = {each for each in found if len(each) >= SHORTEST}
    if not found:
        pytest.skip(f"its tests send no secret of {SHORTEST} letters or more that could be looked for")
    return found


def refusing(actor: Any, sentence: str) -> str:
    """The body in which a provider refuses with this sentence: as its world or harness shapes it, else under each name where vendors
    put one."""
    shaped = getattr(actor, "refusal", None)
    return str(shaped(sentence)) if shaped else json.dumps(dict.fromkeys(WORDS, sentence))


def told(error: BaseException) -> Iterator[str]:
    """All that an error says, and what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield from (str(seen), repr(seen), repr(vars(seen)))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _values(request: requests.PreparedRequest) -> Iterator[str]:
    for name, value in request.headers.items():
        if _CONFIDENTIAL.search(name):
            text = value.decode() if isinstance(value, bytes) else str(value)
            scheme, blank, credential = text.partition(" ")
            yield credential if blank else scheme
    for name, value in parse_qsl(urlsplit(str(request.url)).query):
        if _CONFIDENTIAL.search(name):
            yield value
    yield from _in_body(request.body)


def _in_body(body: Any) -> Iterator[str]:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        yield from _in_json(json.loads(text))
    except ValueError:
        for name, value in parse_qsl(text):
            if _CONFIDENTIAL.search(name):
                yield unquote_plus(value)


def _in_json(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _in_json(each, str(key))
    elif isinstance(value, list):
        for each in value:
            yield from _in_json(each, name)
    elif isinstance(value, str) and _CONFIDENTIAL.search(name):
        yield value
