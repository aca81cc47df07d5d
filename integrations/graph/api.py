"""Calls to the Graph API: one session with a token and its proof, lists by cursor, and batches."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import requests

from integrations import foreign
from integrations.errors import (
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.graph import refusals
from integrations.http import Session, parse_json
from integrations.provider import App

# Meta supports a version for about two years (developers.facebook.com/docs/graph-api/guides/versioning).
VERSION = "v25.0"
BATCH = 50  # calls in one batch: the most that Meta takes (developers.facebook.com/docs/graph-api/batch-requests)

# How a list goes on whose cursors do not come along, some by time (developers.facebook.com/docs/graph-api/results).
_GOES_ON = ("after", "until", "__paging_token")

_OF_ONE_CALL = (TemporaryError, InvalidRequestError)  # of a batch, unless all of it is refused so

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Listing:
    """One page of a list. `after` is where the next one begins; None at the end. The `next` address is not kept: it holds the token."""

    rows: tuple[Any, ...]
    after: str | None = None

    @property
    def objects(self) -> list[Json]:
        """The rows that are objects at all."""
        return [row for row in self.rows if isinstance(row, dict)]


def listing(body: Any, *, bare: bool = False) -> Listing:
    """Reads {"data": [...], "paging": {...}}. `bare`: the edge has cursors and never a `next`, so that it ends with an empty page.
    Raises UnexpectedResponseError for anything else."""
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise UnexpectedResponseError("Meta answered with something that is not a list", sample=shape(body))
    paging = mapping(body.get("paging"))
    after = str(mapping(paging.get("cursors")).get("after") or "")
    if not (rows if bare else paging.get("next")):
        return Listing(tuple(rows))
    return Listing(tuple(rows), after or _following(str(paging.get("next") or "")))


def _following(address: str) -> str | None:
    """Where the next page begins, out of its address, without the token that stands there."""
    query = parse_qs(foreign.address(address).query)
    place = {name: query[name][0] for name in _GOES_ON if name in query}
    return f"?{urlencode(place)}" if place else None


def _place(after: str) -> dict[str, str]:
    """The parameters that lead to a place."""
    return dict(parse_qsl(after[1:])) if after.startswith("?") else {"after": after}


def nested(value: Any) -> Listing:
    """A list inside a row, which is absent where it is empty."""
    return listing(value) if isinstance(value, dict) and isinstance(value.get("data"), list) else Listing(())


class Graph:
    """The Graph API as whoever the token belongs to. Raises `integrations.errors`; never retries, never waits."""

    def __init__(self, host: str, token: str, app: App, secrets: Sequence[str] = ()) -> None:
        """`secrets` are what goes along in confidence beside the token."""
        version = str(app.options.get("version") or VERSION)
        self._token = token
        # Shows that the call comes from whoever has the app's secret (developers.facebook.com/docs/graph-api/guides/secure-requests).
        self._proof = {"appsecret_proof": _signature(app.client_secret, token)} if app.client_secret and token else {}
        secrets = [token, app.client_secret, *self._proof.values(), *secrets]
        self._classify: Callable[[requests.Response], IntegrationError | None] = lambda answer: refusals.classify(
            answer, secrets
        )
        self._session = Session(
            f"{host.rstrip('/')}/{version}",
            token=token or None,
            secrets=secrets,
            says=refusals.sentence,
            classify=self._classify,
            retry_after=refusals.wait,
        )
        self.pause: float | None = (
            None  # seconds for which Meta would rather not be called: it says so before it refuses
        )

    def get(self, path: str, **params: Any) -> Json:
        """One object. Raises UnexpectedResponseError for anything else."""
        body = parse_json(self._call("GET", path, params=params))
        if not isinstance(body, dict):
            raise UnexpectedResponseError("Meta answered with something that is not an object", sample=shape(body))
        return body

    def page(self, path: str, *, after: str | None = None, bare: bool = False, **params: Any) -> Listing:
        """One page of a list, from the cursor `after` on."""
        where = _place(after) if after else {}
        return listing(parse_json(self._call("GET", path, params={**params, **where})), bare=bare)

    def pages(self, path: str, **params: Any) -> Iterator[Listing]:
        """Every page of a list."""
        found = self.page(path, **params)
        yield found
        while place := found.after:
            found = self.page(path, after=place, **params)
            yield found
            if found.after == place:
                return  # it would go on for ever

    def post(self, path: str, **form: str) -> Json:
        """A form that sets something to what it should be: doing it twice does no harm."""
        body = parse_json(self._call("POST", path, data=form))
        return body if isinstance(body, dict) else {}

    def delete(self, path: str) -> None:
        """Takes something away: doing it twice does no harm."""
        self._call("DELETE", path)

    def lookups(self, calls: Mapping[str, tuple[str, Mapping[str, str]]]) -> dict[str, Json | IntegrationError]:
        """Many reading calls, each a path without its slash and its parameters, in as few exchanges as Meta allows. What was
        refused of a single one (it is gone, or not for us) is its answer; what concerns them all is raised. A call that Meta left
        undone has no answer, nor has one over which it breaks while it answers others: some do so every time."""
        found: dict[str, Json | IntegrationError] = {}
        keys = iter(calls)
        while part := list(islice(keys, BATCH)):
            asked = [{"method": "GET", "relative_url": _relative(*calls[key])} for key in part]
            answers = parse_json(self._call("POST", "/", data={
                "batch": json.dumps(asked), "include_headers": "false", "access_token": self._token
            }))  # fmt: skip
            if not isinstance(answers, list) or len(answers) != len(part):
                raise UnexpectedResponseError("Meta answered a batch with something else", sample=shape(answers))
            read = {key: self._answer(answer) for key, answer in zip(part, answers, strict=True)}
            broken = [each for each in read.values() if isinstance(each, _OF_ONE_CALL)]
            if broken and len(broken) == len(part):
                raise broken[0]
            found |= {
                key: each for key, each in read.items() if each is not None and not isinstance(each, _OF_ONE_CALL)
            }
        return found

    def _answer(self, answer: Any) -> Json | IntegrationError | None:
        """One answer of a batch, wrapped as a response of its own, so that its refusal is read as any other."""
        if not isinstance(answer, dict) or not isinstance(answer.get("code"), int):
            return None
        response = requests.Response()
        response.status_code, response.url = answer["code"], self._session.base_url
        response._content = str(answer.get("body") or "").encode("utf-8", "replace")
        if response.status_code < 300:
            body = parse_json(response)
            return body if isinstance(body, dict) else None
        error = self._classify(response)
        if isinstance(error, NotFoundError | PermissionDeniedError | TemporaryError | InvalidRequestError):
            return error
        if error is not None:
            raise error
        return None

    def _call(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, data: Mapping[str, str] | None = None
    ) -> requests.Response:
        proof: Mapping[str, str] = self._proof
        sent = {"data": {**(data or {}), **proof}} if method == "POST" else {"params": {**(params or {}), **proof}}
        response = self._session.request(method, path, **sent)
        self.pause = refusals.pause(response)
        return response


def _relative(path: str, params: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path


def _signature(secret: str, token: str) -> str:
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def mapping(value: Any) -> Json:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def shape(value: Any) -> str:
    """What an unreadable answer looks like, without anything that somebody wrote."""
    return f"object with {sorted(map(str, value))[:10]}" if isinstance(value, dict) else type(value).__name__


def joined(names: Sequence[str]) -> str:
    """Names as the Graph API lists them."""
    return ",".join(names)
