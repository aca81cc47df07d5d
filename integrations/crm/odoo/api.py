"""Odoo's two external APIs behind one call: JSON-2 since version 19, JSON-RPC before. Rows go in and out as JSON.

Facts from Odoo's documentation (odoo.com/documentation, External JSON-2 API and External RPC API) and source. Each call is a transaction of its
own: an error that Odoo itself tells means that nothing was done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import Session, parse_json
from integrations.provider import Access

JSON2_SINCE = 19
PAGE = 200
IDS = 500  # ids in one question; they stand in the body
EVERYTHING = {"active_test": False}  # archived records too

Row = Mapping[str, Any]
Domain = list[Any]

# What the exceptions mean that Odoo names, by the last part of their names. Others of its own are bugs or bad fields.
_MEANING: dict[str, type[IntegrationError]] = {
    "AccessDenied": AuthenticationError,
    "Unauthorized": AuthenticationError,
    "SessionExpiredException": AuthenticationError,
    "AccessError": PermissionDeniedError,
    "Forbidden": PermissionDeniedError,
    "MissingError": NotFoundError,
    "NotFound": NotFoundError,
    "UserError": InvalidRequestError,
    "ValidationError": InvalidRequestError,
    "RedirectWarning": InvalidRequestError,
    "UnprocessableEntity": InvalidRequestError,
    "IntegrityError": InvalidRequestError,
    "NotNullViolation": InvalidRequestError,
    "ValueError": InvalidRequestError,
    "TypeError": InvalidRequestError,
    "KeyError": InvalidRequestError,
    "AttributeError": InvalidRequestError,
    "ConcurrencyError": TemporaryError,
    "OperationalError": TemporaryError,
    "SerializationFailure": TemporaryError,
    "LockNotAvailable": TemporaryError,
}
_NO_DATABASE = "Name the database of your Odoo: its server does not tell by the address which one is meant."
_BAD_KEY = "Odoo does not accept this API key and login. Make a key (Preferences, Account Security), and connect again."


def meaning(name: str, says: str) -> IntegrationError:
    """What an exception of Odoo's means. `says` is its own sentence."""
    kind = _MEANING.get(name.rpartition(".")[2], TemporaryError)
    if kind is AuthenticationError:
        return AuthenticationError(_BAD_KEY)
    return kind(f"Odoo says: {says or name or 'nothing'}")


def _first_line(text: object) -> str:
    return next((line.strip() for line in str(text or "").splitlines() if line.strip()), "")


class API:
    """The calls that we make, and only calls. Raises `integrations.errors`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._key = self._typed("api_key")
        base = access.hosts["web"].rstrip("/")
        self.database = self._typed("database") or _by_address(base)
        named = {"X-Odoo-Database": self.database} if self.database else {}
        guarded, allow = access.guarded, access.allow_hosts
        self._json2 = Session(
            base, token=self._key, headers=named, guarded=guarded, allow=allow, says=_says, classify=_classify
        )
        self._rpc = Session(base, secrets=[self._key], guarded=guarded, allow=allow, says=_says, classify=_no_rpc)
        self._uid: int | None = access.options.get("uid")
        self._version: int | None = access.options.get("version")

    def _typed(self, name: str) -> str:
        return str(self._access.credentials.get(name) or "").strip()

    # --- which API ------------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Odoo's major version."""
        if self._version is None:
            self._version = self._asked_version()
        return self._version

    def _asked_version(self) -> int:
        try:
            found = self._service("common", "version")
        except NoSuchAPIError:
            return JSON2_SINCE  # the older API is gone: since Odoo 22, as announced
        told = found.get("server_version") if isinstance(found, dict) else None
        match = re.search(r"(\d+)\.", str(told or ""))  # "17.0", "saas~18.2+e"
        if match is None:
            raise UnexpectedResponseError("This does not answer as Odoo does.", sample=type(found).__name__)
        return int(match[1])

    @property
    def uid(self) -> int:
        """The id of the user whose key this is."""
        if self._uid is None:
            self._uid = self._asked_uid()
        return self._uid

    def _asked_uid(self) -> int:
        if self.version >= JSON2_SINCE:
            found = self.call("res.users", "context_get")
            uid = found.get("uid") if isinstance(found, dict) else None
            if not isinstance(uid, int):
                # Older builds of 19 do not tell; the user may read herself.
                rows = self.search("res.users", [["login", "=", self._typed("login")]], ["id"], limit=1)
                uid = rows[0]["id"] if rows else 0
            return int(uid)
        if not self.database:
            raise InvalidRequestError(_NO_DATABASE)
        found = self._service("common", "authenticate", self.database, self._typed("login"), self._key, {})
        if not isinstance(found, int) or not found:
            raise AuthenticationError(_BAD_KEY)
        return found

    # --- calls ----------------------------------------------------------------------------------------------------

    def call(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        by_place: bool = False,
        context: Mapping[str, Any] | None = None,
        write: bool = False,
    ) -> Any:
        """What a method answers. `params` go by name; `by_place`, JSON-RPC gets them in this order instead, since older versions name
        them otherwise. `write`: repeating it could do it twice."""
        asked = {"lang": "en_US", **(context or {})}
        named = dict(params or {})
        if self.version >= JSON2_SINCE:
            body = {**({} if ids is None else {"ids": list(ids)}), "context": asked, **named}
            response = self._json2.request("POST", f"/json/2/{model}/{method}", json=body, write=write)
            return parse_json(response)
        places: list[Any] = [] if ids is None else [list(ids)]
        if by_place:
            places, named = [*places, *named.values()], {}
        words = (self.database, self.uid, self._key, model, method, places, {**named, "context": asked})
        return self._service("object", "execute_kw", *words, write=write)

    def _service(self, service: str, method: str, *words: Any, write: bool = False) -> Any:
        """A call of JSON-RPC. Errors come with status 200."""
        params = {"service": service, "method": method, "args": list(words)}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        answer = self._rpc.post("/jsonrpc", body, write=write)
        if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
            raise UnexpectedResponseError("This does not answer as Odoo does.", sample=type(answer).__name__)
        if "error" not in answer:
            return answer["result"]
        error = answer["error"] if isinstance(answer["error"], dict) else {}
        given = error.get("data")
        data = given if isinstance(given, dict) else {}
        raise meaning(str(data.get("name") or ""), self._redacted(data.get("message") or error.get("message")))

    def _redacted(self, text: object) -> str:
        return _first_line(text).replace(self._key, "…") if self._key else _first_line(text)

    # --- the methods of every model -------------------------------------------------------------------------------

    def search(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int = PAGE,
        order: str = "id",
        context: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """Records that fit; a broken one is left out. Raises UnexpectedResponseError where there is no list, or not one is whole."""
        params = {"domain": domain, "fields": list(fields), "limit": limit, "order": order}
        found = self.call(model, "search_read", None, params, context=context)
        if not isinstance(found, list):
            raise UnexpectedResponseError("Odoo answered without a list of records", sample=type(found).__name__)
        whole: list[Row] = [each for each in found if isinstance(each, dict) and _is_id(each.get("id"))]
        if found and not whole:
            raise UnexpectedResponseError("Odoo answered with records that have no id", sample=f"{len(found)} rows")
        return whole

    def read(
        self, model: str, ids: Sequence[str], fields: Sequence[str], *, context: Mapping[str, Any] | None = None
    ) -> list[Row]:
        """The records with these ids that are there, in any order. Any number of ids."""
        wanted = sorted({int(each) for each in ids if each.isascii() and each.isdigit() and len(each) < 10})
        found: list[Row] = []
        for start in range(0, len(wanted), IDS):
            domain = [["id", "in", wanted[start : start + IDS]]]
            found += self.search(model, domain, fields, limit=IDS, context=context)
        return found

    def hides(self, model: str, record_id: str) -> bool:
        """Whether this record is there and not for us: a search leaves it out like one that is gone, and reading it says so."""
        if not (record_id.isascii() and record_id.isdigit() and len(record_id) < 10):
            return False
        try:
            self.call(model, "read", [int(record_id)], {"fields": ["create_date"]}, by_place=True)
        except PermissionDeniedError:
            return True
        except NotFoundError:
            return False
        return False

    def create(self, model: str, values: Sequence[Row]) -> list[int]:
        """Makes them all, or none. Their ids, in the same order."""
        made = self.call(model, "create", None, {"vals_list": list(values)}, by_place=True, write=True)
        ids = made if isinstance(made, list) else [made]
        if len(ids) != len(values) or not all(map(_is_id, ids)):
            raise UnexpectedResponseError("Odoo did not say what it made", sample=type(made).__name__)
        return ids

    def write(self, model: str, record_id: int, values: Row) -> None:
        """Changes what is given. Safe to repeat."""
        self.call(model, "write", [record_id], {"vals": dict(values)}, by_place=True)

    def unlink(self, model: str, record_id: int) -> None:
        """Deletes a record; nothing happens where it is gone."""
        try:
            self.call(model, "unlink", [record_id])
        except NotFoundError:
            return


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _by_address(base: str) -> str:
    """The database of an Odoo that is hosted by Odoo itself, which has the name of its address."""
    host = urlsplit(base).hostname or ""
    return host.removesuffix(".odoo.com") if host.endswith(".odoo.com") else ""


class NoSuchAPIError(UnexpectedResponseError):
    """The older API is not there: a newer Odoo, or none. It says nothing about any record."""


def _no_rpc(response: requests.Response) -> IntegrationError | None:
    if response.status_code != 404:
        return None
    return NoSuchAPIError("Odoo does not answer by the API of its version any more. If it was upgraded, connect again.")


def _object(response: requests.Response) -> Row:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _says(response: requests.Response) -> str:
    """Odoo's own sentence about a refusal: never its traceback, nor the arguments of the call."""
    return _first_line(_object(response).get("message"))


def _classify(response: requests.Response) -> IntegrationError | None:
    """JSON-2 names its exceptions, whatever the status. Rate limits and a server that is down are read as everybody's."""
    body = _object(response)
    name = body.get("name")
    if response.status_code == 404 and not isinstance(name, str):
        return UnexpectedResponseError("Odoo does not answer at this address, or not for this database.")
    if not isinstance(name, str) or response.status_code in (429, 503):
        return None
    secret = response.request.headers.get("Authorization", "").partition(" ")[2]
    says = _says(response)
    return meaning(name, says.replace(secret, "…") if secret else says)
