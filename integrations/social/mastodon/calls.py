"""Calls of the client API as one account: what refusals mean here, how rate limits are told, how lists go on.

Servers differ: error bodies are JSON, text or HTML; rate limits are told in one of several headers, as an ISO time, an epoch or
seconds, or not at all; `Link` is spelt in different ways or missing, and drops filters that were asked for.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.utils import parse_header_links

from integrations import foreign
from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import LONGEST_WAIT, SAMPLE, Session, error_for, parse_json, redact, retry_after_header
from integrations.provider import Access

BATCH = 20  # posts; Mastodon refuses more in one call
_REMAINING = ("X-RateLimit-Remaining", "RateLimit-Remaining")
_RESET = ("X-RateLimit-Reset", "RateLimit-Reset")
_POSITION = ("max_id", "offset", "page", "cursor")  # what a `Link` may say about where the next page starts
_EPOCH = 1_000_000_000  # seconds; a reset below this is a number of seconds from now
_MILLISECONDS = 1_000_000_000_000

# A refused scope, in the words of Mastodon, GoToSocial, Pleroma with Akkoma, and Takahe.
_SCOPE = re.compile(
    r"authorized scopes|insufficient[_ ]scope|insufficient permissions|missing scope|out_of_scope", re.IGNORECASE
)
# What some servers say of a token that is not, or no longer, good, where others say 401: Pleroma with Akkoma, and Takahe.
_DEAD_TOKEN = {
    403: re.compile(r"^invalid credentials", re.IGNORECASE),
    400: re.compile(r"^invalid bearer token", re.IGNORECASE),
}
_SCOPES = (
    ("/api/v1/notifications", "read:notifications"),
    ("/api/v1/accounts/verify_credentials", "read:accounts"),
    ("/api/v1/", "read:statuses"),
)

Position = Mapping[str, str]


@dataclass(frozen=True)
class Listing:
    """A page of a list, newest first. `next` leads to the one behind it, None where the server says that there is none."""

    rows: Sequence[Any]
    next: Position | None


class Calls:
    """GET calls with the connection's token. Never retries, never waits: where no call is left, RateLimitError is raised before one
    is made. `spare` is how many calls of a window are to be left for others."""

    def __init__(self, access: Access) -> None:
        self.spare = 0
        token = str(access.credentials.get("access_token") or "")
        self._session = Session(
            access.hosts["web"],
            token=token,
            guarded=access.guarded,
            allow=access.allow_hosts,
            says=says,
            retry_after=retry_after,
            classify=lambda response: classify(response, [token]),
        )
        self._left: int | None = None  # calls that the window has left, where the server tells
        self._opens = 0.0  # when the next window opens, by `time.monotonic`
        self._knows_many = True

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON. Raises `integrations.errors`."""
        return parse_json(self._ask(path, params))

    def list(self, path: str, params: Mapping[str, Any], position: Position) -> Listing:
        """One page of a list. What was asked for is asked for again on every page, whatever the server's `Link` kept of it."""
        response = self._ask(path, {**params, **position})
        rows = parse_json(response)
        if not isinstance(rows, list):
            raise UnexpectedResponseError(
                "The server answered with something that is not a list", sample=type(rows).__name__
            )
        return Listing(rows, next_position(response, rows))

    def many(self, ids: Sequence[str]) -> Sequence[Any] | None:
        """Those of these posts that the server shows, `BATCH` to a call; None where it has no such call."""
        found: list[Any] = []
        for start in range(0, len(ids), BATCH):
            rows = self._batch(ids[start : start + BATCH]) if self._knows_many else None
            if not isinstance(rows, list):
                self._knows_many = False  # GoToSocial, Takahe, and Mastodon before 4.3
                return None
            found += rows
        return found

    def _batch(self, ids: Sequence[str]) -> Any:
        try:
            return self.get("/api/v1/statuses", {"id[]": [*ids]})
        except (NotFoundError, InvalidRequestError, UnexpectedResponseError, PermissionDeniedError, TemporaryError):
            # Takahe takes it for an attempt to write, which our scopes do not let us. One that breaks over it may not know it either; if it
            # is out of order, the next call says so.
            return None

    def _ask(self, path: str, params: Mapping[str, Any] | None) -> requests.Response:
        wait = self._opens - time.monotonic()
        if self._left is not None and self._left <= self.spare and wait > 0:
            raise RateLimitError("The server takes no more calls for now", retry_after=max(1.0, wait))
        response = self._session.request("GET", path, params=params)
        left = _header(response, _REMAINING)
        self._left = int(left) if left is not None and left.isascii() and left.isdigit() else None
        self._opens = time.monotonic() + (_seconds_until_reset(response) or 0.0)
        return response


# --- what answers say ------------------------------------------------------------------------------------------


def says(response: requests.Response) -> str:
    """The server's own sentence, uncut: from JSON in the shapes of the different servers, or the first line of a text. Never markup."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        # Far more than is told of it, so that what is not to be told is in there whole.
        line = response.content[: 16 * SAMPLE].decode("utf-8", "replace").strip().partition("\n")[0].rstrip()
        return "" if "<" in line or line[:1] in "[{" else line
    if not isinstance(body, dict):
        return ""
    nested = body.get("errors")
    detail = nested.get("detail") if isinstance(nested, dict) else None
    return next(
        (each for each in (body.get("error_description"), body.get("error"), detail) if isinstance(each, str)), ""
    )


def classify(response: requests.Response, secrets: Sequence[str] = ()) -> IntegrationError | None:
    """What a refusal means that is about the token and not about this one thing; None for the usual reading. `secrets` are not told."""
    status = response.status_code
    if status not in _DEAD_TOKEN:
        return None
    said = redact(says(response), secrets)
    usual = str(error_for(response, says=said))
    if _DEAD_TOKEN[status].search(said):
        return AuthenticationError(usual)
    if status == 403 and _SCOPE.search(said):
        path = urlsplit(response.url).path
        return PermissionDeniedError(
            usual, scope=next((scope for start, scope in _SCOPES if path.startswith(start)), None)
        )
    return None


def retry_after(response: requests.Response) -> float | None:
    """Seconds until calls are taken again, or None where the server does not say."""
    told = retry_after_header(response)
    return _seconds_until_reset(response) if told is None else told


def _seconds_until_reset(response: requests.Response) -> float | None:
    """By the server's own clock, where it tells its time. A header that cannot be read says nothing."""
    value = _header(response, _RESET)
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        at = _iso(value)
    else:
        if number < _EPOCH:
            return _sensible(number)
        at = (
            datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS else number, UTC) if number < 1e14 else None
        )
    return None if at is None else _sensible((at - _server_time(response)).total_seconds())


def _sensible(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_WAIT)


def _server_time(response: requests.Response) -> datetime:
    try:
        at = parsedate_to_datetime(response.headers.get("Date", ""))
    except (TypeError, ValueError):
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _iso(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _header(response: requests.Response, names: Sequence[str]) -> str | None:
    return next((response.headers[name].strip() for name in names if name in response.headers), None)


# --- how a list goes on ----------------------------------------------------------------------------------------


def next_position(response: requests.Response, rows: Sequence[Any]) -> Position | None:
    """Where the next page starts. Of the `Link`'s address only the position is taken: a server does not choose whom we call, and
    filters are ours to ask for. Where there is no `Link` at all, behind the last row."""
    header = response.headers.get("Link")
    if header is None:
        last = rows[-1].get("id") if rows and isinstance(rows[-1], dict) else None
        return {"max_id": str(last)} if last else None
    for link in parse_header_links(header):
        told = {str(name).lower(): str(value) for name, value in link.items()}
        if "next" in told.get("rel", "").lower().split():
            return _position(told.get("url", ""))
    return None


def _position(url: str) -> Position | None:
    query = parse_qs(foreign.address(url).query)
    return {name: query[name][0] for name in _POSITION if name in query} or None
