"""EspoCRM's REST API: who we are there, what its errors mean, and rows of a list. Rows go in and out as JSON.

Facts from EspoCRM's documentation (docs.espocrm.com/development/api) and source, versions 7 to 10.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.http import Session, redact
from integrations.provider import Access

ROOT = "/api/v1"
MOST = 200  # rows of a page; EspoCRM answers 403 to a greater number (`recordListMaxSizeLimit`)
IDS = 50  # ids in one question: they stand in the address, and servers take 8 kB of it

Row = Mapping[str, Any]


class Hmac(AuthBase):
    """Signs each call with the secret, which itself never travels (EspoCRM 8.4.1 and later)."""

    def __init__(self, key: str, secret: str) -> None:
        self._key = key
        self._secret = secret.encode()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        path = urlsplit(str(request.url)).path.partition(ROOT)[2]
        digest = hmac.new(self._secret, f"{request.method} {path}".encode(), sha256).hexdigest()
        request.headers["X-Hmac-Authorization"] = b64encode(f"{self._key}:{digest}".encode()).decode()
        return request


def signatures(key: str) -> re.Pattern[str]:
    """What any of this key's signatures looks like. A signature holds for its path for ever, so it is a secret too."""
    whole = len(f"{key}:".encode()) // 3 * 4  # so many letters of it do not depend on what follows
    start = b64encode(f"{key}:".encode()).decode()[:whole]
    return re.compile(re.escape(start) + r"[A-Za-z0-9+/=]*" if len(key) >= 12 else r"(?!)")


def session(access: Access, headers: Mapping[str, str] | None = None) -> Session:
    """The session of one connection: with the API key, or signed where there is a secret too."""
    key, secret = (str(access.credentials.get(name) or "") for name in ("api_key", "secret_key"))

    def said(response: requests.Response) -> str:
        return redact(signatures(key).sub("…", reason(response)), filter(None, (key, secret)))

    made = Session(
        access.hosts["web"].rstrip("/") + ROOT,
        secrets=filter(None, (key, secret)),
        headers={**(headers or {}), **({} if secret else {"X-Api-Key": key})},
        guarded=access.guarded,
        allow=access.allow_hosts,
        says=said,
        classify=lambda response: _classify(response, said(response)),
    )
    if secret:
        made.http.auth = Hmac(key, secret)
    return made


# --- errors ---------------------------------------------------------------------------------------------------


def reason(response: requests.Response) -> str:
    """EspoCRM's own sentence about a refusal, or "". It stands in a header; of a field that is not right, in the body."""
    body = _object(response)
    told = body.get("messageTranslation")
    data = told.get("data") if isinstance(told, dict) else None
    if isinstance(data, dict) and data.get("field"):
        return f"the field {data['field']} is not as EspoCRM wants it ({data.get('type') or 'not valid'})"
    said = body.get("message") if isinstance(body.get("message"), str) else ""
    return str(said or response.headers.get("X-Status-Reason") or "").strip()


def _object(response: requests.Response) -> Row:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


class DuplicateError(InvalidRequestError):
    """EspoCRM takes the record for one that it has: `rows` are those."""

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__("EspoCRM takes it for a record that it has already.")
        self.rows = rows


def _classify(response: requests.Response, says: str) -> IntegrationError | None:
    """What EspoCRM says its own way. Its 403 means a role, a page that is too long, or one record; its 404 may be any web server's."""
    status = response.status_code
    if status == 401:
        return AuthenticationError(
            "EspoCRM does not accept this API key. Generate one for the API user, and connect again."
        )
    if status == 403:
        return PermissionDeniedError(f"EspoCRM did not allow this: {says or 'the role of the API user does not'}")
    if status == 404:
        return (
            NotFoundError("EspoCRM does not have this record.")
            if _is_espo(response)
            else UnexpectedResponseError("EspoCRM does not answer at this address: a web server said 404.")
        )
    if status == 409 and says == "duplicate":
        return DuplicateError(_list(response))
    if status in (400, 409):
        return InvalidRequestError(f"EspoCRM refused it: {says or f'it answered {status} and gave no reason'}")
    return None


def _is_espo(response: requests.Response) -> bool:
    """EspoCRM's 404 has no web page in it."""
    return "html" not in response.headers.get("Content-Type", "").lower() or not response.content.strip()


def _list(response: requests.Response) -> list[Row]:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return []
    return [each for each in body if isinstance(each, dict)] if isinstance(body, list) else []


# --- rows -----------------------------------------------------------------------------------------------------


def rows(body: object) -> list[Row]:
    """The records of a list; a broken one is left out. Raises UnexpectedResponseError where there is no list, or not one record is whole."""
    found = body.get("list") if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise UnexpectedResponseError("EspoCRM answered without a list of records", sample=type(body).__name__)
    whole: list[Row] = [
        each for each in found if isinstance(each, dict) and isinstance(each.get("id"), str) and each["id"]
    ]
    if found and not whole:
        raise UnexpectedResponseError("EspoCRM answered with records that have no id", sample=f"{len(found)} rows")
    return whole


Condition = tuple[str, str, Any]  # type, attribute, value: EspoCRM's "where items"


def where(conditions: Sequence[Condition], prefix: str = "where") -> dict[str, Any]:
    """The conditions as EspoCRM reads them from an address; all of them must hold. The value of an `or` is conditions again."""
    params: dict[str, Any] = {}
    for number, (kind, attribute, value) in enumerate(conditions):
        stem = f"{prefix}[{number}]"
        params[f"{stem}[type]"] = kind
        if kind == "or":
            params |= where(value, f"{stem}[value]")
            continue
        params[f"{stem}[attribute]"] = attribute
        many = isinstance(value, (list, tuple))
        params[f"{stem}[value]" + ("[]" if many else "")] = list(value) if many else value
    return params


class API:
    """The calls that we make, and only calls. Raises `integrations.errors`."""

    def __init__(self, access: Access) -> None:
        self.http = session(access)
        self._insistent = session(access, {"X-Skip-Duplicate-Check": "true"})

    def clock(self) -> float | None:
        """What EspoCRM's clock said with its latest answer, in seconds since 1970; None where it does not tell."""
        return self.http.clock

    def me(self) -> Row:
        """Who the key belongs to: `user`, `acl` (what the role allows), `settings`."""
        found = self.http.get("/App/user")
        if not isinstance(found, dict) or not isinstance(found.get("user"), dict):
            raise UnexpectedResponseError("This does not answer as EspoCRM does.", sample=type(found).__name__)
        return found

    def metadata(self, path: str) -> Row:
        """A part of the CRM's own description, by its path with dots; {} where there is none. Before 8.2 it comes whole."""
        found = self.http.get("/Metadata", key=path)
        steps = path.split(".")
        if isinstance(found, dict) and steps[0] in found:
            for step in steps:
                found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def page(
        self, kind: str, names: Sequence[str], conditions: Sequence[Condition], order: str, size: int = MOST
    ) -> list[Row]:
        """One page of the records of a kind that fit, ascending by `order` and then by id."""
        params = {"select": ",".join(names), "maxSize": size, "orderBy": order, "order": "asc", **where(conditions)}
        return rows(self.http.get(f"/{kind}", **params))

    def read(self, kind: str, ids: Sequence[str], names: Sequence[str]) -> list[Row]:
        """The records with these ids that are there, in any order. Any number of ids."""
        wanted = list(dict.fromkeys(each for each in ids if each))
        found: list[Row] = []
        for start in range(0, len(wanted), IDS):
            found += self.page(kind, names, [("in", "id", wanted[start : start + IDS])], "id")
        return found

    def stands(self, kind: str, record_id: str) -> bool:
        """Whether this record is there, though a list may not show it: lists leave out what the role does not let us see."""
        try:
            self.http.get(f"/{kind}/{quote(record_id, safe='')}", select="id")
        except NotFoundError:
            return False
        except PermissionDeniedError:
            return True
        return True

    def create(self, kind: str, values: Row) -> Row:
        """Makes a record, even where EspoCRM knows one like it. Raises DuplicateError only from `create_once`."""
        return self._made(self._insistent, kind, values)

    def create_once(self, kind: str, values: Row) -> Row:
        """Makes a record. Raises DuplicateError, if EspoCRM's administrator has it look for duplicates and it finds one."""
        return self._made(self.http, kind, values)

    def _made(self, http: Session, kind: str, values: Row) -> Row:
        found = http.post(f"/{kind}", values)
        if not isinstance(found, dict) or not isinstance(found.get("id"), str):
            raise UnexpectedResponseError("EspoCRM did not say what it made", sample=type(found).__name__)
        return found

    def update(self, kind: str, record_id: str, values: Row) -> None:
        """Changes what is given, and nothing else. Safe to repeat. The record stands already, so duplicates are no matter."""
        self._insistent.request("PUT", f"/{kind}/{record_id}", json=values)

    def delete(self, kind: str, record_id: str) -> None:
        """Deletes a record; nothing happens where it is gone."""
        try:
            self.http.request("DELETE", f"/{kind}/{record_id}")
        except NotFoundError:
            return
