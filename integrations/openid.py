"""OpenID Connect, as a relying party: the code flow with PKCE, by Authlib and joserfc (OpenID Connect Core 1.0, 3.1; RFC 9700; RFC 9207).

What a step has to remember it is given back; only what the issuer publishes about itself is kept, for an hour.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from integrations import oauth
from integrations.errors import AuthenticationError, IntegrationError, UnexpectedResponseError
from integrations.http import Session
from integrations.provider import App, OAuth2, Setting

SCOPES = ("openid", "email")
# Signatures that only the issuer can make. None of the symmetric ones: with them, a key that everybody may read would do for a secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
LEEWAY = 60  # seconds by which clocks may differ
KEPT = 3600.0  # seconds for which we go by what an issuer has published
KEYS_AGAIN = (
    30.0  # seconds between two looks for a key that is not among those we know: an issuer may have changed its keys
)
MOST = 512 * 1024  # bytes of an answer
_CLIENT_AUTH = ("client_secret_basic", "client_secret_post")


class NotSignedInError(AuthenticationError):
    """The issuer did not say who this is, or what it said does not hold."""


@dataclass(frozen=True)
class Identified:
    """Who somebody is to an issuer."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False


@dataclass(frozen=True)
class _Published:
    """What an issuer says about itself (OpenID Connect Discovery 1.0, 3)."""

    authorize_url: str
    token_url: str
    keys_url: str
    says_issuer: bool  # RFC 9207: its answers name it
    client_auth: Literal["client_secret_basic", "client_secret_post"]
    until: float  # by the monotonic clock


class OpenID:
    """An issuer, and us as its client. `allow` are hosts that may be called over plain http. Safe to use from several threads."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str, redirect_uri: str, *, allow: tuple[str, ...] = ()
    ) -> None:
        self.issuer = issuer
        self._app = App(client_id, client_secret)
        self._redirect_uri = redirect_uri
        self._allow = allow
        self._lock = threading.Lock()
        self._published: _Published | None = None
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    def __repr__(self) -> str:
        return f"OpenID({self.issuer!r})"

    @property
    def host(self) -> str:
        """For sentences."""
        return urlsplit(self.issuer).hostname or self.issuer

    def begin(self, *, state: str, nonce: str, verifier: str) -> str:
        """The issuer's page to send the person's browser to. Raises `integrations.errors`."""
        auth = self._auth(self._about(), nonce=nonce)
        return oauth.authorize_url(auth, self._setting(), state=state, verifier=verifier)

    def finish(self, params: Mapping[str, str], *, nonce: str, verifier: str) -> Identified:
        """Who came back with these parameters of the callback, whose `state` has been checked. Raises NotSignedInError and other
        `integrations.errors`."""
        about = self._about()
        if ("iss" in params or about.says_issuer) and not _same(params.get("iss", ""), self.issuer):
            raise NotSignedInError(f"the answer did not come from {self.host}")
        if params.get("error"):
            raise NotSignedInError(f"{self.host} did not sign you in ({params['error'][:60]})")
        if not params.get("code"):
            raise NotSignedInError(f"{self.host} came back without an answer")
        try:
            found = oauth.fetch_token(
                self.host, self._auth(about), self._setting(), code=params["code"], verifier=verifier
            )
        except AuthenticationError as error:
            raise NotSignedInError(str(error)) from None
        claims = self._read(str(found.get("id_token") or ""), nonce=nonce, access_token=str(found["access_token"]))
        verified = claims.get("email_verified") is True  # a string "true" is not what the specification says
        email = claims.get("email")
        return Identified(
            self.issuer,
            str(claims["sub"]),
            email if isinstance(email, str) else "",
            verified and isinstance(email, str),
        )

    # --- what the issuer publishes --------------------------------------------------------------------------------

    def _about(self) -> _Published:
        with self._lock:
            known = self._published
        if known is not None and known.until > time.monotonic():
            return known
        try:
            fresh = self._discover()
        except IntegrationError:
            if known is None:
                raise
            fresh = replace(known, until=time.monotonic() + KEYS_AGAIN)  # what it said an hour ago will do meanwhile
        with self._lock:
            self._published = fresh
        return fresh

    def _discover(self) -> _Published:
        body = self._get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if not _same(str(body.get("issuer", "")), self.issuer):
            raise UnexpectedResponseError(
                f"{self.host} calls itself {str(body.get('issuer'))[:200]!r}, not {self.issuer!r}"
            )
        said = body.get("token_endpoint_auth_methods_supported")
        methods = said if isinstance(said, list) else [_CLIENT_AUTH[0]]
        method = next((each for each in _CLIENT_AUTH if each in methods), _CLIENT_AUTH[0])
        return _Published(
            authorize_url=self._address(body, "authorization_endpoint"),
            token_url=self._address(body, "token_endpoint"),
            keys_url=self._address(body, "jwks_uri"),
            says_issuer=body.get("authorization_response_iss_parameter_supported") is True,
            client_auth=cast("Literal['client_secret_basic', 'client_secret_post']", method),
            until=time.monotonic() + KEPT,
        )

    def _address(self, body: Mapping[str, Any], name: str) -> str:
        url = str(body.get(name) or "")
        parts = urlsplit(url)
        plain = parts.scheme == "http" and parts.hostname in self._allow
        if not parts.hostname or parts.username or not (parts.scheme == "https" or plain):
            raise UnexpectedResponseError(f"{self.host} names no {name} that may be used")
        return url

    def _get(self, url: str) -> Mapping[str, Any]:
        parts = urlsplit(url)
        body = Session(f"{parts.scheme}://{parts.netloc}", most=MOST).get(
            url[len(f"{parts.scheme}://{parts.netloc}") :]
        )
        if not isinstance(body, dict):
            raise UnexpectedResponseError(f"{self.host} answered with something that is not a JSON object")
        return body

    def _key_set(self, *, anew: bool) -> KeySet:
        """The issuer's keys. `anew`: one is wanted that is not among those we know, so they are asked for again, now and then."""
        with self._lock:
            known, age = self._keys, time.monotonic() - self._keys_at
        if known is not None and age < (KEYS_AGAIN if anew else KEPT):
            return known
        body = self._get(self._about().keys_url)
        try:
            keys = KeySet.import_key_set(cast("Any", _signing(body)))
        except (JoseError, ValueError, TypeError, KeyError):
            raise UnexpectedResponseError(f"{self.host} publishes keys that cannot be read") from None
        with self._lock:
            self._keys, self._keys_at = keys, time.monotonic()
        return keys

    # --- the token ------------------------------------------------------------------------------------------------

    def _read(self, token: str, *, nonce: str, access_token: str) -> Mapping[str, Any]:
        """The claims of an ID token that holds. The reason why one does not is not for whoever holds it."""
        try:
            decoded = self._decoded(token)
            claims: Any = CodeIDToken(
                decoded.claims,
                decoded.header,
                {"iss": {"essential": True, "value": self.issuer}, "sub": {"essential": True}},
                {"nonce": nonce, "client_id": self._app.client_id, "access_token": access_token},
            )
            claims.validate(leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise NotSignedInError(f"what {self.host} said about you does not hold") from None
        if claims["aud"] not in (self._app.client_id, [self._app.client_id]) or not claims["sub"]:
            raise NotSignedInError(f"what {self.host} said about you was not meant for Warmline")
        return dict(claims)

    def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._key_set(anew=False), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            return jwt.decode(token, self._key_set(anew=True), algorithms=ALGORITHMS)

    def _auth(self, about: _Published, **params: str) -> OAuth2:
        return OAuth2(
            # The addresses are no templates: a brace in one stays a brace.
            authorize_url=_plain(about.authorize_url),
            token_url=_plain(about.token_url),
            scopes=SCOPES,
            client_auth=about.client_auth,
            authorize_params=params,
            keeps=("id_token",),
        )

    def _setting(self) -> Setting:
        return Setting(self._app, {}, redirect_uri=self._redirect_uri)


def _plain(url: str) -> str:
    return url.replace("{", "{{").replace("}", "}}")


def _signing(body: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that may sign, of kinds that we know: others may stand beside them."""
    keys = [
        each for each in body["keys"] if each.get("kty") in ("RSA", "EC", "OKP") and each.get("use", "sig") == "sig"
    ]
    return {"keys": keys}


def _same(one: str, other: str) -> bool:
    """Character by character, as both specifications want it."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
