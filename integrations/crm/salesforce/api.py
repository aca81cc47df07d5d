"""Salesforce's addresses, the one session that calls them, and what its errors mean. Rows go in and out as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import requests

from integrations.errors import (
    IntegrationError,
    InvalidRequestError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.foreign import objects
from integrations.http import Session, parse_json
from integrations.provider import Access
from integrations.records import Budget

VERSION = "66.0"  # Spring '26. Each version is served for three years at least; 41.0 to 68.0 are (November 2026)
SHARE = 90  # percent of the organisation's daily calls at which we stop, so that its other tools go on
WAIT = 900.0  # seconds until we look again whether calls are left: the window is a rolling day
BATCH = 200  # records a call on a collection writes (REST API guide, "sObject Collections")
READ = 2000  # records a call on a collection reads, and a page of a query holds

Row = Mapping[str, Any]
T = TypeVar("T")

_USAGE = re.compile(r"(?<![\w-])(?:per-app-)?api-usage=(\d+)/(\d+)")
_NO_COLUMN = re.compile(r"No such column '(?P<column>[\w.]+)'|relationship '(?P<relation>\w+)'")
_PASSES = {"UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE"}
_FORBIDS = {
    "API_DISABLED_FOR_ORG": "the edition has no API, or it is switched off",
    "API_CURRENTLY_DISABLED": "the API is switched off for the moment",
    "INSUFFICIENT_ACCESS": "the user who connected lacks a permission",
    "INSUFFICIENT_ACCESS_OR_READONLY": "the user who connected lacks a permission",
}


class MissingFieldError(InvalidRequestError):
    """A field that was asked for is not there, or the user may not see it. `name` is the field, or a relation's name."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class NotVisibleError(PermissionDeniedError):
    """The user who connected may not see records of this kind at all."""


class ShareUsedError(RateLimitError):
    """We wait of our own accord. The message is a sentence for people."""


class API:
    """The calls that we make, and only calls. Raises `integrations.errors`."""

    def __init__(self, base_url: str, token: str, access: Access | None = None) -> None:
        options = access.app.options if access else {}
        self._root = f"/services/data/v{_version(options)}"
        self._share = _share(options)
        self.budget: Budget | None = None  # as the last answer told it
        self._spent = ""  # a sentence, once an answer said that our share is used up
        self._http = Session(
            base_url,
            token=token,
            says=sentence,
            classify=_classify,
            guarded=access.guarded if access else False,
            allow=access.allow_hosts if access else (),
        )
        self._http.http.hooks["response"].append(self._mind)

    def clock(self) -> float | None:
        """What Salesforce's clock said with its latest answer, in seconds since 1970; None where it does not tell."""
        return self._http.clock

    def query(self, soql: str, *, everything: bool = False, tooling: bool = False) -> tuple[list[Any], bool]:
        """The first page of a query, and whether that is all of it. `everything`: deleted and archived records too.
        `tooling`: of what the organisation is made of, and not of its records."""
        path = "/tooling/query" if tooling else "/queryAll" if everything else "/query"
        body = self.call("GET", path, params={"q": soql})
        found = body.get("records") if isinstance(body, dict) else None
        if not isinstance(found, list):
            raise UnexpectedResponseError("Salesforce answered without a list of records", sample=_shape(body))
        return found, body.get("done") is not False

    def describe(self, kind: str) -> Row:
        """What a kind of record has (`fields`, `childRelationships`), as this user sees it."""
        body = self.call("GET", f"/sobjects/{kind}/describe")
        if not isinstance(body, dict) or not isinstance(body.get("fields"), list):
            raise UnexpectedResponseError(f"Salesforce did not describe {kind}", sample=_shape(body))
        return body

    def read(self, kind: str, ids: Sequence[str], fields: Sequence[str]) -> list[Row]:
        """The records with these ids, in any order; what is not there is left out. Any number of ids."""
        wanted = list(dict.fromkeys(each for each in ids if is_id(each)))
        found: list[Row] = []
        for group in chunks(wanted, READ):
            answer = self.call("POST", f"/composite/sobjects/{kind}", json={"ids": group, "fields": list(fields)})
            there = [each for each in _list(answer) if each is not None]  # null stands for what is not there
            found += readable(there)
        return found

    def create(self, records: Sequence[Row]) -> list[Row]:
        """Makes up to 200 records; one result each, in their order."""
        return self._collection("POST", "/composite/sobjects", records, write=True)

    def upsert(self, kind: str, field: str, records: Sequence[Row]) -> list[Row]:
        """Makes up to 200 records, or changes those whose external id `field` stands there; one result each, in their order."""
        return self._collection("PATCH", f"/composite/sobjects/{kind}/{field}", records, write=True)

    def update(self, records: Sequence[Row]) -> list[Row]:
        """Changes up to 200 records by id. Safe to repeat."""
        return self._collection("PATCH", "/composite/sobjects", records)

    def delete(self, ids: Sequence[str]) -> list[Row]:
        """Deletes up to 200 records by id, into the recycle bin. Safe to repeat."""
        params = {"ids": ",".join(ids), "allOrNone": "false"}
        return self._results(self.call("DELETE", "/composite/sobjects", params=params), len(ids))

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        write: bool = False,
    ) -> Any:
        """One call below the API's version, answered in JSON. Raises RateLimitError unsent where our share is used up."""
        if self._spent:
            raise ShareUsedError(self._spent, retry_after=WAIT)
        response = self._http.request(method, self._root + path, params=params, json=json, write=write)
        return parse_json(response)

    def _collection(self, method: str, path: str, records: Sequence[Row], *, write: bool = False) -> list[Row]:
        body = {"allOrNone": False, "records": list(records)}
        return self._results(self.call(method, path, json=body, write=write), len(records))

    def _results(self, answer: object, expected: int) -> list[Row]:
        found = _list(answer)
        if len(found) != expected:  # results have no key of ours: only their order tells whose they are
            raise UnexpectedResponseError("Salesforce did not answer for each record", sample=_shape(answer))
        return [each if isinstance(each, dict) else {} for each in found]

    def _mind(self, response: requests.Response, *_: object, **__: object) -> None:
        told = [(int(used), int(most)) for used, most in _USAGE.findall(response.headers.get("Sforce-Limit-Info", ""))]
        left = [
            Budget(max(0, most - used), most, "calls a day (all tools share them)") for used, most in told if most > 0
        ]
        self.budget = min(left, key=lambda each: each.left, default=self.budget)
        for used, most in told:
            if most > 0 and used * 100 >= most * self._share:
                self._spent = (
                    f"All tools together have used {self._share} percent of the calls that Salesforce serves in a day,"
                    " so Warmline waits and leaves the rest to the others."
                )


def _version(options: Mapping[str, Any]) -> str:
    given = str(options.get("api_version") or VERSION).strip().lower().removeprefix("v")
    return f"{given}.0" if given.isdigit() else given if re.fullmatch(r"\d+\.\d", given) else VERSION


def _share(options: Mapping[str, Any]) -> int:
    given = str(options.get("daily_share") or SHARE).strip().removesuffix("%").strip()
    return min(100, max(1, int(given))) if given.isascii() and given.isdigit() else SHARE


# --- errors ---------------------------------------------------------------------------------------------------


def sentence(response: requests.Response) -> str:
    """Salesforce's own sentences about a refusal, or "" where there are none (some answers are web pages)."""
    return "; ".join(filter(None, (message(each) for each in _errors(response))))


def message(error: Row) -> str:
    """The sentence of one error. That of a query quotes the query above its last two lines, which alone say what is wrong."""
    text = str(error.get("message") or "").strip()
    return text.partition("ERROR at Row")[2].partition("\n")[2].strip() or text


def _errors(response: requests.Response) -> list[Row]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return []
    return objects(body) if isinstance(body, list) else objects([body])


def _classify(response: requests.Response) -> IntegrationError | None:
    errors = _errors(response)
    codes, says = {code(each) for each in errors}, sentence(response)
    if "REQUEST_LIMIT_EXCEEDED" in codes:
        concurrent = "oncurrent" in says  # too many long calls at once: that passes soon; the daily limit does not
        return RateLimitError(f"Salesforce takes no more calls now: {says}", retry_after=60.0 if concurrent else WAIT)
    if codes & _PASSES and response.status_code < 500:  # with a 5xx nobody knows whether a write was done
        return TemporaryError(f"Salesforce could not do it now: {says}")
    if "INVALID_TYPE" in codes:
        return NotVisibleError(f"the user who connected may not see them ({says})")
    for name in sorted(codes & _FORBIDS.keys()):
        return PermissionDeniedError(f"Salesforce did not allow this: {_FORBIDS[name]} ({says})")
    if response.status_code == 410 or "UNSUPPORTED_API_VERSION" in codes:
        return InvalidRequestError("Salesforce no longer serves this API version: set a newer `api_version`")
    if found := next((_NO_COLUMN.search(str(each.get("message"))) for each in errors), None):
        return MissingFieldError(says, found["column"] or found["relation"])
    if response.status_code == 404 and "external ID field" in says:
        return MissingFieldError(says, says.rpartition(":")[2].strip())
    if response.status_code == 404 and response.request.method != "GET":
        # About an address and not about a record: were it read as "not there", every task would seem to be deleted.
        return TemporaryError("Salesforce answered 404 to a call that it has served before")
    return None


def code(error: Row) -> str:
    """The code of an error, of a whole call (`errorCode`) or of one record (`statusCode`)."""
    return str(error.get("errorCode") or error.get("statusCode") or "")


# --- rows -----------------------------------------------------------------------------------------------------


def readable(found: Sequence[object]) -> list[Row]:
    """The records of an answer that have an id. Raises UnexpectedResponseError where none has, and there are some."""
    kept = [each for each in objects(list(found)) if isinstance(each.get("Id"), str) and each["Id"]]
    if found and not kept:
        raise UnexpectedResponseError("Salesforce answered with records that have no id")
    return kept


def is_id(text: str) -> bool:
    """Whether Salesforce would read this as an id: a call with anything else among its ids is refused as a whole."""
    return bool(re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", text, re.ASCII))


def chunks(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The items in groups of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def quoted(text: str) -> str:
    """A text as SOQL writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def listed(texts: Sequence[str]) -> str:
    """Texts as SOQL writes them behind IN."""
    return f"({', '.join(map(quoted, texts))})"


def _list(body: object) -> list[Any]:
    if not isinstance(body, list):
        raise UnexpectedResponseError("Salesforce answered without a list", sample=_shape(body))
    return body


def _shape(body: object) -> str:
    """What an answer looks like without anything that it says."""
    return f"object with {', '.join(sorted(map(str, body))[:10])}" if isinstance(body, dict) else type(body).__name__
