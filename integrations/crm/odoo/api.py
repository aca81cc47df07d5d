"""Odoo's two external APIs behind one call: JSON-2 since version 19, JSON-RPC before. Rows go in and out as JSON.

Facts from Odoo's documentation (odoo.com/documentation, External JSON-2 API and External RPC API) and source. Each call is a transaction of its
own: an error that Odoo itself tells means that nothing was done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from integrations.crm.odoo.meaning import (
    BAD_KEY,
    WRONG_DATABASE,
    NoSuchAPIError,
    NoSuchDatabaseError,
    classify,
    meaning,
    no_rpc,
    says,
)
from integrations.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.http import Session, parse_json
from integrations.provider import Access

JSON2_SINCE = 19
HAS_ACCESS_SINCE = 18  # what a user may do is asked by another name
LISTS_SINCE = 12  # create takes a list of records; before, one record
AT_ONCE = 100  # records that one create makes
PAGE = 200
IDS = 500  # ids in one question; they stand in the body
EVERYTHING = {"active_test": False}  # archived records too
_NO_DATABASE = "Name the database of your Odoo: its server does not tell by the address which one is meant."

Row = Mapping[str, Any]
Domain = list[Any]


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
            base, token=self._key, headers=named, guarded=guarded, allow=allow, says=says, classify=classify
        )
        self._rpc = Session(base, secrets=[self._key], guarded=guarded, allow=allow, says=says, classify=no_rpc)
        self._uid: int | None = access.options.get("uid")
        self._version: int | None = access.options.get("version")

    def clock(self) -> float | None:
        """What the clock of Odoo's server said with its latest answer, in seconds since 1970; None where it does not tell."""
        return (self._json2 if self.version >= JSON2_SINCE else self._rpc).clock

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
            return JSON2_SINCE  # the older API is gone: from 20 on, says the log of 19; from 22, says its documentation
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
            raise AuthenticationError(BAD_KEY)
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
            return parse_json(self._by_json2(f"/json/2/{model}/{method}", body, write=write))
        places: list[Any] = [] if ids is None else [list(ids)]
        if by_place:
            places, named = [*places, *named.values()], {}
        words = (self.database, self.uid, self._key, model, method, places, {**named, "context": asked})
        return self._service("object", "execute_kw", *words, write=write)

    def _by_json2(self, path: str, body: Row, *, write: bool) -> requests.Response:
        try:
            return self._json2.request("POST", path, json=body, write=write)
        except NoSuchDatabaseError as error:
            if "uid" in self._access.options:
                raise  # it was there when this was connected
            raise InvalidRequestError(WRONG_DATABASE if self.database else _NO_DATABASE) from error

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
        said = str(text or "")
        return said.replace(self._key, "…") if self._key else said

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

    def may(self, model: str, operation: str) -> bool | None:
        """Whether our user may "create", "write" or "unlink" records of a model at all: a rule may keep her from some of them. None where
        Odoo does not say."""
        try:
            if self.version >= HAS_ACCESS_SINCE:
                return self.call(model, "has_access", [], {"operation": operation}) is True
            asked = {"operation": operation, "raise_exception": False}
            return self.call(model, "check_access_rights", None, asked, by_place=True) is True
        except (InvalidRequestError, NotFoundError, PermissionDeniedError):
            return None

    @property
    def at_once(self) -> int:
        """How many records one `create` makes."""
        return AT_ONCE if self.version >= LISTS_SINCE else 1

    def create(self, model: str, values: Sequence[Row]) -> list[int]:
        """Makes them all, or none: no more than `at_once`. Their ids, in the same order."""
        given = values[0] if self.at_once == 1 else list(values)
        made = self.call(model, "create", None, {"vals_list": given}, by_place=True, write=True)
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
