"""An OpenID provider in memory, which answers by `responses`: keys made here, codes good once, PKCE held to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
import responses
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

ISSUER = "https://id.test"
CLIENT = "warmline-client"
SECRET = "planted-client-secret"
CALLBACK = "http://warmline.test/signin/openid/callback"
Claims = dict[str, Any]


def rsa(kid: str = "r1") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def ec(kid: str = "e1") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


def unsigned(claims: Claims) -> str:
    """A token with `alg: none`."""
    return _parts({"alg": "none", "typ": "JWT"}, claims) + "."


def keyed(claims: Claims, secret: bytes, **header: str) -> str:
    """A token that whoever has `secret` can make: by hand, since no library would take a public key for one."""
    signed = _parts({"alg": "HS256", **header}, claims)
    return f"{signed}.{_encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _parts(*parts: Mapping[str, Any]) -> str:
    return ".".join(_encoded(json.dumps(each).encode()) for each in parts)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Issuer:
    """`claims` and `sign` are what tests change: what is said of the person, and how that is signed."""

    key: Any
    alg: str = "RS256"
    subject: str = "sub-olga"
    email: str = "olga@acme.test"
    email_verified: Any = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    change: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[Claims], str] | None = None
    says_iss: str | None = None
    published: list[Any] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    spent: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    looked: int = 0  # how often its keys were asked for

    def answer(self, mock: responses.RequestsMock) -> None:
        """From now on."""
        mock.add_callback("GET", f"{ISSUER}/.well-known/openid-configuration", self._configuration)
        mock.add_callback("GET", f"{ISSUER}/keys", self._keys)
        mock.add_callback("POST", f"{ISSUER}/token", self._token)

    def consent(self, url: str) -> dict[str, str]:
        """The person signs in there; returns the query with which the browser comes back."""
        query = dict(parse_qsl(urlsplit(url).query))
        self.asked.append(query)
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        back = {"code": code, "state": query["state"]}
        return back if self.says_iss is None else {**back, "iss": self.says_iss}

    def claims(self, query: Mapping[str, str]) -> Claims:
        now = int(time())
        return {
            "iss": ISSUER, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": query["nonce"],
            "email": self.email, "email_verified": self.email_verified,
        }  # fmt: skip

    def _configuration(self, _: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        said = {
            "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys", "response_types_supported": ["code"], **self.metadata,
        }  # fmt: skip
        return 200, {}, json.dumps({name: value for name, value in said.items() if value is not None})

    def _keys(self, _: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.looked += 1
        keys = KeySet([*self.published, self.key]).as_dict(private=False)
        keys["keys"].append({"kty": "oct", "k": "c2VjcmV0", "kid": "shared"})
        return 200, {}, json.dumps(keys)

    def _token(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        form = {name: values[0] for name, values in parse_qs(str(request.body)).items()}
        query = self.codes.get(form["code"])
        verifier = form.get("code_verifier", "")
        challenge = _encoded(hashlib.sha256(verifier.encode()).digest())
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {basic}":
            return 401, {}, json.dumps({"error": "invalid_client"})
        if query is None or form["code"] in self.spent or challenge != query["code_challenge"]:
            return 400, {}, json.dumps({"error": "invalid_grant", "error_description": "no such code"})
        if form["redirect_uri"] != query["redirect_uri"]:
            return 400, {}, json.dumps({"error": "invalid_grant"})
        self.spent.append(form["code"])
        claims = self.change(self.claims(query))
        token = self.sign(claims) if self.sign else self.signed(claims)
        return 200, {}, json.dumps({"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def signed(self, claims: Claims, key: Any = None, **header: Any) -> str:
        key = key or self.key
        return jwt.encode({"alg": self.alg, "kid": key.kid, **header}, claims, key)
