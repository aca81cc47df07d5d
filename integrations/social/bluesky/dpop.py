"""Requests that prove the possession of a key (DPoP, RFC 9449), as atproto asks of every OAuth client.

Written on `joserfc`, which comes with Authlib: a library of its own would bring its own HTTP session, past the peer check, the size limit
and the one place where errors are classified.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey
from requests.auth import AuthBase

from integrations.http import read_limited

_MORE_THAN_AN_ERROR = 64 * 1024  # bytes
_LONGEST_NONCE = 1024  # characters; what is longer is not kept, or every later request would carry it


def new_key() -> dict[str, Any]:
    """A private key for one consent, as a JWK: ES256, which atproto has every server accept."""
    return dict(ECKey.generate_key("P-256", private=True).as_dict(private=True))


class Proven(AuthBase):
    """Signs each request with a fresh proof, and sends `token` bound to it, if there is one.

    Servers give nonces that proofs must hold, and answer `use_dpop_nonce` where one is missing or too old: the request, which they
    have not looked at, is then sent again once with the new one. That is a part of the protocol, not a retry. Nonces are kept by origin, for as long as this lives.
    """

    def __init__(self, key: Mapping[str, Any], token: str | None = None) -> None:
        self._key = ECKey.import_key(dict(key))
        self._public = self._key.as_dict(private=False)
        self._token = token
        self._nonces: dict[str, str] = {}

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._sign(request)
        request.hooks["response"].append(self._answered)
        return request

    def _sign(self, request: requests.PreparedRequest) -> None:
        request.headers["DPoP"] = self._proof(str(request.method), str(request.url))
        if self._token is not None:
            request.headers["Authorization"] = f"DPoP {self._token}"

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

    def _answered(self, response: requests.Response, **sent: Any) -> requests.Response:
        if not self._learn(response) or not wants_nonce(response):
            return response
        again = response.request.copy()
        self._sign(again)
        repeated: requests.Response = response.connection.send(again, **sent)
        repeated.request = again
        repeated.history.append(response)
        self._learn(repeated)
        return repeated

    def _learn(self, response: requests.Response) -> bool:
        nonce = response.headers.get("DPoP-Nonce", "")
        if not 0 < len(nonce) <= _LONGEST_NONCE:
            return False
        self._nonces[_origin(str(response.request.url))] = nonce
        return True


def wants_nonce(response: requests.Response) -> bool:
    """Whether this refusal asks for a proof with a newer nonce: a resource says so in a header, a token endpoint in its body."""
    if response.status_code not in (400, 401):
        return False
    if "use_dpop_nonce" in response.headers.get("WWW-Authenticate", ""):
        return True
    read_limited(response, _MORE_THAN_AN_ERROR)
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("error") == "use_dpop_nonce"


def b64url(value: bytes) -> str:
    """Base64 for addresses, without padding (RFC 7515, appendix C)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
