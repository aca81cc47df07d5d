"""HubSpot's addresses, the one session that calls them, and what its errors mean. Rows go in and out as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import requests

from integrations.errors import (
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.foreign import objects
from integrations.http import Session, retry_after_header
from integrations.records import Budget

# Dated versions, each supported for about 18 months (developers.hubspot.com/changelog, March 2026).
OBJECTS = "/crm/objects/2026-09"
PROPERTIES = "/crm/properties/2026-03"
ASSOCIATIONS = "/crm/associations/2026-03"
OWNERS = "/crm/owners/2026-03"
ACCOUNT = "/account-info/2026-03/details"

KEY = "warmline_key"  # the property of tasks that holds our key
BATCH = 100  # records a batch call takes, and a list page holds
SEARCH = 200  # rows a search page holds

# HubSpot's own statuses (developers.hubspot.com/docs/api-reference/error-handling): a locked record, and an account
# that is being moved to another data centre. Both pass.
_PASSES = {423: "that record is locked for the moment", 477: "the account is being moved to another data centre"}
_WAITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}  # seconds, by the policy that was broken

_NO_KEY = f"The task property {KEY} is gone from HubSpot; Warmline makes it again within the hour"

Row = Mapping[str, Any]
T = TypeVar("T")


def session(base_url: str, token: str) -> Session:
    """The session of one connection."""
    return Session(base_url, token=token, says=sentence, retry_after=_wait, classify=_classify)


# --- errors ---------------------------------------------------------------------------------------------------


def sentence(response: requests.Response) -> str:
    """HubSpot's own sentence about a refusal, or "" where there is none (some answers are web pages)."""
    return message(_object(response))


def message(body: Row) -> str:
    """The sentence of an error body. A validation error carries its sentences as JSON inside the message."""
    text = str(body.get("message") or "").strip()
    head, bracket, tail = text.partition(": [")
    try:
        inner = json.loads(bracket.removeprefix(": ") + tail) if bracket else []
    except (ValueError, RecursionError):
        return text
    says = [str(each["message"]) for each in inner if isinstance(each, dict) and each.get("message")]
    return f"{head}: {'; '.join(says)}" if says else text


def _object(response: requests.Response) -> Row:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _classify(response: requests.Response) -> IntegrationError | None:
    status = response.status_code
    if status in _PASSES:
        return TemporaryError(f"HubSpot answered {status}: {_PASSES[status]}")
    body = _object(response)
    says = message(body)
    if status == 403:
        scopes = missing_scopes(body)
        named = f"the permission {', '.join(scopes)} is missing" if scopes else says or "the account does not allow it"
        return PermissionDeniedError(f"HubSpot did not allow this: {named}", scope=" ".join(scopes) or None)
    if status == 404 and body.get("category") == "OBJECT_NOT_FOUND":
        return NotFoundError(says)
    if status == 404 and response.request.method == "POST":
        # About the address, not about a record: were it read as "not there", every task would seem to be deleted.
        return TemporaryError("HubSpot answered 404 to a call that it has served before")
    if status == 400 and lacks_key(says):
        return TemporaryError(_NO_KEY)
    if status in (400, 409, 422):
        return InvalidRequestError(says or f"HubSpot answered {status} and gave no reason")
    return None


def lacks_key(says: str) -> bool:
    """Whether this sentence of HubSpot's is that our property is not there: somebody deleted it, and the hourly look makes it again."""
    return KEY in says and "does not exist" in says


def missing_scopes(body: Row) -> tuple[str, ...]:
    """The scopes that a MISSING_SCOPES error names, wherever it names them."""
    contexts = [body.get("context"), *(each.get("context") for each in objects(body.get("errors")))]
    for context in contexts:
        for name in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
            if isinstance(context, dict) and context.get(name):
                value = context[name]
                return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
    return ()


def _wait(response: requests.Response) -> float | None:
    """Seconds to wait after a 429: the header where there is one, else the span of the policy that was broken."""
    policy = str(_object(response).get("policyName") or "")
    interval = response.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "")
    span = float(interval) / 1000 if interval.isascii() and interval.isdigit() else 10.0
    return retry_after_header(response) or _WAITS.get(policy) or max(span, 1.0)


# --- limits ---------------------------------------------------------------------------------------------------

_PREFIX = "X-HubSpot-RateLimit-"
_NO_DAY = "HubSpot counts none by the day for an app that is connected by consent."


def budget(headers: Mapping[str, str]) -> Budget | None:
    """What an answer tells of the calls that are served (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines): those of
    the day, which are counted for private apps alone; else how many in a window of seconds. Search tells nothing."""
    most, left, window, span = (
        _number(headers.get(_PREFIX + name)) for name in ("Daily", "Daily-Remaining", "Max", "Interval-Milliseconds")
    )
    if most and left is not None:
        return Budget(min(left, most), most, "calls a day (all private apps share them)")
    if window and span and span >= 1000:
        return Budget(None, window, f"calls in {span // 1000} seconds", note=_NO_DAY)
    return None


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None


# --- rows -----------------------------------------------------------------------------------------------------


def results(body: object) -> list[Row]:
    """The records of an answer, without those that have no id. Raises UnexpectedResponseError where there is no such list, or
    nothing in it can be read."""
    found = body.get("results") if isinstance(body, dict) else None
    readable = [each for each in objects(found) if each.get("id")]
    if not isinstance(found, list) or (found and not readable):
        raise UnexpectedResponseError("HubSpot answered without a list of records", sample=_shape(body))
    return readable


def _list(body: object) -> list[Row]:
    found = body.get("results") if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise UnexpectedResponseError("HubSpot answered without a list of results", sample=_shape(body))
    return objects(found)


def _only_missing(answer: Row) -> None:
    """Raises TemporaryError when a batch left something out for another reason than that it is not there."""
    for error in objects(answer.get("errors")):
        if error.get("category") != "OBJECT_NOT_FOUND":
            raise TemporaryError(f"HubSpot could not read some records: {message(error)}")


def _shape(body: object) -> str:
    """What an answer looks like without anything that it says."""
    return f"object with {', '.join(sorted(map(str, body))[:10])}" if isinstance(body, dict) else type(body).__name__


def next_page(body: object) -> str | None:
    """The `after` of the following page, or None on the last one."""
    paging = body.get("paging") if isinstance(body, dict) else None
    following = paging.get("next") if isinstance(paging, dict) else None
    after = following.get("after") if isinstance(following, dict) else None
    return str(after) if after else None


def properties(row: Row) -> dict[str, str]:
    """A record's properties that have a value, as text."""
    values = row.get("properties")
    return {k: str(v) for k, v in values.items() if v is not None and v != ""} if isinstance(values, dict) else {}


def chunks(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The items in groups of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


# --- calls that several modules make ----------------------------------------------------------------------------


class API:
    """The calls that we make, and only calls. Raises `integrations.errors`."""

    def __init__(self, base_url: str, token: str) -> None:
        self.budget: Budget | None = None  # as the last answer told it
        self.http = session(base_url, token)
        self.http.http.hooks["response"].append(self._mind)

    def _mind(self, response: requests.Response, *_: object, **__: object) -> None:
        self.budget = budget(response.headers) or self.budget

    def clock(self) -> float | None:
        """What HubSpot's clock said with its latest answer, in seconds since 1970; None where it does not tell."""
        return self.http.clock

    def account(self) -> Row:
        """The account (portal) that the token belongs to."""
        found = self.http.get(ACCOUNT)
        if not isinstance(found, dict) or not found.get("portalId"):
            raise UnexpectedResponseError("HubSpot did not say which account this is", sample=_shape(found))
        return found

    def page(
        self, path: str, *, after: str | None = None, archived: bool = False, names: Sequence[str] = ()
    ) -> tuple[list[Row], str | None]:
        """One page of everything, and the `after` of the next one."""
        params = {"limit": BATCH, "archived": str(archived).lower(), "after": after, "properties": ",".join(names)}
        body = self.http.get(path, **{name: value for name, value in params.items() if value})
        return results(body), next_page(body)

    def search(self, kind: str, body: Row) -> tuple[list[Row], bool]:
        """One page of a search, and whether it was full, so that there may be more."""
        answer = self.http.post(f"{OBJECTS}/{kind}/search", body, write=False)
        return results(answer), len(answer["results"]) >= body["limit"]

    def read(
        self, kind: str, ids: Sequence[str], names: Sequence[str], *, by: str | None = None, archived: bool = False
    ) -> list[Row]:
        """The records with these ids (or these values of the unique property `by`), in any order; what is not there
        is left out. Any number of ids. Raises TemporaryError when HubSpot could not look for one of them."""
        found: list[Row] = []
        # One id that cannot be HubSpot's would have the whole batch refused.
        wanted = ids if by is not None else [each for each in ids if each.isascii() and each.isdigit()]
        for group in chunks(list(dict.fromkeys(wanted))):
            body: dict[str, Any] = {"inputs": [{"id": each} for each in group], "properties": list(names)}
            body["propertiesWithHistory"] = []
            if by is not None:
                body["idProperty"] = by
            path = f"{OBJECTS}/{kind}/batch/read" + ("?archived=true" if archived else "")
            try:
                answer = self.http.post(path, body, write=False)
            except NotFoundError:  # not one of the ids is there
                continue
            found += results(answer)
            _only_missing(answer)
        return found

    def associated(self, kind: str, ids: Sequence[str], to: str) -> dict[str, tuple[str, ...]]:
        """The ids of the `to` records that each of these `kind` records is associated with; none, no entry."""
        found: dict[str, list[str]] = {}
        path = f"{ASSOCIATIONS}/{kind}/{to}/batch/read"
        wanted: list[dict[str, str]] = [{"id": each} for each in dict.fromkeys(ids)]
        while wanted:
            group, wanted = wanted[:BATCH], wanted[BATCH:]
            try:
                body = self.http.post(path, {"inputs": group}, write=False)
            except NotFoundError:
                continue
            found_here = _list(body)
            _only_missing(body)
            for row in found_here:
                begins = row.get("from")
                source = str(begins.get("id") or "") if isinstance(begins, dict) else ""
                found.setdefault(source, []).extend(str(each.get("toObjectId")) for each in objects(row.get("to")))
                if after := next_page(row):
                    wanted.append({"id": source, "after": after})
        return {source: tuple(dict.fromkeys(targets)) for source, targets in found.items()}

    def associate(self, kind: str, to: str, pairs: Sequence[tuple[str, str]], type_id: int) -> None:
        """Associates the first record of each pair with the second. Safe to repeat; a pair whose one side is gone is left
        out by HubSpot."""
        spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
        for group in chunks(pairs):
            inputs = [{"from": {"id": one}, "to": {"id": other}, "types": spec} for one, other in group]
            self.http.post(f"{ASSOCIATIONS}/{kind}/{to}/batch/create", {"inputs": inputs}, write=False)

    def dissociate(self, kind: str, to: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Ends whatever associates the first record of each pair with the second. Safe to repeat."""
        for group in chunks(pairs):
            inputs = [{"from": {"id": one}, "to": [{"id": other}]} for one, other in group]
            self.http.post(f"{ASSOCIATIONS}/{kind}/{to}/batch/archive", {"inputs": inputs}, write=False)

    def batch(self, kind: str, verb: str, inputs: Sequence[Row], *, write: bool) -> Row:
        """A batch of creates, updates or archives. Returns the answer's object ({} for an empty one)."""
        body = self.http.post(f"{OBJECTS}/{kind}/batch/{verb}", {"inputs": list(inputs)}, write=write)
        if body is not None and not isinstance(body, dict):
            raise UnexpectedResponseError("HubSpot answered a batch with something else", sample=_shape(body))
        return body or {}
