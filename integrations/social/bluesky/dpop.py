"""Requests that prove the possession of a key (DPoP, RFC 9449), as atproto asks of every OAuth client.

Written on `joserfc`, which comes with Authlib: a library of its own would bring its own HTTP session, past the peer check, the size limit
and the one place where errors are classified.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey
from requests.auth import AuthBase

from integrations.errors import TemporaryError, UnexpectedResponseError
from integrations.http import parse_json

_LONGEST_NONCE = 1024  # characters; what is longer is not kept, or every later request would carry it
T = TypeVar("T")


class NonceWantedError(TemporaryError):
    """The server did not look at the request, because its proof lacked the nonce that came with this answer."""


def with_nonce(send: Callable[[], T]) -> T:
    """What `send` returns; called once more where the server wants a newer nonce. That is a step of the protocol and no retry: the
    server has not looked at what was sent."""
    try:
        return send()
    except NonceWantedError:
        return send()


def asks_for_nonce(response: requests.Response) -> TemporaryError | None:
    """The error of a refusal that asks for another nonce (a resource says so in a header, a token endpoint in its body), else None."""
    if response.status_code not in (400, 401):
        return None
    if (
        "use_dpop_nonce" not in response.headers.get("WWW-Authenticate", "")
        and body_of(response).get("error") != "use_dpop_nonce"
    ):
        return None
    kind = NonceWantedError if _nonce(response) else TemporaryError
    return kind(f"{urlsplit(response.url).hostname} asked for one proof after another")


def new_key() -> dict[str, Any]:
    """A private key for one consent, as a JWK: ES256, which atproto has every server accept."""
    return dict(ECKey.generate_key("P-256", private=True).as_dict(private=True))


class Proven(AuthBase):
    """Signs each request with a fresh proof, and sends `token` bound to it, if there is one. Remembers the nonces that servers
    give, by origin, for as long as it lives."""

    def __init__(self, key: Mapping[str, Any], token: str | None = None) -> None:
        self._key = ECKey.import_key(dict(key))
        self._public = self._key.as_dict(private=False)
        self._token = token
        self._nonces: dict[str, str] = {}

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["DPoP"] = self._proof(str(request.method), str(request.url))
        if self._token is not None:
            request.headers["Authorization"] = f"DPoP {self._token}"
        request.hooks["response"].append(self._learn)
        return request

    def _proof(self, method: str, url: str) -> str:
        parts = urlsplit(url)
        claims = {
            "jti": secrets.token_urlsafe(24),
            "htm": method,
            "htu": urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
            "iat": int(time.time()),
        }
        if nonce := self._nonces.get(_origin(url)):
            claims["nonce"] = nonce
        if self._token is not None:
            claims["ath"] = b64url(hashlib.sha256(self._token.encode()).digest())
        return jwt.encode({"alg": "ES256", "typ": "dpop+jwt", "jwk": self._public}, claims, self._key)

    def _learn(self, response: requests.Response, **_: Any) -> None:
        if nonce := _nonce(response):
            self._nonces[_origin(str(response.request.url))] = nonce


def b64url(value: bytes) -> str:
    """Base64 for addresses, without padding (RFC 7515, appendix C)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def body_of(response: requests.Response) -> Mapping[str, Any]:
    """The JSON object of an answer; an empty one where it is anything else."""
    try:
        body = parse_json(response)
    except UnexpectedResponseError:
        return {}
    return body if isinstance(body, dict) else {}


def _nonce(response: requests.Response) -> str:
    nonce = response.headers.get("DPoP-Nonce", "")
    return nonce if len(nonce) <= _LONGEST_NONCE else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
