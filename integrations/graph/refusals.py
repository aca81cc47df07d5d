"""What the Graph API's refusals mean. Nearly all come as 400 with a body that says more than the status.

Codes: developers.facebook.com/docs/graph-api/guides/error-handling, and for rates
developers.facebook.com/docs/graph-api/overview/rate-limiting (both read in November 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
)
from integrations.http import LONGEST_WAIT, SAMPLE, redact, retry_after_header

TOKEN = {102, 190, 463, 467}
PERMISSION = {3, 10, *range(200, 300)}
# 4 the app, 17 the person, 32 the page, 341 the app once more, 613 an endpoint of its own; 80000 and up by kind of business use.
RATE = {4, 17, 32, 341, 613, *range(80000, 80015)}
PASSES = {1, 2}
GONE = {(100, 33), (803, None)}  # code and subcode; None: any

# Seconds to wait where Meta says "too often" and not until when: its windows are one hour wide, and roll.
WAIT = 900.0
_WAITS = {613: 60.0}  # an edge's own limit, which is one of calls a second
FULL = 95  # percent of a limit at which we stop by ourselves
_MINUTE = 60.0

_AGAIN = "Connect the account again"
# By subcode of 190 (same page).
_TOKEN_SENTENCES: dict[int, str] = {
    458: f"The person who connected it has removed the app from their Facebook settings. {_AGAIN}",
    459: f"Facebook wants the person who connected it to log in at facebook.com and follow what it says there. Then {_AGAIN.lower()}",
    460: f"The password of the person who connected it has changed. {_AGAIN}",
    463: f"The consent has run out. {_AGAIN}",
    464: f"The Facebook account of the person who connected it is not confirmed. Confirm it at facebook.com, then {_AGAIN.lower()}",
    467: f"The consent is no longer valid. {_AGAIN}",
    492: f"The person who connected it no longer has a role on the page. {_AGAIN} as somebody who has one",
}
_TOKEN_SENTENCE = f"Meta no longer accepts this consent. {_AGAIN}"
_TOO_MUCH = re.compile(r"reduce the amount of data", re.IGNORECASE)
_TOO_OFTEN = "Meta takes no more calls for now"
_SCOPE = re.compile(r"\b(?:pages|instagram|business)_[a-z_]+[a-z]\b")


class TooMuchError(TemporaryError):
    """Meta gave up on a call that asks for much: a smaller page of the same list may be served."""


def classify(response: requests.Response, secrets: Sequence[str] = ()) -> IntegrationError | None:
    """The error that the body names; None where it names none that we know, so that the status speaks."""
    error = _error(response)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    says = redact(str(error.get("message") or ""), secrets)[:SAMPLE]
    if code in TOKEN:
        return AuthenticationError(_TOKEN_SENTENCES.get(subcode or 0, _TOKEN_SENTENCE))
    if code in RATE:
        return RateLimitError(_TOO_OFTEN, retry_after=wait(response) or _WAITS.get(code or 0, WAIT))
    if code in PASSES and _TOO_MUCH.search(says):
        return TooMuchError("Meta could not answer so much at once")
    if code in PASSES or error.get("is_transient") is True:
        return TemporaryError("Meta could not answer just now")
    if (code, subcode) in GONE or (code, None) in GONE:
        return NotFoundError("Meta says that this is not there, or not for us")
    if code in PERMISSION:
        scope = _SCOPE.search(says)
        return PermissionDeniedError(f"Meta does not allow this: {says}", scope=scope[0] if scope else None)
    if error and response.status_code == 400:
        return InvalidRequestError(f"Meta did not take the call: {says or 'it does not say why'}")
    return None


def sentence(response: requests.Response) -> str:
    """Meta's own sentence about a refusal, or ""."""
    return str(_error(response).get("message") or "")


def wait(response: requests.Response) -> float | None:
    """Seconds until Meta takes calls again, as far as it says: `Retry-After`, else the longest of its own estimates."""
    told = retry_after_header(response)
    if told is not None:
        return max(1.0, told)
    minutes = max((_figure(use, "estimated_time_to_regain_access") for use in _uses(response)), default=0.0)
    return min(minutes * _MINUTE, LONGEST_WAIT) or None


def pause(response: requests.Response) -> float | None:
    """Seconds for which we had better not call, because a limit is nearly used up; None while there is room."""
    names = ("call_count", "total_time", "total_cputime")
    if all(_figure(use, name) < FULL for use in _uses(response) for name in names):
        return None
    return wait(response) or WAIT


def _uses(response: requests.Response) -> Iterator[Mapping[str, Any]]:
    """What the headers say about each limit: `X-App-Usage` is one object, the other has a list for each page or account."""
    yield _object(response.headers.get("X-App-Usage", ""))
    for each in _object(response.headers.get("X-Business-Use-Case-Usage", "")).values():
        yield from (use for use in (each if isinstance(each, list) else ()) if isinstance(use, dict))


def _error(response: requests.Response) -> Mapping[str, Any]:
    try:
        error = response.json().get("error")
    except (ValueError, AttributeError, RecursionError):
        return {}
    return error if isinstance(error, dict) else {}


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _figure(use: Mapping[str, Any], name: str) -> float:
    value = use.get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e6 else 0.0


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
