"""What Odoo's errors mean: by JSON-2 they have a status and a name, by JSON-RPC status 200 and a name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

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
    "DataError": InvalidRequestError,
    "NotNullViolation": InvalidRequestError,
    "ForeignKeyViolation": InvalidRequestError,
    "UniqueViolation": InvalidRequestError,
    "CheckViolation": InvalidRequestError,
    "StringDataRightTruncation": InvalidRequestError,
    "NumericValueOutOfRange": InvalidRequestError,
    "DatetimeFieldOverflow": InvalidRequestError,
    "ValueError": InvalidRequestError,
    "TypeError": InvalidRequestError,
    "KeyError": InvalidRequestError,
    "AttributeError": InvalidRequestError,
    "ConcurrencyError": TemporaryError,
    "OperationalError": TemporaryError,
    "SerializationFailure": TemporaryError,
    "LockNotAvailable": TemporaryError,
}
# PostgreSQL's words: Odoo has none of its own for it.
_UNKNOWN_DATABASE = re.compile(r'database "[^"]*" does not exist')
_NO_DATABASE = "No database is selected"  # in the page that Odoo shows by JSON-2
WRONG_DATABASE = (
    "Odoo has no database of this name. Name it as it stands on the page where Odoo lists them, and connect again."
)
_LONGEST = 300  # letters of what Odoo says
LACKS_A_RIGHT = (
    "Give the user of the API key the right Contact Creation in Odoo (Settings, Users): an activity stands under a contact, and whoever makes"
    " one must be able to edit that contact."
)
BAD_KEY = "Odoo does not accept this API key and login. Make a key (Preferences, Account Security), and connect again."


def meaning(name: str, message: object) -> IntegrationError:
    """What an exception of Odoo's means, with its own sentences. Of what is not Odoo's own but its database's, the first line alone: those behind
    it show what was to be written."""
    last = name.rpartition(".")[2]
    says = " ".join(_lines(message) if name.startswith("odoo.") else _lines(message)[:1])[:_LONGEST]
    if last == "OperationalError" and _UNKNOWN_DATABASE.search(says):
        return InvalidRequestError(WRONG_DATABASE)
    kind = _MEANING.get(last, TemporaryError)
    if kind is AuthenticationError:
        return AuthenticationError(BAD_KEY)
    return kind(f"Odoo says: {says or name or 'nothing'}")


def _lines(message: object) -> list[str]:
    """The lines that say something; before version 13 the last one of Odoo's own says None."""
    lines = [line.strip() for line in str(message or "").splitlines()]
    return [
        line for line in takewhile(lambda line: not line.startswith("Traceback"), lines) if line not in ("", "None")
    ]


class NoSuchAPIError(UnexpectedResponseError):
    """The older API is not there: a newer Odoo, or none. It says nothing about any record."""


class NoSuchDatabaseError(UnexpectedResponseError):
    """Odoo is there, and has not this database, or more than one. It says nothing about any record."""


def no_rpc(response: requests.Response) -> IntegrationError | None:
    if response.status_code != 404:
        return None
    return NoSuchAPIError("Odoo does not answer by the API of its version any more. If it was upgraded, connect again.")


def _object(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def says(response: requests.Response) -> str:
    """Odoo's own sentence about a refusal: never its traceback, nor the arguments of the call."""
    return str(_object(response).get("message") or "").strip().partition("\n")[0]


def classify(response: requests.Response) -> IntegrationError | None:
    """JSON-2 names its exceptions, whatever the status. Rate limits and a server that is down are read as everybody's."""
    body = _object(response)
    name = body.get("name")
    if response.status_code == 404 and not isinstance(name, str):
        kind = NoSuchDatabaseError if _NO_DATABASE in response.text else UnexpectedResponseError
        return kind("Odoo does not answer at this address, or not for this database.")
    if not isinstance(name, str) or response.status_code in (429, 503):
        return None
    secret = response.request.headers.get("Authorization", "").partition(" ")[2]
    told = str(body.get("message") or "")
    return meaning(name, told.replace(secret, "…") if secret else told)
