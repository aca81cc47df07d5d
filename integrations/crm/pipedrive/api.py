"""Pipedrive's addresses, what each call costs, the one session that makes them, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import requests

from integrations.errors import (
    IntegrationError,
    InvalidRequestError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import WAIT, Session, parse_json, retry_after_header

PAGE = 500  # rows a list holds
IDS = 100  # ids a list can be asked for
MOST_PAGES = 2000  # of one list: a million rows

PERSONS, PERSON = "/api/v2/persons", "/api/v2/persons/{id}"
ACTIVITIES, ACTIVITY = "/api/v2/activities", "/api/v2/activities/{id}"
ORGANIZATIONS, PERSON_FIELDS = "/api/v2/organizations", "/api/v2/personFields"
# These have no second version (November 2026).
USERS, ME, TYPES, ACTIVITY_FIELDS = (
    "/api/v1/users",
    "/api/v1/users/me",
    "/api/v1/activityTypes",
    "/api/v1/activityFields",
)

# What a call takes from the company's daily budget: `x-token-cost` of the vendor's contract, as of August 2026.
COSTS: Mapping[tuple[str, str], int] = {
    ("GET", PERSONS): 10,
    ("GET", PERSON): 1,
    ("PATCH", PERSON): 5,
    ("GET", ACTIVITIES): 10,
    ("POST", ACTIVITIES): 5,
    ("PATCH", ACTIVITY): 5,
    ("DELETE", ACTIVITY): 3,
    ("GET", ORGANIZATIONS): 10,
    ("GET", PERSON_FIELDS): 10,
    ("GET", USERS): 20,
    ("GET", ME): 2,
    ("GET", TYPES): 20,
    ("GET", ACTIVITY_FIELDS): 20,
}

Row = Mapping[str, Any]
T = TypeVar("T")


class Payer(Protocol):
    """Who pays for calls. See `budget`."""

    def pay(self, tokens: int) -> None:
        """Before a call. Raises RateLimitError where it cannot be paid now."""
        ...

    def learn(self, headers: Mapping[str, str]) -> None:
        """After a call: what the answer says of the company's budget."""
        ...


class API:
    """The calls that we make, and only calls. Raises `integrations.errors`."""

    def __init__(self, base_url: str, token: str, payer: Payer) -> None:
        self._payer = payer
        self._http = Session(base_url, token=token, says=sentence, classify=_classify, retry_after=_wait)
        self._http.http.hooks["response"].append(lambda response, *_, **__: payer.learn(response.headers))

    def clock(self) -> float | None:
        """What Pipedrive's clock said with its latest answer, in seconds since 1970; None where it does not tell."""
        return self._http.clock

    def call(
        self,
        method: str,
        template: str,
        *,
        id: int | None = None,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        write: bool = False,
    ) -> Row:
        """One call, answered as Pipedrive answers everything: an object with `data`. `template` is a key of COSTS."""
        self._payer.pay(COSTS[method, template])
        path = template if id is None else template.format(id=id)
        answer = parse_json(self._http.request(method, path, params=params, json=body, write=write))
        if not isinstance(answer, dict) or "data" not in answer:
            raise UnexpectedResponseError("Pipedrive answered without data", sample=_shape(answer))
        if answer.get("success") is False:
            raise InvalidRequestError(_sentence(answer) or "Pipedrive refused it and gave no reason")
        return answer

    def page(self, path: str, cursor: str | None = None, **params: Any) -> tuple[list[Any], str | None]:
        """One page of a list of the second version, and the cursor of the next one."""
        asked = {"limit": PAGE, **({"cursor": cursor} if cursor else {}), **params}
        answer = self.call("GET", path, params=asked)
        more = answer.get("additional_data")
        following = more.get("next_cursor") if isinstance(more, dict) else None
        return listed(answer), str(following) if following else None

    def by_id(self, path: str, ids: Sequence[str], **params: Any) -> list[Row]:
        """The rows with these ids, in any order; what is not there is left out. Any number of ids."""
        found: list[Row] = []
        wanted = list(dict.fromkeys(each for each in ids if is_id(each)))
        for group in chunks(wanted):
            rows, _ = self.page(path, ids=",".join(group), **{**params, "limit": IDS})
            found += readable(rows)
        return found

    def every(self, path: str, **params: Any) -> list[Row]:
        """All rows of a list of the second version. Raises UnexpectedResponseError for one that has no end."""
        found: list[Row] = []
        cursor = None
        for _ in range(MOST_PAGES):
            rows, following = self.page(path, cursor, **params)
            found += [row for row in rows if isinstance(row, dict)]
            if following is None:
                return found
            if following == cursor:
                break
            cursor = following
        raise UnexpectedResponseError("Pipedrive served a list that has no end")


# --- errors ---------------------------------------------------------------------------------------------------


def sentence(response: requests.Response) -> str:
    """Pipedrive's own sentence about a refusal, or "" where there is none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return ""
    return _sentence(body) if isinstance(body, dict) else ""


def _sentence(body: Row) -> str:
    said = [str(body[name]).strip() for name in ("error", "message", "error_info") if isinstance(body.get(name), str)]
    return " ".join(dict.fromkeys(each for each in said if each and "developers.pipedrive.com" not in each))


def _classify(response: requests.Response) -> IntegrationError | None:
    status, says = response.status_code, sentence(response)
    kind = response.headers.get("Content-Type", "")
    if status == 403 and "html" in kind:
        # The gate before Pipedrive shuts for a while on whoever went on after a 429; it says nothing of the grant.
        return RateLimitError("Pipedrive's gate has shut for a while", retry_after=600.0)
    if status in (400, 409, 422):
        return InvalidRequestError(says or f"Pipedrive answered {status} and gave no reason")
    if status == 404 and response.request.method == "POST":
        return TemporaryError("Pipedrive answered 404 to a call that it has served before")
    return None


def _wait(response: requests.Response) -> float | None:
    """Seconds to wait after a 429: an hour where the day's budget is used up, else the rest of the window of two seconds."""
    if (told := retry_after_header(response)) is not None:
        return told
    if response.headers.get("x-daily-ratelimit-token-remaining", "").strip() == "0":
        return 3600.0
    reset = response.headers.get("x-ratelimit-reset", "").strip()
    return min(max(1.0, float(reset)), 3600.0) if reset.isascii() and reset.isdigit() else WAIT


# --- rows -----------------------------------------------------------------------------------------------------


def listed(answer: Row) -> list[Any]:
    """The rows of an answer; an empty list may come as null."""
    data = answer.get("data")
    if data is None:
        return []
    if not isinstance(data, list):
        raise UnexpectedResponseError("Pipedrive answered without a list", sample=_shape(data))
    return data


def readable(found: Sequence[object]) -> list[Row]:
    """The rows that have an id. Raises UnexpectedResponseError where none has, and there are some."""
    kept: list[Row] = [each for each in found if isinstance(each, dict) and _whole(each.get("id"))]
    if found and not kept:
        raise UnexpectedResponseError("Pipedrive answered with rows that have no id")
    return kept


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_id(text: str | None) -> bool:
    """Whether Pipedrive would read this as an id: a whole number that fits its column."""
    return bool(text and text.isascii() and text.isdigit() and len(text) <= 18)


def number(text: str, what: str) -> int:
    """An id as Pipedrive wants it. Raises InvalidRequestError for one that cannot be Pipedrive's."""
    if not is_id(text):
        raise InvalidRequestError(f"{what} is not one of Pipedrive's")
    return int(text)


def chunks(items: Sequence[T], size: int = IDS) -> Iterator[Sequence[T]]:
    """The items in groups of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _shape(body: object) -> str:
    """What an answer looks like without anything that it says."""
    return f"object with {', '.join(sorted(map(str, body))[:10])}" if isinstance(body, dict) else type(body).__name__
