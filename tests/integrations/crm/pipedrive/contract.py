"""Checks requests and answers against Pipedrive's published contract, where that is at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError

from tests.integrations.crm.pipedrive.server import BASE

FOLDER = "vendor-specs/pipedrive"
# Of organizations the pruned document has nothing; the whole one says the same of them as of persons.
NOT_PRUNED = "/api/v2/organizations"


class Contract:
    """Both versions of the API."""

    def __init__(self, folder: Path) -> None:
        self.documents = {version: _document(folder, version) for version in ("v1", "v2")}
        self._apis = {version: OpenAPI.from_dict(document) for version, document in self.documents.items()}

    def operation(self, method: str, path: str) -> Mapping[str, Any]:
        """The operation that a call of ours is. Raises AssertionError where there is none."""
        version, _, rest = path.removeprefix("/api/").partition("/")
        known: dict[str, Any] = self.documents[version]["paths"]
        for template, operations in known.items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), f"/{rest}") and method.lower() in operations:
                found: Mapping[str, Any] = operations[method.lower()]
                return found
        raise AssertionError(f"{method} {path} is not in the contract")

    def check(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        """Raises AssertionError where Pipedrive would not know the call, a value or a parameter, or would not answer like this."""
        call = urlsplit(str(request.url))
        if call.path == NOT_PRUNED:
            return
        operation = self.operation(str(request.method), call.path)
        api = self._apis[call.path.split("/")[2]]
        asked = RequestsOpenAPIRequest(request)
        try:
            api.validate_request(asked)
            if response.status_code == 200:
                api.validate_response(asked, RequestsOpenAPIResponse(response))
        except OpenAPIError as error:
            raise AssertionError(f"{request.url}: {error!r} {error.__cause__!r}") from None
        unknown = parse_qs(call.query).keys() - {each["name"] for each in operation.get("parameters", ())}
        assert not unknown, f"{call.path} takes no {sorted(unknown)}"
        body = json.loads(request.body) if request.body else {}
        assert not body.keys() - self._members(operation), f"{call.path} takes no {sorted(body)}"
        assert str(request.headers["Authorization"]).startswith("Bearer ")

    def _members(self, operation: Mapping[str, Any]) -> set[str]:
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        return set(self._resolved(schema).get("properties", {}))

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in schema:
            return schema
        found: Any = self.documents["v2"]
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return self._resolved(found)


def _document(folder: Path, version: str) -> dict[str, Any]:
    text = (folder / f"openapi-{version}.pruned.json").read_text()
    document: dict[str, Any] = json.loads(text, object_hook=_with_what_it_says_of_null)
    document["servers"] = [{"url": f"{BASE}/api/{version}"}]
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["x-scopes"] = [scope for way in operation.pop("security", ()) for scope in way.get("oauth2", ())]
    return document


def _with_what_it_says_of_null(part: dict[str, Any]) -> dict[str, Any]:
    """Of the next cursor the words say that it may be null, and the schema does not."""
    cursor = part.get("next_cursor")
    if isinstance(cursor, dict) and "`null`" in str(cursor.get("description")):
        cursor["nullable"] = True
    return part


@cache
def contract(shared: Path) -> Contract | None:
    """The contract in the shared folder, or None where it is absent."""
    folder = shared / FOLDER
    return Contract(folder) if folder.is_dir() else None
