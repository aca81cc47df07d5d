"""tweepy's endpoint table with a host of our choice and raw answers, and what X's refusals mean."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import tweepy

from integrations.errors import (
    IntegrationError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import (
    TIMEOUT,
    USER_AGENT,
    error_for,
    parse_json,
    read_limited,
    redact,
    retry_after_header,
    transport_error,
)
from integrations.records import Budget

BATCH = 100  # ids in one lookup, and rows in one page: the most that X serves

TWEET_FIELDS = [
    "author_id",
    "conversation_id",
    "created_at",
    "edit_history_tweet_ids",
    "entities",
    "id",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "referenced_tweets",
    "text",
]
USER_FIELDS = ["description", "entities", "id", "location", "name", "public_metrics", "url", "username", "verified"]
DM_FIELDS = ["created_at", "dm_conversation_id", "entities", "event_type", "id", "sender_id", "text"]
TWEETS: dict[str, Any] = {
    "tweet_fields": TWEET_FIELDS,
    "user_fields": USER_FIELDS,
    "expansions": ["author_id", "referenced_tweets.id", "referenced_tweets.id.author_id"],
}
DIRECT: dict[str, Any] = {
    "dm_event_fields": DM_FIELDS,
    "user_fields": USER_FIELDS,
    "expansions": ["sender_id"],
    "event_types": ["MessageCreate"],
}
# X bills what comes along as an expansion like anything else that it returns; without them, a row costs what a row costs.
_COMES_ALONG = ("expansions", "user_fields")


def alone(query: dict[str, Any]) -> dict[str, Any]:
    """The same query for the rows by themselves: no profiles, no posts that they refer to."""
    return {name: value for name, value in query.items() if name not in _COMES_ALONG}


class Calls(tweepy.Client):  # type: ignore[misc]  # tweepy has no types
    """`tweepy.Client` writes its host into `request` and, at debug level, the token into the log: this replaces both.

    Every endpoint method returns the `requests.Response` or raises `integrations.errors`. No retry, no waiting.
    """

    def __init__(self, host: str, token: str) -> None:
        super().__init__(bearer_token=token, return_type=requests.Response, wait_on_rate_limit=False)
        self.host = host.rstrip("/")
        self._budgets: dict[str, Budget] = {}  # of each kind of call, as its last answer told it
        self.session.trust_env = False  # no proxy, no .netrc: the token goes where we said

    def request(
        self, method: str, route: str, params: Any = None, json: Any = None, user_auth: bool = False
    ) -> requests.Response:
        """One call with the OAuth 2.0 user token, answered or raised. `user_auth` (OAuth 1.0a) does not exist here."""
        headers = {
            "Authorization": f"Bearer {self.bearer_token}",
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
        }
        try:
            response: requests.Response = self.session.request(
                method,
                self.host + route,
                params=params,
                json=json,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            )
            read_limited(response)
        except requests.RequestException as error:
            raise transport_error(error, "X", write=False) from None
        if told := budget(response, route):
            self._budgets[told.what] = told
        refused = refusal(response, route, [self.bearer_token])
        if refused is not None:
            raise refused
        return response

    @property
    def budget(self) -> Budget | None:
        """Of the kinds of calls that were made, the one of which the smallest share is left."""
        return min(self._budgets.values(), key=lambda each: (each.left or 0) / each.most, default=None)


# --- limits --------------------------------------------------------------------------------------------------

# What X counts by itself, by the end of the route, the first that fits.
_KINDS = {
    "/2/tweets/search/recent": "searches",
    "/2/tweets": "calls for single posts",
    "/mentions": "calls for mentions",
    "/tweets": "calls for posts of yours",
    "/dm_events": "calls for direct messages",
}


def budget(response: requests.Response, route: str) -> Budget | None:
    """What an answer tells of calls of its kind: X counts them in windows of 15 minutes, for each account by itself."""
    kind = next((words for end, words in _KINDS.items() if route.endswith(end)), None)
    most, left = (_number(response.headers.get(f"x-rate-limit-{name}")) for name in ("limit", "remaining"))
    seconds = seconds_until_reset(response)
    if kind is None or not most or left is None or seconds is None or seconds > _WINDOW:
        return None
    resets_at = datetime.now(UTC) + timedelta(seconds=seconds)
    return Budget(min(left, most), most, f"{kind} in 15 minutes", resets_at)


_WINDOW = 1000.0  # seconds: what is counted anew later than a window ends is no such count


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None


# --- refusals ------------------------------------------------------------------------------------------------

# A stream that is refused stops until somebody reconnects the account; so the sentences end with that.
CREDITS = "The X app has no credits left. Buy credits in X's developer console, then reconnect the account"
SPEND_CAP = "The X app has reached its spending limit. Raise it in X's developer console, then reconnect the account"
NOT_ENROLLED = (
    "The X app is not in a project that may use X's API. "
    "Attach it to a pay-per-use project in X's developer console, then reconnect the account"
)
NO_DIRECT_MESSAGES = "X does not let us read direct messages: the consent, or the app's permissions, leave them out"
CAPPED = "The X app has read as many posts as its plan allows; reading goes on by itself when X begins a new period"

# By the problem's title, its `reason`, or the last part of its `type`, in that order: the first that is known speaks.
_SENTENCES = {
    "creditsdepleted": CREDITS,
    "spendcapreached": SPEND_CAP,
    "client-not-enrolled": NOT_ENROLLED,
    "credits": CREDITS,
}
_SCOPES = {"/2/dm_": ("dm.read", NO_DIRECT_MESSAGES)}


def refusal(response: requests.Response, route: str, secrets: Sequence[str] = ()) -> IntegrationError | None:
    """The error that an answer of X means, or None for a success. `route` is the path, which tells the scope; `secrets` are
    kept out of what it says."""
    if response.status_code < 300:
        return None
    problem = _problem(response)
    words = [str(problem.get(name, "")).rpartition("/")[2].lower() for name in ("title", "reason", "type")]
    sentence = next((_SENTENCES[word] for word in words if word in _SENTENCES), None)
    if sentence is not None:
        return PermissionDeniedError(sentence)
    if "usage-capped" in words:
        # A 429, but X does not say until when, and a person should know: so not a rate limit.
        return TemporaryError(CAPPED, refused=True)
    error = error_for(response, says=redact(_says(problem), secrets), retry_after=_wait)
    if isinstance(error, PermissionDeniedError):
        for prefix, (scope, told) in _SCOPES.items():
            if route.startswith(prefix):
                return PermissionDeniedError(told, scope=scope)
    return error


def seconds_until_reset(response: requests.Response) -> float | None:
    """Seconds until `x-rate-limit-reset` (epoch seconds), by the server's clock where it tells its `Date`."""
    try:
        reset = float(response.headers["x-rate-limit-reset"])
        if not 0 < reset < 1e11:
            return None
    except (KeyError, ValueError):
        return None
    told = _date(response)
    return max(1.0, reset - (told.timestamp() if told else time.time()) + 1.0)


def _date(response: requests.Response) -> datetime | None:
    """What X's clock says in the answer's `Date`."""
    try:
        told = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _wait(response: requests.Response) -> float | None:
    """Seconds to wait after a 429: until X's reset; where something in between answered, as it says."""
    seconds = seconds_until_reset(response)
    return retry_after_header(response) if seconds is None else seconds


def _problem(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = parse_json(response)
    except UnexpectedResponseError:
        return {}
    return body if isinstance(body, dict) else {}


def _says(problem: Mapping[str, Any]) -> str:
    """X's own sentence: a problem's `detail`, else what the first of `errors` says."""
    errors = problem.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    detail = str(problem.get("detail") or problem.get("title") or "")
    more = str(first.get("message") or first.get("detail") or "")
    return f"{detail} {more}".strip() if more != detail else detail


# --- answers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """The envelope of a 200: rows as X sent them, what they refer to by id, and how to go on."""

    rows: tuple[Any, ...]
    users: Mapping[str, Mapping[str, Any]]
    posts: Mapping[str, Mapping[str, Any]]
    gone: frozenset[str]  # asked for by id; X says they are not there or not for us
    next_token: str | None
    wait: float | None  # seconds until X takes another call of this kind; None: at once
    at: datetime | None = None  # by X's clock, where it tells

    def pause(self) -> None:
        """Raises RateLimitError where X takes no further call now. To be called when there is one to make."""
        if self.wait is not None:
            raise RateLimitError("X takes no more calls of this kind for now", retry_after=self.wait)


_GONE = ("resource-not-found", "not-authorized-for-resource", "resource-unavailable", "disallowed-resource")
_REFUSED = ("client-forbidden", "not-authorized-for-field", "unsupported-authentication")


def answer(response: requests.Response) -> Answer:
    """Reads the envelope. `errors` beside `data` concern single posts; alone, about anything but posts, they are raised.

    Raises UnexpectedResponseError for anything that is not X's envelope.
    """
    body = parse_json(response)
    if not isinstance(body, dict) or not ({"data", "errors", "meta"} & body.keys()):
        raise UnexpectedResponseError("X answered with something that is not a page", sample=_shape(body))
    rows = body.get("data") or []
    rows = [rows] if isinstance(rows, dict) else rows
    errors = body.get("errors") or []
    if not isinstance(rows, list) or not isinstance(errors, list):
        raise UnexpectedResponseError("X answered with rows that are not a list", sample=_shape(body))
    errors = [each for each in errors if isinstance(each, dict)]
    if not rows:
        _raise_whole(errors)
    includes, meta = _mapping(body.get("includes")), _mapping(body.get("meta"))
    return Answer(
        tuple(rows),
        _by_id(includes.get("users")),
        _by_id(includes.get("tweets")) | _by_id(includes.get("posts")),
        frozenset(str(each.get("resource_id") or each.get("value")) for each in errors if _names_a_gone_post(each)),
        str(meta["next_token"]) if meta.get("next_token") else None,
        seconds_until_reset(response) if response.headers.get("x-rate-limit-remaining") == "0" else None,
        _date(response),
    )


def _raise_whole(errors: list[Mapping[str, Any]]) -> None:
    for each in errors:
        if not _names_a_gone_post(each):
            what = str(each.get("detail") or each.get("title") or "it does not say why")[:200]
            if _kind(each) in (*_GONE, *_REFUSED):
                raise PermissionDeniedError(f"X does not serve this: {what}")
            raise TemporaryError(f"X could not answer: {what}")


def _names_a_gone_post(error: Mapping[str, Any]) -> bool:
    return _kind(error) in _GONE and error.get("resource_type", "tweet") in ("tweet", "post")


def _kind(problem: Mapping[str, Any]) -> str:
    return str(problem.get("type", "")).rpartition("/")[2].lower()


def _by_id(values: Any) -> dict[str, Mapping[str, Any]]:
    rows = values if isinstance(values, list) else []
    return {str(row["id"]): row for row in rows if isinstance(row, dict) and row.get("id")}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _shape(value: Any) -> str:
    """What an unreadable answer looks like, without anything that somebody wrote."""
    return f"object with {sorted(map(str, value))[:10]}" if isinstance(value, dict) else type(value).__name__
