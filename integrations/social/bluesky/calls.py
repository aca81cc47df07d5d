"""XRPC calls through the account's own server (PDS), which passes them on to Bluesky's AppView or chat, and what refusals mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import LONGEST_WAIT, Session, parse_json, redact, retry_after_header
from integrations.provider import Access
from integrations.social.bluesky.dpop import Proven, asks_for_nonce, body_of, with_nonce

# XRPC names its errors; servers use the statuses of HTTP loosely (an expired token is a 400).
_BY_NAME: dict[str, type[IntegrationError]] = {
    "ExpiredToken": AuthenticationError,
    "InvalidToken": AuthenticationError,
    "AccountDeactivated": PermissionDeniedError,
    "AccountSuspended": PermissionDeniedError,
    "AccountTakedown": PermissionDeniedError,
    "MethodNotImplemented": PermissionDeniedError,
    "NotFound": NotFoundError,
    "RecordNotFound": NotFoundError,
    # About the proof, not the token: our clock may be wrong. The token is as good as before.
    "invalid_dpop_proof": TemporaryError,
}
# What the servers of the network think of each other: the account's own one signs what it passes on, and who answers may not know a key
# that has just changed (https://atproto.com/specs/xrpc#inter-service-authentication-jwt).
_BETWEEN_SERVERS = re.compile(r"\b(BadJwt[A-Za-z]*|JwtExpired)\b")
_SCOPE = re.compile(r'"([a-z]+:[^"\s]+)"')


class Calls:
    """Reads as one account. `credentials` are those of a consent (with `dpop_key`) or of an app password's session."""

    def __init__(self, access: Access) -> None:
        held = access.credentials
        self.did = str(held["did"])
        self._base = str(held["pds"])
        self._token = str(held.get("access_token") or "")
        self._allow = access.allow_hosts
        # One for all sessions, so that they share the nonces.
        self._proven = Proven(held["dpop_key"], self._token) if held.get("dpop_key") else None
        self._sessions: dict[str, Session] = {}

    def get(self, method: str, *, service: str = "", **params: Any) -> Mapping[str, Any]:
        """One query. `service` is who should answer it (a DID and #fragment); the server's usual AppView if empty. Parameters
        that are None are left out. Raises UnexpectedResponseError for an answer that is no JSON object."""
        given = {name: value for name, value in params.items() if value is not None}
        session = self._session(service)
        body = parse_json(with_nonce(lambda: session.request("GET", f"/xrpc/{method}", params=given)))
        if not isinstance(body, dict):
            raise UnexpectedResponseError(
                f"{urlsplit(self._base).hostname} answered {method} with something else than an object"
            )
        return body

    def _session(self, service: str) -> Session:
        if service not in self._sessions:
            self._sessions[service] = session = Session(
                self._base,
                token=None if self._proven else self._token,
                headers={"atproto-proxy": service} if service else {},
                guarded=True,
                allow=self._allow,
                secrets=[self._token],
                says=sentence,
                retry_after=retry_after,
                classify=partial(refusal, secrets=[self._token]),
            )
            session.http.auth = self._proven
        return self._sessions[service]


def rows(body: Mapping[str, Any], name: str) -> list[Any]:
    """The list of this name in an answer. Raises UnexpectedResponseError where there is none."""
    found = body.get(name)
    if not isinstance(found, list):
        raise UnexpectedResponseError(
            f"Bluesky answered without a list of {name}", sample=", ".join(map(str, body))[:200]
        )
    return found


def refusal(response: requests.Response, secrets: Sequence[str]) -> IntegrationError | None:
    """The error that XRPC's name for it means; None where the status says it all. `secrets` are not told, not even the half of one
    that is left where a long sentence is cut."""
    if wanted := asks_for_nonce(response):
        return wanted
    name = body_of(response).get("error")
    if "invalid_dpop_proof" in response.headers.get("WWW-Authenticate", ""):
        name = "invalid_dpop_proof"
    if response.status_code == 429 or not isinstance(name, str):
        return None
    says = redact(sentence(response), secrets)[:300]
    if _BETWEEN_SERVERS.search(f"{name} {response.headers.get('WWW-Authenticate', '')}"):
        return TemporaryError(f"{_host(response)} answered {response.status_code}: {says}")
    if name == "InvalidToken" and says.startswith(
        "Bad token"
    ):  # "... method" or "... scope": a good token, and not for this
        return PermissionDeniedError(
            "this app password does not allow it. For direct messages, make one with those ticked, and connect again"
        )
    if name in ("ScopeMissingError", "InsufficientScope"):
        missing = _SCOPE.search(says)
        return PermissionDeniedError(
            f"{_host(response)} was not allowed this: {says}", scope=missing[1] if missing else None
        )
    kind = _BY_NAME.get(name)
    return kind(f"{_host(response)} answered {response.status_code}: {says}") if kind else None


def session_refusal(response: requests.Response, secrets: Sequence[str]) -> IntegrationError | None:
    """As `refusal`, for signing in with an app password and for renewing that session."""
    name = body_of(response).get("error")
    if name == "AuthFactorTokenRequired":
        return AuthenticationError(
            "that is the account's own password. Make an app password in Bluesky's settings, and use it here"
        )
    if response.status_code == 401 and name in ("AuthenticationRequired", "AuthMissing"):
        return AuthenticationError(f"{_host(response)} does not know this handle with this app password")
    return refusal(response, secrets)


def sentence(response: requests.Response) -> str:
    """The server's own sentence about a refusal, or its name for it."""
    body = body_of(response)
    return str(body.get("message") or body.get("error") or "")


def retry_after(response: requests.Response) -> float | None:
    """Seconds to wait: `Retry-After`, or `RateLimit-Reset` (epoch seconds) by the server's own clock."""
    stated = retry_after_header(response)
    if stated is not None:
        return stated
    try:
        reset = float(response.headers["RateLimit-Reset"])
        now = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, reset - now), LONGEST_WAIT)


def _host(response: requests.Response) -> str:
    return urlsplit(response.url).hostname or "the server"
